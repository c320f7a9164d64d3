#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mesh::model {

enum class ContentCoding : std::uint8_t { Brotli, Gzip };

// Which answers are compressed on their way to clients that accept it. Fields and defaults follow
// Envoy's compressor filter where it has the thing.
struct Compression
{
    // Offered, in order of preference among those that the client likes equally.
    std::vector<ContentCoding> codings = {ContentCoding::Brotli, ContentCoding::Gzip};
    std::vector<std::string> contentTypes = {
        "application/javascript",
        "application/json",
        "application/xhtml+xml",
        "image/svg+xml",
        "text/css",
        "text/html",
        "text/javascript",
        "text/plain",
        "text/xml"}; // Without parameters; case does not matter.
    int minContentLength = 30; // Of bodies whose length is known.
    int compressionLevel = 6; // Of gzip, 1 (fast) to 9 (small).
    int quality = 3; // Of brotli, 0 (fast) to 11 (small).
    bool disableOnEtagHeader = false; // Leaves answers with an ETag; otherwise it becomes weak.
    bool disableOnSetCookie = false; // Leaves answers that set a cookie (BREACH).
    friend bool operator==(const Compression&, const Compression&) = default;
};

} // namespace mesh::model
