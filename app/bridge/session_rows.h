#pragma once

#include "app/bridge/topology.h"

#include <QString>
#include <QStringList>

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

// Plain values of a MeshSession other than the topology: what lists, strips and banners show.
namespace mesh::bridge {

// One saved state of the configuration. Its text comes from MeshSession::requestRevisionText().
struct RevisionRow
{
    std::int64_t id = 0; // 1, 2, 3 … ; larger is later.
    std::int64_t parent = 0; // 0: the first.
    QString author;
    QString message;
    std::int64_t time_us = 0;
    QString hash; // 64 hex digits.
    bool isRunning = false; // Every node that answers runs exactly this.
    friend bool operator==(const RevisionRow&, const RevisionRow&) = default;
};

enum class ProblemSeverity : std::uint8_t { Error, Warning, Info };

// One thing that is wrong with the draft or was refused by a node.
struct ProblemRow
{
    ProblemSeverity severity = ProblemSeverity::Error;
    QString path; // "services[0].routes[1].paths[0]"; empty: the whole document.
    int line = 0; // 1-based; 0: no place in the text.
    int column = 0;
    QString code; // "unknown_field"
    QString message;
    QString origin; // "draft", or the name of the node that refused.
    QString subject; // EntityRow::id it concerns; empty when it is none.
    friend bool operator==(const ProblemRow&, const ProblemRow&) = default;
};

enum class NodeRoleKind : std::uint8_t { Gateway, Sidecar };

enum class NodeState : std::uint8_t {
    Running,
    Starting,
    Draining,
    Stopped,
    Unreachable,
    Stale, // Silent for more than three intervals.
    NotStarted, // In the document, but no engine of ours runs or reaches it.
};

struct NodeRow
{
    QString name;
    NodeRoleKind role = NodeRoleKind::Gateway;
    QString zone;
    NodeState state = NodeState::NotStarted;
    QString version;
    QString address; // Of its admin API; "in this process" for an embedded engine.
    QStringList listeners; // "proxy 127.0.0.1:8000"
    std::int64_t lastFrame_us = 0; // Wall time of the last frame's arrival; 0: none yet.
    std::int64_t age_ms = -1; // Of the last frame; -1: none yet.
    QString hash; // What it runs; empty: unknown.
    QString expectedHash; // What it should run.
    bool isConverged = false; // Both known and equal.
    double rps = 0; // Requests it answered in the last frame.
    std::optional<double> errorRatio; // 5xx and unanswered of them, 0..1; absent: there were none.
    double cpuPercent = 0; // Of one processor, of its process, in the last frame.
    std::uint64_t connections = 0; // From clients.
    std::uint64_t upstreamConnections = 0; // To targets.
    std::uint64_t memoryBytes = 0; // Of its process; 0: it does not tell.
    std::optional<std::int64_t> clockOffset_ms; // Its clock before (+) or behind (-) ours.
    int workloads = 0;
    bool isRemote = false; // Another process, reached through its admin API.
    std::int64_t revision = 0; // The newest one that is what it runs; 0: none of this document.
    bool isInMaintenance = false; // Its gateway listeners take nothing new.
    bool isDrifted = false; // It runs what is no revision of this document.
    QString identity; // "spiffe://shop.local/node/vm-7"; empty: it has no certificate.
    std::int64_t certificateEnd_us = 0; // Of the one that ends first; 0: it shows none.
    friend bool operator==(const NodeRow&, const NodeRow&) = default;
};

// One target as one node sees it.
struct NodeTargetRow
{
    QString upstream;
    QString target; // host:port
    QString workload; // Empty: the document knows none there.
    QString zone;
    int weight = 0;
    enum class Health : std::uint8_t { Healthy, Unhealthy, DnsError, Unchecked };
    Health health = Health::Unchecked;
    QString reason; // Why it is not healthy, or held; empty: nothing to say.
    bool isEjected = false;
    std::int64_t since_us = 0; // 0: unknown.
    friend bool operator==(const NodeTargetRow&, const NodeTargetRow&) = default;
};

// A certificate that a node of the document shows.
struct NodeCertificateRow
{
    QString use; // "node", "workload cart-1", "gateway"
    QString identity; // Empty: it has none.
    QString subject;
    QStringList names;
    std::int64_t begin_us = 0;
    std::int64_t end_us = 0;
};

// One value that a node runs with.
struct NodeValueRow
{
    QString object; // "routes/cart"
    QString field; // "resilience.timeout"
    QString value; // As JSON; secrets are "***".
    QString origin; // "document", "default", "inherited"
    QString from; // The path that says it; empty: a default.
};

enum class NodeMaintenance : std::uint8_t { Off, On };

enum class TargetOverride : std::uint8_t { None, Healthy, Unhealthy };

enum class FaultKind : std::uint8_t { Kill, Freeze, Latency, Errors };

// A fault that this console injected into a simulated instance and has not taken back.
struct FaultRow
{
    FaultKind kind = FaultKind::Kill;
    QString instance;
    QString service; // EntityRow::id
    QString text; // "killed", "503 30 %", "+400 ms"
    std::int64_t since_us = 0;
    friend bool operator==(const FaultRow&, const FaultRow&) = default;
};

// The honesty strip: how far what is on screen can be trusted.
struct HonestyFigures
{
    std::int64_t age_ms = -1; // Of the newest frame of any node; -1: no data yet.
    int nodesReporting = 0;
    int nodesExpected = 0;
    QStringList silentNodes; // Names, sorted.
    std::int64_t silentFor_ms = 0; // Of the first silent node.
    std::int64_t revision = 0; // Newest revision; 0: none.
    int nodesConverged = 0; // Running the newest revision.
    int changes = 0; // Objects the draft changes against the newest revision.
    double enginePercent = 0; // CPU of this process, of one processor, in the last second.
    std::uint64_t memoryBytes = 0; // Resident, of this process.
    std::uint64_t eventsDropped = 0; // Engine events that did not fit, since the start.
    friend bool operator==(const HonestyFigures&, const HonestyFigures&) = default;
};

enum class BannerKind : std::uint8_t {
    ReadOnly, // Another program has the document open, or the file cannot be written.
    NewerVersion, // The document was written by a newer version.
    StoreFailed, // Disk full or broken: the mesh goes on, history is not recorded.
    EventsDropped, // The console could not keep up.
    NodeRefused, // An engine could not start or refused its configuration.
};

struct Banner
{
    BannerKind kind = BannerKind::ReadOnly;
    QString text; // One sentence and what to do.
    QString detail; // For "Details".
    friend bool operator==(const Banner&, const Banner&) = default;
};

// One attempt of a request.
struct TapAttempt
{
    QString target;
    double started_ms = 0; // Since the request began.
    double latency_ms = 0; // To the answer's head, or to its failure.
    int status = 0; // 0: it brought no answer.
    QString outcome; // "answered", "connect_failed"
};

// One request as it happened, sampled. Newest last, at most kTapRowsMax.
struct TapRow
{
    std::int64_t time_us = 0;
    QString node;
    QString source;
    QString method;
    QString host;
    QString path;
    int status = 0; // 0: no answer.
    QString route;
    QString service;
    QString target;
    int attempts = 0;
    double latency_ms = 0;
    double upstream_ms = 0;
    double proxy_ms = 0;
    std::uint64_t bytesIn = 0;
    std::uint64_t bytesOut = 0;
    QString requestId;
    QString failure; // "the upstream's certificate has expired"; empty: it did not fail.
    std::vector<TapAttempt> tries; // Empty: the node does not tell.
    QStringList policies; // That acted: "retried", "rate_limited".
    QString why; // What of the route took it; empty: not told.
    std::vector<std::pair<QString, QString>> headers; // Those asked for, by lower-case name.
};

} // namespace mesh::bridge
