#include "app/bridge/topology_builder.h"

#include "app/bridge/format.h"
#include "app/bridge/topology_policies.h"

#include <QCoreApplication>

#include <algorithm>
#include <set>

namespace mesh::bridge {

namespace {

QString tr(const char* text) { return QCoreApplication::translate("mesh::bridge::Topology", text); }

QString toQt(const std::string& text) { return QString::fromStdString(text); }

// The engine's reason names its verdict first; the row says it already.
QString withoutVerdict(const QString& reason)
{
    const QString verdict = QStringLiteral("ejected: ");
    return reason.startsWith(verdict) ? reason.mid(verdict.size()) : reason;
}

// What is collected about one entity before its row is written.
struct EntitySums
{
    EntityRow row;
    store::MetricValue requests;
    std::uint64_t attempts = 0;
    std::set<std::string> reporters; // Nodes that speak for it.
    std::set<QString> zones;
    std::set<QString> versions;
};

std::string tagOf(const model::Tags& tags, const std::string& prefix)
{
    for (const std::string& tag : tags) {
        if (tag.starts_with(prefix)) {
            return tag.substr(prefix.size());
        }
    }
    return {};
}

// Holds the parts of one turn; its functions are the steps of buildTopology() in their order.
class Build
{
public:
    explicit Build(const TopologyInput& input)
        : m_input(input)
        , m_names(*input.document)
        , m_policies(input, m_names)
    {}

    void listEntities();
    void listInstances();
    void addTraffic();
    void markInstances();
    void readCarriage();
    TopologyOutcome finish(HealthTracker* tracker);

private:
    void listUpstreamTargets(const model::Service& service, EntitySums& entity);
    void addRequests(const store::SeriesTotal& series);
    void addAttempts(const store::SeriesTotal& series);
    void markHealth(InstanceRow& instance) const;
    void markFaults(InstanceRow& instance) const;
    EntitySums& entity(const QString& id, const std::string& name, EntityKind kind);
    [[nodiscard]] HealthEvidence evidenceOf(const EntitySums& entity) const;
    [[nodiscard]] std::optional<double> silenceOf(const std::set<std::string>& nodes) const;
    [[nodiscard]] static HealthVerdict track(
        HealthTracker* tracker,
        const QString& id,
        const HealthEvidence& evidence,
        std::int64_t now_us,
        std::int64_t& since_us,
        bool& isChanged
    );

