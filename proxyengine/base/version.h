#pragma once

#include <string_view>

namespace mesh {

// The product's version, from CMakeLists.txt.
std::string_view version();

} // namespace mesh
