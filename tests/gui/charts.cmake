if(TARGET mesh::charts AND TARGET mesh::bridge)
    mesh_add_test(charts_test SOURCES charts_test.cpp DEPENDS mesh::charts LABEL gui GUI
        DEFINITIONS MESH_PICTURE_DIR="${CMAKE_BINARY_DIR}/pictures")
endif()
