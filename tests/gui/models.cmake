mesh_add_test(gui_models SOURCES ${CMAKE_CURRENT_LIST_DIR}/models_test.cpp DEPENDS mesh::models mesh::config LABEL gui
   )
