if(TARGET mesh::simulator)
    mesh_add_test(sim_closed_forms_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/sim_closed_forms_test.cpp
        DEPENDS mesh::simulator LABEL sim TIMEOUT 300)
endif()
