if(TARGET mesh_shell)
    foreach(subject review rollout history)
        mesh_add_test(${subject}_test GUI LABEL gui SOURCES ${subject}_test.cpp rollout_sample.cpp rollout_sample.h
            DEPENDS mesh::shell mesh::bridge mesh::fleet mesh::config)
    endforeach()
endif()
