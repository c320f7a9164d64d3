#include "simulator/scenario/scenario.h"

#include "proxyengine/base/duration_text.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/config/tree.h"
#include "simulator/scenario/expectation_reader.h"
#include "simulator/scenario/fault_reader.h"
#include "simulator/scenario/field_reader.h"
#include "simulator/scenario/patch.h"
#include "simulator/scenario/traffic_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

namespace mesh::simulator {
namespace {

using config::Problem;
using model::Value;

constexpr std::array<std::string_view, kAblatedPolicyCount> kAblatedPolicies = {
    "retry", "breaker", "outlier_detection", "hedge"};

std::string elementOf(std::string_view list, std::size_t at)
{
    return fmt::format("{}[{}]", list, at);
}

PolicyVariant readVariant(
    const Value::Member& member, const std::string& path, std::vector<Problem>& problems
)
{
    PolicyVariant variant;
    variant.name = member.key;
    if (member.value.isNull()) {
        return variant;
    }
    FieldReader fields(member.value, path, problems);
    if (const Value* patch = fields.any("patch")) {
        variant.patch = *patch;
        checkPatchKinds(*patch, fields.pathOf("patch"), problems);
    }
    fields.finish();
    return variant;
}

void readPolicies(FieldReader& fields, Scenario& scenario, std::vector<Problem>& problems)
{
    const Value* policies = fields.any("policies");
    if (policies == nullptr) {
        return;
    }
    if (!policies->isMap() || policies->map().empty()) {
        fields.report(
            *policies,
            "policies",
            ErrorCode::InvalidArgument,
            "expected variants by name, as in {baseline: {}, candidate: {patch: {...}}}"
        );
        return;
    }
    for (const Value::Member& member : policies->map()) {
        scenario.policies.push_back(
            readVariant(member, fmt::format("policies.{}", member.key), problems)
        );
    }
}

void readAblation(FieldReader& fields, Scenario& scenario)
{
    const std::vector<std::string> names = fields.texts("ablate");
    for (const std::string& name : names) {
        const auto known = std::ranges::find(kAblatedPolicies, name);
        if (known == kAblatedPolicies.end()) {
            fields.report(
                fields.at("ablate"),
                "ablate",
                ErrorCode::InvalidArgument,
                fmt::format(
                    "cannot take out \"{}\"; {} can", name, fmt::join(kAblatedPolicies, ", ")
                )
            );
            continue;
        }
        scenario.ablate.push_back(static_cast<AblatedPolicy>(known - kAblatedPolicies.begin()));
    }
}

void readHead(FieldReader& fields, Scenario& scenario)
{
    fields.require("scenario");
    scenario.name = fields.text("scenario").value_or("");
    scenario.mesh = fields.text("mesh").value_or("");
    scenario.seed = Seed{static_cast<std::uint64_t>(
        fields.whole("seed", 0, std::numeric_limits<std::int64_t>::max()).value_or(42)
    )};
    scenario.replications =
        static_cast<int>(fields.whole("replications", 1, kReplicationsMax).value_or(1));
    scenario.duration = fields.positiveDuration("duration");
    scenario.warmup = fields.duration("warmup").value_or(Duration::zero());
    if (scenario.duration && scenario.warmup >= *scenario.duration) {
        fields.report(
            fields.at("warmup"),
            "warmup",
            ErrorCode::Conflict,
            fmt::format(
                "nothing is left to measure: the run lasts {}", toDurationText(*scenario.duration)
            )
        );
    }
}

void readTimeline(FieldReader& fields, Scenario& scenario, std::vector<Problem>& problems)
{
    const Value::List& faults = fields.list("timeline");
    for (std::size_t at = 0; at < faults.size(); ++at) {
        const std::string path = elementOf("timeline", at);
        const Fault fault = readFault(faults[at], path, problems);
        if (scenario.duration && fault.at >= *scenario.duration) {
            fields.report(
                faults[at],
                path,
                ErrorCode::Conflict,
                fmt::format(
                    "begins at {}, but the run ends after {}",
                    toDurationText(fault.at),
                    toDurationText(*scenario.duration)
                )
            );
        }
        scenario.timeline.push_back(fault);
    }
}

void readLists(FieldReader& fields, Scenario& scenario, std::vector<Problem>& problems)
{
    const Value::List& loads = fields.list("load");
    for (std::size_t at = 0; at < loads.size(); ++at) {
        scenario.load.push_back(readLoad(loads[at], elementOf("load", at), problems));
    }
    if (const Value* network = fields.any("network")) {
        scenario.network = readNetwork(*network, "network", problems);
    }
    readPolicies(fields, scenario, problems);
    readAblation(fields, scenario);
    readTimeline(fields, scenario, problems);
    const Value::List& guards = fields.list("guards");
    for (std::size_t at = 0; at < guards.size(); ++at) {
        scenario.guards.push_back(readGuard(guards[at], elementOf("guards", at), problems));
    }
    const Value::List& asserts = fields.list("assert");
    for (std::size_t at = 0; at < asserts.size(); ++at) {
        scenario.asserts.push_back(
            readAssertion(asserts[at], elementOf("assert", at), scenario.policies, problems)
        );
    }
}

} // namespace

std::string_view toText(AblatedPolicy policy)
{
    return kAblatedPolicies.at(static_cast<std::size_t>(policy));
}

double rateAt(const Load& load, Duration since)
{
    double rate = 0.0;
    for (const auto& [from, value] : load.rate) {
        if (since >= from) {
            rate = value;
        }
    }
    return rate;
}

ScenarioResult parseScenario(std::string_view text)
{
    ScenarioResult result;
    const model::Value tree = config::parseTree(text, result.problems);
    if (!result.problems.empty()) {
        return result;
    }
    FieldReader fields(tree, {}, result.problems);
    readHead(fields, result.scenario);
    readLists(fields, result.scenario, result.problems);
    fields.finish();
    std::ranges::stable_sort(result.problems, {}, [](const Problem& problem) {
        return problem.place ? std::pair(problem.place->line, problem.place->column)
                             : std::pair(0, 0);
    });
    return result;
}

} // namespace mesh::simulator
