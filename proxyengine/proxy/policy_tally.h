#pragma once

#include "proxyengine/net/event_loop.h"
#include "proxyengine/proxy/policy_cells.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>

namespace mesh::proxy {

// Collects what one worker's policies met and did, and sends it to the control thread in batches:
// outcomes at most kReportDelay old, at once while a breaker is not closed; notices when they begin
// and then once a second with their count.
//
// Threads: the worker's.
class PolicyTally
{
public:
    using SendFunction = std::function<void(PolicyReport)>;

    PolicyTally(net::EventLoop& loop, SendFunction send);

    void breaker(
        const std::shared_ptr<BreakerCell>& cell,
        std::uint32_t round,
        policy::BreakerOutcome outcome,
        Duration latency
    );
    void concurrency(
        const std::shared_ptr<ConcurrencyCell>& cell, std::uint16_t epoch, Duration roundTrip
    );
    // An empty reason only counts.
    void notice(
        std::string_view kind,
        std::string_view subject,
        std::string_view reason,
        std::string_view detail = {} // Counted and told apart.
    );
    // Counts that were not told yet; once a second.
    void flushCounts();

private:
    struct Told
    {
        std::string reason;
        std::uint64_t count = 0;
        bool isQuiet = true; // Nothing came since the last flushCounts().
    };
    using Key = std::tuple<std::string, std::string, std::string>; // Kind, subject, detail.
    using KeyView = std::tuple<std::string_view, std::string_view, std::string_view>;
    struct Before
    {
        using is_transparent = void;
        template <typename A, typename B>
        bool operator()(const A& a, const B& b) const
        {
            return KeyView(a) < KeyView(b);
        }
    };

    static constexpr std::uint32_t kBatchMax = 32;

    void flush();
    void wait();

    net::EventLoop& m_loop;
    SendFunction m_send;
    PolicyReport m_report;
    std::map<Key, Told, Before> m_told;
    net::FunctionTimer m_timer;
};

} // namespace mesh::proxy
