mesh_add_bench(resilience_bench SOURCES resilience_bench.cpp DEPENDS mesh::policy)
