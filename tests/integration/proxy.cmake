foreach(subject IN ITEMS stream streams header udp tls relay edge)
    mesh_add_test(proxy_${subject}_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/proxy_${subject}_test.cpp DEPENDS mesh::proxy
        LABEL integration TIMEOUT 60)
endforeach()
