#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/strong_id.h"
#include "proxyengine/base/time.h"
#include "proxyengine/net/event_loop.h"
#include "proxyengine/net/socket_address.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mesh::net {

using QueryId = StrongId<struct QueryTag, std::uint64_t>;

struct ResolverOptions
{
    std::vector<std::string> servers; // "10.0.0.2" or "10.0.0.2:53"; empty: the system's.
    Duration timeout = std::chrono::seconds(2); // Of one try; there are three.
    Duration ttlMin = std::chrono::seconds(1); // Against names that ask for a query per request.
    Duration ttlMax = std::chrono::minutes(5);
    Duration failureTtl = std::chrono::seconds(5); // How long a failure is remembered.
    std::size_t namesMax = 4096; // In the cache; the one that expires first gives way.
};

// Addresses of a name: at least one, in the order of the answer, all with the port asked for.
using ResolveFunction = std::function<void(const Result<std::vector<SocketAddress>>&)>;

// Turns host names into addresses by c-ares on the loop, and remembers them for their TTL.
//
// Literals, "localhost" and the hosts file need no query. Queries for one name at a time are one.
class Resolver
{
public:
    // Errors: Dns when c-ares cannot start.
    [[nodiscard]] static Result<std::unique_ptr<Resolver>> make(
        EventLoop& loop, const ResolverOptions& options = {}
    );
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;
    ~Resolver();

    // Calls `onResolved` exactly once unless cancelled; before it returns when the answer is known.
    // Errors given to it: Dns with the reason; Timeout.
    QueryId resolve(std::string_view host, std::uint16_t port, ResolveFunction onResolved);
    // No effect on answered queries.
    void cancel(QueryId query);

    [[nodiscard]] std::size_t cachedNames() const;

private:
    struct State;
    explicit Resolver(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace mesh::net
