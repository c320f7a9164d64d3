if(TARGET mesh::simulator)
    mesh_add_test(sim_explore_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/sim_explore_test.cpp
        DEPENDS mesh::simulator FOREIGN fmt::fmt LABEL sim LABELS whole TIMEOUT 300)
endif()
