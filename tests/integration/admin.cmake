# The admin API over real sockets, on an engine that the test drives; ctl and RemoteEngine against it.
if(TARGET mesh::control AND TARGET mesh::ctl)
    foreach(subject IN ITEMS admin_server ctl)
        mesh_add_test(${subject}_test
            SOURCES ${CMAKE_CURRENT_LIST_DIR}/${subject}_test.cpp ${CMAKE_SOURCE_DIR}/tests/support/manual_engine.cpp
            DEPENDS mesh::control mesh::ctl FOREIGN nlohmann_json::nlohmann_json LABEL integration)
    endforeach()
endif()
if(TARGET mesh::control)
    mesh_add_test(admin_tls_test
        SOURCES ${CMAKE_CURRENT_LIST_DIR}/admin_tls_test.cpp ${CMAKE_SOURCE_DIR}/tests/support/manual_engine.cpp
        DEPENDS mesh::control FOREIGN OpenSSL::SSL nlohmann_json::nlohmann_json LABEL integration TIMEOUT 120)
endif()
