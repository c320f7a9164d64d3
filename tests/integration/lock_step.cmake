if(TARGET mesh::live AND TARGET mesh::proxy)
    mesh_add_test(lock_step_test SOURCES lock_step_test.cpp DEPENDS mesh::live mesh::proxy mesh::config mesh::policy
        FOREIGN fmt::fmt LABEL integration TIMEOUT 120)
endif()
