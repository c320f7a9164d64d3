mesh_add_test(breaker_property SOURCES breaker_property.cpp DEPENDS mesh::policy FOREIGN fmt::fmt LABEL property)
mesh_add_test(breaker_threads_property SOURCES breaker_threads_property.cpp DEPENDS mesh::policy FOREIGN fmt::fmt
    LABEL property)
