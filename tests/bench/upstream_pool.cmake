mesh_add_bench(upstream_pool_bench SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/upstream_pool_bench.cpp DEPENDS mesh::proxy)
