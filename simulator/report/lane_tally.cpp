#include "simulator/report/lane_tally.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace mesh::simulator {
namespace {

constexpr std::string_view kGatewayTo = "gateway->";

double inMilliseconds(Duration duration) { return toSeconds(duration) * 1e3; }

bool isFirstReaction(const RunMarker& marker)
{
    constexpr std::array kReactions = {
        RunMarker::Kind::Ejected,
        RunMarker::Kind::CheckFailed,
        RunMarker::Kind::BreakerOpened,
        RunMarker::Kind::PanicEntered};
    return std::ranges::find(kReactions, marker.kind) != kReactions.end();
}

std::optional<Duration> firstReaction(const Scenario& scenario, const RunRecord& record)
{
    if (scenario.timeline.empty()) {
        return std::nullopt;
    }
    const Duration fault = std::ranges::min_element(scenario.timeline, {}, &Fault::at)->at;
    const auto found = std::ranges::find_if(record.markers, [&](const RunMarker& marker) {
        return marker.at >= fault && isFirstReaction(marker);
    });
    return found == record.markers.end() ? std::nullopt : std::optional(found->at - fault);
}

// Rows are large: a thousand services have a hundred megabytes of them. They are moved.
void addRow(std::map<std::string, MeasureRow, std::less<>>& rows, MeasureRow&& row)
{
    const auto known = rows.find(row.name());
    if (known != rows.end()) {
        known->second.merge(row);
        return;
    }
    std::string name = row.name();
    rows.emplace(std::move(name), std::move(row));
}

void addAll(std::vector<double>& to, const std::vector<double>& from)
{
    to.resize(std::max(to.size(), from.size()));
    for (std::size_t at = 0; at < from.size(); ++at) {
        to[at] += from[at];
    }
}

// The root requests of all entries together.
CallFigures entryFigures(
    const std::map<std::string, MeasureRow, std::less<>>& edges, std::size_t window
)
{
    CallFigures sum;
    for (const auto& [name, row] : edges) {
        if (name.starts_with(kGatewayTo)) {
            const CallFigures& own = row.figures(window);
            sum.calls += own.calls;
            sum.succeeded += own.succeeded;
            sum.durations.merge(own.durations);
        }
    }
    return sum;
}

} // namespace

std::uint64_t mixed(std::uint64_t hash, std::uint64_t next)
{
    std::uint64_t result = (std::rotl(hash, 23) ^ next) * 0x9e3779b97f4a7c15U;
    result = (result ^ (result >> 29U)) * 0xbf58476d1ce4e5b9U;
    return result ^ (result >> 32U);
}

LaneTally::LaneTally(const Scenario& scenario, const ScenarioWindows& windows)
    : m_scenario(scenario)
    , m_windows(windows)
{
    m_sums.lengths.resize(windows.all().size());
}

void LaneTally::add(RunOutcome outcome)
{
    Sums sums = sumsOf(outcome);
    ReplicationNotes notes = notesOf(sums, outcome);
    merge(m_sums, std::move(sums));
    addSeries(outcome.record.services);
    addSeries(outcome.record.edges);
    const double worst =
        m_notes.empty() ? 2.0 : m_notes[static_cast<std::size_t>(m_worst)].success.value_or(2.0);
    if (m_notes.empty() || notes.success.value_or(2.0) < worst) {
        m_worst = static_cast<int>(m_notes.size());
        m_worstRecord = std::move(outcome.record);
        m_slowest = std::move(outcome.slowest);
    }
    m_notes.push_back(std::move(notes));
    if (!m_guard) {
        m_guard = outcome.guard;
    }
    m_events += outcome.events;
    m_hops += outcome.hops;
    m_hash = mixed(m_hash, outcome.fingerprint);
}

LaneTally::Sums LaneTally::sumsOf(RunOutcome& outcome) const
{
    Sums sums;
    for (const MeasureWindow& window : m_windows.all()) {
        sums.lengths.push_back(window.overlap(TimePoint{}, TimePoint{} + outcome.measured));
    }
    for (MeasureRow& row : outcome.edges) {
        addRow(sums.edges, std::move(row));
    }
    for (std::size_t at = 0; at < outcome.services.size(); ++at) {
        MeasureRow& row = outcome.services[at];
        sums.busy[row.name()] = outcome.busy[at];
        std::vector<double>& capacity = sums.capacity[row.name()];
        for (const Duration length : sums.lengths) {
            capacity.push_back(outcome.workers[at] * toSeconds(length));
        }
        addRow(sums.services, std::move(row));
    }
    return sums;
}

