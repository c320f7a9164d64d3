if(TARGET mesh_forms)
    mesh_add_test(forms_test GUI LABEL gui SOURCES forms_test.cpp DEPENDS mesh::forms)
endif()
