#include "proxyengine/config/codec.h"
#include "proxyengine/config/compile.h"
#include "proxyengine/config/tree.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <string>

// Ten thousand routes in a hundred services: from text to a snapshot.
namespace mesh::config {
namespace {

model::Document largeDocument(std::int64_t routeCount)
{
    constexpr std::int64_t kRoutesPerService = 100;
    model::Document document;
    for (std::int64_t at = 0; at < routeCount / kRoutesPerService; ++at) {
        model::Service& service = document.services.emplace_back();
        service.name = fmt::format("service-{}", at);
        service.host = fmt::format("upstream-{}", at);
        model::Upstream& upstream = document.upstreams.emplace_back();
        upstream.name = service.host;
        upstream.targets.emplace_back().target = fmt::format("10.0.{}.1:8080", at % 250);
        for (std::int64_t each = 0; each < kRoutesPerService; ++each) {
            model::Route& route = service.routes.emplace_back();
            route.name = fmt::format("route-{}-{}", at, each);
            route.hosts = {fmt::format("host-{}.example", each % 10)};
            route.paths = {fmt::format("/service-{}/path-{}", at, each)};
            route.methods = {"GET", "POST"};
        }
    }
    return document;
}

void decodeJson(benchmark::State& state)
{
    const std::string text = toJson(largeDocument(state.range(0)));
    for (auto _ : state) {
        benchmark::DoNotOptimize(decode(text));
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(text.size()) * state.iterations());
}
BENCHMARK(decodeJson)->Arg(10'000)->Unit(benchmark::kMillisecond);

void decodeYaml(benchmark::State& state)
{
    const std::string text = toYaml(largeDocument(state.range(0)));
    for (auto _ : state) {
        benchmark::DoNotOptimize(decode(text));
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(text.size()) * state.iterations());
}
BENCHMARK(decodeYaml)->Arg(10'000)->Unit(benchmark::kMillisecond);

void parseYamlTree(benchmark::State& state)
{
    const std::string text = toYaml(largeDocument(state.range(0)));
    for (auto _ : state) {
        benchmark::DoNotOptimize(parseTree(text));
    }
}
BENCHMARK(parseYamlTree)->Arg(10'000)->Unit(benchmark::kMillisecond);

void parseJsonTree(benchmark::State& state)
{
    const std::string text = toJson(largeDocument(state.range(0)));
    for (auto _ : state) {
        benchmark::DoNotOptimize(parseTree(text));
    }
}
BENCHMARK(parseJsonTree)->Arg(10'000)->Unit(benchmark::kMillisecond);

void validateDocument(benchmark::State& state)
{
    const model::Document document = largeDocument(state.range(0));
    for (auto _ : state) {
        benchmark::DoNotOptimize(validate(document));
    }
}
BENCHMARK(validateDocument)->Arg(10'000)->Unit(benchmark::kMillisecond);

void hashDocument(benchmark::State& state)
{
    const model::Document document = largeDocument(state.range(0));
    for (auto _ : state) {
        benchmark::DoNotOptimize(hashOf(document));
    }
}
BENCHMARK(hashDocument)->Arg(10'000)->Unit(benchmark::kMillisecond);

void compileGateway(benchmark::State& state)
{
    const model::Document document = largeDocument(state.range(0));
    for (auto _ : state) {
        benchmark::DoNotOptimize(compile(document, ""));
    }
}
BENCHMARK(compileGateway)->Arg(100)->Arg(10'000)->Unit(benchmark::kMillisecond);

} // namespace
} // namespace mesh::config
