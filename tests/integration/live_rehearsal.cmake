if(TARGET mesh::live AND TARGET mesh::proxy)
    mesh_add_test(live_rehearsal_test SOURCES live_rehearsal_test.cpp DEPENDS mesh::live mesh::proxy mesh::config
        LABEL integration LABELS programs TIMEOUT 300)
endif()
