#pragma once

#include "proxyengine/base/random.h"
#include "proxyengine/config/snapshot.h"
#include "proxyengine/net/resolver.h"
#include "proxyengine/policy/health.h"
#include "proxyengine/policy/outlier.h"
#include "proxyengine/proxy/policy_cells.h"
#include "proxyengine/proxy/policy_ledger.h"
#include "proxyengine/proxy/probe.h"
#include "proxyengine/telemetry/frame.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mesh::proxy {

// The health of every target of a node, in one place for all its workers: passive reports and
// operators' words come in, probes go out once per node, verdicts are told.
//
// A target is available when an operator says so, or when neither its health checks nor outlier
// detection object (policy::combine). From availability follow panic and failover of its upstream,
// which are told here because they hold for the node; workers derive the same from the verdicts.
// Threads: the control loop's. Lifetime: the ledger outlives it.
class HealthBoard
{
public:
    // A target became available or stopped being so.
    using VerdictFunction = std::function<void(const telemetry::TargetHealth&)>;

    // Errors: Dns when the resolver cannot start.
    [[nodiscard]] static Result<std::unique_ptr<HealthBoard>> make(
        net::EventLoop& loop, Seed seed, PolicyLedger& ledger, VerdictFunction onVerdict
    );
    ~HealthBoard();

    // Takes over the targets of a new snapshot. What is known of a target is kept while its
    // upstream and address stay; a change of the health checks starts them over, an operator's
    // word and an ejection stay.
    // `mesh`: with which sidecars are probed; null: plainly.
    void apply(
        const config::Snapshot& snapshot, std::shared_ptr<const tls::ClientContext> mesh = nullptr
    );
    void observe(const PassiveReport& report);
    // False when there is no such target. Healthy ends an ejection too.
    [[nodiscard]] bool setOverride(
        const std::string& upstream, const std::string& target, policy::HealthMachine::Override word
    );

    [[nodiscard]] std::vector<telemetry::TargetHealth> all() const;
    // By upstream and target of the snapshot applied last.
    [[nodiscard]] std::vector<std::vector<bool>> availability() const;
    // Health of all targets, and what is ejected, in panic or failing over.
    void fill(telemetry::StatsFrame& frame) const;

private:
    struct Row;
    struct Group;

    HealthBoard(net::EventLoop& loop, Seed seed, PolicyLedger& ledger, VerdictFunction onVerdict);
    [[nodiscard]] Group* groupOf(const std::string& upstream) const;
    [[nodiscard]] std::unique_ptr<Group> makeGroup(const config::UpstreamPlan& plan, Group* old);
    void makeDetector(Group& group, Group* old, const std::vector<std::size_t>& previousOf);
    void observe(Row& row, const policy::Observation& observation);
    void tellTurn(const Row& row);
    void take(Group& group, const policy::OutlierVerdict& verdict);
    void settle(Row& row);
    void watchZones(Group& group);
    void armTick();
    void tick();
    void startProbes(Group& group);
    void probe(const std::shared_ptr<Row>& row);
    void probeAddress(const std::shared_ptr<Row>& row, const net::SocketAddress& address);
    void onProbed(const std::weak_ptr<Row>& row, const ProbeOutcome& outcome);
    [[nodiscard]] telemetry::TargetHealth stateOf(const Row& row) const;
    [[nodiscard]] std::string ejectionOf(const Row& row) const;
    [[nodiscard]] WallTime toWall(TimePoint time) const;

    net::EventLoop& m_loop;
    Random m_random;
    PolicyLedger& m_ledger;
    VerdictFunction m_onVerdict;
    std::unique_ptr<net::Resolver> m_resolver;
    Prober m_prober;
    std::shared_ptr<const tls::ClientContext> m_meshTls;
    std::string m_zone; // Of the node.
    std::vector<std::unique_ptr<Group>> m_groups; // By upstream of the snapshot.
    std::unordered_map<std::string, Group*> m_byName;
    net::FunctionTimer m_tick;
};

} // namespace mesh::proxy
