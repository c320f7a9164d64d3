if(TARGET mesh::graph)
    mesh_add_bench(graph_bench SOURCES graph_bench.cpp ${CMAKE_SOURCE_DIR}/tests/gui/graph_sample.cpp
        DEPENDS mesh::graph FOREIGN Qt6::Widgets)
endif()
