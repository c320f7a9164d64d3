mesh_add_test(resilience_transcript_property SOURCES resilience_transcript_property.cpp DEPENDS mesh::policy
    FOREIGN fmt::fmt LABEL property)
