#pragma once

#include "proxyengine/base/random.h"
#include "proxyengine/model/document.h"
#include "proxyengine/net/event_loop.h"
#include "proxyengine/net/socket_address.h"
#include "simulator/live/call_book.h"
#include "simulator/live/faults.h"
#include "simulator/live/out_call.h"

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mesh::simulator {

// Sends the answer of one request, or resets its connection (ServiceInstance::kReset). Called at
// most once; without effect when the client has gone.
using SendAnswer = std::function<void(int status)>;

// How one simulated copy of a service behaves: its workers, queue, service time, errors and calls.
// Knows requests and answers, not HTTP.
//
// A request takes a worker or waits in the queue; a full queue answers 503 after the model's reject
// time. Its service time passes; it fails with the model's error rate, or runs the script: steps in
// order, the calls of a parallel step at once. The first failed step ends it with 502.
// Threads: the loop's; answered() any.
class ServiceInstance
{
public:
    struct Setup
    {
        std::string name; // "cart-1"
        std::shared_ptr<const model::ServiceModel> model;
        net::SocketAddress outbound; // Of its sidecar; Family::None: calls fail.
        Seed seed;
        CallBook* book = nullptr; // Optional; of the loop's thread, outlives the instance.
        std::size_t answerBytes = 0; // Of every answer's body, at least.
    };

    ServiceInstance(net::EventLoop& loop, Caller& caller, Setup setup);
    ~ServiceInstance();

    // Health probes ask for this; it costs no worker and meets the faults that hit probes.
    static constexpr std::string_view kProbePath = "/ready";
    static constexpr int kReset = 0; // Instead of a status.

    // `caller`: a service or "gateway"; empty: it did not say.
    void onRequest(
        std::string_view path, TraceContext trace, SendAnswer send, std::string caller = {}
    );

    // Frozen requests go on when the freeze ends, as those of a stopped process do.
    void setFaults(const InstanceFaults& faults);
    [[nodiscard]] const InstanceFaults& faults() const { return m_faults; }
    // For requests that come from now on.
    void setModel(std::shared_ptr<const model::ServiceModel> model) { m_model = std::move(model); }

    [[nodiscard]] const std::string& name() const { return m_name; }
    [[nodiscard]] std::uint64_t answered() const
    {
        return m_answered.load(std::memory_order_relaxed);
    }

private:
    class Visit;
    struct Arrival
    {
        std::string path;
        TraceContext trace;
        SendAnswer send;
        std::string caller;
    };

    void begin(Arrival arrival);
    [[nodiscard]] bool areProbesHit() const;
    [[nodiscard]] std::uint64_t partOf(const TraceContext& trace);
    [[nodiscard]] bool isLost(const Arrival& arrival, Random& luck) const;
    void setBusy(int by);
    void takeWorker(Visit& visit);
    void releaseWorker();
    void finish(Visit& visit, int status);

    net::EventLoop& m_loop;
    Caller& m_caller;
    const std::string m_name;
    std::shared_ptr<const model::ServiceModel> m_model;
    const net::SocketAddress m_outbound;
    const Seed m_seed;
    std::uint64_t m_arrivals = 0; // That did not say whose they are.
    std::uint64_t m_taken = 0; // With probes.
    std::unordered_map<std::uint64_t, std::uint32_t> m_visitsOf; // By recent root requests.
    InstanceFaults m_faults;
    int m_busy = 0;
    std::deque<Visit*> m_waiting; // At most model.queue.
    std::vector<Arrival> m_frozen; // At most kFrozenRequestsMax; more are dropped unanswered.
    std::deque<Arrival> m_lost; // Kept unanswered; at most kFrozenRequestsMax.
    CallBook* const m_book;
    std::vector<std::unique_ptr<Visit>> m_visits; // All between begin() and finish().
    std::atomic<std::uint64_t> m_answered{0};
};

} // namespace mesh::simulator
