#include "proxyengine/proxy/upstream_pools.h"

#include "proxyengine/base/assert.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/proxy/h2_session_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mesh::proxy {
namespace {

// Looked at for each that is added, so that their number follows that of the requests.
constexpr std::size_t kLeavingSteps = 4;

std::string keyOf(
    const config::TargetPlan& target,
    const tls::ClientContext* tls,
    model::HttpVersion version,
    std::string_view name
)
{
    return fmt::format(
        "{}|{}|{}|{}", target.address, fmt::ptr(tls), static_cast<int>(version), name
    );
}

bool isGone(const UpstreamPool& pool)
{
    return pool.holders.lists == 0 && pool.holders.requests == 0 && pool.isEmpty();
}

// How much would be lost with it. Names that lead nowhere do not drive out those that serve.
int worthOf(const PoolListing& pool)
{
    return (pool->holders.requests > 0 ? 2 : 0) + (pool->isEmpty() ? 0 : 1);
}

} // namespace

UpstreamPools::UpstreamPools(net::EventLoop& loop, Duration idleTimeout)
    : m_loop(loop)
    , m_idleTimeout(idleTimeout)
{}

UpstreamPools::~UpstreamPools() = default;

UpstreamPool& UpstreamPools::find(
    Known& known,
    const config::TargetPlan& target,
    const std::shared_ptr<const tls::ClientContext>& tls,
    std::string_view serverName,
    model::HttpVersion plainVersion
)
{
    static const std::string kTooLong(kServerNameBytesMax + 1, 'x');
    const model::HttpVersion version = versionUnder(tls.get(), plainVersion);
    std::string_view name = tls == nullptr ? std::string_view() : serverName;
    if (name.size() > kServerNameBytesMax) {
        name = kTooLong;
    }
    for (const PoolListing& listed : known) {
        UpstreamPool& pool = *listed;
        if (pool.tls() == tls.get() && pool.serverName() == name && pool.version() == version) {
            return pool;
        }
    }
    if (known.size() >= kServerNamesPerTargetMax) {
        dropOne(known, target);
    }
    auto& pool = m_pools[keyOf(target, tls.get(), version, name)];
    if (pool == nullptr) {
        pool = std::make_unique<UpstreamPool>(
            m_loop,
            PoolPeer{target.host, target.port, tls, std::string(name), version},
            m_idleTimeout
        );
    }
    known.emplace_back(pool.get());
    return *pool;
}

void UpstreamPools::dropOne(Known& known, const config::TargetPlan& target)
{
    const auto least = std::ranges::min_element(known, {}, worthOf); // The oldest of its kind.
    UpstreamPool& dropped = **least;
    known.erase(least);
    dropped.closeIdle();
    if (dropped.holders.lists > 0) {
        return; // Another upstream has the same target.
    }
    const auto found =
        m_pools.find(keyOf(target, dropped.tls(), dropped.version(), dropped.serverName()));
    MESH_ASSERT(found != m_pools.end() && found->second.get() == &dropped);
    dropped.retire();
    m_leaving.push_back(std::move(found->second));
    m_pools.erase(found);
    sweepLeaving(kLeavingSteps);
}

void UpstreamPools::retireOthers(std::span<const std::shared_ptr<const tls::ClientContext>> current)
{
    for (const auto& [key, pool] : m_pools) {
        const tls::ClientContext* tls = pool->tls();
        const bool isCurrent =
            tls == nullptr
            || std::ranges::any_of(current, [tls](const auto& each) { return each.get() == tls; });
        if (!isCurrent) {
            pool->retire();
        }
    }
}

// A pool may have called who is calling now, so none is destroyed within a turn.
std::size_t UpstreamPools::sweep()
{
    std::size_t left = 0;
    for (auto at = m_pools.begin(); at != m_pools.end();) {
        if (!isGone(*at->second)) {
            left += at->second->holders.lists == 0 ? 1U : 0U;
            ++at;
            continue;
        }
        m_loop.destroyLater(std::move(at->second));
        at = m_pools.erase(at);
    }
    return left;
}

void UpstreamPools::sweepLeaving() { sweepLeaving(m_leaving.size()); }

void UpstreamPools::sweepLeaving(std::size_t most)
{
    for (std::size_t step = 0; step < most && !m_leaving.empty(); ++step) {
        m_sweptTo = m_sweptTo < m_leaving.size() ? m_sweptTo : 0;
        if (!isGone(*m_leaving[m_sweptTo])) {
            ++m_sweptTo;
            continue;
        }
        std::swap(m_leaving[m_sweptTo], m_leaving.back());
        m_loop.destroyLater(std::move(m_leaving.back()));
        m_leaving.pop_back();
    }
}

void UpstreamPools::closeIdle()
{
    for (const auto& [key, pool] : m_pools) {
        pool->closeIdle();
    }
    for (const auto& pool : m_leaving) {
        pool->closeIdle();
    }
}

} // namespace mesh::proxy
