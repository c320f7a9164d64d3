if(TARGET mesh_forms)
    mesh_add_test(split_test GUI LABEL gui SOURCES split_test.cpp DEPENDS mesh::forms
        DEFINITIONS MESH_PICTURE_DIR="${CMAKE_BINARY_DIR}/pictures")
endif()
