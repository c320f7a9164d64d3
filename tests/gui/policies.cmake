if(TARGET mesh_shell)
    mesh_add_test(policies_test GUI LABEL gui SOURCES policies_test.cpp DEFINITIONS QT_NO_KEYWORDS DEPENDS mesh::shell)
endif()
if(TARGET mesh_shell AND TARGET mesh_proxy)
    mesh_add_test(policies_live_test GUI LABEL gui LABELS slow TIMEOUT 180 DEFINITIONS QT_NO_KEYWORDS
        SOURCES policies_live_test.cpp DEPENDS mesh::shell mesh::proxy)
endif()
