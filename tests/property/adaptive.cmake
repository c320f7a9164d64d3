mesh_add_test(adaptive_property SOURCES adaptive_property.cpp DEPENDS mesh::policy FOREIGN fmt::fmt LABEL property)
