mesh_add_fuzz(grpc_timeout_fuzz SOURCES ${CMAKE_CURRENT_LIST_DIR}/grpc_timeout_fuzz.cpp
    CORPUS ${CMAKE_CURRENT_LIST_DIR}/corpus/grpc_timeout DEPENDS mesh::http)
mesh_add_fuzz(accept_encoding_fuzz SOURCES ${CMAKE_CURRENT_LIST_DIR}/accept_encoding_fuzz.cpp
    CORPUS ${CMAKE_CURRENT_LIST_DIR}/corpus/accept_encoding DEPENDS mesh::http)