    const TopologyInput& m_input;
    EntityNames m_names;
    PolicyPlaces m_policies;
    std::map<QString, EntitySums> m_entities;
    std::map<std::pair<QString, QString>, store::MetricValue> m_edges;
    std::map<std::pair<QString, QString>, CarriageRow> m_carriage; // Of m_edges' keys.
    std::map<QString, CarriageRow> m_inbound; // By EntityRow::id.
    std::map<QString, std::string> m_nodeOfInstance;
    std::map<QString, store::MetricValue> m_instanceSums; // By workload name or target address.
};

EntitySums& Build::entity(const QString& id, const std::string& name, EntityKind kind)
{
    const auto [place, isNew] = m_entities.try_emplace(id);
    if (isNew) {
        place->second.row.id = id;
        place->second.row.name = toQt(name);
        place->second.row.kind = kind;
    }
    return place->second;
}

void Build::listEntities()
{
    for (const model::Node& node : m_input.document->nodes) {
        if (node.role != model::NodeRole::Gateway) {
            continue;
        }
        EntitySums& gateway = entity(gatewayId(node.name), node.name, EntityKind::Gateway);
        gateway.row.isEntry = true;
        gateway.reporters.insert(node.name);
        if (node.zone) {
            gateway.zones.insert(toQt(*node.zone));
        }
    }
    for (const model::Service& service : m_input.document->services) {
        if (service.name && service.enabled) {
            entity(serviceId(*service.name), *service.name, EntityKind::Service);
        }
    }
}

void Build::listInstances()
{
    std::map<std::string, std::string> zoneOfNode;
    for (const model::Node& node : m_input.document->nodes) {
        zoneOfNode[node.name] = node.zone.value_or("");
    }
    for (const model::Workload& workload : m_input.document->workloads) {
        EntitySums& service =
            entity(serviceId(workload.service), workload.service, EntityKind::Service);
        InstanceRow instance;
        instance.id = toQt(workload.name);
        instance.service = service.row.id;
        instance.zone = toQt(workload.zone.value_or(zoneOfNode[workload.node]));
        instance.version = toQt(workload.version.value_or(""));
        instance.address = toQt(workload.address);
        instance.canFault = m_input.faultable.contains(instance.id);
        m_nodeOfInstance[instance.id] = workload.node;
        service.reporters.insert(workload.node);
        service.row.instances.push_back(std::move(instance));
    }
    for (const model::Service& service : m_input.document->services) {
        if (service.name && service.enabled) {
            EntitySums& sums = m_entities.at(serviceId(*service.name));
            if (sums.row.instances.empty()) {
                listUpstreamTargets(service, sums);
            }
        }
    }
}

void Build::listUpstreamTargets(const model::Service& service, EntitySums& entity)
{
    const auto& upstreams = m_input.document->upstreams;
    const auto upstream = std::ranges::find(upstreams, service.host, &model::Upstream::name);
    if (upstream == upstreams.end()) {
        return;
    }
    for (const model::Target& target : upstream->targets) {
        InstanceRow instance;
        instance.id = toQt(target.target);
        instance.service = entity.row.id;
        instance.zone = toQt(tagOf(target.tags, "zone:"));
        instance.version = toQt(tagOf(target.tags, "version:"));
        instance.address = instance.id;
        entity.row.instances.push_back(std::move(instance));
    }
}

void Build::addRequests(const store::SeriesTotal& series)
{
    const QString source = m_names.sourceId(series.key.source);
    if (m_names.isGateway(series.key.source)) {
        EntitySums& gateway = entity(source, series.key.source, EntityKind::Gateway);
        gateway.requests.merge(series.value);
        gateway.attempts += series.value.total() + series.value.retries;
    } else {
        entity(source, series.key.source, EntityKind::Unknown);
    }
    if (series.key.service.empty()) {
        return; // No route matched: an answer of the gateway itself.
    }
    const QString target = serviceId(series.key.service);
    EntitySums& service = entity(target, series.key.service, EntityKind::Unknown);
    service.requests.merge(series.value);
    service.attempts += series.value.total() + series.value.retries;
    m_edges[{source, target}].merge(series.value);
}

void Build::addAttempts(const store::SeriesTotal& series)
{
    const std::string& id = series.key.instance.empty() ? series.key.target : series.key.instance;
    m_instanceSums[toQt(id)].merge(series.value);
}

void Build::addTraffic()
{
    for (const store::SeriesTotal& series : *m_input.series) {
        if (series.key.kind == store::SeriesKind::Request) {
            addRequests(series);
        } else if (series.key.kind == store::SeriesKind::Attempt) {
            addAttempts(series);
        }
    }
}

// The callers' views are joined: one that finds the target unhealthy is enough to show it.
void Build::markHealth(InstanceRow& instance) const
{
    for (const telemetry::TargetHealth& health : m_input.targetHealth) {
        const bool isThis = health.workload.empty() ? toQt(health.target) == instance.address
                                                    : toQt(health.workload) == instance.id;
        const bool isOut = health.isEjected || health.state == telemetry::TargetState::Unhealthy
                           || health.state == telemetry::TargetState::DnsError;
        if (isThis && instance.suppressed.isEmpty()) {
            instance.suppressed = toQt(health.suppressed);
        }
        // An ejection says more than a failed check, so that it wins whoever comes first.
        if (!isThis || !isOut || (instance.state != InstanceState::Up && !health.isEjected)) {
            continue;
        }
        instance.state = health.state == telemetry::TargetState::DnsError ? InstanceState::Down
                                                                          : InstanceState::Ejected;
        const auto since_us = health.since.time_since_epoch().count();
        const QString words = health.isEjected ? tr("ejected at %1 · %2") : tr("out since %1 · %2");
        instance.reason = words.arg(formatTime(since_us), withoutVerdict(toQt(health.reason)));
        instance.isEjected = health.isEjected;
        if (instance.isEjected) {
            return;
        }
    }
}

void Build::markFaults(InstanceRow& instance) const
{
    for (const FaultRow& fault : m_input.faults) {
        if (fault.instance != instance.id) {
            continue;
        }
        const bool isKill = fault.kind == FaultKind::Kill;
        if (isKill || fault.kind == FaultKind::Freeze) {
            instance.state = isKill ? InstanceState::Down : InstanceState::Frozen;
            instance.reason = tr("%1 at %2").arg(fault.text, formatTime(fault.since_us));
        }
    }
}

void Build::markInstances()
{
    for (auto& [id, entity] : m_entities) {
        for (InstanceRow& instance : entity.row.instances) {
            const auto sums = m_instanceSums.find(instance.id);
            if (sums != m_instanceSums.end()) {
                instance.figures = figuresOf(sums->second, m_input.seconds);
            }
            markHealth(instance);
            m_policies.markEjected(instance);
            const auto node = m_nodeOfInstance.find(instance.id);
            if (node != m_nodeOfInstance.end()) {
                const auto silence = silenceOf({node->second});
                if (!silence || *silence > HealthRules{}.silentMax_s) {
                    instance.state = silence ? InstanceState::Stale : InstanceState::Starting;
                    instance.reason =
                        silence ? tr("%1 is silent for %2")
                                      .arg(toQt(node->second), formatDuration(*silence * 1000))
                                : tr("%1 has not reported yet").arg(toQt(node->second));
                }
            }
            markFaults(instance);
            if (!instance.zone.isEmpty()) {
                entity.zones.insert(instance.zone);
            }
            if (!instance.version.isEmpty()) {
                entity.versions.insert(instance.version);
            }
        }
        std::ranges::sort(entity.row.instances, {}, &InstanceRow::id);
    }
}

// The shortest silence of those that speak for it; absent: none of them ever did.
std::optional<double> Build::silenceOf(const std::set<std::string>& nodes) const
{
    std::optional<double> shortest;
    for (const auto& [node, silence] : m_input.silentFor_s) {
        if ((nodes.empty() || nodes.count(node) > 0) && (!shortest || silence < *shortest)) {
            shortest = silence;
        }
    }
    return shortest;
}

HealthEvidence Build::evidenceOf(const EntitySums& entity) const
{
    HealthEvidence evidence;
    evidence.silentFor_s = silenceOf(entity.reporters);
    evidence.requests = entity.requests.total();
    evidence.serverErrors = entity.requests.serverErrors();
    evidence.clientErrors = entity.requests.clientErrors();
    evidence.window_s = m_input.window_s;
    evidence.instances = static_cast<int>(entity.row.instances.size());
    for (const InstanceRow& instance : entity.row.instances) {
        const bool isOut = instance.state == InstanceState::Ejected
                           || instance.state == InstanceState::Down
                           || instance.state == InstanceState::Frozen;
        if (isOut && evidence.instancesOut++ == 0) {
            evidence.instanceReason = QStringLiteral("%1: %2").arg(instance.id, instance.reason);
        }
    }
    return evidence;
}

HealthVerdict Build::track(
    HealthTracker* tracker,
    const QString& id,
    const HealthEvidence& evidence,
    std::int64_t now_us,
    std::int64_t& since_us,
    bool& isChanged
)
{
    if (tracker == nullptr) {
        return judge(evidence, HealthRules{}, HealthState::Healthy);
    }
    HealthTracker::Outcome outcome = tracker->evaluate(id, evidence, now_us);
    since_us = outcome.since_us;
    isChanged = outcome.isChanged;
    return std::move(outcome.verdict);
}

// Measured where it can be, else by what the document says of the service.
void Build::readCarriage()
{
    for (const auto& [ends, value] : m_edges) {
        for (const model::Service& service : m_input.document->services) {
            if (service.name && serviceId(*service.name) == ends.second) {
                m_carriage[ends].protocol = protocolOf(service.protocol);
            }
        }
    }
    for (const CarriageRow& row : m_input.carriage) {
        if (row.source.empty()) {
            m_inbound[serviceId(row.service)] = row;
        } else {
            m_carriage[{m_names.sourceId(row.source), serviceId(row.service)}] = row;
        }
    }
}

TopologyOutcome Build::finish(HealthTracker* tracker)
{
    TopologyOutcome outcome;
    outcome.topology.time_us = m_input.now_us;
    for (auto& [id, entity] : m_entities) {
        EntityRow& row = entity.row;
        bool isChanged = false;
        const HealthVerdict verdict =
            track(tracker, id, evidenceOf(entity), m_input.now_us, row.since_us, isChanged);
        row.state = verdict.state;
        row.why = verdict.why;
        row.rule = verdict.rule;
        row.isLowTraffic = verdict.isLowTraffic;
        row.figures = figuresOf(entity.requests, m_input.seconds);
        if (row.figures.requests > 0) {
            row.figures.amplification =
                static_cast<double>(entity.attempts) / static_cast<double>(row.figures.requests);
        }
        row.zones = QStringList(entity.zones.begin(), entity.zones.end());
        const QStringList versions(entity.versions.begin(), entity.versions.end());
        row.version = versions.join(QStringLiteral(" · "));
        row.isInDraft = m_input.inDraft.contains(id);
        const auto findings = m_input.findings.find(id);
        row.findings = findings == m_input.findings.end() ? 0 : findings->second;
        for (const FaultRow& fault : m_input.faults) {
            if (fault.service == id) {
                row.faults.append(QStringLiteral("%1 %2").arg(fault.instance, fault.text));
            }
        }
        row.policies = m_policies.ofEntity(row);
        const auto inbound = m_inbound.find(id);
        if (inbound != m_inbound.end()) {
            const CarriageRow& carried = inbound->second;
            row.lock = lockOf(carried.mtls, carried.plaintext);
            row.lockText = lockTextOf(carried, m_input.window_s);
        }
        if (isChanged) {
            outcome.changes.push_back({id, row.name, row.state, row.why});
        }
        outcome.topology.entities.push_back(std::move(row));
    }
    for (const auto& [ends, value] : m_edges) {
        EdgeRow edge;
        edge.source = ends.first;
        edge.target = ends.second;
        edge.figures = figuresOf(value, m_input.seconds);
        edge.policies = m_policies.ofEdge(edge.source, edge.target);
        const auto carried = m_carriage.find(ends);
        if (carried != m_carriage.end()) {
            describe(carried->second, m_input.window_s, edge);
        }
        if (edge.figures.requests > 0) {
            edge.figures.amplification =
                1.0
                + static_cast<double>(value.retries) / static_cast<double>(edge.figures.requests);
        }
        HealthEvidence evidence;
        evidence.silentFor_s = silenceOf(m_entities.at(ends.first).reporters);
        evidence.requests = value.total();
        evidence.serverErrors = value.serverErrors();
        evidence.clientErrors = value.clientErrors();
        evidence.window_s = m_input.window_s;
        std::int64_t since_us = 0;
        bool isChanged = false;
        edge.state = track(
                         tracker,
                         edgeId(edge.source, edge.target),
                         evidence,
                         m_input.now_us,
                         since_us,
                         isChanged
        )
                         .state;
        outcome.topology.edges.push_back(std::move(edge));
    }
    return outcome;
}

} // namespace

QString serviceId(const std::string& name) { return QStringLiteral("service:") + toQt(name); }

QString gatewayId(const std::string& name) { return QStringLiteral("gateway:") + toQt(name); }

QString edgeId(const QString& source, const QString& target)
{
    return source + QStringLiteral(" -> ") + target;
}

EntityNames::EntityNames(const model::Document& document)
{
    for (const model::Node& node : document.nodes) {
        if (node.role == model::NodeRole::Gateway) {
            m_gateways[node.name] = true;
        }
    }
    for (const model::Service& service : document.services) {
        if (service.name) {
            m_services[*service.name] = true;
            m_serviceOfHost.try_emplace(service.host, *service.name);
        }
        for (const model::Route& route : service.routes) {
            m_serviceOfRoute[route.name.value_or(route.id.value_or(""))] =
                service.name.value_or("");
        }
    }
    for (const model::Route& route : document.routes) {
        m_serviceOfRoute[route.name.value_or(route.id.value_or(""))] = route.service.value_or("");
    }
    for (const model::Workload& workload : document.workloads) {
        m_services[workload.service] = true;
        m_serviceOfListener[workload.name + " inbound"] = workload.service;
    }
}

QString EntityNames::sourceId(const std::string& source) const
{
    // A node that a document without a node list runs on is a gateway.
    const bool isService = m_services.count(source) > 0 && m_gateways.count(source) == 0;
    return isService ? serviceId(source) : gatewayId(source);
}

std::string EntityNames::serviceOfUpstream(const std::string& upstream) const
{
    const auto found = m_serviceOfHost.find(upstream);
    return found == m_serviceOfHost.end() ? upstream : found->second;
}

std::string EntityNames::serviceOfSubject(const std::string& subject) const
{
    const auto colon = subject.find(':');
    if (colon == std::string::npos) {
        return {};
    }
    const std::string_view kind = std::string_view(subject).substr(0, colon);
    const std::string name = subject.substr(colon + 1);
    if (kind == "service") {
        return name;
    }
    if (kind == "route") {
        const auto found = m_serviceOfRoute.find(name);
        return found == m_serviceOfRoute.end() ? std::string() : found->second;
    }
    if (kind == "listener") {
        const auto found = m_serviceOfListener.find(name);
        return found == m_serviceOfListener.end() ? std::string() : found->second;
    }
    return serviceOfUpstream(name.substr(0, name.find('/'))); // "cart" of "cart/10.0.0.3:7001".
}

std::vector<std::string> EntityNames::upstreamsOf(const std::string& service) const
{
    std::vector<std::string> upstreams;
    for (const auto& [host, name] : m_serviceOfHost) {
        if (name == service) {
            upstreams.push_back(host);
        }
    }
    return upstreams.empty() ? std::vector{service} : upstreams;
}

Figures figuresOf(const store::MetricValue& value, double seconds)
{
    Figures figures;
    figures.requests = value.total();
    figures.errors = value.serverErrors();
    if (figures.requests == 0) {
        return figures;
    }
    if (const std::uint64_t bytes = value.bytesIn + value.bytesOut; bytes > 0) {
        figures.bytesPerSecond = static_cast<double>(bytes) / std::max(1.0, seconds);
    }
    const auto all = static_cast<double>(figures.requests);
    figures.rps = all / std::max(1.0, seconds);
    figures.errorRatio = static_cast<double>(figures.errors) / all;
    figures.clientErrorRatio = static_cast<double>(value.clientErrors()) / all;
    if (value.latency.total() > 0) {
        constexpr double kMicrosecondsPerMillisecond = 1000.0;
        figures.p50_ms = value.latency.quantile(0.50) / kMicrosecondsPerMillisecond;
        figures.p95_ms = value.latency.quantile(0.95) / kMicrosecondsPerMillisecond;
        figures.p99_ms = value.latency.quantile(0.99) / kMicrosecondsPerMillisecond;
    }
    return figures;
}

Series seriesOf(const std::vector<store::MetricPoint>& points, std::int64_t step_s)
{
    Series series;
    series.step_us = step_s * 1'000'000;
    const auto seconds = static_cast<double>(step_s);
    for (const store::MetricPoint& stored : points) {
        const Figures figures = figuresOf(stored.value, seconds);
        SeriesPoint point;
        point.time_us = stored.time_s * 1'000'000;
        point.rps4xx = static_cast<double>(stored.value.clientErrors()) / seconds;
        point.rps5xx = static_cast<double>(stored.value.serverErrors()) / seconds;
        point.rps2xx = figures.rps - point.rps4xx - point.rps5xx;
        point.p50_ms = figures.p50_ms;
        point.p95_ms = figures.p95_ms;
        point.p99_ms = figures.p99_ms;
        series.points.push_back(point);
    }
    return series;
}

TopologyOutcome buildTopology(const TopologyInput& input, HealthTracker* tracker)
{
    Build build(input);
    build.listEntities();
    build.listInstances();
    build.addTraffic();
    build.markInstances();
    build.readCarriage();
    return build.finish(tracker);
}

} // namespace mesh::bridge
