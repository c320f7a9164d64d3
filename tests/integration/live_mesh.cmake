if(TARGET mesh::live AND TARGET mesh::proxy)
    mesh_add_test(live_mesh_test SOURCES live_mesh_test.cpp DEPENDS mesh::live mesh::proxy LABEL integration TIMEOUT 120)
endif()
