if(TARGET mesh_shell AND TARGET mesh_control)
    foreach(subject nodes tap route_tester)
        mesh_add_test(${subject}_test GUI LABEL gui
            SOURCES ${subject}_test.cpp ${CMAKE_SOURCE_DIR}/tests/support/manual_engine.cpp DEPENDS mesh::shell)
    endforeach()
    mesh_add_test(connect_wizard_test GUI LABEL gui
        SOURCES connect_wizard_test.cpp ${CMAKE_SOURCE_DIR}/app/console/node_credentials_folder.cpp
        DEPENDS mesh::shell mesh::control mesh::tls)
endif()
