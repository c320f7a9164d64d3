if(TARGET mesh_forms)
    mesh_add_test(split_test GUI LABEL gui SOURCES split_test.cpp DEFINITIONS QT_NO_KEYWORDS DEPENDS mesh::forms)
endif()
