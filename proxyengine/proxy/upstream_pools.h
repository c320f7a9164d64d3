#pragma once

#include "proxyengine/config/snapshot.h"
#include "proxyengine/proxy/upstream_pool.h"

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mesh::proxy {

// All pools of one worker. A pool is found through the list of its target, which holds what was
// asked for last, or by its peer, so that a new configuration finds the connections of the old.
//
// Limits: kServerNamesPerTargetMax in a list. With preserve_host the names are the clients': the
// pool that falls out of its last list keeps no connection and goes when its last request ends. The
// first to fall are those without requests and connections, then the oldest.
// Names beyond kServerNameBytesMax share one pool, because none of them can be asked for.
// Threads: the loop's.
class UpstreamPools
{
public:
    using Known = std::vector<PoolListing>; // The list of a target, owned by its upstream.

    UpstreamPools(net::EventLoop& loop, Duration idleTimeout);
    UpstreamPools(const UpstreamPools&) = delete;
    UpstreamPools& operator=(const UpstreamPools&) = delete;
    ~UpstreamPools();

    // Connections to this target under this protection. `serverName` matters under TLS only, and
    // `plainVersion` without it: ALPN is part of the protection.
    [[nodiscard]] UpstreamPool& find(
        Known& known,
        const config::TargetPlan& target,
        const std::shared_ptr<const tls::ClientContext>& tls,
        std::string_view serverName,
        model::HttpVersion plainVersion
    );

    // Retires those whose context is none of these; the caller takes them out of its lists.
    void retireOthers(std::span<const std::shared_ptr<const tls::ClientContext>> current);
    // Destroys those that nobody lists or uses and that have no connection. How many unlisted ones
    // are left, of which some may be found again.
    std::size_t sweep();
    // The same, of those that fell out of full lists: nothing can find them again.
    void sweepLeaving();
    void closeIdle();

    [[nodiscard]] std::size_t count() const { return m_pools.size() + m_leaving.size(); }

private:
    using Pools = std::map<std::string, std::unique_ptr<UpstreamPool>>;

    void dropOne(Known& known, const config::TargetPlan& target);
    void sweepLeaving(std::size_t most);

    net::EventLoop& m_loop;
    Duration m_idleTimeout;
    Pools m_pools; // By address, context, version and name.
    std::vector<std::unique_ptr<UpstreamPool>> m_leaving;
    std::size_t m_sweptTo = 0; // Place in m_leaving.
};

} // namespace mesh::proxy
