mesh_add_bench(router_bench SOURCES router_bench.cpp DEPENDS mesh::policy)
