mesh_add_test(outlier_property SOURCES outlier_property.cpp DEPENDS mesh::policy FOREIGN fmt::fmt LABEL property)
