if(TARGET mesh::fleet)
    mesh_add_test(fleet_documents_property SOURCES ${CMAKE_CURRENT_LIST_DIR}/fleet_documents_property.cpp
        DEPENDS mesh::fleet FOREIGN rapidcheck LABEL property)
endif()
