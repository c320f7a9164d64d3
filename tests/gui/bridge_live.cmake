if(TARGET mesh_proxy AND TARGET mesh_bridge)
    mesh_add_test(gui_bridge_live SOURCES ${CMAKE_CURRENT_LIST_DIR}/bridge_live_test.cpp DEPENDS mesh::bridge mesh::proxy
        LABEL gui LABELS slow TIMEOUT 120)
endif()
