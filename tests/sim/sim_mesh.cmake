if(TARGET mesh::simulator)
    foreach(subject sim_mesh sim_mesh_any_faults sim_mesh_faults sim_mesh_policies sim_mesh_record)
        mesh_add_test(${subject}_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/${subject}_test.cpp
            DEPENDS mesh::simulator FOREIGN fmt::fmt LABEL sim TIMEOUT 300)
    endforeach()
endif()
