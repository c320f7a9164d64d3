if(TARGET mesh::graph)
    mesh_add_test(graph_test SOURCES graph_test.cpp graph_sample.cpp DEPENDS mesh::graph LABEL gui GUI)
    mesh_add_test(graph_picture_test SOURCES graph_picture_test.cpp graph_sample.cpp DEPENDS mesh::graph LABEL gui GUI
        DEFINITIONS MESH_PICTURE_DIR="${CMAKE_BINARY_DIR}/pictures")
endif()
