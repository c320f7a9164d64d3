// The graph of a recorded run at one second.
#include "app/bridge/fault_offers.h"
#include "app/bridge/health.h"
#include "app/bridge/rehearsal_view.h"
#include "app/bridge/topology_builder.h"

#include <QCoreApplication>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

namespace mesh::bridge {

namespace {

using simulator::Fault;
using simulator::FaultKind;
using simulator::RunMarker;
using simulator::RunSecond;
using simulator::RunSeries;

const std::string kGateway = "gateway";

QString words(const char* text) { return QCoreApplication::translate("Rehearsal", text); }

bool isActive(const Fault& fault, double second)
{
    const double begin = toSeconds(fault.at);
    return second >= begin && (!fault.length || second < begin + toSeconds(*fault.length));
}

// The sum of the seconds that end at the playhead.
RunSecond windowOf(const RunSeries& series, double second)
{
    RunSecond sum;
    const auto last = static_cast<long long>(std::floor(second));
    const long long first = std::max(0LL, last - kStageWindow_s + 1);
    for (long long at = first; at <= last; ++at) {
        if (at < static_cast<long long>(series.seconds.size())) {
            sum.merge(series.seconds[static_cast<std::size_t>(at)]);
        }
    }
    return sum;
}

Figures figuresOf(const RunSecond& sum, double second)
{
    Figures figures;
    const double length = std::clamp(std::floor(second) + 1, 1.0, double(kStageWindow_s));
    figures.rps = sum.begun / length;
    const std::uint32_t ended = sum.succeeded + sum.failed;
    figures.requests = ended;
    figures.errors = sum.failed;
    if (ended > 0) {
        figures.errorRatio = static_cast<double>(sum.failed) / ended;
        figures.clientErrorRatio = 0;
        figures.p50_ms = toSeconds(sum.quantile(0.5)) * 1000;
        figures.p95_ms = toSeconds(sum.quantile(0.95)) * 1000;
        figures.p99_ms = toSeconds(sum.quantile(0.99)) * 1000;
    }
    if (sum.begun > 0) {
        figures.amplification = static_cast<double>(sum.attempts) / sum.begun;
    }
    return figures;
}

// Which instances are out at the playhead, and why.
class InstanceStates
{
public:
    InstanceStates(
        const simulator::Rehearsal& rehearsal, const simulator::RunRecord& record, double second
    )
    {
        for (const RunMarker& marker : record.markers) {
            if (toSeconds(marker.at) > second) {
                break;
            }
            note(marker);
        }
        const auto& timeline = rehearsal.scenario.timeline;
        for (std::size_t i = 0; i < timeline.size() && i < rehearsal.faults.size(); ++i) {
            if (isActive(timeline[i], second)) {
                for (const std::string& instance : rehearsal.faults[i].instances) {
                    hit(instance, timeline[i]);
                }
            }
        }
    }

    [[nodiscard]] InstanceState stateOf(const std::string& instance) const
    {
        const auto broken = m_broken.find(instance);
        if (broken != m_broken.end()) {
            return broken->second;
        }
        const auto out = m_callersOut.find(instance);
        return out != m_callersOut.end() && !out->second.empty() ? InstanceState::Ejected
                                                                 : InstanceState::Up;
    }

private:
    void note(const RunMarker& marker)
    {
        if (marker.instance.empty()) {
            return;
        }
        if (marker.kind == RunMarker::Kind::Ejected
            || marker.kind == RunMarker::Kind::CheckFailed) {
            m_callersOut[marker.instance].insert(marker.caller);
        } else if (marker.kind == RunMarker::Kind::Returned || marker.kind == RunMarker::Kind::CheckPassed) {
            m_callersOut[marker.instance].erase(marker.caller);
        }
    }

    void hit(const std::string& instance, const Fault& fault)
    {
        static const std::map<FaultKind, InstanceState> states = {
            {FaultKind::Kill, InstanceState::Down},
            {FaultKind::ZoneOutage, InstanceState::Down},
            {FaultKind::Freeze, InstanceState::Frozen}};
        const auto found = states.find(fault.kind);
        if (found != states.end()) {
            m_broken[instance] = found->second;
        }
    }

