mesh_add_bench(retry_bench SOURCES ${CMAKE_CURRENT_LIST_DIR}/retry_bench.cpp DEPENDS mesh::policy FOREIGN fmt::fmt)
