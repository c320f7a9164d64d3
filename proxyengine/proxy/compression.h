#pragma once

#include "proxyengine/http/compressor.h"
#include "proxyengine/http/head.h"
#include "proxyengine/model/compression.h"

#include <memory>
#include <optional>
#include <string_view>

// Answers that are made smaller on their way to the client.
namespace mesh::proxy {

struct CodingVerdict
{
    std::optional<model::ContentCoding> coding; // Absent: the body is left as it is.
    bool varies = false; // Another client may get another coding: Vary says so.
    bool hasBody = true; // False: of HEAD or 304, whose fields are those of a body left out.
};

// Whether this answer to this request is compressed, and how.
//
// HEAD and 304 have no body, but fields as if: caches keep them. Left alone: what the client does
// not accept or likes less than what it is; HTTP/1.0 clients; 1xx, 204, 205, 206; what is encoded
// already; `Cache-Control: no-transform` on either side; answers to and with ranges; answers that
// announce trailers; short bodies; types that are not listed.
// Source: RFC 9110, 8.4, 9.3.2, 12.5.3, 15.4.5; RFC 9111, 5.2.2.6.
[[nodiscard]] CodingVerdict decideCoding(
    const model::Compression& rules,
    const http::RequestHead& request,
    const http::ResponseHead& answer
);

// Null when there is no memory for it.
[[nodiscard]] std::unique_ptr<http::Compressor> makeCompressor(
    model::ContentCoding coding, const model::Compression& rules
);

[[nodiscard]] std::string_view toText(model::ContentCoding coding); // "gzip"

} // namespace mesh::proxy
