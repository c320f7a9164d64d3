# meshwrightctl: documents in and out; and against real meshwrightd processes.
if(TARGET mesh::ctl)
    mesh_add_test(ctl_files_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/ctl_files_test.cpp
        DEPENDS mesh::ctl mesh::store mesh::config FOREIGN nlohmann_json::nlohmann_json LABEL integration)
endif()
if(TARGET mesh::ctl AND TARGET meshwrightd)
    foreach(subject IN ITEMS ctl_nodes ctl_push)
        mesh_add_test(${subject}_test
            SOURCES ${CMAKE_CURRENT_LIST_DIR}/${subject}_test.cpp ${CMAKE_SOURCE_DIR}/tests/support/node_process.cpp
            DEPENDS mesh::ctl mesh::control FOREIGN OpenSSL::SSL nlohmann_json::nlohmann_json
            DEFINITIONS MESH_NODE_PROGRAM="$<TARGET_FILE:meshwrightd>" LABEL integration TIMEOUT 180)
        add_dependencies(${subject}_test meshwrightd)
    endforeach()
endif()
