# Pushes to real nodes, and to one process that is a thousand of them.
if(TARGET meshwrightd AND TARGET mesh::fleet)
    mesh_add_test(fleet_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/fleet_test.cpp DEPENDS mesh::fleet mesh::http
        DEFINITIONS MESH_NODE_PROGRAM="$<TARGET_FILE:meshwrightd>" LABEL integration TIMEOUT 180)
    add_dependencies(fleet_test meshwrightd)
    mesh_add_test(cut_link_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/cut_link_test.cpp DEPENDS mesh::fleet
        FOREIGN OpenSSL::SSL
        DEFINITIONS MESH_NODE_PROGRAM="$<TARGET_FILE:meshwrightd>" LABEL integration TIMEOUT 180)
    add_dependencies(cut_link_test meshwrightd)
endif()
