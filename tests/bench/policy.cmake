mesh_add_bench(policy_bench SOURCES policy_bench.cpp DEPENDS mesh::policy)
mesh_add_bench(router_bench SOURCES router_bench.cpp DEPENDS mesh::policy)
