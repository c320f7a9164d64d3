# The demonstration fleet comes up, carries traffic at every node, and goes without leaving a process behind.
if(TARGET meshwrightd AND TARGET meshwrightctl)
    add_test(NAME demo_fleet COMMAND ${CMAKE_SOURCE_DIR}/packaging/demo-fleet --check)
    set_tests_properties(demo_fleet PROPERTIES LABELS "integration;slow" TIMEOUT 240
        ENVIRONMENT "MESHWRIGHT_BUILD=${CMAKE_BINARY_DIR}")
endif()
