if(TARGET mesh_bridge)
    mesh_add_test(find_language_property SOURCES ${CMAKE_CURRENT_LIST_DIR}/find_language_property.cpp
        DEPENDS mesh::bridge FOREIGN rapidcheck LABEL property)
endif()
