#include "simulator/scenario/scenario.h"

#include "proxyengine/base/assert.h"
#include "simulator/scenario/fault_table.h"
#include "simulator/scenario/patch.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mesh::simulator {
namespace {

// What is read without a problem is within the bounds that a run relies on.
void checkScenario(std::string_view text)
{
    const ScenarioResult result = parseScenario(text);
    if (!result.problems.empty()) {
        return;
    }
    const Scenario& scenario = result.scenario;
    MESH_ASSERT(!scenario.name.empty() && scenario.replications >= 1);
    for (const Load& load : scenario.load) {
        MESH_ASSERT(!load.rate.empty() && load.rate.front().first == Duration::zero());
        MESH_ASSERT(std::ranges::is_sorted(load.rate, {}, [](const auto& point) {
            return point.first;
        }));
    }
    for (const Fault& fault : scenario.timeline) {
        const FaultKindRow& row = faultKindRow(fault.kind);
        MESH_ASSERT(row.canHit(formOf(fault.target)) && !toText(fault).empty());
        MESH_ASSERT(row.hasProbability || fault.probability == 1.0);
        MESH_ASSERT(!fault.length || *fault.length > Duration::zero());
    }
    for (const PolicyVariant& variant : scenario.policies) {
        const PatchResult patch = patched({}, variant.patch, "patch");
        MESH_ASSERT(std::ranges::all_of(patch.problems, [](const config::Problem& problem) {
            return !problem.message.empty();
        }));
    }
}

void checkCondition(std::string_view text)
{
    const auto parsed = parseCondition(text);
    MESH_ASSERT(!parsed || !parsed->condition.subject.empty());
    if (!parsed) {
        const auto* offset = std::get_if<Offset>(&parsed.error().place);
        MESH_ASSERT(offset != nullptr && offset->value <= text.size());
    }
}

} // namespace
} // namespace mesh::simulator

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count)
{
    const std::string text(bytes, bytes + count);
    mesh::simulator::checkScenario(text);
    mesh::simulator::checkCondition(text);
    return 0;
}
