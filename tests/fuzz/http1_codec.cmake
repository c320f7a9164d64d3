mesh_add_fuzz(http1_codec_fuzz
    SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/http1_codec_fuzz.cpp
    CORPUS ${CMAKE_CURRENT_SOURCE_DIR}/corpus/http1
    DEPENDS mesh::http
)
