# meshwrightd as a process: configuration, signals, state directory; and in front of real nginx servers.
if(TARGET meshwrightd AND TARGET mesh::control)
    foreach(subject IN ITEMS daemon nginx)
        mesh_add_test(${subject}_test
            SOURCES ${CMAKE_CURRENT_LIST_DIR}/${subject}_test.cpp ${CMAKE_SOURCE_DIR}/tests/support/node_process.cpp
            DEPENDS mesh::control FOREIGN OpenSSL::SSL nlohmann_json::nlohmann_json
            DEFINITIONS MESH_NODE_PROGRAM="$<TARGET_FILE:meshwrightd>" LABEL integration TIMEOUT 120)
        add_dependencies(${subject}_test meshwrightd)
    endforeach()
endif()
