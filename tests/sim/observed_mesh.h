#pragma once

#include "proxyengine/config/codec.h"
#include "simulator/mesh/mesh_run.h"
#include "simulator/models/calibration.h"

#include <QtGlobal>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

// A mesh whose models are known, and what its proxies would have counted.
namespace mesh::simulator {

using namespace std::chrono_literals;

inline constexpr std::string_view kTruth = R"yaml(
_format_version: "3.0"
services:
- {name: frontend, host: frontend, routes: [{name: all, paths: [/]}]}
- {name: cart, host: cart}
- {name: search, host: search}
- {name: payment, host: payment}
- {name: attic, host: attic}
upstreams:
- {name: frontend, algorithm: round-robin}
- {name: cart, algorithm: round-robin}
- {name: search, algorithm: round-robin}
- {name: payment, algorithm: round-robin}
models:
- {service: frontend, instances: 2, concurrency: 8,
   service_time: {dist: lognormal, mean: 4ms, cv: 0.5},
   script: [{call: search, count: 2}, {call: cart, probability: 0.3}]}
- {service: cart, instances: 2, concurrency: 1, service_time: {dist: exp, mean: 20ms},
   error_rate: 0.02, script: [{call: payment}]}
- {service: search, instances: 2, concurrency: 2, service_time: {dist: exp, mean: 10ms}}
- {service: payment, instances: 1, concurrency: 4,
   service_time: {dist: lognormal, mean: 30ms, cv: 1.5}, error_rate: 0.01}
- {service: attic, service_time: {dist: const, mean: 7ms}}
)yaml";

inline model::Document documentOf(std::string_view text)
{
    const config::DecodeResult decoded = config::decode(text);
    for (const config::Problem& problem : decoded.problems) {
        if (problem.severity == config::Severity::Error) {
            qFatal("%s", config::toText(problem, "mesh").c_str());
        }
    }
    return decoded.document;
}

// The truth with nothing known of it but its shape: one worker, one millisecond, plain scripts.
inline model::Document guessOf(model::Document document)
{
    for (model::ServiceModel& model : document.models) {
        if (model.service == "attic") {
            continue;
        }
        model.concurrency = 1;
        model.serviceTime = {model::DurationLaw::Kind::Const, 1ms, 1.0, {}};
        model.errorRate = 0.0;
        model.script.clear();
    }
    return document;
}

inline HistogramCounts histogramOf(const LatencyTally& tally)
{
    constexpr std::uint64_t kPointsMax = 5000;
    HistogramCounts counts;
    const std::uint64_t points = std::min(kPointsMax, tally.total());
    for (std::uint64_t at = 0; at < points; ++at) {
        const double share = (static_cast<double>(at) + 0.5) / static_cast<double>(points);
        const auto weight = static_cast<std::uint32_t>(tally.total() / points);
        counts.record(
            static_cast<std::uint64_t>(toSeconds(tally.quantile(share)) * 1e6 + 0.5), weight
        );
    }
    return counts;
}

struct Observed
{
    std::vector<TelemetryBin> bins;
    CallFigures frontend; // Of all bins.
    std::map<std::string, CallFigures> services;
};

inline constexpr std::array kEdges = {
    std::pair("gateway", "frontend"),
    std::pair("frontend", "search"),
    std::pair("frontend", "cart"),
    std::pair("cart", "payment")};

// A run of the document under these rates, each for a minute.
inline Observed observe(
    const model::Document& document, const std::vector<double>& rates, Seed seed
)
{
    constexpr Duration kBin = 20s;
    Result<MeshPlan> plan = MeshPlan::make(document);
    if (!plan) {
        qFatal("%s", plan.error().message.c_str());
    }
    MeshRunSettings settings;
    settings.seed = seed;
    settings.duration = 60s * rates.size();
    Load load{"frontend", Arrivals::Poisson, {}};
    for (std::size_t at = 0; at < rates.size(); ++at) {
        load.rate.emplace_back(60s * at, rates[at]);
    }
    settings.loads = {load};
    for (Duration from{}; from < settings.duration; from += kBin) {
        settings.windows.push_back(
            {fmt::format("{}", from / 1s), {{TimePoint(from), TimePoint(from + kBin)}}}
        );
    }
    settings.windows.push_back({"always", {{TimePoint(), TimePoint(settings.duration)}}});
    const std::size_t whole = settings.windows.size() - 1;
    MeshRun run(*plan, settings);
    run.run();

    Observed observed;
    for (std::size_t at = 0; at < whole; ++at) {
        TelemetryBin bin;
        bin.length = kBin;
        for (const auto& [caller, callee] : kEdges) {
            const CallFigures& figures =
                run.edge(fmt::format("{}->{}", caller, callee))->figures(at);
            bin.edges.push_back(EdgeSample{
                caller,
                callee,
                figures.calls,
                figures.calls - figures.succeeded,
                figures.attempts,
                toSeconds(figures.waited) / toSeconds(kBin),
                histogramOf(figures.durations)});
        }
        observed.bins.push_back(std::move(bin));
    }
    for (const auto& [caller, callee] : kEdges) {
        observed.services.emplace(callee, run.service(callee)->figures(whole));
    }
    return observed;
}

} // namespace mesh::simulator