void LaneTally::merge(Sums& to, Sums from)
{
    for (auto& [name, row] : from.services) {
        addRow(to.services, std::move(row));
    }
    for (auto& [name, row] : from.edges) {
        addRow(to.edges, std::move(row));
    }
    for (const auto& [name, busy] : from.busy) {
        addAll(to.busy[name], busy);
    }
    for (const auto& [name, capacity] : from.capacity) {
        addAll(to.capacity[name], capacity);
    }
    for (std::size_t at = 0; at < from.lengths.size(); ++at) {
        to.lengths[at] += from.lengths[at];
    }
}

RehearsalFigures LaneTally::figures(const Sums& sums, const MeasureRow& row, std::size_t window)
{
    const CallFigures& own = row.figures(window);
    const double length = toSeconds(sums.lengths[window]);
    RehearsalFigures figures;
    figures.calls = own.calls;
    const auto calls = static_cast<double>(own.calls);
    const auto succeeded = static_cast<double>(own.succeeded);
    if (own.calls > 0) {
        figures.success = succeeded / calls;
        figures.amplification = static_cast<double>(own.attempts) / calls;
        figures.mean_ms = inMilliseconds(own.durations.mean());
        figures.p50_ms = inMilliseconds(own.durations.quantile(0.5));
        figures.p90_ms = inMilliseconds(own.durations.quantile(0.9));
        figures.p99_ms = inMilliseconds(own.durations.quantile(0.99));
        figures.p999_ms = inMilliseconds(own.durations.quantile(0.999));
    }
    if (length > 0.0) {
        figures.rps = calls / length;
        figures.goodput = succeeded / length;
        figures.inflight = toSeconds(own.waited) / length;
    }
    const auto capacity = sums.capacity.find(row.name());
    if (capacity != sums.capacity.end()) {
        const double all = capacity->second[window];
        figures.utilization = all > 0.0 ? sums.busy.find(row.name())->second[window] / all : 0.0;
    }
    return figures;
}

std::optional<double> LaneTally::valueIn(
    const Sums& sums, const Condition& condition, std::size_t window
)
{
    if (sums.lengths[window] == Duration::zero()) {
        return std::nullopt;
    }
    const bool isEdge = condition.subject.find("->") != std::string::npos;
    const auto& rows = isEdge ? sums.edges : sums.services;
    const auto row = rows.find(condition.subject);
    return (row == rows.end() ? RehearsalFigures() : figures(sums, row->second, window))
        .value(condition.quantity);
}

std::optional<double> LaneTally::value(const Condition& condition, std::size_t window) const
{
    return valueIn(m_sums, condition, window);
}

namespace {

// Services are known from the document, edges only from their calls.
enum class Silent : std::uint8_t { Shown, LeftOut };

template <typename RowsByName, typename FiguresOf>
FiguresByName figuresByName(const RowsByName& rows, Silent silent, const FiguresOf& figuresOf)
{
    FiguresByName result;
    for (const auto& [name, row] : rows) {
        RehearsalFigures figures = figuresOf(row);
        if (silent == Silent::Shown || figures.calls > 0 || figures.inflight > 0.0) {
            result.emplace(name, figures);
        }
    }
    return result;
}

} // namespace

FiguresByName LaneTally::services(std::size_t window) const
{
    return figuresByName(m_sums.services, Silent::Shown, [&](const MeasureRow& row) {
        return figures(m_sums, row, window);
    });
}

FiguresByName LaneTally::edges(std::size_t window) const
{
    return figuresByName(m_sums.edges, Silent::LeftOut, [&](const MeasureRow& row) {
        return figures(m_sums, row, window);
    });
}

ReplicationNotes LaneTally::notesOf(const Sums& sums, const RunOutcome& outcome) const
{
    ReplicationNotes notes;
    for (std::size_t at = 0; at < m_scenario.asserts.size(); ++at) {
        notes.values.push_back(
            valueIn(sums, m_scenario.asserts[at].condition, m_windows.ofAssertion(at))
        );
    }
    const CallFigures entries = entryFigures(sums.edges, m_windows.ofFaults());
    if (entries.calls > 0) {
        notes.success = static_cast<double>(entries.succeeded) / static_cast<double>(entries.calls);
        notes.p99_ms = inMilliseconds(entries.durations.quantile(0.99));
    }
    notes.detected = firstReaction(m_scenario, outcome.record);
    return notes;
}

void LaneTally::addSeries(const std::vector<RunSeries>& list)
{
    for (const RunSeries& each : list) {
        auto sum = std::ranges::find(m_series, each.name, &RunSeries::name);
        if (sum == m_series.end()) {
            m_series.push_back(each);
            continue;
        }
        sum->seconds.resize(std::max(sum->seconds.size(), each.seconds.size()));
        for (std::size_t second = 0; second < each.seconds.size(); ++second) {
            sum->seconds[second].merge(each.seconds[second]);
        }
    }
}

} // namespace mesh::simulator
