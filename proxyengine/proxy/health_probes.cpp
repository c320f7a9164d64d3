#include "proxyengine/proxy/health_group.h"

#include <algorithm>
#include <utility>

// The board's clockwork: probes that are due and sweeps of outlier detection.
namespace mesh::proxy {
namespace {

constexpr Duration kTick = std::chrono::milliseconds(50); // How late a probe may be.

ProbeCall callOf(
    const config::UpstreamPlan& upstream,
    const config::TargetPlan& target,
    const net::SocketAddress& address
)
{
    const model::ActiveHealthcheck& check = upstream.healthchecks.active;
    ProbeCall call;
    call.type = check.type;
    call.address = address;
    call.authority = upstream.hostHeader.value_or(target.address);
    call.path = check.httpPath;
    call.headers = check.headers;
    call.verify = check.httpsVerifyCertificate ? tls::VerifyPeer::Yes : tls::VerifyPeer::No;
    call.timeout = check.timeout;
    const bool isLiteral = net::SocketAddress::fromLiteral(target.host, target.port).has_value();
    if (check.httpsSni) {
        call.serverName = *check.httpsSni;
    } else if (!isLiteral || check.httpsVerifyCertificate) {
        call.serverName = target.host; // A certificate may name an address; SNI does not need to.
    }
    return call;
}

} // namespace

void HealthBoard::armTick()
{
    TimePoint next = TimePoint::max();
    for (const auto& group : m_groups) {
        if (group->isProbed) {
            next = std::min(next, m_loop.now() + kTick);
        }
        if (group->detector) {
            next = std::min(next, group->detector->nextSweepAt());
        }
    }
    if (next == TimePoint::max()) {
        m_tick.cancel();
    } else {
        m_tick.arm(next);
    }
}

void HealthBoard::tick()
{
    for (const auto& group : m_groups) {
        if (group->detector && group->detector->nextSweepAt() <= m_loop.now()) {
            for (const auto& verdict : group->detector->sweep(m_loop.now(), m_random)) {
                take(*group, verdict);
            }
            for (const auto& row : group->rows) {
                settle(*row);
            }
        }
        if (group->isProbed) {
            startProbes(*group);
        }
    }
    armTick();
}

void HealthBoard::startProbes(Group& group)
{
    const TimePoint now = m_loop.now();
    const auto most =
        static_cast<std::size_t>(std::max(group.plan.healthchecks.active.concurrency, 1));
    for (const auto& row : group.rows) {
        if (group.probing >= most) {
            return; // The others are as due at the next tick.
        }
        const auto due = row->machine.nextProbeAt();
        if (!row->isProbing && due && *due <= now) {
            row->machine.onProbeStarted(now);
            row->isProbing = true;
            ++group.probing;
            probe(row);
        }
    }
}

void HealthBoard::probe(const std::shared_ptr<Row>& row)
{
    const config::TargetPlan& target = row->plan();
    const auto onResolved = [this, probed = std::weak_ptr(row)](
                                const Result<std::vector<net::SocketAddress>>& addresses
                            ) {
        const auto live = probed.lock();
        if (live == nullptr) {
            return;
        }
        live->isUnknownName = !addresses || addresses->empty();
        if (!live->isUnknownName) {
            probeAddress(live, addresses->front());
            return;
        }
        onProbed(
            live,
            {{policy::Check::Active, policy::Observation::Kind::ConnectFailure, 0},
             addresses ? std::string("the name has no address") : addresses.error().message}
        );
    };
    m_resolver->resolve(target.host, target.port, onResolved);
}

void HealthBoard::probeAddress(const std::shared_ptr<Row>& row, const net::SocketAddress& address)
{
    ProbeCall call = callOf(row->group->plan, row->plan(), address);
    if (row->plan().isMesh && call.type != model::ProbeType::Tcp) {
        call.context = m_meshTls;
    }
    m_prober.start(call, [this, probed = std::weak_ptr(row)](const ProbeOutcome& outcome) {
        onProbed(probed, outcome);
    });
}

void HealthBoard::onProbed(const std::weak_ptr<Row>& probed, const ProbeOutcome& outcome)
{
    const auto row = probed.lock();
    if (row == nullptr) {
        return; // The target is gone.
    }
    row->isProbing = false;
    --row->group->probing;
    const bool wasHealthy = row->machine.isAvailable();
    if (wasHealthy) {
        row->probeFailure = outcome.failure; // Of the probe that may make it unhealthy now.
    }
    observe(*row, outcome.observation);
}

} // namespace mesh::proxy
