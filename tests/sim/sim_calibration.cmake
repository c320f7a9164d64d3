if(TARGET mesh::simulator)
    mesh_add_test(sim_calibration_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/sim_calibration_test.cpp
        DEPENDS mesh::simulator FOREIGN fmt::fmt LABEL sim TIMEOUT 300)
endif()
if(TARGET mesh::ctl)
    mesh_add_test(fit_command_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/fit_command_test.cpp
        DEPENDS mesh::ctl mesh::store mesh::simulator FOREIGN fmt::fmt LABEL sim TIMEOUT 300)
endif()
