if(TARGET mesh_bridge)
    mesh_add_fuzz(find_language_fuzz SOURCES ${CMAKE_CURRENT_LIST_DIR}/find_language_fuzz.cpp
        CORPUS ${CMAKE_CURRENT_LIST_DIR}/corpus/find_language DEPENDS mesh::bridge)
endif()
