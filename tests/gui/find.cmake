if(TARGET mesh_shell)
    mesh_add_test(find_test GUI LABEL gui SOURCES find_test.cpp DEPENDS mesh::shell)
    mesh_add_test(profile_test GUI LABEL gui SOURCES profile_test.cpp DEPENDS mesh::shell)
    mesh_add_test(acceptance_test GUI LABEL gui SOURCES acceptance_test.cpp DEPENDS mesh::shell
        DEFINITIONS MESH_PICTURE_DIR="${CMAKE_BINARY_DIR}/pictures")
endif()
