#include "simulator/report/objective.h"

#include "simulator/report/judge.h"

#include <algorithm>

namespace mesh::simulator {

std::optional<double> demandedSuccess(const Scenario& scenario, std::string_view service)
{
    const bool isDemanded = std::ranges::any_of(scenario.asserts, [&](const Assertion& assertion) {
        const Condition& condition = assertion.condition;
        const bool isFloor = condition.relation == Relation::Greater
                             || condition.relation == Relation::GreaterOrEqual;
        return isFloor && !assertion.window.empty() && condition.quantity == Quantity::Success
               && condition.subject == service;
    });
    return isDemanded ? std::optional(objectiveOf(scenario, service)) : std::nullopt;
}

std::optional<FaultSpan> faultSpanOf(const Scenario& scenario)
{
    if (scenario.timeline.empty()) {
        return std::nullopt;
    }
    FaultSpan span{Duration::max(), Duration::zero()};
    const Duration finish = scenario.duration.value_or(Duration::max());
    for (const Fault& fault : scenario.timeline) {
        span.from = std::min(span.from, fault.at);
        const bool isBounded = fault.length && *fault.length < finish - fault.at;
        span.to = std::max(span.to, isBounded ? fault.at + *fault.length : finish);
    }
    span.from = std::min(span.from, finish);
    return span;
}

} // namespace mesh::simulator
