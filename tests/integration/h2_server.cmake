mesh_add_test(h2_frames_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/h2_frames_test.cpp DEPENDS mesh::proxy mesh_test_servers
    LABEL integration TIMEOUT 60)
