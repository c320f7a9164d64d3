if(TARGET mesh_shell)
    mesh_add_test(rehearse_test GUI LABEL gui SOURCES rehearse_test.cpp rehearsal_sample.cpp rehearsal_sample.h
        DEPENDS mesh::shell mesh::simulator DEFINITIONS MESH_PICTURE_DIR="${CMAKE_BINARY_DIR}/pictures"
            MESH_DEMO_FILE="${CMAKE_SOURCE_DIR}/resources/demo/storefront.yaml")
endif()
