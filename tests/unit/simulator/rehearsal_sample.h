#pragma once

#include "simulator/report/rehearsal.h"

#include <cstdint>
#include <string>
#include <utility>

namespace mesh::simulator {

inline RehearsalFigures sampleFigures(
    std::uint64_t calls, double rps, double success, double p99_ms
)
{
    RehearsalFigures figures;
    figures.calls = calls;
    figures.rps = rps;
    figures.success = success;
    figures.mean_ms = p99_ms / 4;
    figures.p50_ms = p99_ms / 5;
    figures.p90_ms = p99_ms / 2;
    figures.p99_ms = p99_ms;
    figures.p999_ms = p99_ms * 2;
    figures.inflight = rps * figures.mean_ms / 1000;
    figures.amplification = 1.0;
    figures.goodput = rps * success;
    return figures;
}

inline RunSecond sampleSecond(std::uint32_t calls, std::uint32_t failed, Duration typical)
{
    RunSecond second;
    second.begun = calls;
    second.succeeded = calls - failed;
    second.failed = failed;
    second.attempts = calls + failed;
    second.inFlight = calls / 10;
    second.durations[RunSecond::bucketOf(typical)] = calls;
    return second;
}

// Of 900 ms: a try of payment that ran into its timeout in the queue, then one that answered.
inline TracedRequest sampleTrace()
{
    using namespace std::chrono_literals;
    using Kind = TracedStep::Kind;
    TracedRequest request;
    request.at = 63s;
    request.took = 900ms;
    request.hasSucceeded = true;
    const auto add = [&request](
                         Kind kind,
                         std::uint32_t parent,
                         std::string name,
                         std::string service,
                         Duration begin,
                         Duration end,
                         std::string outcome
                     ) -> TracedStep& {
        TracedStep& step = request.steps.emplace_back();
        step.kind = kind;
        step.parent = parent;
        step.name = std::move(name);
        step.service = std::move(service);
        step.begin = begin;
        step.end = end;
        step.outcome = std::move(outcome);
        return step;
    };
    add(Kind::Call, TracedStep::kNobody, "gateway->frontend", "frontend", 0ms, 900ms, "ok");
    add(Kind::Attempt, 0, "frontend-1", "frontend", 0ms, 900ms, "200").worked = 20ms;
    add(Kind::Call, 1, "frontend->payment", "payment", 20ms, 890ms, "ok");
    add(Kind::Attempt, 2, "payment-1", "payment", 20ms, 520ms, "timeout").queued = 500ms;
    add(Kind::Attempt, 2, "payment-2", "payment", 560ms, 890ms, "200").worked = 330ms;
    add(Kind::Call, 1, "frontend->cart", "cart", 20ms, 30ms, "ok");
    add(Kind::Attempt, 5, "cart-1", "cart", 20ms, 30ms, "200").worked = 10ms;
    markCritical(request.steps);
    return request;
}

// One variant of the sample: five minutes, a fault from 60 s to 120 s that fails `failing` of 100.
inline VariantResult sampleVariant(const std::string& name, std::uint32_t failing)
{
    using namespace std::chrono_literals;
    VariantResult variant;
    variant.name = name;
    const double during = 1.0 - failing / 100.0;
    for (const std::string service : {"frontend", "payment"}) {
        auto before = sampleFigures(10'000, 100.0, 0.9998, 80);
        auto hit = sampleFigures(12'000, 100.0, during, 600);
        before.utilization = 0.4;
        hit.utilization = 0.7;
        hit.amplification = service == "payment" ? 2.0 : 1.0 + failing / 100.0;
        variant.services[Window::Before][service] = before;
        variant.services[Window::During][service] = hit;
        variant.services[Window::After][service] = before;
        variant.services[Window::Always][service] = hit;
    }
    for (const Window window : {Window::Before, Window::During, Window::After, Window::Always}) {
        variant.edges[window]["gateway->frontend"] = variant.services[window]["frontend"];
        variant.edges[window]["frontend->payment"] = variant.services[window]["payment"];
    }
    RunSeries series{"frontend", {}};
    for (int at = 0; at < 300; ++at) {
        const bool isHit = at >= 60 && at < 120;
        series.seconds.push_back(sampleSecond(200, isHit ? 2 * failing : 0, isHit ? 90ms : 20ms));
    }
    variant.series.push_back(std::move(series));
    variant.reaction.detected = 1200ms;
    variant.reaction.recovered = 11s;
    variant.reaction.hurt = {"payment"};
    variant.reaction.failedShare = 1.0 - during;
    variant.worst = 1;
    variant.record.markers = {
        {60s, RunMarker::Kind::FaultBegan, "", "", "", 0},
        {61'200ms, RunMarker::Kind::Ejected, "frontend", "payment", "payment-1", 0},
        {61'400ms, RunMarker::Kind::Ejected, "gateway", "payment", "payment-1", 0},
        {70s, RunMarker::Kind::BreakerOpened, "frontend", "payment", "", 0},
        {120s, RunMarker::Kind::FaultEnded, "", "", "", 0},
        {131s, RunMarker::Kind::BreakerClosed, "frontend", "payment", "", 0},
    };
    variant.eventHash = 0x9f21c07e44d1;
    variant.slowest = {sampleTrace()};
    return variant;
}

inline AssertionResult sampleResult(std::string text, std::string window, double value, bool holds)
{
    AssertionResult result;
    result.assertion.text = std::move(text);
    result.assertion.window = std::move(window);
    result.assertion.condition = {
        Quantity::Success, "frontend", Relation::GreaterOrEqual, holds ? 0.9 : 0.995};
    result.value = Estimate{value, std::pair(value - 0.001, value + 0.001)};
    result.holds = holds;
    result.hit = holds ? 2 : 1;
    return result;
}

// A rehearsal as a run would leave it, with something in every part of a report.
inline Rehearsal sampleRehearsal()
{
    using namespace std::chrono_literals;
    Rehearsal rehearsal;
    Scenario& scenario = rehearsal.scenario;
    scenario.name = "checkout-zone-b-loss";
    scenario.mesh = "shop.yaml";
    scenario.replications = 2;
    scenario.duration = 5min;
    scenario.warmup = 10s;
    Fault fault;
    fault.at = 60s;
    fault.length = 60s;
    fault.kind = FaultKind::ZoneOutage;
    fault.target.zone = "b";
    scenario.timeline.push_back(fault);
    rehearsal.verdict = Verdict::Fails;
    rehearsal.entries = {"frontend"};
    rehearsal.faults = {{"zone_outage zone b", {"frontend-2", "payment-2"}}};
    rehearsal.variants.push_back(sampleVariant("baseline", 8));
    rehearsal.variants.push_back(sampleVariant("candidate", 1));
    AssertionResult calm = sampleResult("p99(frontend) < 300ms", "before", 80.0, true);
    calm.assertion.condition = {Quantity::P99, "frontend", Relation::Less, 300.0};
    for (VariantResult& variant : rehearsal.variants) {
        variant.asserts = {calm, sampleResult("success(frontend) >= 0.995", "during", 0.92, false)};
    }
    scenario.asserts = {
        rehearsal.variants[0].asserts[0].assertion, rehearsal.variants[0].asserts[1].assertion};
    AssertionResult comparison = sampleResult("p99(frontend) <= 0", "", -38.0, true);
    comparison.assertion.condition.quantity = Quantity::P99;
    comparison.assertion.candidate = "candidate";
    comparison.assertion.reference = "baseline";
    rehearsal.comparisons = {comparison};
    rehearsal.ablation = {
        {"retry", {0.029, std::pair(0.026, 0.032)}, {-40, std::nullopt}, {{"payment", 1.0}}},
        {"hedge", {-0.001, std::pair(-0.002, 0.0)}, {5, std::nullopt}, {}},
        {"all", {0.034, std::pair(0.03, 0.038)}, {-30, std::nullopt}, {}},
    };
    rehearsal.trust.notModelled = {"kernel", "garbage collection"};
    rehearsal.eventHash = 0x9f21c07e44d1;
    rehearsal.events = 1'234'567;
    rehearsal.hops = 302'000;
    rehearsal.wall_s = 2.6;
    return rehearsal;
}

} // namespace mesh::simulator
