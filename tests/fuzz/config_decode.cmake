mesh_add_fuzz(config_decode_fuzz SOURCES ${CMAKE_CURRENT_LIST_DIR}/config_decode_fuzz.cpp
    CORPUS ${CMAKE_CURRENT_LIST_DIR}/corpus/config_decode DEPENDS mesh::config)
