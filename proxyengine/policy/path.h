#pragma once

#include <tl/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// Paths of requests: normalised once at the door, routed on, joined to the service's path, and
// escaped again for the upstream. A buffer is the caller's, reused from request to request; what is
// returned points into it, or into the argument when there was nothing to do (the usual case).
namespace mesh::policy {

// Why a path cannot be normalised safely. All of them are answered with 400.
enum class PathRefusal : std::uint8_t {
    ControlByte, // Raw or escaped 0x00..0x1F or 0x7F.
    Backslash, // Raw; some servers read it as a slash. An escaped one stays escaped.
    InvalidUtf8, // Raw bytes above 0x7F that are not UTF-8.
};

// "the path has a control byte" and so on, for error bodies and logs.
std::string_view toText(PathRefusal refusal);

enum class Slashes : std::uint8_t { Merge, Keep };

// A path without its query, in the form routes are compared with: escapes decoded except those of
// reserved characters (kept, in upper case; so is %5C), dot segments removed, runs of slashes
// merged. The order is the gateway's: /%2e./ is /../, and dots go before slashes merge.
// Source: RFC 3986, 5.2.4 and 6.2.2, as the gateway format applies them.
[[nodiscard]] tl::expected<std::string_view, PathRefusal> normalizePath(
    std::string_view raw, std::string& buffer, Slashes slashes = Slashes::Merge
);

// Every byte that may not stand in a request target as %XX. '%' stays, because a normalised path
// has kept the escapes of reserved characters.
[[nodiscard]] std::string_view escapePath(std::string_view path, std::string& buffer);

enum class StripPath : std::uint8_t { Yes, No };

// The upstream's path, not yet escaped: the service's path and what remains of the normalised
// request path after `matchedBytes` are taken off (with StripPath::Yes). path_handling v0.
[[nodiscard]] std::string_view joinUpstreamPath(
    std::string_view servicePath,
    std::string_view requestPath,
    std::size_t matchedBytes,
    StripPath strip,
    std::string& buffer
);

} // namespace mesh::policy
