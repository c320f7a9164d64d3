# With this label ThreadSanitizer sees the pool; the tests of tests/sim are too long under it.
if(TARGET mesh::simulator)
    mesh_add_test(rehearsal_pool_test SOURCES rehearsal_pool_test.cpp DEPENDS mesh::simulator mesh::config
        LABEL integration TIMEOUT 300)
endif()
