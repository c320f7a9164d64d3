#pragma once

#include "proxyengine/base/time.h"
#include "proxyengine/http/head.h"
#include "proxyengine/http/parser.h"
#include "proxyengine/net/resolver.h"
#include "proxyengine/policy/health.h"
#include "proxyengine/policy/retry.h"
#include "proxyengine/proxy/body_pump.h"
#include "proxyengine/proxy/runtime.h"
#include "proxyengine/proxy/upstream_pool.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace mesh::proxy {

class Worker;

// Where one attempt goes.
struct Destination
{
    Runtime* runtime = nullptr; // Outlives the attempt.
    UpstreamState* upstream = nullptr;
    std::uint32_t target = 0;
    const config::ServicePlan* service = nullptr;
    PoolUse pool;
    telemetry::AttemptRow* row = nullptr;
    std::shared_ptr<UsageCell> usage; // Null: its upstream has no limits.
    policy::LimitLane lane = policy::LimitLane::Default;
    bool hasNameOfClient = false; // TLS demands a name of the target that the client chose.
    TimePoint headBy = TimePoint::max(); // When a hedge's response head must be here.
};

// An attempt beside a request's own, with its own copy of the whole request: a hedge, whose answer
// may be taken over, or the copy for a mirror, whose answer is read and dropped.
//
// Counts in the host set, the attempt row, the limits and the target's health like every attempt;
// a connection that the limits do not allow is a failure that says nothing about the target.
// Lifetime: the owner destroys it when told, or at any time; that ends it.
class SideAttempt final : private UpstreamUser
{
public:
    enum class Answer : std::uint8_t { HandOver, Discard };
    enum class State : std::uint8_t {
        Begun,
        Answered, // HandOver: the response head is here. Discard: all of the answer was read.
        Failed,
    };
    // Called once, from the loop or from begin(); the attempt is Answered or Failed then.
    using DecidedFunction = std::function<void(SideAttempt&)>;

    SideAttempt(
        Worker& worker,
        Destination to,
        UsageLease lease,
        http::Method method,
        std::string request,
        Answer answer,
        DecidedFunction onDecided
    );
    ~SideAttempt();

    void begin();
    // Ends it without a word to the owner.
    void cancel();

    [[nodiscard]] State state() const { return m_state; }
    [[nodiscard]] const Destination& destination() const { return m_to; }
    [[nodiscard]] policy::AttemptFailure failure() const { return m_failure; }
    [[nodiscard]] std::string_view reason() const { return m_reason; } // A literal.
    [[nodiscard]] Duration latency() const { return m_latency; } // To the response head.
    [[nodiscard]] TimePoint startedAt() const { return m_startedAt; }
    // Of an answered one: views the connection's buffer.
    [[nodiscard]] http::ResponseHead& head() { return m_head; }
    // Gives up the connection of an answered one, with the head unconsumed in its buffer. The
    // caller goes on with the attempt: it owes the host set and the row their end.
    [[nodiscard]] UpstreamConnection& takeOver();
    [[nodiscard]] UsageLease takeLease() { return std::move(m_lease); }

    std::size_t place = 0; // In the list of an owner that has many.

private:
    void onUpstreamReady(net::Ready ready) override;
    void onUpstreamTimeout() override;
    void connect(const net::SocketAddress& address);
    void onResolved(const Result<std::vector<net::SocketAddress>>& addresses);
    void go();
    [[nodiscard]] bool send(); // True when all is sent.
    void waitAtMost(Duration time);
    void receive();
    [[nodiscard]] bool readHead(); // True when it is complete.
    void discard();
    void fail(policy::AttemptFailure failure, std::string_view reason);
    [[nodiscard]] bool takeConnectionLeases(UpstreamConnection& connection) const;
    [[nodiscard]] ConnectionAge age() const;
    void end();
    void decide(State state);

    Worker& m_worker;
    Destination m_to;
    UsageLease m_lease; // Of the upstream's requests.
    http::Method m_method;
    std::string m_request;
    Answer m_answerUse;
    DecidedFunction m_onDecided;
    PoolUse m_pool;
    UpstreamConnection* m_connection = nullptr;
    std::optional<net::QueryId> m_lookup;
    http::ResponseHead m_head;
    http::ResponseParser m_parser;
    BodyPump m_down;
    TimePoint m_startedAt;
    Duration m_latency{};
    std::size_t m_sent = 0;
    std::string_view m_reason;
    policy::AttemptFailure m_failure = policy::AttemptFailure::Broken;
    State m_state = State::Begun;
    bool m_isHead = false;
    bool m_needsFresh = false;
    bool m_isCounted = false; // In the host set and the row.
};

} // namespace mesh::proxy
