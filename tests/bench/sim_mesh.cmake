if(TARGET mesh::simulator)
    mesh_add_bench(sim_mesh_bench SOURCES ${CMAKE_CURRENT_LIST_DIR}/sim_mesh_bench.cpp DEPENDS mesh::simulator
        FOREIGN fmt::fmt)
endif()
