#include "proxyengine/http/grpc_words.h"

#include "proxyengine/http/header_id.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

namespace mesh::http {
namespace {

struct StatusRow
{
    std::string_view text;
    int httpStatus;
};

// In the order of GrpcStatus.
constexpr std::array<StatusRow, kGrpcStatuses> kStatuses = {{
    {"OK", 200},
    {"CANCELLED", 499},
    {"UNKNOWN", 500},
    {"INVALID_ARGUMENT", 400},
    {"DEADLINE_EXCEEDED", 504},
    {"NOT_FOUND", 404},
    {"ALREADY_EXISTS", 409},
    {"PERMISSION_DENIED", 403},
    {"RESOURCE_EXHAUSTED", 429},
    {"FAILED_PRECONDITION", 400},
    {"ABORTED", 409},
    {"OUT_OF_RANGE", 400},
    {"UNIMPLEMENTED", 501},
    {"INTERNAL", 500},
    {"UNAVAILABLE", 503},
    {"DATA_LOSS", 500},
    {"UNAUTHENTICATED", 401},
}};

constexpr std::string_view kContentType = "application/grpc";

struct UnitRow
{
    char letter;
    Duration length;
};

// From fine to coarse.
constexpr std::array<UnitRow, 6> kUnits = {{
    {'n', std::chrono::nanoseconds(1)},
    {'u', std::chrono::microseconds(1)},
    {'m', std::chrono::milliseconds(1)},
    {'S', std::chrono::seconds(1)},
    {'M', std::chrono::minutes(1)},
    {'H', std::chrono::hours(1)},
}};

constexpr std::size_t kTimeoutDigitsMax = 8;
constexpr std::int64_t kTimeoutValueMax = 99'999'999;

bool isNamePart(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.'
           || c == '_' || c == '-';
}

} // namespace

std::string_view toText(GrpcStatus status)
{
    return kStatuses[static_cast<std::size_t>(status)].text;
}

bool isGrpcContentType(std::string_view contentType)
{
    if (contentType.size() < kContentType.size()
        || !equalsIgnoringCase(contentType.substr(0, kContentType.size()), kContentType)) {
        return false;
    }
    if (contentType.size() == kContentType.size()) {
        return true;
    }
    const char next = contentType[kContentType.size()];
    return next == '+' || next == ';' || next == ' ';
}

GrpcStatus grpcStatusFor(int httpStatus)
{
    switch (httpStatus) {
    case 200:
        return GrpcStatus::Ok;
    case 400:
        return GrpcStatus::InvalidArgument;
    case 401:
        return GrpcStatus::Unauthenticated;
    case 403:
        return GrpcStatus::PermissionDenied;
    case 404:
        return GrpcStatus::NotFound;
    case 409:
        return GrpcStatus::AlreadyExists;
    case 413:
    case 429:
        return GrpcStatus::ResourceExhausted;
    case 499:
        return GrpcStatus::Cancelled;
    case 500:
        return GrpcStatus::Internal;
    case 501:
        return GrpcStatus::Unimplemented;
    case 502:
    case 503:
        return GrpcStatus::Unavailable;
    case 504:
        return GrpcStatus::DeadlineExceeded;
    default:
        return GrpcStatus::Unknown;
    }
}

int httpStatusFor(GrpcStatus status)
{
    return kStatuses[static_cast<std::size_t>(status)].httpStatus;
}

std::optional<GrpcStatus> parseGrpcStatus(std::string_view text)
{
    unsigned number = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (status != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return number < kGrpcStatuses ? static_cast<GrpcStatus>(number) : GrpcStatus::Unknown;
}

std::string encodeGrpcMessage(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte <= 0x7e && c != '%') {
            out.push_back(c);
        } else {
            fmt::format_to(std::back_inserter(out), "%{:02X}", byte);
        }
    }
    return out;
}

std::optional<Duration> parseGrpcTimeout(std::string_view text)
{
    if (text.size() < 2 || text.size() > kTimeoutDigitsMax + 1) {
        return std::nullopt;
    }
    const std::string_view digits = text.substr(0, text.size() - 1);
    const auto unit = std::ranges::find(kUnits, text.back(), &UnitRow::letter);
    if (unit == kUnits.end() || digits.find_first_not_of("0123456789") != std::string_view::npos) {
        return std::nullopt;
    }
    std::int64_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (value > kGrpcTimeoutMax / unit->length) {
        return kGrpcTimeoutMax;
    }
    return unit->length * value;
}

std::string grpcTimeoutText(Duration left)
{
    left = std::clamp(left, Duration(1), kGrpcTimeoutMax);
    const auto unit = std::ranges::find_if(kUnits, [left](const UnitRow& row) {
        return left / row.length <= kTimeoutValueMax;
    });
    return fmt::format("{}{}", left / unit->length, unit->letter);
}

std::optional<std::string_view> grpcMethodOf(std::string_view path)
{
    if (path.size() < 4 || path.size() > kGrpcMethodBytesMax || path.front() != '/') {
        return std::nullopt;
    }
    const std::string_view name = path.substr(1);
    const std::size_t slash = name.find('/');
    if (slash == 0 || slash == std::string_view::npos || slash + 1 == name.size()) {
        return std::nullopt;
    }
    const bool isName = std::ranges::all_of(name.substr(0, slash), isNamePart)
                        && std::ranges::all_of(name.substr(slash + 1), isNamePart);
    return isName ? std::optional(name) : std::nullopt;
}

} // namespace mesh::http
