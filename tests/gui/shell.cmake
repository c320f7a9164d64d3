if(TARGET mesh_shell)
    mesh_add_test(shell_test GUI LABEL gui SOURCES shell_test.cpp DEPENDS mesh::shell)
endif()
