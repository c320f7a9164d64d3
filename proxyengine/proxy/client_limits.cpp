#include "proxyengine/proxy/client_connection.h"
#include "proxyengine/proxy/error_page.h"
#include "proxyengine/proxy/worker.h"

#include <fmt/format.h>

// The limits of an upstream: requests, connections and those that wait for one, retries.
namespace mesh::proxy {
namespace {

constexpr Duration kLookForConnection = std::chrono::milliseconds(5);

} // namespace

// What the upstream's limits say to one more attempt. False: answered, or waiting for a connection.
bool ClientConnection::admitAttempt()
{
    Exchange& exchange = *m_exchange;
    RequestPolicy& state = *exchange.policy;
    const auto& usage = exchange.runtime->activation.cells->usages[exchange.service->upstream];
    if (usage == nullptr) {
        return true;
    }
    using policy::LimitedResource;
    policy::LimitVerdict verdict =
        takeLease(usage, LimitedResource::Requests, state.lane, state.requestLease);
    if (!verdict.isAdmitted) {
        refuseByLimit(verdict);
        return false;
    }
    const bool isConnecting =
        !exchange.pool->canTake(exchange.needsFresh ? ConnectionAge::Fresh : ConnectionAge::Any);
    if (isConnecting) {
        const auto takeConnection = [&] {
            return takeLease(
                usage, LimitedResource::Connections, state.lane, state.connectionLease
            );
        };
        verdict = takeConnection();
        if (!verdict.isAdmitted) {
            Worker::closeIdle(*exchange.upstream); // Kept ones of other targets make room.
            verdict = takeConnection();
        }
        if (verdict.isAdmitted) {
            verdict = takeTargetLease(usage, exchange.target, state.targetLease);
        }
    }
    if (verdict.isAdmitted) {
        leaveQueue(state);
        return true;
    }
    if (!state.pendingLease.isHeld()) {
        tellLimit(verdict);
    }
    state.connectionLease.end();
    state.requestLease.end();
    if (!state.pendingLease.isHeld()) {
        verdict = takeLease(usage, LimitedResource::Pending, state.lane, state.pendingLease);
        if (!verdict.isAdmitted) {
            refuseByLimit(verdict);
            return false;
        }
        m_worker.awaitConnection(*this);
    }
    // A connection that another worker frees is noticed at the next look.
    state.wait = RequestPolicy::Wait::Connection;
    state.waitEnd = m_worker.loop().now() + kLookForConnection;
    state.arm();
    return false;
}

void ClientConnection::tellLimit(const policy::LimitVerdict& verdict)
{
    noteVerdict(
        "limit_reached",
        fmt::format("upstream:{}", m_exchange->upstream->plan.name),
        toText(verdict),
        toText(verdict)
    );
}

void ClientConnection::refuseByLimit(const policy::LimitVerdict& verdict)
{
    tellLimit(verdict);
    refuseByPolicy(503, messageOf(503), toText(verdict), kOverloaded);
}

// Without a retry budget, the upstream's max_retries bounds retries of either kind and hedges.
bool ClientConnection::holdLimitedRetry(UsageLease& retryLease)
{
    Exchange& exchange = *m_exchange;
    RequestPolicy& state = *exchange.policy;
    const auto& usage = exchange.runtime->activation.cells->usages[exchange.service->upstream];
    if (usage == nullptr) {
        return true;
    }
    retryLease.end();
    const policy::LimitVerdict verdict =
        takeLease(usage, policy::LimitedResource::Retries, state.lane, retryLease);
    if (!verdict.isAdmitted) {
        tellLimit(verdict);
    }
    return verdict.isAdmitted;
}

// No longer among those that wait for a connection.
void ClientConnection::leaveQueue(RequestPolicy& state)
{
    if (state.pendingLease.isHeld()) {
        state.pendingLease.end();
        m_worker.forgetAwaiting(*this);
    }
}

const UpstreamState* ClientConnection::awaitedUpstream() const { return m_exchange->upstream; }

void ClientConnection::onConnectionFreed()
{
    RequestPolicy& state = *m_exchange->policy;
    if (state.wait != RequestPolicy::Wait::Connection) {
        return;
    }
    state.wait = RequestPolicy::Wait::Nothing;
    state.waitEnd = TimePoint::max();
    startAttempts();
    if (!m_isRunning && m_phase == Phase::Exchange) {
        run();
    }
}

} // namespace mesh::proxy
