#pragma once

#include "proxyengine/base/source_place.h"

#include <tl/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace mesh {

// What went wrong, for code that reacts to it. People read Error::message.
enum class ErrorCode : std::uint8_t {
    InvalidArgument, // A value was not of the form asked for.
    OutOfRange, // The form was right, the value too large or too small.
    UnknownField, // A configuration names a field that does not exist.
    MissingField, // A required field is absent.
    Duplicate, // A name that must be unique stands twice.
    DanglingReference, // A name refers to nothing.
    Conflict, // Two values contradict each other.
    Syntax, // The text is not YAML, JSON or HTTP.
    Unsupported, // Valid, but this build or version cannot do it.
    NotFound, // What was asked for does not exist.
    AlreadyExists, // What should be created exists already.
    PermissionDenied, // The system or a policy refuses.
    Unavailable, // A peer cannot be reached.
    Refused, // A peer was reached and said no.
    Reset, // A peer ended a connection in the middle.
    Timeout, // A deadline passed.
    Cancelled, // The owner asked to stop.
    Overloaded, // A bounded queue is full.
    LimitExceeded, // Something from outside is larger than its limit in limits.h.
    Protocol, // A peer broke the rules of the protocol.
    Tls, // A handshake, certificate or key failed.
    Dns, // A name could not be resolved.
    Io, // A file or device failed.
    Database, // SQLite failed.
    Internal, // A bug of ours that was contained.
};

// The word used in JSON and logs, "invalid_argument" and so on. Never empty.
std::string_view toText(ErrorCode code);

// The exit code a program ends with on this error: 1 no, 2 bad input, 3 unreachable, 4 refused.
int exitCodeOf(ErrorCode code);

// A place in a text: 1-based line and column.
struct LineColumn
{
    int line;
    int column;
    friend bool operator==(const LineColumn&, const LineColumn&) = default;
};

// A byte offset from the start of what was parsed.
struct Offset
{
    std::size_t value;
    friend bool operator==(const Offset&, const Offset&) = default;
};

using ErrorPlace = std::variant<std::monostate, LineColumn, Offset, std::string>;

// A failure as a value. message: English, lower case, no full stop; says what and the remedy.
struct Error
{
    ErrorCode code = ErrorCode::Internal;
    std::string message;
    ErrorPlace place;
    int native = 0; // errno, OpenSSL, nghttp2 or SQLite code; 0 when there is none.
    SourcePlace source = SourcePlace::here();
};

// "invalid_argument: expected a whole number (at offset 3)". For logs and terminals.
std::string toText(const Error& error);

template <typename T>
using Result = tl::expected<T, Error>;

// The failed side of any Result.
[[nodiscard]] tl::unexpected<Error> fail(
    ErrorCode code,
    std::string message,
    ErrorPlace place = {},
    SourcePlace source = SourcePlace::here()
);

// The failed side from errno; picks the code and adds strerror's words after `what`.
[[nodiscard]] tl::unexpected<Error> failErrno(
    std::string_view what, int number, SourcePlace source = SourcePlace::here()
);

// For map_error: puts a place on an error that has none.
inline auto withPlace(ErrorPlace place)
{
    return [place = std::move(place)](Error error) {
        if (std::holds_alternative<std::monostate>(error.place)) {
            error.place = place;
        }
        return error;
    };
}

} // namespace mesh

#define MESH_JOIN_DIRECT(a, b) a##b
#define MESH_JOIN(a, b) MESH_JOIN_DIRECT(a, b)

// `declaration` is one, so it cannot stand in parentheses, and `result` is a name.
// NOLINTBEGIN(bugprone-macro-parentheses)
#define MESH_TRY_AS(result, declaration, expression)                                               \
    auto result = (expression);                                                                    \
    if (!result) {                                                                                 \
        return tl::unexpected(std::move(result).error());                                          \
    }                                                                                              \
    declaration = *std::move(result)
// NOLINTEND(bugprone-macro-parentheses)

// MESH_TRY(const Route route, parseRoute(text)); returns the error of the expression to the caller.
#define MESH_TRY(declaration, expression)                                                          \
    MESH_TRY_AS(MESH_JOIN(meshTryResult, __LINE__), declaration, expression)

// The same for Result<void>.
#define MESH_TRY_VOID(expression)                                                                  \
    do {                                                                                           \
        if (auto meshTryVoid = (expression); !meshTryVoid) {                                       \
            return tl::unexpected(std::move(meshTryVoid).error());                                 \
        }                                                                                          \
    } while (false)
