if(TARGET mesh_bridge)
    mesh_add_test(gui_time_past SOURCES ${CMAKE_CURRENT_LIST_DIR}/time_past_test.cpp DEPENDS mesh::bridge LABEL gui)
    mesh_add_test(gui_time_diff SOURCES ${CMAKE_CURRENT_LIST_DIR}/time_diff_test.cpp DEPENDS mesh::bridge LABEL gui)
    mesh_add_test(gui_time_runs SOURCES ${CMAKE_CURRENT_LIST_DIR}/time_runs_test.cpp
        ${CMAKE_CURRENT_LIST_DIR}/rehearsal_sample.cpp DEPENDS mesh::bridge mesh::simulator LABEL gui)
endif()
if(TARGET mesh_pages)
    mesh_add_test(gui_time_pages SOURCES ${CMAKE_CURRENT_LIST_DIR}/time_pages_test.cpp DEPENDS mesh::pages mesh::charts
        mesh::bridge LABEL gui GUI DEFINITIONS MESH_PICTURE_DIR="${CMAKE_BINARY_DIR}/pictures")
endif()
