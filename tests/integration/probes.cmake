# Active checks against real servers.
if(TARGET mesh::proxy)
    mesh_add_test(prober_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/prober_test.cpp DEPENDS mesh::proxy
        FOREIGN PkgConfig::nghttp2 LABEL integration TIMEOUT 60)
endif()
