if(TARGET mesh::simulator)
    mesh_add_fuzz(scenario_fuzz SOURCES ${CMAKE_CURRENT_LIST_DIR}/scenario_fuzz.cpp
        CORPUS ${CMAKE_CURRENT_LIST_DIR}/corpus/scenario DEPENDS mesh::simulator)
endif()
