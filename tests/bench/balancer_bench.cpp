#include "proxyengine/policy/balancer.h"

#include <benchmark/benchmark.h>

namespace mesh::policy {

namespace {

using namespace std::chrono_literals;

std::vector<HostSpec> makeSpecs(std::size_t count)
{
    std::vector<HostSpec> specs(count);
    for (std::size_t host = 0; host < count; ++host) {
        specs[host].key =
            "10.0." + std::to_string(host / 250) + "." + std::to_string(host % 250) + ":8080";
    }
    return specs;
}

// Picks, begins, reports and ends, as an attempt does.
void attempt(benchmark::State& state, model::Algorithm algorithm, HostSet& hosts)
{
    Random random(Seed{7});
    Balancer balancer(algorithm, hosts, random);
    const TriedHosts tried;
    TimePoint now(1000s);
    std::uint64_t hash = 1;
    for (auto _ : state) {
        now += 10us;
        hash = hash * 0x9e3779b97f4a7c15U + 1;
        const PickVerdict verdict = balancer.pick({now, tried, hash}, hosts, random);
        hosts.begin(*verdict.host);
        benchmark::DoNotOptimize(verdict);
        balancer.report(*verdict.host, now, 2ms, AttemptEnd::Succeeded);
        hosts.end(*verdict.host);
    }
}

// Question: what does one attempt cost as an upstream grows?
// Budget: 60 ns at 100 hosts for two choices; flat for all but least-connections.
void pickAndReport(benchmark::State& state, model::Algorithm algorithm)
{
    HostSet hosts(makeSpecs(static_cast<std::size_t>(state.range(0))), {});
    attempt(state, algorithm, hosts);
}

// Question: what do unequal weights cost?
void pickByWeight(benchmark::State& state, model::Algorithm algorithm)
{
    std::vector<HostSpec> specs = makeSpecs(100);
    for (std::size_t host = 0; host < specs.size(); ++host) {
        specs[host].weight = static_cast<std::uint32_t>(50 + host);
    }
    HostSet hosts(specs, {});
    attempt(state, algorithm, hosts);
}

// Question: what do three zones and the shares of a degraded one add?
void pickAmongZones(benchmark::State& state, model::Algorithm algorithm)
{
    model::Locality locality;
    std::vector<HostSpec> specs = makeSpecs(99);
    for (std::size_t host = 0; host < specs.size(); ++host) {
        specs[host].level = static_cast<std::uint32_t>(host % 3);
    }
    HostSet hosts(specs, {locality, 3, {}});
    for (std::size_t host = 0; host < 60; host += 3) {
        hosts.setAvailability(host, HostSet::Availability::Unavailable, TimePoint(999s));
    }
    attempt(state, algorithm, hosts);
}

// Question: what does a change of health cost, until the first pick after it?
void changeOfHealth(benchmark::State& state, model::Algorithm algorithm)
{
    HostSet hosts(makeSpecs(static_cast<std::size_t>(state.range(0))), {});
    Random random(Seed{7});
    Balancer balancer(algorithm, hosts, random);
    const TriedHosts tried;
    bool isUp = true;
    for (auto _ : state) {
        isUp = !isUp;
        hosts.setAvailability(
            1,
            isUp ? HostSet::Availability::Available : HostSet::Availability::Unavailable,
            TimePoint(1000s)
        );
        benchmark::DoNotOptimize(balancer.pick({TimePoint(1000s), tried, 1}, hosts, random));
    }
}

// Question: what does a new list of targets cost?
void construction(benchmark::State& state, model::Algorithm algorithm)
{
    const std::vector<HostSpec> specs = makeSpecs(static_cast<std::size_t>(state.range(0)));
    Random random(Seed{7});
    for (auto _ : state) {
        const HostSet hosts(specs, {});
        const Balancer balancer(algorithm, hosts, random);
        benchmark::DoNotOptimize(&balancer);
    }
}

[[maybe_unused]] const bool isRegistered = [] {
    for (const AlgorithmRow& row : algorithmTable()) {
        const std::string word(row.word);
        const auto named = [&word](const char* what) { return what + ("/" + word); };
        const auto add = [&](const char* what, auto run) {
            return benchmark::RegisterBenchmark(named(what).c_str(), run, row.named);
        };
        add("pickAndReport", pickAndReport)->Arg(3)->Arg(100)->Arg(1000);
        add("pickByWeight", pickByWeight);
        add("pickAmongZones", pickAmongZones);
        add("changeOfHealth", changeOfHealth)->Arg(100)->Arg(1000);
        add("construction", construction)->Arg(100);
    }
    return true;
}();

} // namespace

} // namespace mesh::policy
