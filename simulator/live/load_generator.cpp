#include "simulator/live/load_generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace mesh::simulator {

namespace {

constexpr Duration kIdleCheck = std::chrono::milliseconds(100); // While the rate is zero.
constexpr const char* kGatewayCaller = "gateway"; // As in virtual time.
constexpr int kPerTurnMax = 64; // After a stall the rest of what is due comes in the next turns.

} // namespace

void LoadCounters::addAnswer(const Result<int>& answer, Duration latency)
{
    if (answer && *answer < 500) {
        add(m_succeeded);
    } else {
        add(m_failed);
        m_lastFailure.store(
            answer ? *answer : -1 - static_cast<int>(answer.error().code), std::memory_order_relaxed
        );
    }
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(latency).count();
    auto& bucket = m_latency[HistogramScale::indexOf(
        static_cast<std::uint64_t>(std::max<std::int64_t>(micros, 0))
    )];
    bucket.store(bucket.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

LoadFigures LoadCounters::figures() const
{
    LoadFigures figures;
    // Ends before begins, so that the difference is never negative.
    figures.succeeded = m_succeeded.load(std::memory_order_relaxed);
    figures.failed = m_failed.load(std::memory_order_relaxed);
    figures.refused = m_refused.load(std::memory_order_relaxed);
    figures.started = m_started.load(std::memory_order_relaxed);
    const std::uint64_t ended = figures.succeeded + figures.failed + figures.refused;
    figures.inFlight = figures.started > ended ? figures.started - ended : 0;
    std::vector<HistogramCounts::Bucket> buckets;
    for (std::size_t i = 0; i < m_latency.size(); ++i) {
        if (const std::uint32_t count = m_latency[i].load(std::memory_order_relaxed); count > 0) {
            buckets.push_back({static_cast<std::uint16_t>(i), count});
        }
    }
    figures.latency = HistogramCounts(std::move(buckets));
    const int last = m_lastFailure.load(std::memory_order_relaxed);
    if (last > 0) {
        figures.lastFailure = fmt::format("HTTP {}", last);
    } else if (last < 0) {
        figures.lastFailure = toText(static_cast<ErrorCode>(-1 - last));
    }
    return figures;
}

// The arrivals of one entry.
class LoadGenerator::Stream
{
public:
    Stream(LoadGenerator& generator, Entry entry, Seed seed)
        : m_generator(generator)
        , m_entry(std::move(entry))
        , m_random(seed)
        , m_next(generator.m_span.begin)
        , m_timer(generator.m_loop.timers(), [this] { onTimer(); })
    {
        schedule();
    }

private:
    // Moves m_next to the next intended start. A step of the rate takes effect with the first gap
    // that begins after it.
    void schedule()
    {
        const double rate = rateAt(m_entry.load, m_next - m_generator.m_span.begin);
        if (rate <= 0) {
            m_next += kIdleCheck;
            m_isDue = false;
        } else {
            const double gap =
                m_entry.load.arrivals == Arrivals::Poisson ? -std::log(1.0 - m_random.unit()) : 1.0;
            m_next += fromSeconds(gap / rate);
            m_isDue = true;
        }
        if (m_next - m_generator.m_span.begin < m_generator.m_span.length) {
            m_timer.arm(m_next);
        } else {
            m_next = net::Timer::kNever;
        }
    }

    void onTimer()
    {
        const auto isDue = [this] {
            return m_next <= m_generator.m_loop.now()
                   && m_next - m_generator.m_span.begin < m_generator.m_span.length;
        };
        for (int sent = 0; sent < kPerTurnMax && isDue(); ++sent) {
            if (m_isDue) {
                m_generator.send(m_entry, m_next);
            }
            schedule();
        }
    }

    LoadGenerator& m_generator;
    const Entry m_entry;
    Random m_random;
    TimePoint m_next;
    bool m_isDue = false; // m_next is a request, not only a look at the rate.
    net::FunctionTimer m_timer;
};

LoadGenerator::LoadGenerator(
    net::EventLoop& loop,
    Caller& caller,
    std::vector<Entry> entries,
    std::vector<net::SocketAddress> gateways,
    Seed seed,
    LoadCounters& counters,
    Span span,
    CallBook* book
)
    : m_loop(loop)
    , m_caller(caller)
    , m_gateways(std::move(gateways))
    , m_counters(counters)
    , m_span(span)
    , m_book(book)
    , m_ids(deriveSeed(seed, 0))
{
    for (std::size_t i = 0; i < entries.size(); ++i) {
        m_streams.push_back(
            std::make_unique<Stream>(*this, std::move(entries[i]), deriveSeed(seed, i + 1))
        );
    }
}

LoadGenerator::~LoadGenerator() = default;

void LoadGenerator::send(const Entry& entry, TimePoint intended)
{
    m_counters.addStarted();
    CallBook::Line* const line =
        m_book == nullptr ? nullptr : &m_book->lineOf(kGatewayCaller, entry.load.entry);
    if (line != nullptr) {
        m_book->onBegun(*line, m_loop.now());
    }
    if (m_inFlight >= kInFlightMax) {
        m_counters.addRefused();
        if (line != nullptr) {
            m_book->onEnded(*line, intended, m_loop.now(), MeasureRow::Outcome::Failed);
        }
        return;
    }
    ++m_inFlight;
    OutCall out;
    out.to = m_gateways[m_nextGateway];
    m_nextGateway = m_nextGateway + 1 == m_gateways.size() ? 0 : m_nextGateway + 1;
    out.host = entry.host;
    out.path = entry.path;
    out.caller = kGatewayCaller;
    out.trace.requestId = fmt::format("{:016x}{:016x}", m_ids.next(), m_ids.next());
    out.trace.traceparent = fmt::format("00-{}-{:016x}-01", out.trace.requestId, m_ids.next() | 1U);
    m_caller.call(
        out,
        [this, intended, line, isAlive = std::weak_ptr<char>(m_isAlive)](const Result<int>& answer
        ) {
            if (!isAlive.expired()) {
                --m_inFlight;
                m_counters.addAnswer(answer, m_loop.now() - intended);
                if (line != nullptr) {
                    const bool isGood = answer && *answer < 500;
                    m_book->onEnded(
                        *line,
                        intended,
                        m_loop.now(),
                        isGood ? MeasureRow::Outcome::Succeeded : MeasureRow::Outcome::Failed
                    );
                }
            }
        }
    );
}

} // namespace mesh::simulator
