mesh_add_test(proxy_stream_test SOURCES proxy_stream_test.cpp DEPENDS mesh::proxy LABEL integration TIMEOUT 60)
