if(TARGET mesh::fleet)
    mesh_add_fuzz(fleet_text_fuzz SOURCES ${CMAKE_CURRENT_LIST_DIR}/fleet_text_fuzz.cpp
        CORPUS ${CMAKE_CURRENT_LIST_DIR}/corpus/fleet_text DEPENDS mesh::fleet)
endif()
