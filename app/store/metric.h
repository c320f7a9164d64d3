#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/histogram.h"
#include "proxyengine/telemetry/frame.h"

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mesh::store {

enum class SeriesKind : std::uint8_t {
    Request = 1, // Logical requests: source, service, route.
    Attempt = 2, // Single tries: source, service (the upstream), instance, target.
    Node = 3, // A node itself: source is its name. Its rows say "this node reported".
};

// What a row of metrics is about. Parts that a kind does not name are empty.
struct SeriesKey
{
    SeriesKind kind = SeriesKind::Request;
    std::string source;
    std::string service;
    std::string route;
    std::string instance; // Workload name; empty when the document knows none for the target.
    std::string target; // host:port
    friend auto operator<=>(const SeriesKey&, const SeriesKey&) = default;
};

// Sums over any set of nodes and seconds. Adding two values of disjoint sets gives exactly the
// value of their union, in any order; that is why every field is a sum, gauges too: `active` is the
// sum of one reading a second, so its average is active / seconds.
struct MetricValue
{
    telemetry::ByClass answers{}; // Of a Node: of all its listeners.
    std::uint64_t retries = 0;
    std::uint64_t connectFailures = 0;
    std::uint64_t timeouts = 0;
    std::uint64_t bytesIn = 0;
    std::uint64_t bytesOut = 0;
    std::uint64_t active = 0; // In flight (Request), active (Attempt), connections (Node).
    std::uint64_t cpu_us = 0; // Node only.
    std::uint64_t protocolErrors = 0; // Node only.
    HistogramCounts latency; // Microseconds.

    void merge(const MetricValue& other);
    // The counters alone, without latency; subtracting takes back what was added.
    void addCounters(const MetricValue& other);
    void subtractCounters(const MetricValue& other);
    [[nodiscard]] std::uint64_t total() const; // All answers, and those without one.
    [[nodiscard]] std::uint64_t serverErrors() const; // 5xx and unanswered.
    [[nodiscard]] std::uint64_t clientErrors() const; // 4xx.
    friend bool operator==(const MetricValue&, const MetricValue&) = default;
};

// A value of one second. Rows with the same key and second are added up by the store.
struct MetricRow
{
    std::int64_t time_s = 0; // The second's beginning, wall time since 1970.
    SeriesKey key;
    MetricValue value;
};

// The rows of one frame, booked on the given second. Series of inbound listeners (empty source) are
// left out: their requests are already counted where they were sent.
[[nodiscard]] std::vector<MetricRow> rowsOf(
    const telemetry::StatsFrame& frame, std::int64_t second
);

// The value as the store keeps it: a version, a mask of the fields that are not zero, and variable
// length numbers. Typically 20 to 120 bytes.
void encode(const MetricValue& value, std::string& bytes);
// Errors: Syntax for anything that encode() did not write.
[[nodiscard]] Result<MetricValue> decode(std::string_view bytes);

} // namespace mesh::store
