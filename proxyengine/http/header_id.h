#pragma once

#include <cstdint>
#include <string_view>

namespace mesh::http {

// Header names that the engine or its plugins look at; resolved once while parsing.
enum class HeaderId : std::uint8_t {
    Other,
    Accept,
    AcceptEncoding,
    Age,
    Authorization,
    CacheControl,
    Connection,
    ContentEncoding,
    ContentLength,
    ContentType,
    Cookie,
    Date,
    Etag,
    Expect,
    Forwarded,
    Host,
    IfModifiedSince,
    IfNoneMatch,
    KeepAlive,
    LastModified,
    Location,
    Origin,
    Pragma,
    ProxyAuthenticate,
    ProxyAuthorization,
    ProxyConnection,
    Proxy,
    Range,
    Referer,
    RetryAfter,
    SecWebSocketKey,
    Server,
    SetCookie,
    Te,
    Traceparent,
    Tracestate,
    Trailer,
    TransferEncoding,
    Upgrade,
    UserAgent,
    Vary,
    Via,
    XForwardedFor,
    XForwardedHost,
    XForwardedPath,
    XForwardedPort,
    XForwardedPrefix,
    XForwardedProto,
    XRealIp,
    XRequestId,
    Count, // At most 64: FieldTable keeps a bit for each.
};

// Other when it is none of them. Case is ignored.
[[nodiscard]] HeaderId headerIdOf(std::string_view name);

// In lower case; empty for Other.
[[nodiscard]] std::string_view toText(HeaderId id);

// Equal but for the case of ASCII letters.
[[nodiscard]] bool equalsIgnoringCase(std::string_view a, std::string_view b);

} // namespace mesh::http
