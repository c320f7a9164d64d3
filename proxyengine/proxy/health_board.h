#pragma once

#include "proxyengine/base/random.h"
#include "proxyengine/config/snapshot.h"
#include "proxyengine/http/client.h"
#include "proxyengine/net/acceptor.h"
#include "proxyengine/net/resolver.h"
#include "proxyengine/policy/health.h"
#include "proxyengine/telemetry/frame.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mesh::proxy {

// The health of every target of a node, in one place for all its workers: passive reports and
// operators' words come in, probes go out once per node, verdicts are told.
//
// Threads: the control loop's.
class HealthBoard
{
public:
    using VerdictFunction = std::function<void(const telemetry::TargetHealth&)>;

    // Errors: Dns when the resolver cannot start.
    [[nodiscard]] static Result<std::unique_ptr<HealthBoard>> make(
        net::EventLoop& loop, Seed seed, VerdictFunction onVerdict
    );
    ~HealthBoard();

    // Takes over the targets of a new snapshot; state is kept where upstream, target and checks
    // stayed the same.
    void apply(const config::Snapshot& snapshot);
    void observe(
        const std::string& upstream,
        const std::string& target,
        const policy::Observation& observation
    );
    // False when there is no such target.
    [[nodiscard]] bool setOverride(
        const std::string& upstream, const std::string& target, policy::HealthMachine::Override word
    );

    [[nodiscard]] std::vector<telemetry::TargetHealth> all() const;
    // By upstream and target of the snapshot applied last.
    [[nodiscard]] std::vector<std::vector<bool>> availability() const;

private:
    struct Row;
    struct Group;
    class ConnectProbe;

    HealthBoard(net::EventLoop& loop, Seed seed, VerdictFunction onVerdict);
    void probeDue();
    void probe(const std::shared_ptr<Group>& group, std::size_t at);
    void probeAddress(
        const std::shared_ptr<Group>& group, std::size_t at, const net::SocketAddress& address
    );
    void settle(Group& group, std::size_t at, const policy::Observation& observation);
    [[nodiscard]] telemetry::TargetHealth stateOf(const Group& group, std::size_t at) const;
    [[nodiscard]] WallTime toWall(TimePoint time) const;

    net::EventLoop& m_loop;
    Random m_random;
    VerdictFunction m_onVerdict;
    std::unique_ptr<net::Resolver> m_resolver;
    std::unique_ptr<http::Client> m_client;
    std::vector<std::shared_ptr<Group>> m_groups; // By upstream of the snapshot.
    net::FunctionTimer m_tick;
};

} // namespace mesh::proxy
