#include "proxyengine/policy/balancer.h"

#include <benchmark/benchmark.h>

namespace mesh::policy {

namespace {

// Question: what does one pick with its begin and end cost as an upstream grows?
// Budget: 60 ns at 100 hosts, flat above for round robin and two choices.
void pickAndReport(benchmark::State& state, model::Algorithm algorithm)
{
    const std::vector<std::uint32_t> weights(static_cast<std::size_t>(state.range(0)), 100);
    HostSet hosts(weights);
    Random random(Seed{7});
    Balancer balancer(algorithm, hosts, random);
    const TriedHosts tried;
    for (auto _ : state) {
        const auto host = balancer.pick(hosts, tried, random);
        hosts.begin(*host);
        benchmark::DoNotOptimize(host);
        hosts.end(*host);
    }
}
BENCHMARK_CAPTURE(pickAndReport, roundRobin, model::Algorithm::RoundRobin)
    ->Arg(3)
    ->Arg(100)
    ->Arg(1000);
BENCHMARK_CAPTURE(pickAndReport, leastRequests, model::Algorithm::LeastRequests)
    ->Arg(3)
    ->Arg(100)
    ->Arg(1000);
BENCHMARK_CAPTURE(pickAndReport, leastConnections, model::Algorithm::LeastConnections)->Arg(100);

// Question: what do unequal weights cost?
void pickByWeight(benchmark::State& state, model::Algorithm algorithm)
{
    std::vector<std::uint32_t> weights(100, 100);
    weights[7] = 200;
    HostSet hosts(weights);
    Random random(Seed{7});
    Balancer balancer(algorithm, hosts, random);
    const TriedHosts tried;
    for (auto _ : state) {
        benchmark::DoNotOptimize(balancer.pick(hosts, tried, random));
    }
}
BENCHMARK_CAPTURE(pickByWeight, roundRobin, model::Algorithm::RoundRobin);
BENCHMARK_CAPTURE(pickByWeight, leastRequests, model::Algorithm::LeastRequests);

} // namespace

} // namespace mesh::policy
