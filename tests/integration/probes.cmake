# Active checks against real servers.
if(TARGET mesh::proxy)
    mesh_add_test(prober_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/prober_test.cpp DEPENDS mesh::proxy
        FOREIGN PkgConfig::nghttp2 LABEL integration TIMEOUT 60)
endif()
# What policies did, as the admin API tells it.
if(TARGET mesh::proxy AND TARGET mesh::control)
    mesh_add_test(policy_telling_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/policy_telling_test.cpp
        DEPENDS mesh::proxy mesh::control FOREIGN nlohmann_json::nlohmann_json LABEL integration TIMEOUT 120)
endif()
