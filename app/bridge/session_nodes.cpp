// One node at a time: what it measures of itself, what it shows, and what an operator asks of it.
#include "app/bridge/session_private.h"
#include "proxyengine/base/log.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/config/node_certificates.h"
#include "proxyengine/model/canonical.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>

namespace mesh::bridge {

namespace {

constexpr double kMicrosecondsPerSecond = 1e6;
constexpr std::int64_t kClockCreep_us = 500; // A shorter way is believed longer than a long one.
constexpr Duration kDrainGrace = std::chrono::seconds(30);
constexpr qsizetype kHashShown = 12;
constexpr QLatin1String kRefusedAction(".refused"); // "node.drain.refused"

NodeTargetRow::Health healthOf(telemetry::TargetState state)
{
    switch (state) {
    case telemetry::TargetState::Healthy:
        return NodeTargetRow::Health::Healthy;
    case telemetry::TargetState::Unhealthy:
        return NodeTargetRow::Health::Unhealthy;
    case telemetry::TargetState::DnsError:
        return NodeTargetRow::Health::DnsError;
    case telemetry::TargetState::HealthchecksOff:
        break;
    }
    return NodeTargetRow::Health::Unchecked;
}

api::HealthOverride overrideOf(TargetOverride health)
{
    switch (health) {
    case TargetOverride::Healthy:
        return api::HealthOverride::Healthy;
    case TargetOverride::Unhealthy:
        return api::HealthOverride::Unhealthy;
    case TargetOverride::None:
        break;
    }
    return api::HealthOverride::None;
}

QString overrideWord(TargetOverride health)
{
    switch (health) {
    case TargetOverride::Healthy:
        return QStringLiteral("healthy");
    case TargetOverride::Unhealthy:
        return QStringLiteral("unhealthy");
    case TargetOverride::None:
        break;
    }
    return QStringLiteral("by its checks");
}

NodeTargetRow rowOf(const telemetry::TargetHealth& health)
{
    NodeTargetRow row;
    row.upstream = QString::fromStdString(health.upstream);
    row.target = QString::fromStdString(health.target);
    row.workload = QString::fromStdString(health.workload);
    row.zone = QString::fromStdString(health.zone);
    row.weight = health.weight;
    row.health = healthOf(health.state);
    row.reason = QString::fromStdString(
        health.reason.empty() && !health.suppressed.empty() ? health.suppressed : health.reason
    );
    row.isEjected = health.isEjected;
    row.since_us = health.since.time_since_epoch().count();
    return row;
}

NodeCertificateRow rowOf(const config::NodeCertificate& certificate)
{
    NodeCertificateRow row;
    row.use = QString::fromStdString(certificate.use);
    row.identity = QString::fromStdString(certificate.identity);
    row.subject = QString::fromStdString(certificate.subject);
    for (const std::string& name : certificate.names) {
        row.names.append(QString::fromStdString(name));
    }
    row.begin_us = certificate.notBefore.time_since_epoch().count();
    row.end_us = certificate.notAfter.time_since_epoch().count();
    return row;
}

} // namespace

void MeshSession::Private::readFigures(NodeStatus& status, const telemetry::StatsFrame& frame)
{
    const double seconds =
        std::max(1.0, static_cast<double>(frame.interval.count()) / 1000) / kMicrosecondsPerSecond;
    std::uint64_t requests = 0;
    std::uint64_t errors = 0;
    for (const telemetry::RequestSeries& series : frame.requests) {
        for (const std::uint64_t count : series.answers) {
            requests += count;
        }
        errors += series.answers.front() + series.answers.back();
    }
    status.rps = static_cast<double>(requests) / seconds;
    status.errorRatio.reset();
    if (requests > 0) {
        status.errorRatio = static_cast<double>(errors) / static_cast<double>(requests);
    }
    status.cpuPercent = toSeconds(frame.cpu) / seconds * 100;
    status.connections = frame.connections;
    status.upstreamConnections = 0;
    for (const telemetry::AttemptSeries& series : frame.attempts) {
        status.upstreamConnections += series.connections;
    }
    status.memoryBytes = frame.memory;
    // A frame can only be late: the least late one says most about the clock.
    const std::int64_t offset_us = frame.time.time_since_epoch().count() - now_us();
    status.clockOffset_us = std::max(
        offset_us, status.clockOffset_us ? *status.clockOffset_us - kClockCreep_us : offset_us
    );
}

void MeshSession::Private::addNodeFacts(NodeRow& row, const NodeStatus& status) const
{
    row.rps = status.rps;
    row.errorRatio = status.errorRatio;
    row.cpuPercent = status.cpuPercent;
    row.connections = status.connections;
    row.upstreamConnections = status.upstreamConnections;
    row.memoryBytes = status.memoryBytes;
    if (status.clockOffset_us) {
        row.clockOffset_ms = *status.clockOffset_us / 1000;
    }
    row.isInMaintenance = status.isInMaintenance;
    const auto revision = revisionOfHash.find(status.hash);
    row.revision = revision == revisionOfHash.end() ? 0 : revision->second;
    // What is on its way to it is no drift.
    row.isDrifted =
        !status.hash.empty() && row.revision == 0 && !pending && !revisions.empty() && !isStarting;
}

void MeshSession::Private::readCertificates()
{
    certificates.clear();
    if (document->certificates.empty()) {
        return;
    }
    for (const model::Node& node : document->nodes) {
        std::vector<NodeCertificateRow> rows;
        for (const config::NodeCertificate& shown : config::certificatesOf(*document, node.name)) {
            rows.push_back(rowOf(shown));
        }
        if (!rows.empty()) {
            certificates[node.name] = std::move(rows);
        }
    }
}

void MeshSession::Private::followNodes()
{
    if (!options.nodeFollower || live || isStarting) {
        return;
    }
    std::map<std::string, std::string> wanted;
    for (const model::Node& node : document->nodes) {
        if (node.admin) {
            wanted[node.name] = *node.admin;
        }
    }
    for (auto it = followed.begin(); it != followed.end();) {
        const auto still = wanted.find(it->first);
        if (still != wanted.end() && still->second == it->second) {
            ++it;
            continue;
        }
        if (const auto extra = extras.find(it->first); extra != extras.end()) {
            extra->second.engine->stop(Duration::zero());
            extras.erase(extra);
        }
        nodes.erase(it->first);
        it = followed.erase(it);
    }
    for (const auto& [name, admin] : wanted) {
        if (extras.contains(name)) {
            continue; // Followed already, or connected by hand.
        }
        auto made = options.nodeFollower(name, admin);
        if (!made) {
            nodes[name].state = api::EngineState::Unreachable;
            setBanner(
                BannerKind::NodeRefused,
                MeshSession::tr("%1 cannot be followed: %2.")
                    .arg(
                        QString::fromStdString(name), QString::fromStdString(made.error().message)
                    ),
                QString::fromStdString(admin)
            );
            continue;
        }
        addEngine(name, std::move(made->engine), std::move(made->reads));
        followed[name] = admin;
    }
    updateNodes();
}

void MeshSession::Private::answerCommand(const QString& node, bool isSuccess, const QString& words)
{
    Q_EMIT q.nodeCommandFinished(node, isSuccess, words);
}

void MeshSession::Private::command(
    const QString& node, api::Command asked, const QString& done, const NodeAudit& audit
)
{
    if (const WriteAnswer answer = gate.mayWrite(WriteAction::ConfigureNode);
        answer.permit == WritePermit::Refused) {
        answerCommand(node, false, answer.reason);
        return;
    }
    const Result<CommandId> id = submit(node.toStdString(), std::move(asked));
    if (!id) {
        answerCommand(node, false, QString::fromStdString(id.error().message));
        return;
    }
    // What was sent is told at once: a node that drains may never answer.
    records->addAudit(audit.action, node, audit.detail);
    nodeCommands[{node.toStdString(), *id}] = {done, audit};
}

void MeshSession::Private::finishCommand(const std::string& node, const api::CommandDone& event)
{
    const auto asked = nodeCommands.find({node, event.id});
    if (asked == nodeCommands.end()) {
        return;
    }
    const auto [done, audit] = asked->second;
    nodeCommands.erase(asked);
    const QString name = QString::fromStdString(node);
    const QString words =
        event.result ? done : QString::fromStdString(event.result.error().message);
    if (!event.result) {
        records->addAudit(audit.action + kRefusedAction, name, words);
    }
    answerCommand(name, event.result.has_value(), words);
    updateNodes();
}

void MeshSession::Private::adopt(const QString& node)
{
    const auto extra = extras.find(node.toStdString());
    if (extra == extras.end() || !extra->second.reads.document) {
        answerCommand(
            node, false, MeshSession::tr("%1 is not followed through its admin address.").arg(node)
        );
        return;
    }
    reader.join();
    reader = Thread("node-reader", [this, node, read = extra->second.reads.document] {
        auto answer = std::make_shared<const Result<std::string>>(read());
        post([this, node, answer] {
            if (!*answer) {
                answerCommand(node, false, QString::fromStdString(answer->error().message));
                return;
            }
            const config::DecodeResult decoded = config::decode(**answer);
            if (config::hasErrors(decoded.problems)) {
                answerCommand(
                    node,
                    false,
                    QString::fromStdString(config::toText(decoded.problems.front(), "node"))
                );
                return;
            }
            q.setDraftText(QString::fromStdString(config::toYaml(model::canonical(decoded.document))
            ));
            records->addAudit(
                QStringLiteral("node.adopt"),
                node,
                MeshSession::tr("configuration %1 becomes the draft")
                    .arg(QString::fromStdString(config::hashOf(decoded.document)).left(kHashShown))
            );
            answerCommand(
                node,
                true,
                MeshSession::tr("What %1 runs is the draft now; nothing was sent.").arg(node)
            );
        });
    });
}

std::vector<NodeTargetRow> MeshSession::targets(const QString& node) const
{
    std::vector<NodeTargetRow> rows;
    const auto found = m_private->nodes.find(node.toStdString());
    if (found != m_private->nodes.end()) {
        for (const auto& [key, health] : found->second.health) {
            rows.push_back(rowOf(health));
        }
    }
    return rows;
}

const std::vector<NodeCertificateRow>& MeshSession::certificates(const QString& node) const
{
    static const std::vector<NodeCertificateRow> kNone;
    const auto found = m_private->certificates.find(node.toStdString());
    return found == m_private->certificates.end() ? kNone : found->second;
}

void MeshSession::setTargetHealth(
    const QString& node, const QString& upstream, const QString& target, TargetOverride health
)
{
    const QString done =
        health == TargetOverride::None ? tr("%1 judges %2 by its checks again.").arg(node, target)
        : health == TargetOverride::Healthy ? tr("%1 takes %2 for healthy.").arg(node, target)
                                            : tr("%1 sends nothing to %2.").arg(node, target);
    m_private->command(
        node,
        api::SetTargetHealth{upstream.toStdString(), target.toStdString(), overrideOf(health)},
        done,
        {QStringLiteral("node.target_health"),
         QStringLiteral("%1 %2: %3").arg(upstream, target, overrideWord(health))}
    );
}

void MeshSession::drainNode(const QString& node)
{
    m_private->command(
        node,
        api::Drain{kDrainGrace},
        tr("%1 takes nothing new and ends when what it has is done.").arg(node),
        {QStringLiteral("node.drain"), {}}
    );
}

void MeshSession::setNodeMaintenance(const QString& node, NodeMaintenance maintenance)
{
    const bool isOn = maintenance == NodeMaintenance::On;
    m_private->command(
        node,
        api::SetMaintenance{isOn ? api::Maintenance::On : api::Maintenance::Off},
        isOn ? tr("%1 takes no new connection until maintenance ends.").arg(node)
             : tr("%1 takes connections again.").arg(node),
        {QStringLiteral("node.maintenance"), isOn ? QStringLiteral("on") : QStringLiteral("off")}
    );
}

void MeshSession::setNodeLogLevel(const QString& node, const QString& level)
{
    const auto parsed = parseLogLevel(level.toStdString());
    if (!parsed) {
        m_private->answerCommand(node, false, QString::fromStdString(parsed.error().message));
        return;
    }
    m_private->command(
        node,
        api::SetLogLevel{*parsed},
        tr("%1 logs from %2 on.").arg(node, level),
        {QStringLiteral("node.log_level"), level}
    );
}

void MeshSession::restoreNode(const QString& node)
{
    if (m_private->revisions.empty()) {
        m_private->answerCommand(node, false, tr("The document has no revision."));
        return;
    }
    m_private->command(
        node,
        api::ApplyDocument{m_private->document},
        tr("%1 runs revision %2 again.").arg(node).arg(m_private->revisions.front().id),
        {QStringLiteral("node.restore"), tr("revision %1").arg(m_private->revisions.front().id)}
    );
}

void MeshSession::adoptNode(const QString& node) { m_private->adopt(node); }

void MeshSession::tryNode(const QString& node)
{
    const auto followed = m_private->followed.find(node.toStdString());
    if (followed == m_private->followed.end()) {
        m_private->answerCommand(
            node, false, tr("%1 has no admin address; it is not tried from here.").arg(node)
        );
        return;
    }
    auto made = m_private->options.nodeFollower(followed->first, followed->second);
    if (!made) {
        m_private->answerCommand(node, false, QString::fromStdString(made.error().message));
        return;
    }
    m_private->addEngine(followed->first, std::move(made->engine), std::move(made->reads));
    m_private->answerCommand(node, true, tr("%1 is being asked.").arg(node));
}

} // namespace mesh::bridge
