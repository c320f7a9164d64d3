#pragma once

#include "app/bridge/mesh_session.h"

#include <QObject>
#include <QString>

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

namespace mesh::bridge {

// What one node measured in ten seconds. Absent: it was silent.
struct NodeSample
{
    std::optional<double> rps;
    std::optional<double> cpuPercent;
};

// All nodes together in one second.
struct FleetSecond
{
    std::int64_t time_us = 0;
    std::map<QString, double> rpsOfZone; // Of those that reported.
    std::optional<double> cpuMedian; // Per cent of a processor; absent: nobody reported.
    std::optional<double> cpuHighest;
    double connections = 0;
    double upstreamConnections = 0;
};

// What the nodes are together, in figures.
struct FleetSummary
{
    int nodes = 0;
    int reporting = 0;
    QStringList silent; // Names, sorted.
    int attention = 0; // Those that want somebody to look.
    int gateways = 0;
    int converged = 0; // Run the newest revision.
    std::int64_t revision = 0;
    double rpsIn = 0; // Of the gateways.
    std::uint64_t connections = 0;
    std::uint64_t upstreamConnections = 0;
    QString certificateNode; // Whose certificate ends first; empty: nobody shows one.
    std::int64_t certificateEnd_us = 0;
    QString version; // That most run; empty: not known.
    int otherVersions = 0; // Nodes that run another.
};

// What a node's state comes to, as lists show it. The more urgent a verdict, the larger its number.
enum class NodeVerdict : std::uint8_t {
    Healthy,
    NotStarted,
    Starting,
    Behind, // Runs an older revision.
    Maintenance,
    Draining,
    CertificateSoon, // Ends within kCertificateWarning.
    Drifted,
    Stopped,
    Silent, // Reported before, and does not any more.
    Unreachable, // Never reported.
    CertificateOver,
};

[[nodiscard]] NodeVerdict verdictOf(const NodeRow& node, std::int64_t now_us);
// Whether somebody should look: everything but healthy, starting and not started.
[[nodiscard]] bool needsAttention(NodeVerdict verdict);
inline constexpr std::int64_t kCertificateWarning_us = 30LL * 24 * 3600 * 1'000'000;

// The quarter of an hour before the context's time of every node and of all together, gathered from
// what the mesh session says once a second.
//
// Limits: 180 samples of each node, 1 800 seconds of all; a node that leaves the document is
// dropped. Lifetime: the session outlives it.
class NodesSession : public QObject
{
    Q_OBJECT

public:
    static constexpr int kStep_s = 10;
    static constexpr int kSteps = 90;
    static constexpr int kSeconds = kStep_s * kSteps;
    // What is remembered: a pause may go back, or go on for, as long as is shown.
    static constexpr int kKeptSteps = 2 * kSteps;
    static constexpr int kKeptSeconds = 2 * kSeconds;

    explicit NodesSession(MeshSession& session, QObject* parent = nullptr);

    // Of one node, oldest first, kSteps values that end now. Absent values are silence; those
    // before `known` were never to be measured.
    struct History
    {
        std::int64_t begin_us = 0; // Of the first value.
        int known = 0; // Index of the first value of this session.
        std::array<NodeSample, kSteps> samples;
    };
    [[nodiscard]] History history(const QString& node) const;
    // Nodes at the context's time, sorted by name; of the past, what the document remembers.
    [[nodiscard]] const std::vector<NodeRow>& nodes() const;
    // False: the time is turned back, and what is not recorded (hashes, versions) is not known.
    [[nodiscard]] bool isLive() const;
    // Oldest first; seconds without any report are missing. It may go on after now_us().
    [[nodiscard]] const std::deque<FleetSecond>& fleet() const { return m_fleet; }
    [[nodiscard]] const FleetSummary& summary() const { return m_summary; }
    // Of the last reading, or the context's cursor.
    [[nodiscard]] std::int64_t now_us() const { return m_now_us; }

    // Takes a reading now; called by itself once a second.
    void read(std::int64_t now_us);

Q_SIGNALS:
    // At most once a second, after each reading; while time is turned back, when the cursor moves.
    void changed();

private:
    struct Track
    {
        std::int64_t firstStep = 0;
        std::int64_t lastStep = -1; // Of the newest sample.
        std::int64_t frame_us = 0; // Seen last.
        struct Sum
        {
            float rps = 0;
            float cpu = 0;
            std::uint16_t frames = 0;
        };
        std::array<Sum, kKeptSteps> ring{};
    };
    void readTime();
    void readNode(const NodeRow& node, std::int64_t step);
    void readFleet(std::int64_t now_us);
    void readSummary(std::int64_t now_us);

    MeshSession& m_session;
    std::map<QString, Track> m_tracks;
    std::deque<FleetSecond> m_fleet;
    FleetSummary m_summary;
    std::int64_t m_now_us = 0;
};

} // namespace mesh::bridge
