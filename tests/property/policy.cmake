foreach(subject IN ITEMS balancer router stream_router)
    mesh_add_test(policy_${subject}_property SOURCES policy_${subject}_property.cpp DEPENDS mesh::policy
        FOREIGN rapidcheck LABEL property)
endforeach()
