# meshwrightd as a process, with nginx servers and one that misbehaves behind it, under wrk.
if(TARGET meshwrightd AND TARGET mesh::control AND TARGET misbehaving)
    mesh_add_test(wrk_policies_test
        SOURCES ${CMAKE_CURRENT_LIST_DIR}/wrk_policies_test.cpp ${CMAKE_SOURCE_DIR}/tests/support/node_process.cpp
        DEPENDS mesh::control FOREIGN nlohmann_json::nlohmann_json
        DEFINITIONS MESH_NODE_PROGRAM="$<TARGET_FILE:meshwrightd>" MESH_MISBEHAVING_PROGRAM="$<TARGET_FILE:misbehaving>"
        LABEL integration TIMEOUT 120)
    add_dependencies(wrk_policies_test meshwrightd misbehaving)
endif()
