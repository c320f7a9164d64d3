#pragma once

#include "proxyengine/config/codec.h"
#include "simulator/mesh/mesh_run.h"

#include <QtGlobal>

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

// What tests of meshes in virtual time share: plans from text, settings, comparisons.
namespace mesh::simulator {

using namespace std::chrono_literals;

inline MeshPlan planOf(const std::string& text)
{
    const config::DecodeResult decoded = config::decode(text);
    for (const config::Problem& problem : decoded.problems) {
        // An upstream without targets is one of instances.
        if (problem.severity == config::Severity::Error) {
            qFatal("%s", config::toText(problem, "mesh").c_str());
        }
    }
    Result<MeshPlan> plan = MeshPlan::make(decoded.document);
    if (!plan) {
        qFatal("%s", plan.error().message.c_str());
    }
    return std::move(*plan);
}

inline MeshRunSettings settingsFor(
    std::string entry, double rate, Duration duration, std::uint64_t seed
)
{
    MeshRunSettings settings;
    settings.seed = Seed{seed};
    settings.duration = duration;
    settings.loads = {{std::move(entry), Arrivals::Poisson, {{0s, rate}}}};
    settings.windows = {{"always", {{TimePoint(duration / 20), TimePoint(duration)}}}};
    return settings;
}

inline Fault faultOf(FaultKind kind, std::string instance, Duration at, Duration length)
{
    Fault fault;
    fault.kind = kind;
    fault.target.instance = std::move(instance);
    fault.at = at;
    fault.length = length;
    return fault;
}

inline std::int64_t nanosecondsBelow(Random& random, Duration bound)
{
    return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(bound.count())));
}

inline double milliseconds(Duration duration) { return toSeconds(duration) * 1e3; }

inline double successOf(const CallFigures& figures)
{
    return static_cast<double>(figures.succeeded) / static_cast<double>(figures.calls);
}

inline double amplificationOf(const CallFigures& figures)
{
    return static_cast<double>(figures.attempts) / static_cast<double>(figures.calls);
}

inline bool isWithin(const char* what, double found, double expected, double tolerance)
{
    if (std::abs(found - expected) <= tolerance * std::abs(expected)) {
        return true;
    }
    qWarning("%s: %.5f, expected %.5f", what, found, expected);
    return false;
}

// Five instances; `policies` are a's.
inline std::string fiveOf(
    std::string_view policies, std::string_view model, std::string_view upstream = ""
)
{
    return fmt::format(
        R"(
_format_version: "3.0"
services:
- name: a
  host: a
  retries: 0
  resilience: {{{}}}
upstreams: [{{name: a, algorithm: least-requests{}}}]
models: [{{service: a, instances: 5, service_time: {{dist: exp, mean: 1ms}}{}}}]
)",
        policies,
        upstream,
        model
    );
}

} // namespace mesh::simulator
