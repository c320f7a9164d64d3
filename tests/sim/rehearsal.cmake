if(TARGET mesh::simulator)
    foreach(subject IN ITEMS rehearsal shipped_scenarios)
        mesh_add_test(sim_${subject}_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/${subject}_test.cpp
            DEPENDS mesh::simulator LABEL sim TIMEOUT 300)
    endforeach()
endif()
if(TARGET mesh::ctl)
    mesh_add_test(sim_rehearse_command_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/rehearse_command_test.cpp
        DEPENDS mesh::ctl FOREIGN nlohmann_json::nlohmann_json LABEL sim TIMEOUT 300)
endif()
