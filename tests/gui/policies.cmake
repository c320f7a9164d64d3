if(TARGET mesh_shell)
    mesh_add_test(policies_test GUI LABEL gui SOURCES policies_test.cpp DEPENDS mesh::shell)
endif()
if(TARGET mesh_shell AND TARGET mesh_proxy)
    mesh_add_test(policies_live_test GUI LABEL gui LABELS slow TIMEOUT 180
        SOURCES policies_live_test.cpp DEPENDS mesh::shell mesh::proxy)
endif()
