#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// Answers that the proxy makes itself, in the gateway's words and shapes.
namespace mesh::proxy {

enum class PageFormat : std::uint8_t { Json, Plain, Xml, Html };

// Tells a caller that the answer is about our load, not about its request.
inline constexpr std::string_view kOverloaded = "x-meshwright-overloaded: true\r\n";

// The format the client likes best, by quality; */*, nothing and unknown types are JSON.
[[nodiscard]] PageFormat pageFormatOf(std::string_view accept);
[[nodiscard]] std::string_view contentTypeOf(PageFormat format);

// The body, with message and id escaped as the format demands.
[[nodiscard]] std::string makePage(
    PageFormat format, std::string_view message, std::string_view requestId
);

// "Bad request", "The upstream server is timing out" and so on.
[[nodiscard]] std::string_view messageOf(int status);

} // namespace mesh::proxy
