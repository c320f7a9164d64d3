if(TARGET meshwright AND TARGET meshwrightd)
    mesh_add_test(console_connect_test GUI LABEL gui TIMEOUT 120
        SOURCES console_connect_test.cpp ${CMAKE_SOURCE_DIR}/app/console/node_connector.cpp
            ${CMAKE_SOURCE_DIR}/app/console/node_credentials_folder.cpp
            ${CMAKE_SOURCE_DIR}/tests/support/node_process.cpp
        DEPENDS mesh::shell mesh::control mesh::tls
        DEFINITIONS MESH_NODE_PROGRAM="$<TARGET_FILE:meshwrightd>")
    add_dependencies(console_connect_test meshwrightd)
endif()
