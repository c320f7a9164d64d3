if(TARGET mesh::simulator)
    mesh_add_test(sim_swarm_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/sim_swarm_test.cpp
        ${CMAKE_SOURCE_DIR}/tests/support/swarm_case.cpp DEPENDS mesh::simulator FOREIGN fmt::fmt LABEL sim TIMEOUT 300)
    if(TARGET sim_swarm_test)
        # The same for longer.
        add_test(NAME sim_swarm_1000_test COMMAND sim_swarm_test everyInvariantHoldsInRandomMeshes)
        set_tests_properties(sim_swarm_1000_test PROPERTIES LABELS "sim;slow" TIMEOUT 1800
            ENVIRONMENT "QT_QPA_PLATFORM=offscreen;TZ=UTC;LC_ALL=C.UTF-8;MESH_SWARM=1000")
    endif()
endif()
