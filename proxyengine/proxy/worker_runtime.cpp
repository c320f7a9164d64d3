#include "proxyengine/base/assert.h"
#include "proxyengine/proxy/worker.h"

#include <algorithm>
#include <utility>

// The configuration as one worker runs it: runtimes, upstreams, and what health says of targets.
namespace mesh::proxy {

void Worker::fillListeners(Runtime& runtime) const
{
    const config::Snapshot& snapshot = runtime.snapshot();
    for (std::size_t at = runtime.listeners.size(); at < m_known.size(); ++at) {
        ListenerView view;
        if (m_known[at] != nullptr) {
            const Listener& listener = *m_known[at];
            for (std::size_t index = 0; index < snapshot.listeners.size(); ++index) {
                const config::ListenerPlan& plan = snapshot.listeners[index];
                const bool isMine = listener.kind == plan.kind
                                    && (plan.kind == config::ListenerKind::Gateway
                                        || plan.name == listener.planName);
                if (isMine) {
                    view.table = plan.table;
                    view.source = plan.source;
                    view.isInbound = plan.kind == config::ListenerKind::Inbound;
                    view.meshTls = plan.meshTls;
                    view.meshServer = runtime.activation.meshServers[index];
                    view.meshMode = plan.mesh ? plan.mesh->mode : model::MtlsMode::Off;
                }
            }
            if (listener.kind == config::ListenerKind::Gateway) {
                view.source = gatewaySource();
            }
        }
        const std::size_t routes =
            view.table == ListenerView::kNoTable ? 0 : snapshot.tables[view.table].routes.size();
        view.noRoute = routes;
        std::size_t rows = routes + 1;
        for (std::size_t route = 0; route < routes; ++route) {
            view.splitRows.push_back(rows);
            rows += snapshot.tables[view.table].routes[route].split.size();
        }
        view.requestRows.resize(rows, nullptr);
        view.attemptRows.resize(runtime.upstreams.size());
        runtime.listeners.push_back(std::move(view));
    }
}

UpstreamPool& Worker::poolFor(
    UpstreamState& upstream,
    std::uint32_t target,
    const std::shared_ptr<const tls::ClientContext>& tls,
    std::string_view serverName,
    model::HttpVersion plainVersion
)
{
    return m_pools->find(
        upstream.pools[target], upstream.plan.targets[target], tls, serverName, plainVersion
    );
}

// Ends what is kept under contexts that no configuration asks for any more.
void Worker::retirePools()
{
    m_pools->retireOthers(m_runtime->activation.upstreamTls);
    for (const auto& upstream : m_upstreams) {
        for (UpstreamPools::Known& known : upstream->pools) {
            std::erase_if(known, [](const PoolListing& pool) { return pool->isRetired(); });
        }
    }
    m_owesSweep = true;
}

// Requests of a former configuration may still ask for a retired pool, and are to find it retired.
void Worker::sweepPools()
{
    m_pools->sweepLeaving();
    if (m_owesSweep && m_retired.empty()) {
        m_owesSweep = m_pools->sweep() > 0;
    }
}

UpstreamState& Worker::upstreamFor(const config::UpstreamPlan& plan, const std::string& nodeZone)
{
    for (const UpstreamState* known : m_runtime->upstreams) {
        if (!isSamePlan(known->plan, plan) || known->zone != nodeZone) {
            continue;
        }
        for (const auto& state : m_upstreams) {
            if (state.get() == known) {
                return *state;
            }
        }
    }
    const UpstreamState* before = nullptr;
    for (const UpstreamState* known : m_runtime->upstreams) {
        before = known->plan.name == plan.name ? known : before;
    }
    auto state = std::make_unique<UpstreamState>(plan, nodeZone, before, m_loop->now(), m_random);
    state->pools.resize(plan.targets.size());
    m_upstreams.push_back(std::move(state));
    return *m_upstreams.back();
}

void Worker::activate(Activation activation)
{
    auto runtime = std::make_unique<Runtime>();
    runtime->activation = std::move(activation);
    const config::Snapshot& snapshot = runtime->snapshot();
    for (std::size_t at = 0; at < snapshot.upstreams.size(); ++at) {
        UpstreamState& state = upstreamFor(snapshot.upstreams[at], snapshot.zone);
        ++state.holders;
        runtime->upstreams.push_back(&state);
        const auto& available = runtime->activation.isAvailable[at];
        for (std::size_t target = 0; target < available.size(); ++target) {
            state.hosts.setAvailability(
                target,
                available[target] ? policy::HostSet::Availability::Available
                                  : policy::HostSet::Availability::Unavailable,
                m_loop->now()
            );
        }
    }
    fillListeners(*runtime);
    std::unique_ptr<Runtime> old = std::exchange(m_runtime, std::move(runtime));
    if (old->streams > 0) {
        m_retired.push_back(std::move(old));
    }
    old.reset();
    dropUnusedUpstreams();
    retirePools();
}

void Worker::releaseRuntime(Runtime& runtime)
{
    MESH_ASSERT(runtime.streams > 0);
    --runtime.streams;
    if (runtime.streams == 0 && &runtime != m_runtime.get()) {
        std::erase_if(m_retired, [&runtime](const auto& kept) { return kept.get() == &runtime; });
        dropUnusedUpstreams();
    }
}

void Worker::releaseUpstream(UpstreamState& upstream)
{
    MESH_ASSERT(upstream.holders > 0);
    if (--upstream.holders == 0) {
        dropUnusedUpstreams();
    }
}

void Worker::observe(
    UpstreamState& upstream, std::uint32_t target, policy::Observation::Kind kind, int status
)
{
    if (!upstream.isPassive) {
        return;
    }
    const bool isGood = kind == policy::Observation::Kind::Status && status < 400;
    if (isGood && !upstream.hasReported[target] && upstream.hosts[target].isAvailable) {
        // A success changes nothing where no failure is counted; the sweep wants the number.
        upstream.successes[target] += upstream.isWatched ? 1U : 0U;
        return;
    }
    upstream.hasReported[target] = !isGood;
    m_outputs.onPassive(
        {upstream.plan.name,
         upstream.plan.targets[target].address,
         std::exchange(upstream.successes[target], 0),
         policy::Observation{policy::Check::Passive, kind, status}}
    );
}

void Worker::reportSuccesses()
{
    for (const auto& upstream : m_upstreams) {
        for (std::size_t at = 0; upstream->isWatched && at < upstream->successes.size(); ++at) {
            if (upstream->successes[at] > 0) {
                m_outputs.onPassive(
                    {upstream->plan.name,
                     upstream->plan.targets[at].address,
                     std::exchange(upstream->successes[at], 0),
                     std::nullopt}
                );
            }
        }
    }
}

void Worker::dropUnusedUpstreams()
{
    std::erase_if(m_upstreams, [](const auto& state) { return state->holders == 0; });
    m_owesSweep = true;
}

void Worker::setAvailability(
    const std::string& upstream, const std::string& target, bool isAvailable
)
{
    for (UpstreamState* state : m_runtime->upstreams) {
        if (state->plan.name != upstream) {
            continue;
        }
        for (std::size_t at = 0; at < state->plan.targets.size(); ++at) {
            if (state->plan.targets[at].address == target) {
                state->hosts.setAvailability(
                    at,
                    isAvailable ? policy::HostSet::Availability::Available
                                : policy::HostSet::Availability::Unavailable,
                    m_loop->now()
                );
                if (!isAvailable) {
                    for (const PoolListing& pool : state->pools[at]) {
                        pool->closeIdle();
                    }
                }
            }
        }
    }
}

} // namespace mesh::proxy
