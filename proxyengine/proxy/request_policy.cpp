#include "proxyengine/proxy/request_policy.h"

#include "proxyengine/proxy/client_connection.h"

#include <algorithm>

namespace mesh::proxy {

void RequestPolicy::arm()
{
    const TimePoint next = std::min({waitEnd, deadline, tryDeadline, hedgeAt});
    if (next == TimePoint::max()) {
        m_timer.cancel();
    } else {
        m_timer.arm(next);
    }
}

void RequestPolicy::onTimer(net::Timer&) { owner->onPolicyTimer(); }

void RequestPolicy::reset()
{
    m_timer.cancel();
    owner = nullptr;
    plan = nullptr;
    compiled = nullptr;
    resilience = 0;
    lane = policy::LimitLane::Default;
    retry.reset();
    isInBudget = false;
    holdsRetry = false;
    retriesMade = 0;
    breaker.reset();
    concurrency.reset();
    ending = Ending::ByStatus;
    race.reset();
    hedges.clear();
    isMainRunning = false;
    faultStatus.reset();
    wantsMirror = false;
    requestLease.end();
    retryLease.end();
    pendingLease.end();
    connectionLease.end();
    targetLease.end();
    wait = Wait::Nothing;
    waitEnd = TimePoint::max();
    deadline = TimePoint::max();
    deadlinePlan = nullptr;
    tryDeadline = TimePoint::max();
    hedgeAt = TimePoint::max();
}

} // namespace mesh::proxy
