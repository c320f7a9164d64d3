if(TARGET mesh::simulator)
    mesh_add_test(policy_in_virtual_time_test SOURCES policy_in_virtual_time_test.cpp
        DEPENDS mesh::simulator mesh::policy LABEL sim)
endif()
