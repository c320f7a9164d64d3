mesh_add_test(mtls_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/mtls_test.cpp DEPENDS mesh::proxy FOREIGN OpenSSL::SSL
    LABEL integration TIMEOUT 120)
mesh_add_test(tls_names_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/tls_names_test.cpp DEPENDS mesh::proxy
    FOREIGN OpenSSL::SSL LABEL integration TIMEOUT 60)
# testssl takes ten seconds of one core, its whole list (MESH_TEST_TESTSSL=1) minutes.
mesh_add_test(tls_programs_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/tls_programs_test.cpp DEPENDS mesh::proxy
    FOREIGN OpenSSL::SSL LABEL integration LABELS programs TIMEOUT 200)
