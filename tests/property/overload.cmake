mesh_add_test(overload_property SOURCES overload_property.cpp DEPENDS mesh::policy FOREIGN fmt::fmt LABEL property)
