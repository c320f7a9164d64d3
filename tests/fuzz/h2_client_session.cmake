mesh_add_fuzz(h2_client_session_fuzz SOURCES ${CMAKE_CURRENT_LIST_DIR}/h2_client_session_fuzz.cpp
    CORPUS ${CMAKE_CURRENT_LIST_DIR}/corpus/h2_client_session DEPENDS mesh::proxy)
