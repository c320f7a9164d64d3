# Compiler, warnings, sanitizers: everything that is the same for all targets.
# The presets (CMakePresets.json) choose among these options.

option(MESH_WARNINGS_AS_ERRORS "Treat every warning as an error" OFF)
option(MESH_ASSERTIONS "Keep MESH_ASSERT in every build type" ON)
option(MESH_COVERAGE "Instrument for line and branch coverage" OFF)
option(MESH_FUZZ "Link the fuzz targets with libFuzzer (clang)" OFF)
option(MESH_BUILD_CONSOLE "Build the Qt folders of app/" ON)
option(MESH_CONSOLE_PCH "Precompile Qt headers for the console" OFF)
# Four times faster from nothing, slower after a change of one file: for the builds that continuous integration makes.
option(MESH_UNITY "Compile the engine's and the simulator's files a dozen at a time" OFF)
# A hundred instrumented test programs with the engine in each of them are ten gigabytes: sanitizer builds share it.
option(BUILD_SHARED_LIBS "Our libraries as shared ones" OFF)
set(MESH_SANITIZE "" CACHE STRING "Sanitizers, a list: address;undefined or thread")
set(MESH_CCACHE "AUTO" CACHE STRING "Use ccache: ON, OFF, or AUTO (when present)")
set(MESH_MOLD "AUTO" CACHE STRING "Link with mold: ON, OFF, or AUTO (when present)")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

if(NOT MESH_CCACHE STREQUAL "OFF")
    find_program(MESH_CCACHE_PROGRAM ccache)
    if(MESH_CCACHE_PROGRAM)
        set(CMAKE_CXX_COMPILER_LAUNCHER "${MESH_CCACHE_PROGRAM}")
        set(CMAKE_C_COMPILER_LAUNCHER "${MESH_CCACHE_PROGRAM}")
    elseif(MESH_CCACHE STREQUAL "ON")
        message(FATAL_ERROR "MESH_CCACHE is ON, but there is no ccache")
    endif()
endif()

# Interface target that every library and program links privately.
add_library(mesh_options INTERFACE)
add_library(mesh::options ALIAS mesh_options)
target_include_directories(mesh_options INTERFACE "${CMAKE_SOURCE_DIR}")
target_compile_options(mesh_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
    -Woverloaded-virtual -Wold-style-cast -Wcast-align -Wformat=2 -Wimplicit-fallthrough
    -Wnull-dereference -Wdouble-promotion -Wundef -Wunused -Wvla
    -fno-omit-frame-pointer
    "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/="
    $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wduplicated-branches -Wlogical-op -Wsuggest-override>
    $<$<BOOL:${MESH_WARNINGS_AS_ERRORS}>:-Werror>
    $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2 -D_GLIBCXX_ASSERTIONS -fstack-protector-strong>
)
target_link_options(mesh_options INTERFACE $<$<CONFIG:Release>:-Wl,-z,relro,-z,now>)
if(MESH_ASSERTIONS)
    target_compile_definitions(mesh_options INTERFACE MESH_ASSERTIONS=1)
endif()
if(MESH_SANITIZE)
    list(JOIN MESH_SANITIZE "," mesh_sanitizers)
    target_compile_options(mesh_options INTERFACE "-fsanitize=${mesh_sanitizers}" -fno-sanitize-recover=undefined)
    target_link_options(mesh_options INTERFACE "-fsanitize=${mesh_sanitizers}")
    if("undefined" IN_LIST MESH_SANITIZE OR "thread" IN_LIST MESH_SANITIZE)
        # GCC 12 reports false positives of these two under instrumentation.
        target_compile_options(mesh_options INTERFACE -Wno-null-dereference $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan -Wno-maybe-uninitialized>)
    endif()
endif()
if(MESH_FUZZ)
    target_compile_options(mesh_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(MESH_COVERAGE)
    target_compile_options(mesh_options INTERFACE --coverage)
    target_link_options(mesh_options INTERFACE --coverage)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo" AND NOT MESH_FUZZ)
    target_compile_options(mesh_options INTERFACE -gsplit-dwarf)
endif()
if(NOT MESH_MOLD STREQUAL "OFF")
    find_program(MESH_MOLD_PROGRAM mold)
    if(MESH_MOLD_PROGRAM)
        target_link_options(mesh_options INTERFACE -fuse-ld=mold)
    elseif(MESH_MOLD STREQUAL "ON")
        message(FATAL_ERROR "MESH_MOLD is ON, but there is no mold")
    endif()
endif()

# Libraries of others: one place that finds them. Targets of ours name them in FOREIGN.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(tl-expected REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(ZLIB REQUIRED)
pkg_check_modules(brotlienc REQUIRED IMPORTED_TARGET libbrotlienc)
pkg_check_modules(nghttp2 REQUIRED IMPORTED_TARGET libnghttp2)
pkg_check_modules(cares REQUIRED IMPORTED_TARGET libcares)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(re2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(yamlcpp REQUIRED IMPORTED_TARGET yaml-cpp)
if(MESH_BUILD_CONSOLE)
    find_package(Qt6 6.4 REQUIRED COMPONENTS Core Gui Widgets Charts Svg Network Test LinguistTools)
    pkg_check_modules(graphviz REQUIRED IMPORTED_TARGET libgvc)
else()
    find_package(Qt6 6.4 REQUIRED COMPONENTS Core Test)
endif()