    std::map<std::string, InstanceState> m_broken;
    std::map<std::string, std::set<std::string>> m_callersOut;
};

std::string zoneOf(const model::Document& document, const model::Workload& workload)
{
    if (workload.zone) {
        return *workload.zone;
    }
    const auto node = std::ranges::find(document.nodes, workload.node, &model::Node::name);
    return node == document.nodes.end() ? std::string() : node->zone.value_or(std::string());
}

// Instances as the simulator makes them: workloads, or names and zones dealt by the model.
std::vector<InstanceRow> instancesOf(
    const model::Document& document, const std::string& service, const InstanceStates& states
)
{
    std::vector<InstanceRow> rows;
    const auto add = [&](const std::string& name, const std::string& zone) {
        InstanceRow row;
        row.id = QString::fromStdString(name);
        row.service = serviceId(service);
        row.zone = QString::fromStdString(zone);
        row.state = states.stateOf(name);
        rows.push_back(std::move(row));
    };
    for (const model::Workload& workload : document.workloads) {
        if (workload.service == service) {
            add(workload.name, zoneOf(document, workload));
        }
    }
    if (rows.empty()) {
        for (const model::ServiceModel& model : document.models) {
            for (int i = 0; model.service == service && i < model.instances; ++i) {
                const auto zone = static_cast<std::size_t>(i);
                add(service + "-" + std::to_string(i + 1),
                    model.zones.empty() ? std::string() : model.zones[zone % model.zones.size()]);
            }
        }
    }
    std::ranges::sort(rows, {}, &InstanceRow::id);
    return rows;
}

HealthEvidence evidenceOf(const Figures& figures)
{
    HealthEvidence evidence;
    evidence.silentFor_s = 0;
    evidence.requests = figures.requests;
    evidence.serverErrors = figures.errors;
    evidence.window_s = kStageWindow_s;
    return evidence;
}

EntityRow entityOf(
    const std::string& name,
    const RunSecond& sum,
    double second,
    const model::Document& document,
    const InstanceStates& states
)
{
    EntityRow entity;
    entity.id = serviceId(name);
    entity.name = QString::fromStdString(name);
    entity.figures = figuresOf(sum, second);
    entity.instances = instancesOf(document, name, states);
    std::set<QString> zones;
    HealthEvidence evidence = evidenceOf(entity.figures);
    evidence.instances = static_cast<int>(entity.instances.size());
    for (const InstanceRow& instance : entity.instances) {
        zones.insert(instance.zone);
        evidence.instancesOut += instance.state == InstanceState::Up ? 0 : 1;
    }
    entity.zones = QStringList(zones.begin(), zones.end());
    // Instances that are out show as pips; the colour is what callers get.
    evidence.instances = 0;
    evidence.instancesOut = 0;
    const HealthVerdict verdict = judge(evidence, {}, HealthState::Healthy);
    entity.state =
        entity.figures.requests == 0 && entity.figures.rps <= 0 ? HealthState::Idle : verdict.state;
    entity.why = verdict.why;
    entity.rule = verdict.rule;
    return entity;
}

std::string gatewayNode(const model::Document& document)
{
    for (const model::Node& node : document.nodes) {
        if (node.role == model::NodeRole::Gateway) {
            return node.name;
        }
    }
    return kGateway;
}

void addEdges(
    Topology& topology,
    const simulator::RunRecord& record,
    const std::string& gateway,
    double second
)
{
    for (const RunSeries& series : record.edges) {
        const std::size_t arrow = series.name.find("->");
        if (arrow == std::string::npos) {
            continue;
        }
        const std::string caller = series.name.substr(0, arrow);
        EdgeRow edge;
        edge.source = caller == kGateway ? gatewayId(gateway) : serviceId(caller);
        edge.target = serviceId(series.name.substr(arrow + 2));
        edge.figures = figuresOf(windowOf(series, second), second);
        edge.protocol = QStringLiteral("HTTP");
        const HealthVerdict verdict = judge(evidenceOf(edge.figures), {}, HealthState::Healthy);
        const bool isIdle = edge.figures.requests == 0 && edge.figures.rps <= 0;
        edge.state = isIdle ? HealthState::Idle : verdict.state;
        topology.edges.push_back(std::move(edge));
    }
    std::ranges::sort(topology.edges, [](const EdgeRow& a, const EdgeRow& b) {
        return std::tie(a.source, a.target) < std::tie(b.source, b.target);
    });
}

StageFault stageFault(const Fault& fault, int index, double second)
{
    const ClipRow clip = clipOf(fault, index);
    StageFault shown;
    shown.icon = clip.icon;
    if (fault.kind == FaultKind::ZoneOutage) {
        shown.zone = QString::fromStdString(fault.target.zone);
    }
    shown.text = fault.kind == FaultKind::ZoneOutage
                     ? words("zone %1 out").arg(QString::fromStdString(fault.target.zone))
                     : (clip.detail.isEmpty() ? clip.title
                                              : clip.title + QStringLiteral(" · ") + clip.detail);
    shown.isEndless = !fault.length.has_value();
    if (fault.length) {
        shown.left_s = toSeconds(fault.at + *fault.length) - second;
    }
    return shown;
}

} // namespace

StageState stageAt(
    const simulator::Rehearsal& rehearsal,
    const simulator::RunRecord& record,
    const model::Document& document,
    double second
)
{
    StageState stage;
    const InstanceStates states(rehearsal, record, second);
    const std::string gateway = gatewayNode(document);
    Topology& topology = stage.topology;
    topology.time_us = static_cast<std::int64_t>(second * 1e6) + 1;
    for (std::size_t i = 0; i < rehearsal.scenario.timeline.size(); ++i) {
        const Fault& fault = rehearsal.scenario.timeline[i];
        if (isActive(fault, second)) {
            stage.faults.push_back(stageFault(fault, static_cast<int>(i), second));
        }
    }
    std::set<std::string> services;
    for (const RunSeries& series : record.services) {
        if (series.name == kGateway || !services.insert(series.name).second) {
            continue;
        }
        topology.entities.push_back(
            entityOf(series.name, windowOf(series, second), second, document, states)
        );
    }
    for (const model::ServiceModel& model : document.models) {
        if (services.insert(model.service).second) {
            topology.entities.push_back(entityOf(model.service, {}, second, document, states));
        }
    }
    addEdges(topology, record, gateway, second);
    EntityRow edge;
    edge.id = gatewayId(gateway);
    edge.name = QString::fromStdString(gateway);
    edge.kind = EntityKind::Gateway;
    edge.isEntry = true;
    RunSecond all;
    for (const RunSeries& series : record.edges) {
        if (series.name.starts_with(kGateway + "->")) {
            all.merge(windowOf(series, second));
        }
    }
    edge.figures = figuresOf(all, second);
    edge.state = judge(evidenceOf(edge.figures), {}, HealthState::Healthy).state;
    topology.entities.push_back(std::move(edge));
    std::ranges::sort(topology.entities, {}, &EntityRow::id);
    return stage;
}

} // namespace mesh::bridge
