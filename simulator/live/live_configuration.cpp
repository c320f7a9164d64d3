#include "simulator/live/live_configuration.h"

#include "simulator/live/faults.h"
#include "simulator/live/mesh_layout.h"

#include <algorithm>
#include <array>
#include <utility>

namespace mesh::simulator {

namespace {

constexpr std::array kOfConfiguration = {
    FaultKind::RetryStorm,
    FaultKind::BadDeploy,
    FaultKind::CertExpiry,
    FaultKind::StaleEndpoints,
    FaultKind::ConfigDelay,
};

} // namespace

bool LiveConfiguration::isOfConfiguration(FaultKind kind)
{
    return std::ranges::find(kOfConfiguration, kind) != kOfConfiguration.end();
}

LiveConfiguration::LiveConfiguration(
    std::shared_ptr<const model::Document> written, std::vector<Fault> timeline
)
    : m_written(std::move(written))
    , m_timeline(std::move(timeline))
{}

Result<model::Document> LiveConfiguration::begin(model::Document document, WallTime now)
{
    const auto expiry = std::ranges::find(m_timeline, FaultKind::CertExpiry, &Fault::kind);
    if (expiry == m_timeline.end()) {
        return document;
    }
    MESH_TRY(m_credentials, MeshCredentials::make(document, now));
    return m_credentials->secured(std::move(document), {});
}

void LiveConfiguration::setRunning(std::shared_ptr<const model::Document> running)
{
    m_running = std::move(running);
}

bool LiveConfiguration::isActive(const Fault& fault, Duration at) const
{
    return fault.at <= at && (!fault.length || at < fault.at + *fault.length)
           && (!m_stoppedAfter || fault.at <= *m_stoppedAfter);
}

// The nodes of the file are those of several instances; here each instance has its own.
bool LiveConfiguration::isOfNode(const std::string& named, std::string_view node) const
{
    if (named == node) {
        return true;
    }
    return std::ranges::any_of(m_running->workloads, [&](const model::Workload& each) {
        if (each.node != node) {
            return false;
        }
        const auto written =
            std::ranges::find(m_written->workloads, each.name, &model::Workload::name);
        return written != m_written->workloads.end() && written->node == named;
    });
}

Duration LiveConfiguration::configLateness(std::string_view node, Duration at) const
{
    Duration late{};
    for (const Fault& fault : m_timeline) {
        if (fault.kind == FaultKind::ConfigDelay && isActive(fault, at)
            && isOfNode(fault.target.node, node)) {
            late = std::max(late, fault.by);
        }
    }
    return late;
}

Duration LiveConfiguration::lateness(std::string_view node, std::string_view service, Duration at)
    const
{
    Duration late = configLateness(node, at);
    for (const Fault& fault : m_timeline) {
        if (fault.kind == FaultKind::StaleEndpoints && isActive(fault, at)
            && fault.target.service == service) {
            late = std::max(late, fault.by);
        }
    }
    return late;
}

LiveConfiguration::Wanted LiveConfiguration::wantedBy(const model::Node& node, Duration at) const
{
    Wanted wanted;
    for (const Fault& fault : m_timeline) {
        if (fault.kind == FaultKind::RetryStorm && isActive(fault, at)) {
            wanted.storms.push_back(fault);
        }
    }
    addExpired(wanted, node, at);
    addVersions(wanted, node, at);
    return wanted;
}

// A renewed certificate comes with the configuration: where that is late, the old one stays.
void LiveConfiguration::addExpired(Wanted& wanted, const model::Node& node, Duration at) const
{
    for (const Fault& fault : m_timeline) {
        if (fault.kind != FaultKind::CertExpiry || fault.at > at
            || (m_stoppedAfter && fault.at > *m_stoppedAfter)) {
            continue;
        }
        if (fault.length) {
            const Duration end = fault.at + *fault.length;
            if (at >= end + configLateness(node.name, end)) {
                continue;
            }
        }
        for (const std::string& name : workloadsOf(*m_running, fault)) {
            const auto workload =
                std::ranges::find(m_running->workloads, name, &model::Workload::name);
            if (workload->node == node.name) {
                wanted.expired.insert(name);
            }
        }
    }
}

// A node goes by the versions of the last change that has reached it.
void LiveConfiguration::addVersions(Wanted& wanted, const model::Node& node, Duration at) const
{
    for (const model::ServiceModel& model : m_running->models) {
        std::optional<Duration> seen;
        const auto look = [&](Duration changed) {
            const Duration from = changed + lateness(node.name, model.service, changed);
            if (from <= at && (!seen || from > *seen)) {
                seen = from;
            }
        };
        for (const Fault& fault : m_timeline) {
            if (fault.kind == FaultKind::BadDeploy && fault.target.service == model.service
                && (!m_stoppedAfter || fault.at <= *m_stoppedAfter)) {
                look(fault.at);
                if (fault.length) {
                    look(fault.at + *fault.length);
                }
            }
        }
        for (const Fault& fault : m_timeline) {
            if (seen && fault.kind == FaultKind::BadDeploy && !fault.version.empty()
                && fault.target.service == model.service && isActive(fault, *seen)) {
                for (const std::string& name : workloadsOf(*m_running, fault)) {
                    wanted.versions[name] = fault.version;
                }
            }
        }
    }
}

model::Document LiveConfiguration::made(const Wanted& wanted) const
{
    model::Document document = withStorms(*m_running, wanted.storms);
    for (model::Workload& workload : document.workloads) {
        const auto version = wanted.versions.find(workload.name);
        if (version != wanted.versions.end()) {
            workload.version = version->second;
        }
    }
    return m_credentials ? m_credentials->secured(std::move(document), wanted.expired) : document;
}

std::vector<LiveConfiguration::Change> LiveConfiguration::changesAt(
    Duration passed, std::optional<Duration> stoppedAfter
)
{
    m_stoppedAfter = stoppedAfter;
    std::vector<Change> changes;
    std::vector<Wanted> kinds; // By change.
    for (const model::Node& node : m_running->nodes) {
        Wanted wanted = wantedBy(node, passed);
        Wanted& told = m_told[node.name];
        if (wanted == told) {
            continue;
        }
        told = wanted;
        const auto known = std::ranges::find(kinds, wanted);
        if (known != kinds.end()) {
            changes[static_cast<std::size_t>(known - kinds.begin())].nodes.push_back(node.name);
            continue;
        }
        changes.push_back({{node.name}, made(wanted)});
        kinds.push_back(std::move(wanted));
    }
    return changes;
}

std::vector<LiveConfiguration::Delay> LiveConfiguration::delaysAt(Duration passed)
{
    std::vector<Delay> changed;
    for (const model::Node& node : m_running->nodes) {
        for (const model::Service& service : m_running->services) {
            const Duration by = lateness(node.name, service.name.value_or(""), passed);
            Duration& told = m_delays[{node.name, service.host}];
            if (by != told) {
                told = by;
                changed.push_back({node.name, service.host, by});
            }
        }
    }
    return changed;
}

} // namespace mesh::simulator
