#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

// HTTP/2 as bytes: the sizes of its frames; text and nghttp2's octets are the same.
namespace mesh::http {

// What a client begins with (RFC 9113, 3.4).
inline constexpr std::string_view kH2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
inline constexpr std::size_t kH2FrameHeadBytes = 9; // RFC 9113 section 4.1.
inline constexpr std::size_t kH2FrameBytesMax = 16U << 10U; // Of payload: every peer takes as much.

[[nodiscard]] inline std::string_view textOf(const std::uint8_t* octets, std::size_t size)
{
    return {reinterpret_cast<const char*>(octets), size};
}

[[nodiscard]] inline const std::uint8_t* octetsOf(std::string_view text)
{
    return reinterpret_cast<const std::uint8_t*>(text.data());
}

} // namespace mesh::http
