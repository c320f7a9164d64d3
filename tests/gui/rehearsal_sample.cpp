#include "tests/gui/rehearsal_sample.h"

namespace mesh::test {

namespace {

using simulator::Rehearsal;
using simulator::RunMarker;
using simulator::RunSecond;
using simulator::RunSeries;
using simulator::VariantResult;
using simulator::Window;

constexpr std::uint32_t kCalls = 100; // A second.

RunSeries seriesOf(const std::string& name, const simulator::Scenario& scenario, std::uint32_t lost)
{
    RunSeries series;
    series.name = name;
    const double begin = toSeconds(scenario.timeline.front().at);
    const double end = begin + toSeconds(scenario.timeline.front().length.value_or(Duration{}));
    for (int i = 0; i < static_cast<int>(toSeconds(*scenario.duration)); ++i) {
        RunSecond second;
        second.begun = kCalls;
        second.failed = i >= begin && i < end ? lost : 0;
        second.succeeded = kCalls - second.failed;
        second.attempts = kCalls;
        second.durations[20] = kCalls;
        series.seconds.push_back(second);
    }
    return series;
}

simulator::RehearsalFigures figures(double success)
{
    simulator::RehearsalFigures made;
    made.calls = 1000;
    made.rps = kCalls;
    made.success = success;
    made.p50_ms = 4;
    made.p99_ms = 20;
    made.amplification = 1.1;
    return made;
}

VariantResult variantOf(const simulator::Scenario& scenario, const std::string& name, bool isFirst)
{
    VariantResult variant;
    variant.name = name;
    const std::uint32_t lost = isFirst ? 20 : 10;
    for (const char* service : {"front", "cart"}) {
        variant.series.push_back(seriesOf(service, scenario, lost * 2));
        for (RunSecond& second : variant.series.back().seconds) {
            second.begun *= 2; // The sum of two replications.
        }
        variant.record.services.push_back(seriesOf(service, scenario, lost));
        variant.services[Window::Before][service] = figures(1);
        variant.services[Window::During][service] = figures(1 - lost / 100.0);
        variant.services[Window::After][service] = figures(1);
        variant.services[Window::Always][service] = figures(0.95);
    }
    variant.record.edges.push_back(seriesOf("gateway->front", scenario, lost));
    variant.record.edges.push_back(seriesOf("front->cart", scenario, lost));
    RunMarker marker;
    marker.kind = RunMarker::Kind::Ejected;
    marker.at = scenario.timeline.front().at + std::chrono::seconds(5);
    marker.caller = "front";
    marker.callee = "cart";
    marker.instance = "cart-1";
    variant.record.markers.push_back(marker);
    for (const simulator::Assertion& assertion : scenario.asserts) {
        simulator::AssertionResult result;
        result.assertion = assertion;
        result.value = simulator::Estimate{1 - lost / 100.0, std::nullopt};
        result.holds = !isFirst;
        result.hit = isFirst ? 0 : scenario.replications;
        variant.asserts.push_back(result);
    }
    variant.reaction.recovered = std::chrono::seconds(isFirst ? 12 : 4);
    variant.worst = 1;
    return variant;
}

} // namespace

Result<Rehearsal> handMade(const simulator::RehearsalRequest& request)
{
    Rehearsal made;
    made.scenario = request.scenario;
    made.verdict = simulator::Verdict::Fails;
    made.entries = {"front"};
    for (std::size_t i = 0; i < request.scenario.timeline.size(); ++i) {
        made.faults.push_back({"zone outage", {"cart-2", "front-2"}});
    }
    if (request.scenario.policies.empty()) {
        made.variants.push_back(variantOf(request.scenario, "baseline", true));
    }
    for (const simulator::PolicyVariant& policy : request.scenario.policies) {
        made.variants.push_back(variantOf(request.scenario, policy.name, policy.name == "baseline")
        );
    }
    simulator::AblationRow worth;
    worth.policy = "retry";
    worth.success = simulator::Estimate{0.029, std::pair{0.026, 0.032}};
    made.ablation.push_back(worth);
    made.eventHash = 0x9f21c07e44d1;
    if (request.onProgress) {
        simulator::RehearsalProgress told;
        told.runsAll = 4;
        told.runsDone = 4;
        told.preview.push_back(seriesOf("front", request.scenario, 0));
        request.onProgress(told);
    }
    return made;
}

} // namespace mesh::test
