mesh_add_test(config_plan_test LABEL golden SOURCES ${CMAKE_CURRENT_LIST_DIR}/plan_test.cpp DEPENDS mesh::config)
