mesh_add_fuzz(h2_whole_messages_fuzz SOURCES ${CMAKE_CURRENT_LIST_DIR}/h2_whole_messages_fuzz.cpp
    CORPUS ${CMAKE_CURRENT_LIST_DIR}/corpus/h2_whole_messages DEPENDS mesh::http)
