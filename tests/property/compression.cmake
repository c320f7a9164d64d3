pkg_check_modules(brotlidec REQUIRED IMPORTED_TARGET libbrotlidec)
mesh_add_test(compression_property SOURCES ${CMAKE_CURRENT_LIST_DIR}/compression_property.cpp DEPENDS mesh::http
    FOREIGN rapidcheck PkgConfig::brotlidec ZLIB::ZLIB LABEL property TIMEOUT 60)
