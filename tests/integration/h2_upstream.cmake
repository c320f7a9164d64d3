# Upstreams that speak HTTP/2, and those that only pretend to.
mesh_add_test(h2_upstream_test LABEL integration TIMEOUT 120
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/h2_upstream_test.cpp ${CMAKE_SOURCE_DIR}/tests/support/h2_test_server.cpp
    DEPENDS mesh::proxy FOREIGN mesh_test_servers PkgConfig::nghttp2)
mesh_add_test(h2_servers_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/h2_servers_test.cpp DEPENDS mesh::proxy
    FOREIGN OpenSSL::SSL LABEL integration TIMEOUT 120)
