mesh_add_fuzz(h2_server_session_fuzz SOURCES ${CMAKE_CURRENT_LIST_DIR}/h2_server_session_fuzz.cpp
    CORPUS ${CMAKE_CURRENT_LIST_DIR}/corpus/h2_server_session DEPENDS mesh::proxy)
