mesh_add_bench(h2_head_bench SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/h2_head_bench.cpp DEPENDS mesh::http FOREIGN PkgConfig::nghttp2)
