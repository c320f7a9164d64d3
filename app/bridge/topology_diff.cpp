#include "app/bridge/topology_diff.h"

#include "app/bridge/format.h"
#include "app/bridge/topology_builder.h"

#include <QCoreApplication>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <tuple>

namespace mesh::bridge {

namespace {

constexpr std::uint64_t kEvidenceMin = 20; // Requests; as the health rules want.
constexpr double kErrorsWorse = 0.005;
constexpr double kLatencyWorse = 1.2;
constexpr double kLatencyWorse_ms = 5;

QString sayChange(const char* text) { return QCoreApplication::translate("TopologyDiff", text); }

// How bad a state is; states that say nothing are not compared.
std::optional<int> badness(HealthState state)
{
    switch (state) {
    case HealthState::Healthy:
        return 0;
    case HealthState::Degraded:
        return 1;
    case HealthState::Failure:
        return 2;
    case HealthState::Idle:
    case HealthState::NoData:
    case HealthState::Stale:
        break;
    }
    return std::nullopt;
}

// What one part of the comparison says: worse is positive.
struct Finding
{
    int direction = 0;
    QString text;
};

Finding compareErrors(const Figures& before, const Figures& after)
{
    if (!before.errorRatio || !after.errorRatio) {
        return {};
    }
    const double more = *after.errorRatio - *before.errorRatio;
    if (std::abs(more) < kErrorsWorse) {
        return {};
    }
    return {
        more > 0 ? 1 : -1,
        sayChange("errors %1 → %2")
            .arg(formatRatio(before.errorRatio), formatRatio(after.errorRatio))};
}

Finding compareLatency(const Figures& before, const Figures& after)
{
    if (!before.p95_ms || !after.p95_ms) {
        return {};
    }
    const double low = std::min(*before.p95_ms, *after.p95_ms);
    const double high = std::max(*before.p95_ms, *after.p95_ms);
    if (high - low < kLatencyWorse_ms || high < low * kLatencyWorse) {
        return {};
    }
    return {
        *after.p95_ms > *before.p95_ms ? 1 : -1,
        sayChange("p95 %1 → %2").arg(formatDuration(before.p95_ms), formatDuration(after.p95_ms))};
}

// Fills change and words of two things that are both there.
void judge(TopologyChange& row)
{
    std::vector<Finding> findings;
    const auto worseBefore = badness(row.before);
    const auto worseAfter = badness(row.after);
    if (worseBefore && worseAfter && *worseBefore != *worseAfter) {
        findings.push_back({*worseAfter > *worseBefore ? 1 : -1, {}});
    }
    const bool hasEvidence =
        row.figuresBefore.requests >= kEvidenceMin && row.figuresAfter.requests >= kEvidenceMin;
    if (hasEvidence) {
        findings.push_back(compareErrors(row.figuresBefore, row.figuresAfter));
        findings.push_back(compareLatency(row.figuresBefore, row.figuresAfter));
    }
    bool isWorse = false;
    bool isBetter = false;
    QStringList texts;
    for (const Finding& finding : findings) {
        isWorse = isWorse || finding.direction > 0;
        isBetter = isBetter || finding.direction < 0;
        if (!finding.text.isEmpty()) {
            texts << finding.text;
        }
    }
    row.change = isWorse ? Change::Worse : isBetter ? Change::Better : Change::None;
    row.what = texts.join(QStringLiteral(" · "));
}

struct Side
{
    HealthState state = HealthState::NoData;
    const Figures* figures = nullptr;
};

using Sides = std::map<QString, Side>;

Sides entitiesOf(const Topology& topology)
{
    Sides sides;
    for (const EntityRow& row : topology.entities) {
        sides[row.id] = {row.state, &row.figures};
    }
    return sides;
}

// An edge that is only configured says nothing about a moment.
Sides edgesOf(const Topology& topology)
{
    Sides sides;
    for (const EdgeRow& row : topology.edges) {
        if (row.figures.rps > 0 || row.figures.requests > 0 || row.isTcp) {
            sides[edgeId(row.source, row.target)] = {row.state, &row.figures};
        }
    }
    return sides;
}

void compareSides(const Sides& before, const Sides& after, bool isEdge, TopologyDiff& diff)
{
    for (const auto& [id, side] : before) {
        TopologyChange row;
        row.subject = id;
        row.isEdge = isEdge;
        row.before = side.state;
        row.figuresBefore = *side.figures;
        const auto later = after.find(id);
        if (later == after.end()) {
            row.change = Change::Vanished;
        } else {
            row.after = later->second.state;
            row.figuresAfter = *later->second.figures;
            judge(row);
        }
        if (row.change != Change::None) {
            diff.changes.push_back(std::move(row));
        }
    }
    for (const auto& [id, side] : after) {
        if (before.find(id) == before.end()) {
            TopologyChange row;
            row.subject = id;
            row.isEdge = isEdge;
            row.change = Change::Appeared;
            row.after = side.state;
            row.figuresAfter = *side.figures;
            diff.changes.push_back(std::move(row));
        }
    }
}

int orderOf(Change change)
{
    constexpr std::array<int, 5> kOrder = {4, 2, 0, 1, 3}; // Indexed by Change.
    return kOrder[static_cast<std::size_t>(change)];
}

} // namespace

int TopologyDiff::count(Change change) const
{
    return static_cast<int>(std::ranges::count(changes, change, &TopologyChange::change));
}

TopologyDiff diffOf(const Topology& before, const Topology& after)
{
    TopologyDiff diff;
    diff.before_us = before.time_us;
    diff.after_us = after.time_us;
    compareSides(entitiesOf(before), entitiesOf(after), false, diff);
    compareSides(edgesOf(before), edgesOf(after), true, diff);
    std::ranges::sort(diff.changes, [](const TopologyChange& a, const TopologyChange& b) {
        return std::tuple(orderOf(a.change), a.isEdge, a.subject)
               < std::tuple(orderOf(b.change), b.isEdge, b.subject);
    });
    return diff;
}

Topology unionOf(const Topology& before, const Topology& after, const TopologyDiff& diff)
{
    std::map<QString, Change> changes;
    for (const TopologyChange& row : diff.changes) {
        changes[row.subject] = row.change;
    }
    const auto changeOf = [&](const QString& id) {
        const auto found = changes.find(id);
        return found == changes.end() ? Change::None : found->second;
    };
    Topology both = after;
    for (const EntityRow& row : before.entities) {
        if (changeOf(row.id) == Change::Vanished) {
            both.entities.push_back(row);
        }
    }
    for (const EdgeRow& row : before.edges) {
        const auto isSame = [&row](const EdgeRow& edge) {
            return edge.source == row.source && edge.target == row.target;
        };
        // One that is configured still, but carries nothing, is there already.
        if (changeOf(edgeId(row.source, row.target)) == Change::Vanished
            && std::ranges::none_of(after.edges, isSame)) {
            both.edges.push_back(row);
        }
    }
    for (EntityRow& row : both.entities) {
        row.change = changeOf(row.id);
    }
    for (EdgeRow& row : both.edges) {
        row.change = changeOf(edgeId(row.source, row.target));
    }
    std::ranges::sort(both.entities, {}, &EntityRow::id);
    std::ranges::sort(both.edges, [](const EdgeRow& a, const EdgeRow& b) {
        return std::tie(a.source, a.target) < std::tie(b.source, b.target);
    });
    return both;
}

} // namespace mesh::bridge
