#include "app/bridge/nodes_session.h"

#include "app/bridge/view_context.h"

#include <QDateTime>
#include <QSet>

#include <algorithm>
#include <utility>

namespace mesh::bridge {

namespace {

constexpr std::int64_t kMicro = 1'000'000;
constexpr std::int64_t kStep_us = NodesSession::kStep_s * kMicro;

bool isReporting(const NodeRow& node)
{
    return node.age_ms >= 0 && node.state != NodeState::Stale
           && node.state != NodeState::Unreachable && node.state != NodeState::Stopped;
}

std::size_t slotOf(std::int64_t step)
{
    return static_cast<std::size_t>(step % NodesSession::kKeptSteps);
}

NodeVerdict certificateVerdict(const NodeRow& node, std::int64_t now_us)
{
    if (node.certificateEnd_us == 0) {
        return NodeVerdict::Healthy;
    }
    if (node.certificateEnd_us <= now_us) {
        return NodeVerdict::CertificateOver;
    }
    return node.certificateEnd_us - now_us < kCertificateWarning_us ? NodeVerdict::CertificateSoon
                                                                    : NodeVerdict::Healthy;
}

NodeVerdict stateVerdict(const NodeRow& node)
{
    switch (node.state) {
    case NodeState::Starting:
        return NodeVerdict::Starting;
    case NodeState::Draining:
        return NodeVerdict::Draining;
    case NodeState::Stopped:
        return NodeVerdict::Stopped;
    case NodeState::Unreachable:
        return node.lastFrame_us == 0 ? NodeVerdict::Unreachable : NodeVerdict::Silent;
    case NodeState::Stale:
        return NodeVerdict::Silent;
    case NodeState::NotStarted:
        return NodeVerdict::NotStarted;
    case NodeState::Running:
        break;
    }
    if (node.isDrifted) {
        return NodeVerdict::Drifted;
    }
    if (node.isInMaintenance) {
        return NodeVerdict::Maintenance;
    }
    return node.revision > 0 && !node.isConverged ? NodeVerdict::Behind : NodeVerdict::Healthy;
}

} // namespace

NodeVerdict verdictOf(const NodeRow& node, std::int64_t now_us)
{
    return std::max(stateVerdict(node), certificateVerdict(node, now_us));
}

bool needsAttention(NodeVerdict verdict)
{
    return verdict != NodeVerdict::Healthy && verdict != NodeVerdict::Starting
           && verdict != NodeVerdict::NotStarted;
}

NodesSession::NodesSession(MeshSession& session, QObject* parent)
    : QObject(parent)
    , m_session(session)
{
    // The honesty figures come once a second, whether nodes report or not.
    connect(&session, &MeshSession::honestyChanged, this, [this] {
        read(QDateTime::currentMSecsSinceEpoch() * 1000);
    });
    connect(&session, &MeshSession::documentChanged, this, [this] {
        if (!m_session.isOpen()) {
            m_tracks.clear();
            m_fleet.clear();
            m_summary = {};
        }
        read(QDateTime::currentMSecsSinceEpoch() * 1000);
    });
    connect(&session.context(), &ViewContext::timeChanged, this, &NodesSession::readTime);
    // What was then comes a little after the cursor has moved.
    connect(&session, &MeshSession::topologyChanged, this, [this] {
        if (!isLive()) {
            readTime();
        }
    });
}

bool NodesSession::isLive() const { return m_session.context().timeMode() == TimeMode::Live; }

const std::vector<NodeRow>& NodesSession::nodes() const
{
    const bool isPast = !isLive() && m_session.moment().time_us != 0;
    return isPast ? m_session.moment().nodes : m_session.nodes();
}

void NodesSession::readTime()
{
    m_now_us =
        isLive() ? QDateTime::currentMSecsSinceEpoch() * 1000 : m_session.context().cursor_us();
    readSummary(m_now_us);
    Q_EMIT changed();
}

void NodesSession::read(std::int64_t now_us)
{
    const std::int64_t step = now_us / kStep_us;
    for (const NodeRow& node : m_session.nodes()) {
        readNode(node, step);
    }
    if (m_tracks.size() > m_session.nodes().size()) {
        QSet<QString> known;
        for (const NodeRow& node : m_session.nodes()) {
            known.insert(node.name);
        }
        std::erase_if(m_tracks, [&known](const auto& track) {
            return !known.contains(track.first);
        });
    }
    readFleet(now_us);
    if (!isLive()) {
        return; // What is shown stands still.
    }
    m_now_us = now_us;
    readSummary(now_us);
    Q_EMIT changed();
}

void NodesSession::readNode(const NodeRow& node, std::int64_t step)
{
    auto [found, isNew] = m_tracks.try_emplace(node.name);
    Track& track = found->second;
    if (isNew) {
        track.firstStep = step;
        track.lastStep = step - 1;
    }
    for (std::int64_t at = std::max(track.lastStep + 1, step - kKeptSteps + 1); at <= step; ++at) {
        track.ring[slotOf(at)] = {};
    }
    track.lastStep = std::max(track.lastStep, step);
    if (node.lastFrame_us == track.frame_us || !isReporting(node)) {
        return;
    }
    track.frame_us = node.lastFrame_us;
    Track::Sum& sum = track.ring[slotOf(step)];
    sum.rps += static_cast<float>(node.rps);
    sum.cpu += static_cast<float>(node.cpuPercent);
    ++sum.frames;
}

void NodesSession::readFleet(std::int64_t now_us)
{
    FleetSecond second;
    second.time_us = now_us - now_us % kMicro;
    std::vector<double> cpu;
    for (const NodeRow& node : m_session.nodes()) {
        if (!isReporting(node)) {
            continue;
        }
        second.rpsOfZone[node.zone] += node.rps;
        second.connections += static_cast<double>(node.connections);
        second.upstreamConnections += static_cast<double>(node.upstreamConnections);
        cpu.push_back(node.cpuPercent);
    }
    if (cpu.empty()) {
        return;
    }
    const auto middle = cpu.begin() + static_cast<std::ptrdiff_t>(cpu.size() / 2);
    std::nth_element(cpu.begin(), middle, cpu.end());
    second.cpuMedian = *middle;
    second.cpuHighest = *std::max_element(cpu.begin(), cpu.end());
    if (!m_fleet.empty() && m_fleet.back().time_us == second.time_us) {
        m_fleet.pop_back();
    }
    m_fleet.push_back(std::move(second));
    while (m_fleet.size() > kKeptSeconds) {
        m_fleet.pop_front();
    }
}

void NodesSession::readSummary(std::int64_t now_us)
{
    FleetSummary summary;
    std::map<QString, int> versions;
    for (const NodeRow& node : nodes()) {
        ++summary.nodes;
        // What a silent node ran is no knowledge of what it runs.
        summary.converged += node.isConverged && isReporting(node) ? 1 : 0;
        summary.attention += needsAttention(verdictOf(node, now_us)) ? 1 : 0;
        const bool isGateway = node.role == NodeRoleKind::Gateway;
        summary.gateways += isGateway ? 1 : 0;
        if (!node.version.isEmpty()) {
            ++versions[node.version];
        }
        const bool isSooner = node.certificateEnd_us != 0
                              && (summary.certificateEnd_us == 0
                                  || node.certificateEnd_us < summary.certificateEnd_us);
        if (isSooner) {
            summary.certificateEnd_us = node.certificateEnd_us;
            summary.certificateNode = node.name;
        }
        if (!isReporting(node)) {
            if (node.lastFrame_us != 0) {
                summary.silent.append(node.name);
            }
            continue;
        }
        ++summary.reporting;
        summary.connections += node.connections;
        summary.upstreamConnections += node.upstreamConnections;
        summary.rpsIn += isGateway ? node.rps : 0;
    }
    int most = 0;
    int all = 0;
    for (const auto& [version, count] : versions) {
        all += count;
        if (count > most) {
            most = count;
            summary.version = version;
        }
    }
    summary.otherVersions = all - most;
    summary.revision = !isLive()                       ? m_session.moment().revision
                       : m_session.revisions().empty() ? 0
                                                       : m_session.revisions().front().id;
    m_summary = std::move(summary);
}

NodesSession::History NodesSession::history(const QString& node) const
{
    History history;
    const std::int64_t last = m_now_us / kStep_us;
    const std::int64_t first = last - kSteps + 1;
    history.begin_us = first * kStep_us;
    history.known = kSteps;
    const auto found = m_tracks.find(node);
    if (found == m_tracks.end()) {
        return history;
    }
    const Track& track = found->second;
    const std::int64_t known = std::max(track.firstStep, track.lastStep - kKeptSteps + 1);
    history.known = static_cast<int>(std::clamp<std::int64_t>(known - first, 0, kSteps));
    for (std::int64_t at = std::max(first, known); at <= std::min(last, track.lastStep); ++at) {
        const Track::Sum& sum = track.ring[slotOf(at)];
        if (sum.frames > 0) {
            NodeSample& sample = history.samples[static_cast<std::size_t>(at - first)];
            sample.rps = static_cast<double>(sum.rps) / sum.frames;
            sample.cpuPercent = static_cast<double>(sum.cpu) / sum.frames;
        }
    }
    return history;
}

} // namespace mesh::bridge
