if(TARGET mesh::simulator)
    mesh_add_bench(sim_queue_bench SOURCES ${CMAKE_CURRENT_LIST_DIR}/sim_queue_bench.cpp DEPENDS mesh::simulator)
    # The system's own interpreter: it sees the system's packages. Passes without SimPy, and says so.
    find_program(MESH_SYSTEM_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
    if(MESH_SYSTEM_PYTHON)
        add_test(NAME sim_queue_simpy_bench
            COMMAND ${MESH_SYSTEM_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/sim_queue_simpy.py --customers 2000)
        set_tests_properties(sim_queue_simpy_bench PROPERTIES LABELS bench)
    endif()
endif()
