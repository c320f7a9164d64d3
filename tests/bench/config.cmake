mesh_add_bench(config_bench SOURCES ${CMAKE_CURRENT_LIST_DIR}/config_bench.cpp DEPENDS mesh::config)
