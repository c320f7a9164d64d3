#include "proxyengine/base/error.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace mesh {
namespace {

struct CodeRow
{
    ErrorCode code;
    std::string_view text;
    int exitCode;
};

constexpr int kNo = 1;
constexpr int kBadInput = 2;
constexpr int kUnreachable = 3;
constexpr int kRefused = 4;

// In the order of the enum; a static_assert below holds it so.
constexpr std::array kCodes = {
    CodeRow{ErrorCode::InvalidArgument, "invalid_argument", kBadInput},
    CodeRow{ErrorCode::OutOfRange, "out_of_range", kBadInput},
    CodeRow{ErrorCode::UnknownField, "unknown_field", kNo},
    CodeRow{ErrorCode::MissingField, "missing_field", kNo},
    CodeRow{ErrorCode::Duplicate, "duplicate", kNo},
    CodeRow{ErrorCode::DanglingReference, "dangling_reference", kNo},
    CodeRow{ErrorCode::Conflict, "conflict", kNo},
    CodeRow{ErrorCode::Syntax, "syntax", kBadInput},
    CodeRow{ErrorCode::Unsupported, "unsupported", kBadInput},
    CodeRow{ErrorCode::NotFound, "not_found", kBadInput},
    CodeRow{ErrorCode::AlreadyExists, "already_exists", kNo},
    CodeRow{ErrorCode::PermissionDenied, "permission_denied", kRefused},
    CodeRow{ErrorCode::Unavailable, "unavailable", kUnreachable},
    CodeRow{ErrorCode::Refused, "refused", kRefused},
    CodeRow{ErrorCode::Reset, "reset", kUnreachable},
    CodeRow{ErrorCode::Timeout, "timeout", kUnreachable},
    CodeRow{ErrorCode::Cancelled, "cancelled", kNo},
    CodeRow{ErrorCode::Overloaded, "overloaded", kRefused},
    CodeRow{ErrorCode::LimitExceeded, "limit_exceeded", kBadInput},
    CodeRow{ErrorCode::Protocol, "protocol", kUnreachable},
    CodeRow{ErrorCode::Tls, "tls", kUnreachable},
    CodeRow{ErrorCode::Dns, "dns", kUnreachable},
    CodeRow{ErrorCode::Io, "io", kUnreachable},
    CodeRow{ErrorCode::Database, "database", kUnreachable},
    CodeRow{ErrorCode::Internal, "internal", kUnreachable},
};

constexpr bool isInOrder()
{
    for (std::size_t at = 0; at < kCodes.size(); ++at) {
        if (static_cast<std::size_t>(kCodes[at].code) != at) {
            return false;
        }
    }
    return true;
}
static_assert(isInOrder());

const CodeRow& rowOf(ErrorCode code) { return kCodes[static_cast<std::size_t>(code)]; }

ErrorCode codeOfErrno(int number)
{
    switch (number) {
    case ENOENT:
        return ErrorCode::NotFound;
    case EEXIST:
        return ErrorCode::AlreadyExists;
    case EACCES:
    case EPERM:
    case EROFS:
        return ErrorCode::PermissionDenied;
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
        return ErrorCode::Unavailable;
    case ECONNRESET:
    case EPIPE:
        return ErrorCode::Reset;
    case ETIMEDOUT:
        return ErrorCode::Timeout;
    default:
        return ErrorCode::Io;
    }
}

struct PlaceText
{
    std::string operator()(std::monostate) const { return {}; }
    std::string operator()(const LineColumn& at) const
    {
        return fmt::format(" (at line {}, column {})", at.line, at.column);
    }
    std::string operator()(const Offset& at) const
    {
        return fmt::format(" (at offset {})", at.value);
    }
    std::string operator()(const std::string& at) const { return fmt::format(" (at {})", at); }
};

} // namespace

std::string_view toText(ErrorCode code) { return rowOf(code).text; }

int exitCodeOf(ErrorCode code) { return rowOf(code).exitCode; }

std::string toText(const Error& error)
{
    return fmt::format(
        "{}: {}{}", toText(error.code), error.message, std::visit(PlaceText{}, error.place)
    );
}

tl::unexpected<Error> fail(
    ErrorCode code, std::string message, ErrorPlace place, SourcePlace source
)
{
    return tl::unexpected(Error{code, std::move(message), std::move(place), 0, source});
}

tl::unexpected<Error> failErrno(std::string_view what, int number, SourcePlace source)
{
    return tl::unexpected(Error{
        codeOfErrno(number),
        fmt::format("{}: {}", what, std::generic_category().message(number)),
        {},
        number,
        source,
    });
}

} // namespace mesh
