mesh_add_test(mtls_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/mtls_test.cpp DEPENDS mesh::proxy FOREIGN OpenSSL::SSL
    LABEL integration TIMEOUT 120)
# testssl takes minutes on two cores: MESH_TEST_TESTSSL=1 asks for it.
mesh_add_test(tls_programs_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/tls_programs_test.cpp DEPENDS mesh::proxy
    FOREIGN OpenSSL::SSL LABEL integration LABELS slow TIMEOUT 300)
