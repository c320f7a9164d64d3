// Goal: how many hops per second a mesh in virtual time makes, bare and with policies, and how much
//       faster than the clock a thousand services run.
// Method: a tree of services under open load. A hop is an attempt that reaches an instance.
#include "proxyengine/config/codec.h"
#include "simulator/mesh/mesh_run.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <chrono>
#include <string>

namespace mesh::simulator {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kPolicies =
    ", resilience: {timeout: 1s, per_try_timeout: 300ms, retry: {on: [5xx], attempts: 3}, "
    "breaker: {error_ratio: 0.5}}";
constexpr std::string_view kProtection =
    ", outlier_detection: {consecutive_5xx: 5, max_ejection_percent: 30}, "
    "limits: {max_requests: 10000}";

// Service n calls 2n+1 and 2n+2, while they exist.
std::string treeOf(int services, int instances, bool hasPolicies)
{
    std::string text = "_format_version: \"3.0\"\nservices:\n";
    for (int at = 0; at < services; ++at) {
        text += fmt::format(
            "- {{name: s{0}, host: s{0}{1}}}\n", at, hasPolicies ? kPolicies : std::string_view()
        );
    }
    text += "upstreams:\n";
    for (int at = 0; at < services; ++at) {
        text += fmt::format(
            "- {{name: s{}, algorithm: least-requests{}}}\n",
            at,
            hasPolicies ? kProtection : std::string_view()
        );
    }
    text += "models:\n";
    for (int at = 0; at < services; ++at) {
        text += fmt::format(
            "- {{service: s{}, instances: {}, concurrency: 64, service_time: {{dist: exp, mean: "
            "2ms}}, error_rate: {}, script: [",
            at,
            instances,
            hasPolicies ? 0.005 : 0.0
        );
        for (int child = 2 * at + 1; child <= 2 * at + 2 && child < services; ++child) {
            // Small trees are called whole, large ones along a few paths.
            text += fmt::format("{{call: s{}, probability: {}}},", child, services > 100 ? 0.6 : 1);
        }
        text += "]}\n";
    }
    return text;
}

void tree(benchmark::State& state)
{
    const auto services = static_cast<int>(state.range(0));
    const auto instances = static_cast<int>(state.range(1));
    const config::DecodeResult decoded =
        config::decode(treeOf(services, instances, state.range(2) != 0));
    const Result<MeshPlan> plan = MeshPlan::make(decoded.document);
    if (!plan) {
        state.SkipWithError(plan.error().message.c_str());
        return;
    }
    MeshRunSettings settings;
    settings.duration = std::chrono::seconds(state.range(3));
    settings.loads = {{"s0", Arrivals::Poisson, {{0s, 1000.0}}}};
    settings.windows = {{"always", {{TimePoint(1s), TimePoint(settings.duration)}}}};
    std::uint64_t hops = 0;
    std::uint64_t events = 0;
    double simulated = 0.0;
    for (auto _ : state) {
        MeshRun run(*plan, settings);
        run.run();
        hops += run.hops();
        events += run.events();
        simulated += toSeconds(settings.duration);
    }
    using benchmark::Counter;
    state.counters["hops/s"] = Counter(static_cast<double>(hops), Counter::kIsRate);
    state.counters["events/s"] = Counter(static_cast<double>(events), Counter::kIsRate);
    state.counters["times_real"] = Counter(simulated, Counter::kIsRate);
    state.counters["hops_per_root"] =
        static_cast<double>(hops) / (1000.0 * simulated); // Mean, of 1 000 roots per second.
}
BENCHMARK(tree)
    ->ArgNames({"services", "instances", "policies", "seconds"})
    ->Args({15, 3, 0, 10})
    ->Args({15, 3, 1, 10})
    ->Args({1000, 10, 1, 60})
    ->Unit(benchmark::kMillisecond);

} // namespace
} // namespace mesh::simulator
