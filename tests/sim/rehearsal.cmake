if(TARGET mesh::simulator)
    mesh_add_test(sim_rehearsal_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/rehearsal_test.cpp
        DEPENDS mesh::simulator LABEL sim TIMEOUT 300)
    # whole: too long under a sanitizer; sim_mesh and sim_rehearsal go through the same code there.
    mesh_add_test(sim_shipped_scenarios_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/shipped_scenarios_test.cpp
        DEPENDS mesh::simulator LABEL sim LABELS whole TIMEOUT 300)
endif()
if(TARGET mesh::ctl)
    mesh_add_test(sim_rehearse_command_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/rehearse_command_test.cpp
        DEPENDS mesh::ctl FOREIGN nlohmann_json::nlohmann_json LABEL sim TIMEOUT 300)
endif()
