#pragma once

#include "proxyengine/base/time.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The words of gRPC over HTTP/2: content type, status, message, timeout, method names. Pure.
// Source: gRPC over HTTP/2 (PROTOCOL-HTTP2), statuscodes; google.rpc.Code for statuses of HTTP.
namespace mesh::http {

enum class GrpcStatus : std::uint8_t {
    Ok,
    Cancelled,
    Unknown,
    InvalidArgument,
    DeadlineExceeded,
    NotFound,
    AlreadyExists,
    PermissionDenied,
    ResourceExhausted,
    FailedPrecondition,
    Aborted,
    OutOfRange,
    Unimplemented,
    Internal,
    Unavailable,
    DataLoss,
    Unauthenticated,
};
inline constexpr std::size_t kGrpcStatuses = 17;

[[nodiscard]] std::string_view toText(GrpcStatus status); // "DEADLINE_EXCEEDED"

// application/grpc, alone or with a codec (+proto) or parameters. Not grpc-web, which is HTTP.
[[nodiscard]] bool isGrpcContentType(std::string_view contentType);

// What the proxy's own answer means in gRPC: the gateway format's table, and beside it 413 as
// ResourceExhausted and 502 as Unavailable, which callers may repeat.
[[nodiscard]] GrpcStatus grpcStatusFor(int httpStatus);
// The HTTP status whose class and number say the same, for counters, breakers and ejection.
[[nodiscard]] int httpStatusFor(GrpcStatus status);
// "14". A number that is no status is Unknown; anything else is nothing.
[[nodiscard]] std::optional<GrpcStatus> parseGrpcStatus(std::string_view text);

// grpc-message: bytes other than printable ASCII, and '%', as %XX.
[[nodiscard]] std::string encodeGrpcMessage(std::string_view text);

// grpc-timeout: one to eight digits and one of H M S m u n. More than kGrpcTimeoutMax is that.
// Nothing when it is malformed.
[[nodiscard]] std::optional<Duration> parseGrpcTimeout(std::string_view text);
// In the finest unit that eight digits hold, rounded down, at least "1n".
[[nodiscard]] std::string grpcTimeoutText(Duration left);
inline constexpr Duration kGrpcTimeoutMax = std::chrono::hours(24 * 365); // Longer is forever.

// "shop.Cart/Add" of "/shop.Cart/Add". Nothing when the path is not two parts of usual characters,
// kGrpcMethodBytesMax together.
[[nodiscard]] std::optional<std::string_view> grpcMethodOf(std::string_view path);
inline constexpr std::size_t kGrpcMethodBytesMax = 200; // A label of metrics.

} // namespace mesh::http
