// Metric rows per second into a document (target: 100 000, thinning included), how long a window of
// 1 000 edges takes to read, an hour of them as the console opens it (target: 100 ms), and how long
// a seek within it takes: layout and window of that moment (target: 100 ms).
#include "tests/support/store_fixture.h"

#include <benchmark/benchmark.h>

#include <memory>

using namespace mesh;
using namespace mesh::store;
using mesh::test::answerOf;

namespace {

constexpr std::int64_t kStart_s = 1'700'000'040;
constexpr int kEdges = 1000;

// One second of 1 000 edges with realistic histograms (25 buckets each).
std::vector<MetricRow> secondOf(std::int64_t second)
{
    std::vector<MetricRow> rows;
    rows.reserve(kEdges);
    for (int edge = 0; edge < kEdges; ++edge) {
        MetricRow row = mesh::test::requestRow(
            second, "source-" + std::to_string(edge % 50), "service-" + std::to_string(edge), 40
        );
        for (unsigned bucket = 0; bucket < 24; ++bucket) {
            row.value.latency.record(2000 + bucket * 150, 1 + bucket % 3);
        }
        row.value.bytesIn = 40'000;
        row.value.bytesOut = 900'000;
        rows.push_back(std::move(row));
    }
    return rows;
}

void addsRows(benchmark::State& state)
{
    const mesh::test::TemporaryFolder folder;
    auto document = MeshDocument::create(folder.file("a.mesh"));
    std::vector<MetricRow> rows = secondOf(kStart_s);
    std::int64_t second = kStart_s;
    for (auto _ : state) {
        for (MetricRow& row : rows) {
            row.time_s = second;
        }
        ++second;
        const auto done =
            answerOf<void>([&](auto answer) { (*document)->addMetrics(rows, answer); });
        if (!done) {
            state.SkipWithError(toText(done.error()).c_str());
            break;
        }
    }
    state.SetItemsProcessed(state.iterations() * kEdges);
}

void readsWindow(benchmark::State& state)
{
    const mesh::test::TemporaryFolder folder;
    auto document = MeshDocument::create(folder.file("a.mesh"));
    const std::int64_t length = state.range(0);
    std::vector<MetricRow> rows = secondOf(kStart_s);
    for (std::int64_t second = 0; second < length; ++second) {
        for (MetricRow& row : rows) {
            row.time_s = kStart_s + second;
        }
        // Waiting bounds the queue.
        static_cast<void>(answerOf<void>([&](auto answer) { (*document)->addMetrics(rows, answer); }
        ));
    }
    for (auto _ : state) {
        auto totals = answerOf<WindowTotals>([&](auto answer) {
            (*document)->window({kStart_s, kStart_s + length}, answer);
        });
        benchmark::DoNotOptimize(totals);
    }
}

// An hour of 1 000 edges that ends within a minute: totals of all, and the strip of one source.
void opensHour(benchmark::State& state)
{
    constexpr std::int64_t kHour_s = 3600;
    constexpr std::int64_t kDense_s = 90; // Read second by second, at both ends at most.
    constexpr std::int64_t kBegin_s = kStart_s + 37;
    const mesh::test::TemporaryFolder folder;
    auto document = MeshDocument::create(folder.file("a.mesh"));
    std::vector<MetricRow> rows = secondOf(kStart_s);
    for (std::int64_t second = 0; second <= kHour_s + kDense_s; ++second) {
        // Between the ends only thinned rows are read, and those are as many with a tenth of all.
        if (second > kDense_s && second < kHour_s && second % 10 != 0) {
            continue;
        }
        for (MetricRow& row : rows) {
            row.time_s = kStart_s + second;
        }
        static_cast<void>(answerOf<void>([&](auto answer) { (*document)->addMetrics(rows, answer); }
        ));
    }
    const TimeRange hour{kBegin_s, kBegin_s + kHour_s};
    SeriesFilter oneSource;
    oneSource.source = "source-7";
    for (auto _ : state) {
        const auto totals =
            answerOf<WindowTotals>([&](auto answer) { (*document)->window(hour, answer); });
        const auto strip = answerOf<std::vector<MetricPoint>>([&](auto answer) {
            (*document)->series(oneSource, hour, 10, answer);
        });
        if (!totals || totals->series.size() != kEdges || !strip || strip->size() < 360) {
            state.SkipWithError("the hour is incomplete");
            break;
        }
    }
}

// Jumps about in an hour of 1 000 edges between 300 places that have moved ten times.
void seeksInHour(benchmark::State& state)
{
    constexpr std::int64_t kHour_s = 3600;
    constexpr std::int64_t kDense_s = 120;
    const mesh::test::TemporaryFolder folder;
    auto document = MeshDocument::create(folder.file("a.mesh"));
    std::vector<MetricRow> rows = secondOf(kStart_s);
    std::vector<LayoutPosition> places;
    for (int at = 0; at < 300; ++at) {
        places.push_back({"service:" + std::to_string(at), 0, 0, false});
    }
    constexpr std::int64_t kThird_s = 1200;
    for (std::int64_t second = 0; second < kHour_s; ++second) {
        // Second by second where it is looked at; as many thinned rows everywhere.
        if (second % kThird_s >= kDense_s && second % 10 != 0) {
            continue;
        }
        for (MetricRow& row : rows) {
            row.time_s = kStart_s + second;
        }
        static_cast<void>(answerOf<void>([&](auto answer) { (*document)->addMetrics(rows, answer); }
        ));
        if (second % 360 == 0) {
            for (LayoutPosition& place : places) {
                place.x += 10;
            }
            (*document)->addLayoutMoves("topology", (kStart_s + second) * 1'000'000, places);
        }
    }
    std::int64_t seek = 0;
    for (auto _ : state) {
        ++seek;
        const std::int64_t at_s = kStart_s + seek % 3 * kThird_s + 70 + seek * 7 % 50;
        const auto layout = answerOf<std::vector<LayoutPosition>>([&](auto answer) {
            (*document)->layoutAt("topology", at_s * 1'000'000, answer);
        });
        const auto totals = answerOf<WindowTotals>([&](auto answer) {
            (*document)->window({at_s - state.range(0), at_s}, answer);
        });
        if (!layout || layout->size() != places.size() || !totals
            || totals->series.size() != kEdges) {
            state.SkipWithError("the moment is incomplete");
            break;
        }
    }
}

} // namespace

BENCHMARK(addsRows)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(readsWindow)->Arg(60)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(readsWindow)->Arg(600)->Unit(benchmark::kMillisecond)->UseRealTime();
// The file is filled once for all iterations; most of the work is the store's thread's.
BENCHMARK(opensHour)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(10)
    ->MeasureProcessCPUTime()
    ->UseRealTime();
BENCHMARK(seeksInHour)
    ->Arg(60)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(40)
    ->MeasureProcessCPUTime()
    ->UseRealTime();
