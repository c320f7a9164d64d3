#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

// Text and nghttp2's octets are the same bytes.
namespace mesh::http {

[[nodiscard]] inline std::string_view textOf(const std::uint8_t* octets, std::size_t size)
{
    return {reinterpret_cast<const char*>(octets), size};
}

[[nodiscard]] inline const std::uint8_t* octetsOf(std::string_view text)
{
    return reinterpret_cast<const std::uint8_t*>(text.data());
}

} // namespace mesh::http
