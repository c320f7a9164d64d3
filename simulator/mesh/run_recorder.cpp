#include "simulator/mesh/run_recorder.h"

#include "proxyengine/base/assert.h"

#include <utility>

namespace mesh::simulator {
namespace {

constexpr Duration kSecond = std::chrono::seconds(1);

std::size_t placeOf(RunMarker::Kind kind)
{
    using Kind = RunMarker::Kind;
    MESH_ASSERT(
        kind == Kind::BudgetExhausted || kind == Kind::RateLimited || kind == Kind::LimitReached
    );
    return static_cast<std::size_t>(kind) - static_cast<std::size_t>(Kind::BudgetExhausted);
}

bool isQuiet(const RunSecond& second)
{
    return second.begun == 0 && second.succeeded == 0 && second.failed == 0 && second.inFlight == 0;
}

// Series begin at the first second, however late the first call was.
void append(RunSeries& series, std::size_t at, const RunSecond& second)
{
    if (!isQuiet(second)) {
        series.seconds.resize(at);
        series.seconds.push_back(second);
    }
}

} // namespace

RunRecorder::RunRecorder(const MeshPlan& plan)
    : m_plan(plan)
{
    for (const model::ServiceModel& model : plan.models()) {
        m_record.services.push_back({model.service, {}});
    }
    m_sums.resize(plan.models().size());
}

void RunRecorder::addEdge(std::string name, std::string caller, std::uint32_t service)
{
    m_record.edges.push_back({std::move(name), {}});
    Edge& edge = m_edges.emplace_back();
    edge.caller = std::move(caller);
    edge.service = service;
}

void RunRecorder::begin(std::uint32_t at)
{
    Edge& edge = m_edges[at];
    edge.isTouched = true;
    ++edge.now.begun;
    ++edge.now.inFlight;
}

void RunRecorder::end(std::uint32_t at, Duration took, MeasureRow::Outcome outcome, int attempts)
{
    Edge& edge = m_edges[at];
    edge.isTouched = true;
    ++(outcome == MeasureRow::Outcome::Succeeded ? edge.now.succeeded : edge.now.failed);
    --edge.now.inFlight;
    edge.now.attempts += static_cast<std::uint32_t>(attempts);
    ++edge.now.durations[RunSecond::bucketOf(took)];
}

void RunRecorder::mark(
    RunMarker::Kind kind, TimePoint now, std::uint32_t edge, std::string instance
)
{
    RunMarker marker;
    marker.at = now - TimePoint{};
    marker.kind = kind;
    marker.caller = m_edges[edge].caller;
    marker.callee = m_plan.models()[m_edges[edge].service].service;
    marker.instance = std::move(instance);
    push(std::move(marker));
}

void RunRecorder::markOnce(RunMarker::Kind kind, TimePoint now, std::uint32_t edge)
{
    std::int64_t& told = m_edges[edge].told[placeOf(kind)];
    const std::int64_t second = (now - TimePoint{}) / kSecond;
    if (told != second) {
        told = second;
        mark(kind, now, edge, {});
    }
}

void RunRecorder::markFault(RunMarker::Kind kind, TimePoint now, std::uint32_t fault)
{
    RunMarker marker;
    marker.at = now - TimePoint{};
    marker.kind = kind;
    marker.fault = fault;
    push(std::move(marker));
}

void RunRecorder::push(RunMarker marker)
{
    if (m_record.markers.size() < RunRecord::kMarkersMax) {
        m_record.markers.push_back(std::move(marker));
    } else {
        ++m_record.markersLost;
    }
}

void RunRecorder::endSeconds(TimePoint now)
{
    while (now >= m_secondEnd) {
        endSecond();
        m_secondEnd += kSecond;
    }
}

void RunRecorder::endSecond()
{
    for (RunSecond& sum : m_sums) {
        sum = RunSecond();
    }
    for (std::size_t at = 0; at < m_edges.size(); ++at) {
        Edge& edge = m_edges[at];
        if (!edge.isTouched) {
            continue;
        }
        append(m_record.edges[at], m_second, edge.now);
        m_sums[edge.service].merge(edge.now);
        const std::uint32_t inFlight = edge.now.inFlight;
        edge.now = RunSecond();
        edge.now.inFlight = inFlight;
        edge.isTouched = inFlight > 0;
    }
    for (std::size_t at = 0; at < m_sums.size(); ++at) {
        append(m_record.services[at], m_second, m_sums[at]);
    }
    ++m_second;
}

void RunRecorder::close(TimePoint end)
{
    advance(end);
    endSecond();
}

} // namespace mesh::simulator
