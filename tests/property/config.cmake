mesh_add_test(config_round_trip_property SOURCES ${CMAKE_CURRENT_LIST_DIR}/config_round_trip_property.cpp
    DEPENDS mesh::config FOREIGN rapidcheck OpenSSL::SSL LABEL property)
