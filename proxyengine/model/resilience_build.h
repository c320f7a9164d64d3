#pragma once

#include "proxyengine/base/limits.h"
#include "proxyengine/model/field_build.h"

// Bounds and forms that the schemas of traffic policies share. Only for this folder.
namespace mesh::model {

// An hour is longer than anybody waits for one request; more is a typing error.
inline constexpr Duration kTimeMax = std::chrono::hours(1);
inline constexpr Duration kSpanMax = kDurationTextMax; // Of ejections and windows.
inline constexpr double kCountMax = 1'000'000; // Requests or connections at once on one node.
inline constexpr double kRateMax = 1'000'000'000; // Requests per span of a rate limit.
inline constexpr double kAttemptsMax = 10; // More is an attack on one's own service.
inline constexpr double kBodyBytesMax = 16.0 * 1024 * 1024; // Held in memory for each request.

namespace build {

// A text that may be empty, which is the same as left out.
struct TextOrNone
{
    static constexpr Kind kKind = Kind::Text;
    static Value write(const std::string& value) { return value.empty() ? Value() : Value(value); }
    static void read(const Value& from, std::string& to) { Plain<std::string>::read(from, to); }
};

template <auto kMember>
FieldChain time(std::string_view key, Duration min, Duration max)
{
    return as<kMember, AsDurationText>(key).lasting(min, max);
}

template <auto kMember>
FieldChain percent(std::string_view key)
{
    return plain<kMember>(key).between(0, 100).measuredIn("%");
}

template <auto kMember>
FieldChain bodyLimit(std::string_view key)
{
    return plain<kMember>(key).between(0, kBodyBytesMax).measuredIn("bytes");
}

} // namespace build
} // namespace mesh::model
