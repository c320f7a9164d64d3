mesh_add_test(proxy_transport_test SOURCES transport_test.cpp DEPENDS mesh::proxy LABEL integration)
