mesh_add_bench(tls_record_bench SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/tls_record_bench.cpp DEPENDS mesh::tls)
