# Servers that do wrong, and what a client in front of the proxy sees of it.
if(TARGET mesh_test_servers AND TARGET mesh::proxy)
    mesh_add_test(misbehaving_server_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/misbehaving_server_test.cpp
        DEPENDS mesh_test_servers LABEL integration TIMEOUT 60)
    mesh_add_test(faults_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/faults_test.cpp
        DEPENDS mesh::proxy mesh_test_servers LABEL integration TIMEOUT 120)
    mesh_add_test(node_operator_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/node_operator_test.cpp
        DEPENDS mesh::proxy mesh_test_servers LABEL integration TIMEOUT 60)
    mesh_add_test(proxy_commands_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/proxy_commands_test.cpp
        DEPENDS mesh::proxy mesh_test_servers LABEL integration TIMEOUT 60)
endif()
