#pragma once

#include "app/bridge/edge_carriage.h"
#include "app/bridge/health.h"
#include "app/bridge/session_rows.h"
#include "app/bridge/topology.h"
#include "app/store/mesh_document.h"
#include "proxyengine/model/document.h"
#include "proxyengine/telemetry/frame.h"

#include <QSet>
#include <QString>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

// From what was measured in a window to what the graph shows. Pure but for the tracker.
namespace mesh::bridge {

// "service:cart", "gateway:edge-1", "a -> b".
[[nodiscard]] QString serviceId(const std::string& name);
[[nodiscard]] QString gatewayId(const std::string& name);
[[nodiscard]] QString edgeId(const QString& source, const QString& target);

// Resolves the names that series carry to entities of the graph.
class EntityNames
{
public:
    explicit EntityNames(const model::Document& document);

    // Of a request's or an attempt's source: a gateway node or a calling service.
    [[nodiscard]] QString sourceId(const std::string& source) const;
    // Of an upstream: the service whose host it is, else the service of that name.
    [[nodiscard]] std::string serviceOfUpstream(const std::string& upstream) const;
    // The service that the subject of a policy concerns: itself, that of the route, of the
    // upstream, of the target's upstream or of the workload behind the listener. Empty: none.
    [[nodiscard]] std::string serviceOfSubject(const std::string& subject) const;
    // The upstreams whose attempts belong to the service.
    [[nodiscard]] std::vector<std::string> upstreamsOf(const std::string& service) const;
    [[nodiscard]] bool isGateway(const std::string& name) const
    {
        return m_gateways.count(name) > 0;
    }

private:
    std::map<std::string, std::string> m_serviceOfHost; // host -> service
    std::map<std::string, bool> m_gateways; // Node names with the role gateway.
    std::map<std::string, bool> m_services;
    std::map<std::string, std::string> m_serviceOfRoute;
    std::map<std::string, std::string> m_serviceOfListener; // Those that workloads are called by.
};

// A policy that is not at rest, as one node says.
struct PolicyReport
{
    std::string node;
    std::string kind; // A state or an event of a policy: "breaker_open", "rate_limited".
    std::string subject;
    std::string reason;
    std::int64_t since_us = 0; // 0: unknown.
};

struct TopologyInput
{
    const model::Document* document = nullptr;
    const std::vector<store::SeriesTotal>* series = nullptr;
    double seconds = 0; // Of the window that hold data; at least 1.
    int window_s = 60;
    std::int64_t now_us = 0; // End of the window.
    std::map<std::string, double> silentFor_s; // By node, of those that have ever reported.
    std::vector<telemetry::TargetHealth> targetHealth; // As all nodes report it.
    std::vector<PolicyReport> policies; // As all nodes report them.
    std::vector<CarriageRow> carriage; // Of the window; empty for the past.
    std::vector<FaultRow> faults; // Injected and active.
    QSet<QString> faultable; // Workload names that can be killed.
    QSet<QString> inDraft; // EntityRow::id the draft touches.
    std::map<QString, int> findings; // By EntityRow::id.
};

// A change of state since the tracker's last evaluation.
struct HealthChange
{
    QString subject; // EntityRow::id
    QString name;
    HealthState state = HealthState::NoData;
    QString why;
};

struct TopologyOutcome
{
    Topology topology;
    std::vector<HealthChange> changes; // Of entities, in the order of ids.
};

// tracker: the live one, which confirms changes; null for the past, which is judged at once.
[[nodiscard]] TopologyOutcome buildTopology(const TopologyInput& input, HealthTracker* tracker);

// Figures of sums over some seconds.
[[nodiscard]] Figures figuresOf(const store::MetricValue& value, double seconds);

// Chart points of stored steps.
[[nodiscard]] Series seriesOf(const std::vector<store::MetricPoint>& points, std::int64_t step_s);

} // namespace mesh::bridge
