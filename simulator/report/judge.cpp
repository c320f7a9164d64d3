#include "simulator/report/judge.h"

#include "simulator/report/estimate.h"

#include <algorithm>

namespace mesh::simulator {
namespace {

// Pairs of which both sides were measured, first minus second.
template <typename Get>
std::vector<double> differences(const LaneTally& first, const LaneTally& second, const Get& get)
{
    std::vector<double> result;
    const std::size_t count = std::min(first.notes().size(), second.notes().size());
    for (std::size_t at = 0; at < count; ++at) {
        const std::optional<double> a = get(first.notes()[at]);
        const std::optional<double> b = get(second.notes()[at]);
        if (a && b) {
            result.push_back(*a - *b);
        }
    }
    return result;
}

int hitsAmong(const std::vector<double>& values, const Condition& condition)
{
    return static_cast<int>(std::ranges::count_if(values, [&](double value) {
        return condition.holds(value);
    }));
}

// An interval of a share ends where shares do.
void keepShare(Quantity quantity, Estimate& estimate)
{
    const bool isShare = quantity == Quantity::Success || quantity == Quantity::Utilization;
    if (isShare && estimate.interval) {
        estimate.interval->first = std::max(estimate.interval->first, 0.0);
        estimate.interval->second = std::min(estimate.interval->second, 1.0);
    }
}

} // namespace

std::vector<AssertionResult> judgeWindows(
    const Scenario& scenario, const ScenarioWindows& windows, const LaneTally& tally
)
{
    std::vector<AssertionResult> results;
    for (std::size_t at = 0; at < scenario.asserts.size(); ++at) {
        const Assertion& assertion = scenario.asserts[at];
        if (assertion.window.empty()) {
            continue;
        }
        AssertionResult result;
        result.assertion = assertion;
        std::vector<double> values;
        for (const ReplicationNotes& notes : tally.notes()) {
            if (notes.values[at]) {
                values.push_back(*notes.values[at]);
            }
        }
        if (const auto value = tally.value(assertion.condition, windows.ofAssertion(at))) {
            result.value = Estimate{*value, intervalOf(values)};
            keepShare(assertion.condition.quantity, *result.value);
            result.holds = assertion.condition.holds(*value);
        }
        result.hit = hitsAmong(values, assertion.condition);
        results.push_back(std::move(result));
    }
    return results;
}

AssertionResult judgeComparison(
    const Scenario& scenario,
    std::size_t assertion,
    const LaneTally& candidate,
    const LaneTally& reference
)
{
    AssertionResult result;
    result.assertion = scenario.asserts[assertion];
    const std::vector<double> values =
        differences(candidate, reference, [assertion](const ReplicationNotes& notes) {
            return notes.values[assertion];
        });
    result.value = estimateOf(values);
    result.holds = result.value && result.assertion.condition.holds(result.value->value);
    result.hit = hitsAmong(values, result.assertion.condition);
    return result;
}

AblationRow judgeAblation(
    std::string policy,
    const ScenarioWindows& windows,
    const LaneTally& with,
    const LaneTally& without
)
{
    AblationRow row;
    row.policy = std::move(policy);
    const auto success = [](const ReplicationNotes& notes) { return notes.success; };
    const auto p99 = [](const ReplicationNotes& notes) { return notes.p99_ms; };
    row.success = estimateOf(differences(with, without, success)).value_or(Estimate());
    row.p99_ms = estimateOf(differences(with, without, p99)).value_or(Estimate());
    for (const auto& [service, figures] : without.services(windows.ofFaults())) {
        row.amplification.emplace(service, figures.amplification);
    }
    return row;
}

} // namespace mesh::simulator
