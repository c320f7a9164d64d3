mesh_add_bench(balancer_bench SOURCES balancer_bench.cpp DEPENDS mesh::policy)
