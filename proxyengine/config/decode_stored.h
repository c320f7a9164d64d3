#pragma once

#include "proxyengine/config/codec.h"

#include <string_view>

namespace mesh::config {

// As decode(), for a configuration that this node has run before: a certificate that has expired
// since is a warning, because a node that starts without it serves nothing at all.
[[nodiscard]] DecodeResult decodeStored(std::string_view text);

} // namespace mesh::config
