#include "app/bridge/node_second.h"
#include "app/bridge/session_private.h"
#include "proxyengine/base/limits.h"

#include <QFile>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string_view>
#include <variant>

namespace mesh::bridge {

namespace {

constexpr std::int64_t kSecond_us = 1'000'000;
constexpr double kSilentMax_s = 3.0;

std::int64_t floorSecond(std::int64_t time_us)
{
    return time_us >= 0 ? time_us / kSecond_us : (time_us - kSecond_us + 1) / kSecond_us;
}

std::int64_t processCpu_us()
{
    struct rusage usage = {};
    if (::getrusage(RUSAGE_SELF, &usage) != 0) {
        return 0;
    }
    const auto toMicroseconds = [](const timeval& time) {
        return static_cast<std::int64_t>(time.tv_sec) * kSecond_us + time.tv_usec;
    };
    return toMicroseconds(usage.ru_utime) + toMicroseconds(usage.ru_stime);
}

// Resident memory from the kernel's second field of statm, in pages.
std::uint64_t processMemory()
{
    QFile statm(QStringLiteral("/proc/self/statm"));
    if (!statm.open(QIODevice::ReadOnly)) {
        return 0;
    }
    const QList<QByteArray> fields = statm.readAll().split(' ');
    const auto pageBytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    return fields.size() > 1 ? fields[1].toULongLong() * pageBytes : 0;
}

std::int64_t stepFor(std::int64_t span_s)
{
    constexpr std::int64_t kFineSpan_s = 15 * 60;
    constexpr std::int64_t kMiddleSpan_s = 4 * 3600;
    return span_s <= kFineSpan_s ? 1 : span_s <= kMiddleSpan_s ? 10 : 60;
}

NodeState stateOf(const NodeStatus& status, double silentFor_s)
{
    switch (status.state) {
    case api::EngineState::Starting:
        return NodeState::Starting;
    case api::EngineState::Draining:
        return NodeState::Draining;
    case api::EngineState::Stopped:
        return NodeState::Stopped;
    case api::EngineState::Unreachable:
        return NodeState::Unreachable;
    case api::EngineState::Running:
        break;
    }
    return silentFor_s > kSilentMax_s ? NodeState::Stale : NodeState::Running;
}

} // namespace

std::int64_t bookedSecond(std::int64_t end_us, std::int64_t interval_us, std::int64_t lastSecond)
{
    const std::int64_t middle_us = end_us - interval_us / 2;
    const std::int64_t expected = lastSecond + 1;
    const std::int64_t expectedMiddle_us = expected * kSecond_us + kSecond_us / 2;
    const bool isSteady = lastSecond != 0 && std::abs(middle_us - expectedMiddle_us) <= kSecond_us;
    return isSteady ? expected : floorSecond(middle_us);
}

void MeshSession::Private::onWake()
{
    if (!isWoken.exchange(true)) {
        QMetaObject::invokeMethod(
            &receiver,
            [this] {
                if (!drainTimer.isActive()) {
                    drainTimer.start();
                }
            },
            Qt::QueuedConnection
        );
    }
}

void MeshSession::Private::drain()
{
    isWoken.store(false);
    bool isAnswered = false;
    for (const NodeEvent& event : inbox.take()) {
        std::visit([&](const auto& what) { take(event.node, what); }, event.event);
        isAnswered = isAnswered || std::holds_alternative<api::CommandDone>(event.event)
                     || std::holds_alternative<api::StateEvent>(event.event);
    }
    if (file && !unsaved.empty()) {
        recorded.end_s = std::max(recorded.end_s, unsaved.back().time_s + 1);
        recorded.begin_s = recorded.begin_s == 0 ? unsaved.front().time_s : recorded.begin_s;
        if (file->access().isWritable()) {
            file->addMetrics(std::exchange(unsaved, {}));
        }
        unsaved.clear();
    }
    writeSamples();
    if (std::exchange(isTapNew, false)) {
        Q_EMIT q.tapChanged();
    }
    if (std::exchange(isEventNew, false)) {
        Q_EMIT q.eventsChanged();
        Q_EMIT q.markersChanged();
    }
    if (isAnswered) {
        updateNodes();
        checkApply();
    }
}

void MeshSession::Private::take(const std::string& node, const api::StatsEvent& event)
{
    if (!event.frame) {
        return;
    }
    const telemetry::StatsFrame& frame = *event.frame;
    NodeStatus& status = nodes[node];
    const std::int64_t interval_us = std::max<std::int64_t>(1, frame.interval.count() / 1000);
    status.lastSecond =
        bookedSecond(frame.time.time_since_epoch().count(), interval_us, status.lastSecond);
    status.lastFrame_us = now_us();
    status.hash = frame.hash.empty() ? status.hash : frame.hash;
    readFigures(status, frame);
    if (status.state == api::EngineState::Starting
        || status.state == api::EngineState::Unreachable) {
        status.state = api::EngineState::Running; // It measures, so it runs.
    }
    for (const telemetry::TargetHealth& health : frame.health) {
        status.health[{health.upstream, health.target}] = health;
    }
    readPolicies(status, frame);
    Q_EMIT q.nodeMeasured(secondOf(node, frame, status.lastSecond));
    links->onFrame(node, frame.hash, frame.time);
    firstSecond = firstSecond == 0 ? status.lastSecond : std::min(firstSecond, status.lastSecond);
    zoneTraffic.add(node, status.lastSecond, frame);
    carriage.add(status.lastSecond, frame);
    for (store::MetricRow& row : store::rowsOf(frame, status.lastSecond)) {
        sums.add(row);
        unsaved.push_back(std::move(row));
    }
}

void MeshSession::Private::take(const std::string& node, const api::StateEvent& event)
{
    NodeStatus& status = nodes[node];
    if (status.state != event.state && event.state == api::EngineState::Unreachable) {
        Marker marker;
        marker.kind = Marker::Kind::Node;
        marker.begin_us = marker.end_us = now_us();
        marker.label = MeshSession::tr("%1 unreachable").arg(QString::fromStdString(node));
        addEvent(std::move(marker));
        links->onUnreachable(node);
    }
    status.state = event.state;
    status.version = event.version;
    status.hash = event.hash;
    status.listeners = event.listeners;
    status.isInMaintenance = event.isInMaintenance;
    status.health.clear();
    for (const telemetry::TargetHealth& health : event.health) {
        status.health[{health.upstream, health.target}] = health;
    }
}

void MeshSession::Private::take(const std::string& node, const api::HealthEvent& event)
{
    telemetry::TargetHealth& known =
        nodes[node].health[{event.health.upstream, event.health.target}];
    const bool isByPolicy = event.health.isEjected || known.isEjected;
    known = event.health;
    if (isByPolicy) {
        return; // Told by the policy's own event, "ejected" or "returned".
    }
    Marker marker;
    marker.kind = Marker::Kind::Ejection;
    marker.begin_us = marker.end_us = event.time.time_since_epoch().count();
    const bool isOut = event.health.state == telemetry::TargetState::Unhealthy
                       || event.health.state == telemetry::TargetState::DnsError;
    const std::string& name =
        event.health.workload.empty() ? event.health.target : event.health.workload;
    marker.label = (isOut ? MeshSession::tr("%1 out") : MeshSession::tr("%1 back"))
                       .arg(QString::fromStdString(name));
    marker.detail = QString::fromStdString(
        event.health.reason.empty() ? node : node + ": " + event.health.reason
    );
    marker.subject = serviceId(EntityNames(*document).serviceOfUpstream(event.health.upstream));
    addEvent(std::move(marker));
}

std::set<std::string> MeshSession::Private::expectedNodes() const
{
    std::set<std::string> expected;
    for (const model::Node& node : document->nodes) {
        expected.insert(node.name);
    }
    for (const auto& [name, extra] : extras) {
        expected.insert(name);
    }
    return expected;
}

// The end of the last second that every node which is not silent has reported.
std::int64_t MeshSession::Private::liveEnd_s() const
{
    std::int64_t end = 0;
    for (const auto& [name, status] : nodes) {
        const bool isSilent = now_us() - status.lastFrame_us > kSecond_us * 3;
        if (status.lastFrame_us != 0 && !isSilent) {
            end = end == 0 ? status.lastSecond + 1 : std::min(end, status.lastSecond + 1);
        }
    }
    // When all are silent the window moves on with the clock and runs empty.
    return end == 0 ? floorSecond(now_us()) : end;
}

void MeshSession::Private::evaluate()
{
    if (!file) {
        return;
    }
    readFaults();
    endQuietPolicies();
    updateNodes();
    noteNodeStates();
    updateHonesty();
    checkApply();
    backUpWhenDue();
    if (context.timeMode() == TimeMode::Live) {
        publishLive();
    }
}

TopologyInput MeshSession::Private::inputAt(
    const std::vector<store::SeriesTotal>& series, double seconds
)
{
    TopologyInput input;
    input.document = document.get();
    input.series = &series;
    input.seconds = std::max(1.0, seconds);
    input.window_s = context.window_s();
    input.inDraft = draftSubjects;
    for (const ProblemRow& problem : problems) {
        if (!problem.subject.isEmpty()) {
            ++input.findings[problem.subject];
        }
    }
    return input;
}

void MeshSession::Private::publishLive()
{
    if (!file) {
        return;
    }
    moment = {};
    comparison = {};
    const std::int64_t end = liveEnd_s();
    const std::int64_t length = context.window_s();
    const auto build = [this, end, length](const std::vector<store::SeriesTotal>& series) {
        const std::int64_t begin = std::max(end - length, firstSecond);
        TopologyInput input =
            inputAt(series, firstSecond == 0 ? 1 : static_cast<double>(end - begin));
        input.now_us = end * kSecond_us;
        for (const auto& [name, status] : nodes) {
            if (status.lastFrame_us != 0) {
                input.silentFor_s[name] = static_cast<double>(now_us() - status.lastFrame_us)
                                          / static_cast<double>(kSecond_us);
            }
            for (const auto& [target, health] : status.health) {
                input.targetHealth.push_back(health);
            }
        }
        input.policies = policiesNow();
        input.carriage = carriage.rows(end, length);
        input.faults = faults;
        if (live) {
            for (const std::string& instance : live->instances()) {
                input.faultable.insert(QString::fromStdString(instance));
            }
        }
        TopologyOutcome outcome = buildTopology(input, &tracker);
        outcome.topology.crossZoneShare = zoneTraffic.crossShare(end, length);
        publish(std::move(outcome));
    };
    sums.moveTo(end, length);
    if (length <= WindowSums::kLengthMax_s || !file->access().isWritable()) {
        build(sums.totals());
        return;
    }
    if (isAskingStore) {
        return;
    }
    isAskingStore = true;
    file->window({end - length, end}, [this, build](Result<store::WindowTotals> totals) {
        auto shared = std::make_shared<Result<store::WindowTotals>>(std::move(totals));
        post([this, build, shared] {
            isAskingStore = false;
            if (*shared && context.timeMode() == TimeMode::Live) {
                build((*shared)->series);
            }
        });
    });
}

void MeshSession::Private::publish(TopologyOutcome outcome)
{
    for (const HealthChange& change : outcome.changes) {
        Marker marker;
        marker.kind = Marker::Kind::HealthChange;
        marker.begin_us = marker.end_us = now_us();
        const bool isBad = change.state == HealthState::Degraded
                           || change.state == HealthState::Failure
                           || change.state == HealthState::Stale;
        marker.label = (isBad ? MeshSession::tr("%1 turned bad") : MeshSession::tr("%1 recovered"))
                           .arg(change.name);
        marker.detail = change.why;
        marker.subject = change.subject;
        addEvent(std::move(marker));
    }
    topology = std::move(outcome.topology);
    // Half an evaluation early is on time: the timer trembles.
    const std::int64_t due_us =
        published_us + (refresh_ms - options.evaluationInterval_ms / 2) * 1000LL;
    const bool isPaced = context.timeMode() == TimeMode::Live && refresh_ms > 1000;
    if (!isPaced || now_us() >= due_us || now_us() < published_us) {
        announceTopology();
    }
    if (std::exchange(isEventNew, false)) {
        Q_EMIT q.eventsChanged();
        Q_EMIT q.markersChanged();
    }
}

void MeshSession::Private::announceTopology()
{
    published_us = now_us();
    Q_EMIT q.topologyChanged(topology);
}

std::vector<NodeRow> MeshSession::Private::configuredNodes(const model::Document& of)
{
    std::vector<NodeRow> rows;
    std::map<std::string_view, int> workloads;
    for (const model::Workload& workload : of.workloads) {
        ++workloads[workload.node];
    }
    for (const model::Node& node : of.nodes) {
        NodeRow row;
        row.name = QString::fromStdString(node.name);
        row.role =
            node.role == model::NodeRole::Gateway ? NodeRoleKind::Gateway : NodeRoleKind::Sidecar;
        row.zone = QString::fromStdString(node.zone.value_or(""));
        row.address =
            node.admin ? QString::fromStdString(*node.admin) : MeshSession::tr("in this process");
        row.isRemote = node.admin.has_value();
        row.workloads = workloads[node.name];
        rows.push_back(std::move(row));
    }
    std::ranges::sort(rows, {}, &NodeRow::name);
    return rows;
}

void MeshSession::Private::updateNodes()
{
    std::vector<NodeRow> rows = configuredNodes(*document);
    std::set<std::string_view> known;
    for (const model::Node& node : document->nodes) {
        known.insert(node.name);
    }
    for (const auto& [name, extra] : extras) {
        if (!known.contains(name)) {
            NodeRow row;
            row.name = QString::fromStdString(name);
            row.isRemote = true;
            rows.push_back(std::move(row));
        }
    }
    for (NodeRow& row : rows) {
        const std::string name = row.name.toStdString();
        row.expectedHash = QString::fromStdString(hash);
        if (const auto shown = certificates.find(name); shown != certificates.end()) {
            row.certificateEnd_us = shown->second.front().end_us;
            row.identity = shown->second.front().identity;
        }
        const auto found = nodes.find(name);
        if (found == nodes.end()) {
            continue;
        }
        const NodeStatus& status = found->second;
        row.lastFrame_us = status.lastFrame_us;
        row.age_ms = status.lastFrame_us == 0 ? -1 : (now_us() - status.lastFrame_us) / 1000;
        row.state = stateOf(status, static_cast<double>(row.age_ms) / 1000);
        row.version = QString::fromStdString(status.version);
        row.hash = QString::fromStdString(status.hash);
        row.isConverged = !row.hash.isEmpty() && row.hash == row.expectedHash;
        addNodeFacts(row, status);
        for (const api::ListenerState& listener : status.listeners) {
            row.listeners.append(QString::fromStdString(listener.name + " " + listener.address));
        }
    }
    std::ranges::sort(rows, {}, &NodeRow::name);
    if (rows != nodeRows) {
        nodeRows = std::move(rows);
        Q_EMIT q.nodesChanged();
    }
}

void MeshSession::Private::updateHonesty()
{
    HonestyFigures figures;
    figures.nodesExpected = static_cast<int>(nodeRows.size());
    for (const NodeRow& row : nodeRows) {
        const bool isReporting =
            row.age_ms >= 0 && static_cast<double>(row.age_ms) <= kSilentMax_s * 1000;
        figures.nodesReporting += isReporting ? 1 : 0;
        figures.nodesConverged += row.isConverged ? 1 : 0;
        if (row.age_ms >= 0) {
            figures.age_ms = figures.age_ms < 0 ? row.age_ms : std::min(figures.age_ms, row.age_ms);
        }
        if (!isReporting && row.age_ms >= 0) {
            figures.silentFor_ms =
                figures.silentNodes.isEmpty() ? row.age_ms : figures.silentFor_ms;
            figures.silentNodes.append(row.name);
        }
    }
    figures.revision = revisions.empty() ? 0 : revisions.front().id;
    figures.changes = draftChanges;
    figures.eventsDropped = inbox.droppedCount();
    figures.memoryBytes = processMemory();
    const std::int64_t cpu_us = processCpu_us();
    const std::int64_t now = now_us();
    if (evaluatedAt_us != 0 && now > evaluatedAt_us) {
        figures.enginePercent = static_cast<double>(cpu_us - cpuBefore_us)
                                / static_cast<double>(now - evaluatedAt_us) * 100;
    }
    cpuBefore_us = cpu_us;
    evaluatedAt_us = now;
    if (figures.eventsDropped > honesty.eventsDropped) {
        setBanner(
            BannerKind::EventsDropped,
            MeshSession::tr("Some requests and measurements were not recorded: the console could "
                            "not keep up."),
            MeshSession::tr(
                "%n event(s) dropped.", nullptr, static_cast<int>(figures.eventsDropped)
            )
        );
    }
    const bool isRunning =
        !nodeRows.empty() && figures.nodesConverged == static_cast<int>(nodeRows.size());
    if (!revisions.empty() && revisions.front().isRunning != isRunning) {
        revisions.front().isRunning = isRunning;
        Q_EMIT q.revisionsChanged();
    }
    honesty = figures;
    Q_EMIT q.honestyChanged();
}

int MeshSession::Private::requestSeries(
    const QString& subject, std::int64_t begin_us, std::int64_t end_us
)
{
    const int request = ++lastRequest;
    if (!file) {
        return request;
    }
    const EntityNames names(*document);
    const auto nameOf = [](const QString& id) {
        return id.section(QLatin1Char(':'), 1).toStdString();
    };
    store::SeriesFilter filter;
    const qsizetype arrow = subject.indexOf(QStringLiteral(" -> "));
    if (subject.isEmpty()) {
        filter.sources.emplace();
        for (const model::Node& node : document->nodes) {
            if (node.role == model::NodeRole::Gateway) {
                filter.sources->push_back(node.name);
            }
        }
        for (const auto& [name, extra] : extras) {
            filter.sources->push_back(name);
        }
    } else if (arrow >= 0) {
        filter.source = nameOf(subject.left(arrow));
        filter.service = nameOf(subject.mid(arrow + 4));
    } else if (subject.startsWith(QStringLiteral("gateway:"))) {
        filter.source = nameOf(subject);
    } else if (subject.startsWith(QStringLiteral("service:"))) {
        filter.service = nameOf(subject);
    } else {
        filter.kind = store::SeriesKind::Attempt;
        filter.instance = subject.toStdString();
    }
    const std::int64_t step = stepFor((end_us - begin_us) / kSecond_us);
    const store::TimeRange range{floorSecond(begin_us), floorSecond(end_us + kSecond_us - 1)};
    file->series(
        std::move(filter),
        range,
        step,
        [this, request, step](Result<std::vector<store::MetricPoint>> points) {
            if (points) {
                post([this, request, series = seriesOf(*points, step)] {
                    Q_EMIT q.seriesReady(request, series);
                });
            }
        }
    );
    return request;
}

const Topology& MeshSession::topology() const { return m_private->topology; }

void MeshSession::setRefreshInterval(int milliseconds) { m_private->refresh_ms = milliseconds; }

int MeshSession::refreshInterval() const { return m_private->refresh_ms; }

void MeshSession::refreshNow() { m_private->announceTopology(); }

int MeshSession::requestSeries(const QString& subject, std::int64_t begin_us, std::int64_t end_us)
{
    return m_private->requestSeries(subject, begin_us, end_us);
}

std::pair<std::int64_t, std::int64_t> MeshSession::recordedRange_us() const
{
    const store::TimeRange& range = m_private->recorded;
    return {range.begin_s * kSecond_us, range.end_s * kSecond_us};
}

const std::vector<NodeRow>& MeshSession::nodes() const { return m_private->nodeRows; }

const HonestyFigures& MeshSession::honesty() const { return m_private->honesty; }

} // namespace mesh::bridge
