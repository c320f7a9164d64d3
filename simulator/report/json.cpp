#include "simulator/report/json.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace mesh::simulator {
namespace {

using OrderedJson = nlohmann::ordered_json;

std::string hex(std::uint64_t hash) { return fmt::format("{:016x}", hash); }

OrderedJson optionalJson(const std::optional<double>& value)
{
    return value ? OrderedJson(*value) : OrderedJson(nullptr);
}

OrderedJson secondsJson(const std::optional<Duration>& value)
{
    return value ? OrderedJson(toSeconds(*value)) : OrderedJson(nullptr);
}

OrderedJson intervalJson(const Estimate& estimate)
{
    return estimate.interval
               ? OrderedJson::array({estimate.interval->first, estimate.interval->second})
               : OrderedJson(nullptr);
}

OrderedJson figuresJson(const RehearsalFigures& figures)
{
    // Without calls there is neither success nor failure, and nothing took any time.
    const auto ofCalls = [&](double value) {
        return figures.calls > 0 ? OrderedJson(value) : OrderedJson(nullptr);
    };
    OrderedJson json = {
        {"calls", figures.calls},
        {"rps", figures.rps},
        {"success", ofCalls(figures.success)},
        {"mean_ms", ofCalls(figures.mean_ms)},
        {"p50_ms", ofCalls(figures.p50_ms)},
        {"p90_ms", ofCalls(figures.p90_ms)},
        {"p99_ms", ofCalls(figures.p99_ms)},
        {"p999_ms", ofCalls(figures.p999_ms)},
        {"inflight", figures.inflight}};
    json["utilization"] = optionalJson(figures.utilization);
    json["amplification"] = ofCalls(figures.amplification);
    json["goodput"] = figures.goodput;
    return json;
}

OrderedJson windowsJson(const std::map<Window, FiguresByName>& windows)
{
    OrderedJson json = OrderedJson::object();
    for (const auto& [window, rows] : windows) {
        OrderedJson& list = json[std::string(toText(window))] = OrderedJson::object();
        for (const auto& [name, figures] : rows) {
            list[name] = figuresJson(figures);
        }
    }
    return json;
}

OrderedJson assertionJson(const AssertionResult& result)
{
    OrderedJson json;
    json["text"] = result.assertion.text;
    if (result.assertion.window.empty()) {
        json["candidate"] = result.assertion.candidate;
        json["reference"] = result.assertion.reference;
    } else {
        json["window"] = result.assertion.window;
    }
    json["value"] = result.value ? OrderedJson(result.value->value) : OrderedJson(nullptr);
    json["interval"] = result.value ? intervalJson(*result.value) : OrderedJson(nullptr);
    json["hit"] = result.hit;
    json["holds"] = result.holds;
    return json;
}

OrderedJson assertionsJson(const std::vector<AssertionResult>& results)
{
    OrderedJson json = OrderedJson::array();
    for (const AssertionResult& result : results) {
        json.push_back(assertionJson(result));
    }
    return json;
}

OrderedJson durationJson(Duration duration) { return toSeconds(duration) * 1e3; }

OrderedJson stepJson(const TracedStep& step)
{
    const bool isCall = step.kind == TracedStep::Kind::Call;
    OrderedJson json = {
        {"kind", isCall ? "call" : "attempt"},
        {"name", step.name},
        {"service", step.service},
        {"parent",
         step.parent == TracedStep::kNobody ? OrderedJson(nullptr) : OrderedJson(step.parent)},
        {"begin_ms", durationJson(step.begin)},
        {"end_ms", durationJson(step.end)},
        {"outcome", step.outcome},
        {"critical", step.isCritical},
        {"own_ms", durationJson(step.own)}};
    if (!isCall) {
        json["queued_ms"] = durationJson(step.queued);
        json["worked_ms"] = durationJson(step.worked);
    }
    return json;
}

OrderedJson waterfallsJson(const std::vector<TracedRequest>& requests)
{
    OrderedJson json = OrderedJson::array();
    for (const TracedRequest& request : requests) {
        OrderedJson steps = OrderedJson::array();
        for (const TracedStep& step : request.steps) {
            steps.push_back(stepJson(step));
        }
        json.push_back(
            {{"at_seconds", toSeconds(request.at)},
             {"took_ms", durationJson(request.took)},
             {"succeeded", request.hasSucceeded},
             {"steps", std::move(steps)},
             {"steps_lost", request.stepsLost}}
        );
    }
    return json;
}

OrderedJson variantJson(const VariantResult& variant)
{
    const Reaction& reaction = variant.reaction;
    return {
        {"windows", windowsJson(variant.services)},
        {"edges", windowsJson(variant.edges)},
        {"asserts", assertionsJson(variant.asserts)},
        {"reaction",
         {{"detected_seconds", secondsJson(reaction.detected)},
          {"mitigated_seconds", secondsJson(reaction.mitigated)},
          {"recovered_seconds", secondsJson(reaction.recovered)},
          {"hurt", reaction.hurt},
          {"failed_share", reaction.failedShare}}},
        {"worst_replication", variant.worst},
        {"waterfalls", waterfallsJson(variant.slowest)},
        {"event_hash", hex(variant.eventHash)},
        {"events", variant.events}};
}

OrderedJson ablationJson(const std::vector<AblationRow>& rows)
{
    OrderedJson json = OrderedJson::object();
    for (const AblationRow& row : rows) {
        json[row.policy] = {
            {"success", row.success.value},
            {"success_interval", intervalJson(row.success)},
            {"p99_ms", row.p99_ms.value},
            {"p99_ms_interval", intervalJson(row.p99_ms)},
            {"amplification", row.amplification}};
    }
    return json;
}

OrderedJson trustJson(const Trust& trust)
{
    return {
        {"calibrated", trust.isCalibrated},
        {"not_modelled", trust.notModelled},
        {"beyond", trust.beyond},
        {"success_error", optionalJson(trust.successError)},
        {"p50_error", optionalJson(trust.p50Error)},
        {"p99_error", optionalJson(trust.p99Error)},
        {"live_notes", trust.liveNotes}};
}

} // namespace

std::string toJson(const Rehearsal& rehearsal)
{
    OrderedJson json;
    json["scenario"] = rehearsal.scenario.name;
    json["seed"] = rehearsal.scenario.seed.value;
    json["replications"] = rehearsal.scenario.replications;
    json["verdict"] = toText(rehearsal.verdict);
    json["stopped_by"] =
        rehearsal.stoppedBy ? OrderedJson(*rehearsal.stoppedBy) : OrderedJson(nullptr);
    json["event_hash"] = hex(rehearsal.eventHash);
    json["events"] = rehearsal.events;
    json["hops"] = rehearsal.hops;
    json["wall_seconds"] = rehearsal.wall_s;
    json["entries"] = rehearsal.entries;
    json["faults"] = OrderedJson::array();
    for (const ResolvedFault& fault : rehearsal.faults) {
        json["faults"].push_back({{"text", fault.text}, {"instances", fault.instances}});
    }
    json["variants"] = OrderedJson::object();
    for (const VariantResult& variant : rehearsal.variants) {
        json["variants"][variant.name] = variantJson(variant);
    }
    if (rehearsal.live) {
        json["live"] = variantJson(*rehearsal.live);
    }
    json["comparisons"] = assertionsJson(rehearsal.comparisons);
    json["ablation"] = ablationJson(rehearsal.ablation);
    json["trust"] = trustJson(rehearsal.trust);
    return json.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + '\n';
}

} // namespace mesh::simulator
