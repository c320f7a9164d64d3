# meshwrightd as a process: configuration, signals, state directory; and in front of real nginx servers.
if(TARGET meshwrightd AND TARGET mesh::control)
    foreach(subject IN ITEMS daemon nginx)
        mesh_add_test(${subject}_test
            SOURCES ${CMAKE_CURRENT_LIST_DIR}/${subject}_test.cpp ${CMAKE_SOURCE_DIR}/tests/support/node_process.cpp
            DEPENDS mesh::control FOREIGN OpenSSL::SSL nlohmann_json::nlohmann_json
            DEFINITIONS MESH_NODE_PROGRAM="$<TARGET_FILE:meshwrightd>" LABEL integration TIMEOUT 120)
        add_dependencies(${subject}_test meshwrightd)
    endforeach()
    mesh_add_test(admin_http2_test
        SOURCES ${CMAKE_CURRENT_LIST_DIR}/admin_http2_test.cpp ${CMAKE_SOURCE_DIR}/tests/support/node_process.cpp
            ${CMAKE_SOURCE_DIR}/tests/support/manual_engine.cpp
        DEPENDS mesh::control FOREIGN OpenSSL::SSL nlohmann_json::nlohmann_json
        DEFINITIONS MESH_NODE_PROGRAM="$<TARGET_FILE:meshwrightd>" LABEL integration TIMEOUT 120)
    add_dependencies(admin_http2_test meshwrightd)
endif()
