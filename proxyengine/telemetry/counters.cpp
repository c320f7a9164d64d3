#include "proxyengine/telemetry/counters.h"

#include "proxyengine/base/limits.h"
#include "proxyengine/telemetry/series_key.h"

#include <numeric>
#include <utility>

namespace mesh::telemetry {
namespace {

std::string joined(std::string_view a, std::string_view b, std::string_view c)
{
    std::string key;
    key.reserve(a.size() + b.size() + c.size() + 2);
    key.append(a).push_back(kKeyJoint);
    key.append(b).push_back(kKeyJoint);
    key.append(c);
    return key;
}

std::uint64_t total(const ByClass& answers)
{
    return std::accumulate(answers.begin(), answers.end(), std::uint64_t{0});
}

void add(ByClass& sum, const ByClass& part)
{
    for (std::size_t at = 0; at < sum.size(); ++at) {
        sum[at] += part[at];
    }
}

bool hasNews(const RequestRow& row)
{
    return total(row.answers) != 0 || row.inflight != 0 || row.bytesIn != 0 || row.retries != 0;
}

bool hasNews(const AttemptRow& row)
{
    return total(row.answers) != 0 || row.active != 0 || row.connections != 0
           || row.connectFailures != 0 || row.timeouts != 0;
}

RequestSeries takeRow(RequestRow& row)
{
    RequestSeries series;
    series.source = row.source;
    series.service = row.service;
    series.route = row.route;
    series.protocol = row.protocol;
    series.answers = std::exchange(row.answers, {});
    series.retries = std::exchange(row.retries, 0);
    series.bytesIn = std::exchange(row.bytesIn, 0);
    series.bytesOut = std::exchange(row.bytesOut, 0);
    series.inflight = row.inflight;
    series.mtls = std::exchange(row.mtls, 0);
    series.plaintext = std::exchange(row.plaintext, 0);
    if (total(series.answers) != 0) {
        series.latency = row.latency.take();
    }
    return series;
}

AttemptSeries takeRow(AttemptRow& row)
{
    AttemptSeries series;
    series.source = row.source;
    series.upstream = row.upstream;
    series.target = row.target;
    series.workload = row.workload;
    series.answers = std::exchange(row.answers, {});
    series.connectFailures = std::exchange(row.connectFailures, 0);
    series.timeouts = std::exchange(row.timeouts, 0);
    series.active = row.active;
    series.connections = row.connections;
    if (total(series.answers) != 0) {
        series.latency = row.latency.take();
    }
    return series;
}

template <typename Rows, typename Series>
void takeRows(Rows& rows, std::vector<Series>& out)
{
    for (auto at = rows.begin(); at != rows.end();) {
        if (hasNews(*at->second)) {
            out.push_back(takeRow(*at->second));
            ++at;
        } else if (at->second->holders == 0) {
            at = rows.erase(at);
        } else {
            ++at;
        }
    }
}

template <typename Rows, typename Row>
Row& hold(Rows& rows, Row& beyond, std::string key, Row&& fresh)
{
    auto found = rows.find(key);
    if (found == rows.end()) {
        if (rows.size() >= kSeriesPerNodeMax) {
            ++beyond.holders;
            return beyond;
        }
        found = rows.emplace(std::move(key), std::make_unique<Row>(std::move(fresh))).first;
    }
    ++found->second->holders;
    return *found->second;
}

// Rows of one name under two protocols are two rows.
std::string requestKey(
    std::string_view source, std::string_view service, std::string_view route, EdgeProtocol protocol
)
{
    std::string key = joined(source, service, route);
    if (protocol != EdgeProtocol::Http) {
        key.append(1, kKeyJoint).append(toText(protocol));
    }
    return key;
}

std::string keyOf(const RequestSeries& row)
{
    return requestKey(row.source, row.service, row.route, row.protocol);
}
std::string keyOf(const AttemptSeries& row) { return joined(row.source, row.upstream, row.target); }

void addSeries(RequestSeries& sum, const RequestSeries& part)
{
    add(sum.answers, part.answers);
    sum.retries += part.retries;
    sum.bytesIn += part.bytesIn;
    sum.bytesOut += part.bytesOut;
    sum.inflight += part.inflight;
    sum.mtls += part.mtls;
    sum.plaintext += part.plaintext;
    sum.latency.merge(part.latency);
}

void addSeries(AttemptSeries& sum, const AttemptSeries& part)
{
    add(sum.answers, part.answers);
    sum.connectFailures += part.connectFailures;
    sum.timeouts += part.timeouts;
    sum.active += part.active;
    sum.connections += part.connections;
    sum.latency.merge(part.latency);
}

template <typename Series>
void mergeSeries(std::vector<Series>& rows, std::vector<Series>&& parts)
{
    if (rows.empty()) {
        rows = std::move(parts);
        return;
    }
    std::unordered_map<std::string, std::size_t> places;
    for (std::size_t at = 0; at < rows.size(); ++at) {
        places.emplace(keyOf(rows[at]), at);
    }
    for (Series& part : parts) {
        const auto found = places.find(keyOf(part));
        if (found == places.end()) {
            rows.push_back(std::move(part));
        } else {
            addSeries(rows[found->second], part);
        }
    }
}

} // namespace

std::size_t classOf(int status)
{
    return status >= 100 && status <= 599 ? static_cast<std::size_t>(status) / 100 : 0;
}

WorkerCounters::WorkerCounters() = default;

RequestRow& WorkerCounters::holdRequests(
    std::string_view source, std::string_view service, std::string_view route, EdgeProtocol protocol
)
{
    RequestRow fresh;
    fresh.source = source;
    fresh.service = service;
    fresh.route = route;
    fresh.protocol = protocol;
    return hold(
        m_requests, m_requestsBeyond, requestKey(source, service, route, protocol), std::move(fresh)
    );
}

AttemptRow& WorkerCounters::holdAttempts(
    std::string_view source,
    std::string_view upstream,
    std::string_view target,
    std::string_view workload
)
{
    AttemptRow fresh;
    fresh.source = source;
    fresh.upstream = upstream;
    fresh.target = target;
    fresh.workload = workload;
    return hold(m_attempts, m_attemptsBeyond, joined(source, upstream, target), std::move(fresh));
}

Reading WorkerCounters::take()
{
    Reading reading;
    takeRows(m_requests, reading.requests);
    takeRows(m_attempts, reading.attempts);
    reading.connections = connections;
    reading.accepted = std::exchange(accepted, 0);
    reading.protocolErrors = std::exchange(protocolErrors, 0);
    reading.http2Limits = std::exchange(http2Limits, {});
    reading.streams = std::exchange(streams, {});
    reading.droppedSeries = total(m_requestsBeyond.answers) + total(m_attemptsBeyond.answers);
    reading.grpc = grpc.take();
    reading.compressedFrom = std::exchange(compressedFrom, 0);
    reading.compressedTo = std::exchange(compressedTo, 0);
    m_requestsBeyond.answers = {};
    m_attemptsBeyond.answers = {};
    return reading;
}

void addTo(Http2Limits& sum, const Http2Limits& part)
{
    for (std::size_t at = 0; at < sum.size(); ++at) {
        sum[at] += part[at];
    }
}

void merge(StatsFrame& frame, Reading&& reading)
{
    mergeSeries(frame.requests, std::move(reading.requests));
    mergeSeries(frame.attempts, std::move(reading.attempts));
    merge(frame.grpc, std::move(reading.grpc));
    frame.compressedFrom += reading.compressedFrom;
    frame.compressedTo += reading.compressedTo;
    frame.connections += reading.connections;
    frame.accepted += reading.accepted;
    frame.protocolErrors += reading.protocolErrors;
    frame.droppedSeries += reading.droppedSeries;
    addTo(frame.http2Limits, reading.http2Limits);
    addTo(frame.streams, reading.streams);
}

} // namespace mesh::telemetry
