if(TARGET mesh::ctl)
    mesh_add_fuzz(ctl_text_fuzz SOURCES ${CMAKE_CURRENT_LIST_DIR}/ctl_text_fuzz.cpp
        CORPUS ${CMAKE_CURRENT_LIST_DIR}/corpus/ctl_text DEPENDS mesh::ctl mesh::config)
endif()
