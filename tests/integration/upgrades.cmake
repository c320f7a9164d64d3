# WebSocket and other upgrades, compression, gRPC: through a real engine.
pkg_check_modules(brotlidec REQUIRED IMPORTED_TARGET libbrotlidec)
foreach(subject IN ITEMS upgrade compression)
    mesh_add_test(proxy_${subject}_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/proxy_${subject}_test.cpp DEPENDS mesh::proxy
        FOREIGN ZLIB::ZLIB PkgConfig::brotlidec LABEL integration TIMEOUT 60)
endforeach()
foreach(subject IN ITEMS websocket grpc)
    mesh_add_test(${subject}_clients_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/${subject}_clients_test.cpp DEPENDS mesh::proxy
        FOREIGN OpenSSL::SSL LABEL integration TIMEOUT 120
        DEFINITIONS MESH_PYTHON="/usr/bin/python3" MESH_PYTHON_DIR="${CMAKE_SOURCE_DIR}/tests/support/python")
endforeach()
