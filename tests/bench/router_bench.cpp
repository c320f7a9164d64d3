#include "proxyengine/policy/router.h"

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

namespace mesh::policy {

namespace {

struct Routes
{
    std::vector<model::Route> routes;
    std::vector<const model::Route*> pointers;

    explicit Routes(std::size_t count)
        : routes(count)
    {
        for (std::size_t i = 0; i < count; ++i) {
            routes[i].paths.push_back("/api/v1/service-" + std::to_string(i * 7919 % count));
            pointers.push_back(&routes[i]);
        }
    }
};

// Question: what does a match cost with many prefix routes?
// Budget: below 100 ns with 10 000 routes; what it costs more than with 10 is memory, not search.
void matchPrefix(benchmark::State& state)
{
    const Routes routes(static_cast<std::size_t>(state.range(0)));
    std::vector<Router::Refusal> refusals;
    const Router router = Router::make(routes.pointers, refusals);
    std::vector<std::string> paths;
    for (std::size_t i = 0; i < 64; ++i) {
        paths.push_back(routes.routes[i * 101 % routes.routes.size()].paths.front() + "/items/7");
    }
    RequestView request;
    request.method = "GET";
    request.host = "shop.example";
    std::size_t next = 0;
    for (auto _ : state) {
        request.path = paths[next++ % paths.size()];
        benchmark::DoNotOptimize(router.match(request));
    }
}
BENCHMARK(matchPrefix)->ArgName("routes")->Arg(10)->Arg(1000)->Arg(10'000)->Arg(100'000);

// Question: how long does it take to compile the routes? Budget: 10 000 in 30 ms.
void compileRoutes(benchmark::State& state)
{
    const Routes routes(static_cast<std::size_t>(state.range(0)));
    for (auto _ : state) {
        std::vector<Router::Refusal> refusals;
        benchmark::DoNotOptimize(Router::make(routes.pointers, refusals));
    }
}
BENCHMARK(compileRoutes)->ArgName("routes")->Arg(10'000)->Unit(benchmark::kMillisecond);

} // namespace

} // namespace mesh::policy
