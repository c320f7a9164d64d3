if(TARGET mesh_shell)
    mesh_add_test(alerts_test GUI LABEL gui SOURCES alerts_test.cpp DEPENDS mesh::shell)
endif()
