mesh_add_fuzz(client_hello_fuzz SOURCES ${CMAKE_CURRENT_LIST_DIR}/client_hello_fuzz.cpp
    CORPUS ${CMAKE_CURRENT_LIST_DIR}/corpus/client_hello DEPENDS mesh::tls)
