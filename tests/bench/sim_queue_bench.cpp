// Goal: how many customers per second the kernel simulates, and which event queue it should have.
// Method: M/M/1 at several utilisations; the hold model (pop one, push one) on the heap and on a
//         calendar queue, with 10^2 to 10^6 events waiting and four laws of waiting times.
//
// Run beside it: tests/bench/sim_queue_simpy.py, the same queue in SimPy.
#include "simulator/kernel/agenda.h"
#include "simulator/kernel/luck.h"
#include "tests/support/queue_model.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <vector>

namespace mesh::simulator {
namespace {

using namespace std::chrono_literals;

model::DurationLaw exponential(Duration mean)
{
    return {model::DurationLaw::Kind::Exp, mean, 1.0, {}};
}

void mm1(benchmark::State& state)
{
    const double utilisation = static_cast<double>(state.range(0)) / 100.0;
    const QueueLaws laws{exponential(fromSeconds(1e-3 / utilisation)), exponential(1ms), 1};
    constexpr std::uint64_t kCustomers = 1'000'000;
    std::uint64_t customers = 0;
    std::uint64_t events = 0;
    double mean = 0.0;
    for (auto _ : state) {
        QueueModel queue(laws, Seed{1});
        queue.run(kCustomers, 0);
        customers += kCustomers;
        events += queue.agenda().happened();
        mean = toSeconds(queue.sojourns().mean()) * 1e3;
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(customers));
    state.counters["events/s"] =
        benchmark::Counter(static_cast<double>(events), benchmark::Counter::kIsRate);
    state.counters["mean_sojourn"] = mean;
    state.counters["closed_form"] = 1.0 / (1.0 - utilisation);
}
BENCHMARK(mm1)->Arg(50)->Arg(80)->Arg(90)->Unit(benchmark::kMillisecond);

// A calendar of buckets as wide as a few events, sorted when their day comes; the bucket width
// follows the distance between the events taken out. The rival of the heap.
// Source: Brown, "Calendar queues", 1988, with the sorting day of the ladder queue.
class Calendar
{
public:
    explicit Calendar(std::size_t expected)
        : m_days(std::bit_ceil(std::max<std::size_t>(expected, 16)))
    {}

    void setWidth(std::uint64_t width) { m_width = std::max<std::uint64_t>(width, 1); }

    void push(EventKey key, const Event& event)
    {
        if (key.time < m_dayEnd) {
            const auto place = std::ranges::lower_bound(
                m_today, key, [](EventKey a, EventKey b) { return b < a; }, &EventHeap::Node::key
            );
            m_today.insert(place, {key, event});
        } else {
            m_days[(key.time / m_width) & (m_days.size() - 1)].push_back({key, event});
        }
        ++m_size;
    }

    EventHeap::Node pop()
    {
        while (m_today.empty()) {
            openDay();
        }
        const EventHeap::Node node = m_today.back();
        m_today.pop_back();
        --m_size;
        return node;
    }

private:
    void openDay()
    {
        std::vector<EventHeap::Node>& day = m_days[(m_dayEnd / m_width) & (m_days.size() - 1)];
        m_dayEnd += m_width;
        for (std::size_t at = 0; at < day.size();) {
            if (day[at].key.time < m_dayEnd) {
                m_today.push_back(day[at]);
                day[at] = day.back();
                day.pop_back();
            } else {
                ++at;
            }
        }
        std::ranges::sort(
            m_today, [](EventKey a, EventKey b) { return b < a; }, &EventHeap::Node::key
        );
    }

    std::vector<std::vector<EventHeap::Node>> m_days;
    std::vector<EventHeap::Node> m_today; // The next one last.
    std::uint64_t m_width = 1;
    std::uint64_t m_dayEnd = 0;
    std::size_t m_size = 0;
};

enum Law : std::int64_t { Exponential, Uniform, Bimodal, Mesh };

// Waits of 1 ms on average; drawn beforehand, so that only the queue is measured.
std::vector<std::uint64_t> waits(Law law)
{
    constexpr std::size_t kWaits = 1U << 16U;
    Random random(Seed{7});
    const DurationSampler sampler(exponential(1ms));
    std::vector<std::uint64_t> result(kWaits);
    for (std::uint64_t& wait : result) {
        const auto drawn = static_cast<std::uint64_t>(sampler.draw(random).count());
        const std::uint64_t which = random.below(100);
        wait = drawn;
        if (law == Uniform) {
            wait = random.below(2'000'000);
        } else if (law == Bimodal) {
            wait = which < 90 ? drawn / 10 : drawn * 9;
        } else if (law == Mesh) { // Hops of no length, short services, a few slow ones.
            wait = which < 40 ? 0 : (which < 95 ? drawn : drawn * 8);
        }
    }
    return result;
}

template <typename Queue>
void hold(benchmark::State& state, Queue& queue)
{
    const auto pending = static_cast<std::size_t>(state.range(0));
    const std::vector<std::uint64_t> wait = waits(static_cast<Law>(state.range(1)));
    std::uint64_t sequence = 0;
    for (std::size_t at = 0; at < pending; ++at) {
        queue.push({wait[at % wait.size()], sequence}, {1, 0, 0, 0});
        ++sequence;
    }
    for (auto _ : state) {
        const EventHeap::Node node = queue.pop();
        queue.push({node.key.time + wait[sequence % wait.size()], sequence}, node.event);
        ++sequence;
    }
    state.SetItemsProcessed(state.iterations());
}

void holdHeap(benchmark::State& state)
{
    EventHeap heap;
    heap.reserve(static_cast<std::size_t>(state.range(0)) + 1);
    hold(state, heap);
}

void holdCalendar(benchmark::State& state)
{
    Calendar calendar(static_cast<std::size_t>(state.range(0)));
    // Its best case: the mean distance of events is told, not learned.
    calendar.setWidth(2'000'000U / static_cast<std::uint64_t>(state.range(0)));
    hold(state, calendar);
}

void sizesAndLaws(benchmark::internal::Benchmark* bench)
{
    for (const std::int64_t pending : {100, 10'000, 100'000, 1'000'000}) {
        for (const Law law : {Exponential, Uniform, Bimodal, Mesh}) {
            bench->Args({pending, law});
        }
    }
}
BENCHMARK(holdHeap)->Apply(sizesAndLaws);
BENCHMARK(holdCalendar)->Apply(sizesAndLaws);

// What a timeout costs that never fires: the usual fate of one.
void timerStartedAndCancelled(benchmark::State& state)
{
    Agenda agenda;
    std::vector<TimerHandle> waiting(static_cast<std::size_t>(state.range(0)));
    std::size_t at = 0;
    for (auto _ : state) {
        TimerHandle& timer = waiting[at];
        agenda.cancel(timer);
        timer = agenda.startTimer(1s + Duration(at * 977), {1, 0, 0, 0});
        at = at + 1 == waiting.size() ? 0 : at + 1;
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(timerStartedAndCancelled)->Arg(100)->Arg(100'000);

void streamOfARequest(benchmark::State& state)
{
    LuckKey key{};
    std::uint64_t sum = 0;
    for (auto _ : state) {
        ++key.root;
        sum += luckOf(Seed{1}, key).next();
    }
    benchmark::DoNotOptimize(sum);
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(streamOfARequest);

} // namespace
} // namespace mesh::simulator
