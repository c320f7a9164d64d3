mesh_add_fuzz(spiffe_id_fuzz SOURCES ${CMAKE_CURRENT_LIST_DIR}/spiffe_id_fuzz.cpp
    CORPUS ${CMAKE_CURRENT_LIST_DIR}/corpus/spiffe_id DEPENDS mesh::tls)
