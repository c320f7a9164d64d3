#pragma once

#include "proxyengine/http/octets.h"

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <string_view>

namespace mesh::http {

// A field as nghttp2 takes it: without const, although it only copies. Both texts must live until
// it has.
[[nodiscard]] inline nghttp2_nv pairOf(std::string_view name, std::string_view value)
{
    return {
        const_cast<std::uint8_t*>(octetsOf(name)),
        const_cast<std::uint8_t*>(octetsOf(value)),
        name.size(),
        value.size(),
        NGHTTP2_NV_FLAG_NONE};
}

} // namespace mesh::http
