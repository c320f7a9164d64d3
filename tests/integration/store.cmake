mesh_add_test(integration_store_kill SOURCES ${CMAKE_CURRENT_LIST_DIR}/store_kill_test.cpp DEPENDS mesh::store LABEL integration
    TIMEOUT 120)
