if(TARGET mesh_shell)
    mesh_add_test(rehearse_test GUI LABEL gui SOURCES rehearse_test.cpp rehearsal_sample.cpp rehearsal_sample.h
        DEPENDS mesh::shell mesh::simulator)
endif()
