#include "app/store/metric.h"

#include <algorithm>
#include <array>
#include <map>

namespace mesh::store {

namespace {

constexpr char kVersion = 1; // First byte of every encoded value.
constexpr std::size_t kCounters = 14;

using Counters = std::array<std::uint64_t, kCounters>;

Counters countersOf(const MetricValue& value)
{
    return {
        value.answers[0],
        value.answers[1],
        value.answers[2],
        value.answers[3],
        value.answers[4],
        value.answers[5],
        value.retries,
        value.connectFailures,
        value.timeouts,
        value.bytesIn,
        value.bytesOut,
        value.active,
        value.cpu_us,
        value.protocolErrors};
}

void setCounters(MetricValue& value, const Counters& counters)
{
    std::copy_n(counters.begin(), value.answers.size(), value.answers.begin());
    value.retries = counters[6];
    value.connectFailures = counters[7];
    value.timeouts = counters[8];
    value.bytesIn = counters[9];
    value.bytesOut = counters[10];
    value.active = counters[11];
    value.cpu_us = counters[12];
    value.protocolErrors = counters[13];
}

// LEB128, as in protocol buffers and DWARF.
void putNumber(std::uint64_t number, std::string& bytes)
{
    while (number >= 0x80) {
        bytes.push_back(static_cast<char>((number & 0x7F) | 0x80));
        number >>= 7U;
    }
    bytes.push_back(static_cast<char>(number));
}

// Reads numbers from the front of a text; isGood() stays false after the first failure.
class NumberReader
{
public:
    explicit NumberReader(std::string_view bytes)
        : m_bytes(bytes)
    {}

    std::uint64_t next()
    {
        std::uint64_t number = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            if (m_at >= m_bytes.size()) {
                break;
            }
            const auto byte = static_cast<unsigned char>(m_bytes[m_at++]);
            number |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
            if ((byte & 0x80U) == 0) {
                return number;
            }
        }
        m_isGood = false;
        return 0;
    }

    [[nodiscard]] bool isGood() const { return m_isGood; }
    [[nodiscard]] bool isAtEnd() const { return m_at == m_bytes.size(); }
    [[nodiscard]] std::size_t left() const { return m_bytes.size() - m_at; }

private:
    std::string_view m_bytes;
    std::size_t m_at = 0;
    bool m_isGood = true;
};

} // namespace

void MetricValue::merge(const MetricValue& other)
{
    addCounters(other);
    latency.merge(other.latency);
}

void MetricValue::addCounters(const MetricValue& other)
{
    Counters sums = countersOf(*this);
    const Counters added = countersOf(other);
    for (std::size_t at = 0; at < sums.size(); ++at) {
        sums[at] += added[at];
    }
    setCounters(*this, sums);
}

void MetricValue::subtractCounters(const MetricValue& other)
{
    Counters sums = countersOf(*this);
    const Counters taken = countersOf(other);
    for (std::size_t at = 0; at < sums.size(); ++at) {
        sums[at] -= taken[at];
    }
    setCounters(*this, sums);
}

std::uint64_t MetricValue::total() const
{
    std::uint64_t sum = 0;
    for (const std::uint64_t count : answers) {
        sum += count;
    }
    return sum;
}

std::uint64_t MetricValue::serverErrors() const { return answers[0] + answers[5]; }

std::uint64_t MetricValue::clientErrors() const { return answers[4]; }

std::vector<MetricRow> rowsOf(const telemetry::StatsFrame& frame, std::int64_t second)
{
    std::map<SeriesKey, MetricValue> sums;
    MetricValue node;
    for (const telemetry::RequestSeries& series : frame.requests) {
        for (std::size_t at = 0; at < series.answers.size(); ++at) {
            node.answers[at] += series.answers[at];
        }
        if (series.source.empty()) {
            continue;
        }
        MetricValue value;
        value.answers = series.answers;
        value.retries = series.retries;
        value.bytesIn = series.bytesIn;
        value.bytesOut = series.bytesOut;
        value.active = series.inflight;
        value.latency = series.latency;
        sums[{SeriesKind::Request, series.source, series.service, series.route, {}, {}}].merge(value
        );
    }
    for (const telemetry::AttemptSeries& series : frame.attempts) {
        if (series.source.empty()) {
            continue;
        }
        MetricValue value;
        value.answers = series.answers;
        value.connectFailures = series.connectFailures;
        value.timeouts = series.timeouts;
        value.active = series.active;
        value.latency = series.latency;
        sums[{SeriesKind::Attempt,
              series.source,
              series.upstream,
              {},
              series.workload,
              series.target}]
            .merge(value);
    }
    node.active = frame.connections;
    node.protocolErrors = frame.protocolErrors;
    node.cpu_us = static_cast<std::uint64_t>(std::max<std::int64_t>(0, frame.cpu.count()) / 1000);
    sums[{SeriesKind::Node, frame.node, {}, {}, {}, {}}].merge(node);

    std::vector<MetricRow> rows;
    rows.reserve(sums.size());
    for (auto& [key, value] : sums) {
        rows.push_back({second, key, std::move(value)});
    }
    return rows;
}

void encode(const MetricValue& value, std::string& bytes)
{
    bytes.clear();
    bytes.push_back(kVersion);
    const Counters counters = countersOf(value);
    std::uint64_t mask = 0;
    for (std::size_t at = 0; at < counters.size(); ++at) {
        mask |= static_cast<std::uint64_t>(counters[at] != 0) << at;
    }
    putNumber(mask, bytes);
    for (const std::uint64_t count : counters) {
        if (count != 0) {
            putNumber(count, bytes);
        }
    }
    putNumber(value.latency.buckets().size(), bytes);
    unsigned previous = 0;
    for (const HistogramCounts::Bucket& bucket : value.latency.buckets()) {
        putNumber(bucket.index - previous, bytes);
        putNumber(bucket.count, bytes);
        previous = bucket.index;
    }
}

Result<MetricValue> decode(std::string_view bytes)
{
    if (bytes.empty() || bytes.front() != kVersion) {
        return fail(ErrorCode::Syntax, "a stored metric has an unknown version");
    }
    NumberReader reader(bytes.substr(1));
    const std::uint64_t mask = reader.next();
    Counters counters{};
    for (std::size_t at = 0; at < counters.size(); ++at) {
        if (((mask >> at) & 1U) != 0) {
            counters[at] = reader.next();
        }
    }
    const std::uint64_t bucketCount = reader.next();
    if (!reader.isGood() || (mask >> kCounters) != 0 || bucketCount > reader.left()) {
        return fail(ErrorCode::Syntax, "a stored metric is cut short");
    }
    std::vector<HistogramCounts::Bucket> buckets;
    buckets.reserve(bucketCount);
    std::uint64_t index = 0;
    for (std::uint64_t at = 0; at < bucketCount; ++at) {
        index += reader.next();
        const std::uint64_t count = reader.next();
        if (index >= HistogramScale::kBuckets || count > UINT32_MAX) {
            return fail(ErrorCode::Syntax, "a stored histogram is out of its scale");
        }
        buckets.push_back({static_cast<std::uint16_t>(index), static_cast<std::uint32_t>(count)});
    }
    if (!reader.isGood() || !reader.isAtEnd()) {
        return fail(ErrorCode::Syntax, "a stored metric is cut short");
    }
    MetricValue value;
    setCounters(value, counters);
    value.latency = HistogramCounts(std::move(buckets));
    return value;
}

} // namespace mesh::store
