#pragma once

#include <QString>
#include <QStringList>

#include <cstdint>
#include <optional>
#include <vector>

// What the console shows at one moment, as plain values. Every view is a function of these and of
// the ViewContext; nobody keeps a second copy of the truth.
namespace mesh::bridge {

enum class HealthState : std::uint8_t { Healthy, Degraded, Failure, Idle, NoData, Stale };

// What became of something between two moments that are compared.
enum class Change : std::uint8_t { None, Appeared, Vanished, Worse, Better };

enum class EntityKind : std::uint8_t { Service, Gateway, External, Unknown };

enum class InstanceState : std::uint8_t { Up, Ejected, Draining, Starting, Stale, Down, Frozen };

// Traffic policies that act, or that are configured so that they always do. The most urgent first:
// where there is room for one, it is the one to show.
enum class PolicyKind : std::uint8_t {
    BreakerOpen,
    Panic,
    TlsFailure, // No handshake with a target.
    Ejection, // By outlier detection.
    Failover, // A zone other than the first takes traffic.
    BudgetExhausted, // Retries are refused.
    LimitReached, // Connections, pending, requests; adaptive concurrency.
    Shedding, // Refused by priority under overload.
    RateLimiting,
    Refusal, // Callers without the certificate that is asked for.
    BreakerHalfOpen,
    Fallback, // Answered instead of calling.
    Injection, // A fault that the configuration injects.
    EjectionSuppressed, // Due, but too many are out already.
    Mirror,
    Split,
};
inline constexpr int kPolicyKindCount = 16;

// How traffic is protected between sidecars: all, some or none of it under mutual TLS.
enum class EdgeLock : std::uint8_t { Unknown, Closed, Half, Open };

struct PolicyRow
{
    PolicyKind kind = PolicyKind::Split;
    QString text; // For tags: "breaker open", "1 of 3 ejected", "failover".
    QString reason; // Why, in a sentence.
    QString subject; // As the engine names it: "service:cart", "upstream:cart", "route:checkout".
    QStringList nodes; // That say so, sorted; empty: it stands in the configuration.
    std::int64_t since_us = 0; // Wall time; 0: unknown.
    friend bool operator==(const PolicyRow&, const PolicyRow&) = default;
};

// Figures of a window. Absent figures print as "–": no traffic has no error ratio and no latency.
struct Figures
{
    double rps = 0; // Logical requests (entities, edges) or attempts (instances) per second.
    std::optional<double> errorRatio; // 5xx and unanswered over all, 0..1.
    std::optional<double> clientErrorRatio; // 4xx over all, 0..1.
    std::optional<double> p50_ms;
    std::optional<double> p95_ms;
    std::optional<double> p99_ms;
    double amplification = 0; // Attempts per logical request; 0: unknown.
    std::uint64_t requests = 0; // In the window, the evidence behind the ratios.
    std::uint64_t errors = 0;
    std::optional<double> bytesPerSecond; // In and out; absent: not measured, as of attempts.
    friend bool operator==(const Figures&, const Figures&) = default;
};

struct InstanceRow
{
    QString id; // Workload name, or the target address where there is no workload.
    QString service; // Entity it belongs to.
    QString zone;
    QString version;
    QString address;
    InstanceState state = InstanceState::Up;
    QString reason; // Why it is not Up; with time.
    bool isEjected = false; // Out by outlier detection, not by health checks.
    QString suppressed; // Why an ejection that was due did not happen; empty: none was.
    Figures figures;
    bool canFault =
        false; // It is a simulated instance of this console: kill, freeze, restore work.
    friend bool operator==(const InstanceRow&, const InstanceRow&) = default;
};

struct EntityRow
{
    QString id; // Stable: the service's or node's name, prefixed by kind ("service:cart").
    QString name;
    EntityKind kind = EntityKind::Service;
    QString version; // "v5.2", or "v5.2 · v6.0 canary"; empty when nobody says.
    QStringList zones; // Sorted.
    HealthState state = HealthState::NoData;
    QString why; // The winning rule in words: "5xx on 4.5 % of 1 977 attempts in 60 s".
    QString rule; // "rule: degraded ≥ 0.1 %".
    std::int64_t since_us = 0; // Wall time the state began; 0: unknown.
    bool isLowTraffic = false; // Too little evidence to judge; the previous state is kept.
    Figures figures;
    std::vector<InstanceRow> instances; // Sorted by id.
    int findings = 0;
    bool isInDraft = false; // The draft touches it.
    bool isEntry = false; // Traffic enters the mesh here.
    QStringList faults; // Active faults in words: "503 30 % · +400 ms".
    std::vector<PolicyRow> policies; // The most urgent first.
    EdgeLock lock = EdgeLock::Unknown; // Of what came to its sidecars, whoever called.
    QString lockText; // "12 of 340 requests came in plaintext in 60 s"; empty: nothing to say.
    Change change = Change::None; // Of a comparison of two moments.
    friend bool operator==(const EntityRow&, const EntityRow&) = default;
};

struct EdgeRow
{
    QString source; // EntityRow::id
    QString target;
    HealthState state = HealthState::NoData;
    bool isTcp = false; // No requests are seen in it: connections or UDP sessions are counted.
    QString protocol; // "HTTP", "TCP", "TLS", "TLS passthrough", "UDP"; empty: not known.
    EdgeLock lock = EdgeLock::Unknown;
    QString lockText; // As of an entity.
    Figures figures;
    std::vector<PolicyRow> policies; // Of the target, as the source's nodes apply them.
    Change change = Change::None; // Of a comparison of two moments.
    friend bool operator==(const EdgeRow&, const EdgeRow&) = default;
};

// The whole graph at one moment of one window.
struct Topology
{
    std::int64_t time_us = 0; // End of the window, wall time; 0: nothing yet.
    std::vector<EntityRow> entities; // Sorted by id, unique.
    std::vector<EdgeRow> edges; // Sorted by (source, target), unique.
    std::optional<double> crossZoneShare; // Of attempts, 0..1; absent: not known.
    friend bool operator==(const Topology&, const Topology&) = default;
};

// Points of one entity, edge or instance over time, for charts. One point per second, 10 s or 60 s.
struct SeriesPoint
{
    std::int64_t time_us = 0;
    double rps2xx = 0; // 1xx, 2xx and 3xx.
    double rps4xx = 0;
    double rps5xx = 0; // 5xx and unanswered.
    std::optional<double> p50_ms;
    std::optional<double> p95_ms;
    std::optional<double> p99_ms;
};

struct Series
{
    std::vector<SeriesPoint> points; // Sorted by time; a hole wider than `step_us` is missing data.
    std::int64_t step_us = 1'000'000;
};

// Something that happened, drawn on the time axis and listed in Events.
inline constexpr const char* kPushOfFleet = "fleet";

struct Marker
{
    enum class Kind : std::uint8_t {
        Revision,
        Push,
        Fault,
        HealthChange,
        Ejection, // By health checks.
        Node,
        Alert,
        Policy, // A traffic policy acted; `policy` says which and how.
    };
    Kind kind = Kind::Revision;
    std::int64_t begin_us = 0;
    std::int64_t end_us = 0; // Equal to begin: a moment. 0: still active.
    QString label; // "rev 42"
    QString detail;
    QString subject; // EntityRow::id it concerns; empty: the mesh.
    // Of a Policy: the engine's word, "breaker_opened"; of a Fault: "kill"; of a Push: "fleet" when
    // it is a whole push, empty when it is one node that applied something.
    QString policy{};
    QString target{}; // Of a Policy: the engine's subject, "target:cart/10.0.0.3:7001".
    QString node{}; // That told it; empty: none.
};

} // namespace mesh::bridge
