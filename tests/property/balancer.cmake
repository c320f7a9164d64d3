foreach(subject IN ITEMS picks shares tables)
    mesh_add_test(balancer_${subject}_property SOURCES balancer_${subject}_property.cpp
        DEPENDS mesh::policy FOREIGN fmt::fmt LABEL property)
endforeach()
