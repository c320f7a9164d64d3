if(TARGET mesh::fleet)
    foreach(subject IN ITEMS documents rollout)
        mesh_add_test(fleet_${subject}_property SOURCES ${CMAKE_CURRENT_LIST_DIR}/fleet_${subject}_property.cpp
            DEPENDS mesh::fleet FOREIGN rapidcheck LABEL property)
    endforeach()
endif()
