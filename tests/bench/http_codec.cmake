mesh_add_bench(http_codec_bench SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/http_codec_bench.cpp DEPENDS mesh::http)
