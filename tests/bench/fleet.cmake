if(TARGET mesh::fleet)
    mesh_add_bench(bench_fleet SOURCES ${CMAKE_CURRENT_LIST_DIR}/fleet_bench.cpp DEPENDS mesh::fleet mesh::http)
endif()
