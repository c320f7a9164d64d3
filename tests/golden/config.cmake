mesh_add_test(config_golden_test LABEL golden SOURCES ${CMAKE_CURRENT_LIST_DIR}/golden_test.cpp DEPENDS mesh::config)
