# Retries, budgets, limits, hedges, rate limits, splits and faults.
foreach(subject IN ITEMS budget fault hedge limits rate_limit rate_table retry split)
    mesh_add_test(${subject}_property SOURCES ${subject}_property.cpp DEPENDS mesh::policy FOREIGN fmt::fmt LABEL property)
endforeach()
