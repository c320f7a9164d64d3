if(TARGET mesh::theme)
    mesh_add_test(theme_test SOURCES theme_test.cpp DEPENDS mesh::theme LABEL gui GUI)
endif()
