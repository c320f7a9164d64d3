#pragma once

#include "proxyengine/base/histogram.h"
#include "proxyengine/base/random.h"
#include "proxyengine/net/event_loop.h"
#include "simulator/live/call_book.h"
#include "simulator/live/load_figures.h"
#include "simulator/live/out_call.h"
#include "simulator/scenario/scenario.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace mesh::simulator {

// What clients of a live mesh count. One writer, any readers.
class LoadCounters
{
public:
    void addStarted() { add(m_started); }
    void addRefused() { add(m_refused); }
    void addAnswer(const Result<int>& answer, Duration latency);
    [[nodiscard]] LoadFigures figures() const;

private:
    using Counter = std::atomic<std::uint64_t>;
    static void add(Counter& counter)
    {
        counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }

    Counter m_started{0};
    Counter m_succeeded{0};
    Counter m_failed{0};
    Counter m_refused{0};
    std::atomic<int> m_lastFailure{0}; // A status; below 0: an error code, minus one.
    std::array<std::atomic<std::uint32_t>, HistogramScale::kBuckets> m_latency{};
};

// Clients that do not wait for answers before they send the next request: an open load.
//
// Latency counts from the intended start, so that a stalled mesh cannot hide its stall. Gateways
// are called in turn. At most kInFlightMax requests are in flight; what is due beyond is counted
// as refused.
// Source: Tene, "How NOT to measure latency" (coordinated omission).
// Threads: the loop's.
class LoadGenerator
{
public:
    static constexpr std::uint64_t kInFlightMax = 4096; // Ten seconds at 400 requests a second.

    struct Entry
    {
        Load load;
        std::string host; // Empty: the gateway's address.
        std::string path;
    };

    struct Span
    {
        TimePoint begin{}; // Of the loads' time.
        Duration length = Duration::max(); // Nothing is due from then on.
    };

    // `book`: optional, of the loop's thread; its edges begin at "gateway".
    LoadGenerator(
        net::EventLoop& loop,
        Caller& caller,
        std::vector<Entry> entries,
        std::vector<net::SocketAddress> gateways,
        Seed seed,
        LoadCounters& counters,
        Span span,
        CallBook* book = nullptr
    );
    ~LoadGenerator();

    // Nothing is due any more; what was sent goes on.
    void end() { m_span.length = m_loop.now() - m_span.begin; }

private:
    class Stream;

    void send(const Entry& entry, TimePoint intended);

    net::EventLoop& m_loop;
    Caller& m_caller;
    const std::vector<net::SocketAddress> m_gateways;
    LoadCounters& m_counters;
    Span m_span;
    CallBook* const m_book;
    Random m_ids;
    std::size_t m_nextGateway = 0;
    std::uint64_t m_inFlight = 0;
    std::vector<std::unique_ptr<Stream>> m_streams;
    std::shared_ptr<char> m_isAlive = std::make_shared<char>();
};

} // namespace mesh::simulator
