mesh_add_fuzz(retry_after_fuzz SOURCES ${CMAKE_CURRENT_LIST_DIR}/retry_after_fuzz.cpp
    CORPUS ${CMAKE_CURRENT_LIST_DIR}/corpus/retry_after DEPENDS mesh::policy)
