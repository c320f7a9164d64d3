mesh_add_fuzz(proxy_protocol_fuzz SOURCES ${CMAKE_CURRENT_LIST_DIR}/proxy_protocol_fuzz.cpp
    CORPUS ${CMAKE_CURRENT_LIST_DIR}/corpus/proxy_protocol DEPENDS mesh::proxy)
