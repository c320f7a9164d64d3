# From the text of a policy to what clients and servers see of it.
if(TARGET mesh_test_servers AND TARGET mesh::proxy)
    foreach(area IN ITEMS repeat hedge split balance rate admission edges)
        mesh_add_test(policies_${area}_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/policies_${area}_test.cpp
            DEPENDS mesh::proxy mesh_test_servers LABEL integration TIMEOUT 120)
    endforeach()
endif()
