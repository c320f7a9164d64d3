mesh_add_test(h2_frames_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/h2_frames_test.cpp DEPENDS mesh::proxy mesh_test_servers
    LABEL integration TIMEOUT 60)
mesh_add_test(h2_clients_test LABEL integration TIMEOUT 120
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/h2_clients_test.cpp ${CMAKE_SOURCE_DIR}/tests/support/h2_test_server.cpp
    DEPENDS mesh::proxy FOREIGN mesh_test_servers PkgConfig::nghttp2)
