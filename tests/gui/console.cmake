if(TARGET mesh_shell AND TARGET mesh_proxy)
    mesh_add_test(console_test GUI LABEL gui LABELS slow TIMEOUT 120
        SOURCES console_test.cpp DEPENDS mesh::shell mesh::proxy)
    mesh_add_test(demo_guide_test GUI LABEL gui LABELS slow TIMEOUT 120
        SOURCES demo_guide_test.cpp DEPENDS mesh::shell mesh::proxy)
endif()
