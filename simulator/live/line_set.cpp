#include "simulator/live/line_set.h"

#include "simulator/live/mesh_layout.h"
#include "simulator/scenario/fault_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace mesh::simulator {

namespace {

constexpr std::string_view kGatewayService = "gateway"; // As in virtual time.

bool isKill(FaultKind kind)
{
    return kind == FaultKind::Kill || kind == FaultKind::ZoneOutage || kind == FaultKind::Flap
           || kind == FaultKind::Swizzle;
}

} // namespace

bool LineSet::isOfLines(const Fault& fault)
{
    return fault.kind == FaultKind::Bandwidth
           || (fault.kind == FaultKind::Partition && fault.target.between);
}

bool LineSet::touches(const Fault& fault) { return isOfLines(fault) || isKill(fault.kind); }

LineSet::LineSet(const model::Document& document)
    : m_document(document)
{
    for (const model::Node& node : m_document.nodes) {
        std::set<std::string> services;
        Caller caller{std::string(kGatewayService), node.zone.value_or("")};
        for (const model::Workload& workload : m_document.workloads) {
            if (workload.node == node.name) {
                services.insert(workload.service);
                caller.zone = zoneOf(m_document, workload);
            }
        }
        if (!services.empty()) {
            caller.service = services.size() == 1 ? *services.begin() : std::string();
        }
        m_callers.emplace(node.name, std::move(caller));
    }
}

Result<std::unique_ptr<LineSet>> LineSet::make(
    net::EventLoop& loop, const model::Document& document, const std::vector<Fault>& timeline
)
{
    std::unique_ptr<LineSet> lines(new LineSet(document));
    for (const Fault& fault : timeline) {
        MESH_TRY_VOID(lines->addLines(loop, fault));
    }
    return lines;
}

Result<void> LineSet::addLines(net::EventLoop& loop, const Fault& fault)
{
    for (const auto& [node, caller] : m_callers) {
        if (isOfLines(fault) && caller.service.empty() && fault.target.edge) {
            return fail(
                ErrorCode::Unsupported,
                fmt::format(
                    "{} cannot be played live: {} speaks for several services, and its "
                    "connections do not say for which",
                    toText(fault),
                    node
                )
            );
        }
        for (const model::Workload& workload : m_document.workloads) {
            const std::pair key{caller, workload.name};
            // A node knows its own workloads by their own addresses.
            if (!workload.inbound || workload.node == node || m_addresses.contains(key)
                || !isHit(fault, caller, workload)) {
                continue;
            }
            MESH_TRY(const auto target, net::SocketAddress::parse(*workload.inbound));
            MESH_TRY(auto relay, Relay::listen(loop, target));
            m_addresses.emplace(key, relay->address().toText());
            m_workloads.emplace(relay->address().toText(), workload.name);
            m_lines.push_back({caller, &workload, std::move(relay)});
        }
    }
    return {};
}

bool LineSet::isHit(const Fault& fault, const Caller& caller, const model::Workload& workload) const
{
    if (isOfLines(fault) && fault.target.between) {
        const auto& [first, second] = *fault.target.between;
        const std::string_view zone = zoneOf(m_document, workload);
        return (caller.zone == first && zone == second) || (caller.zone == second && zone == first);
    }
    if (!touches(fault)) {
        return false;
    }
    const std::vector<std::string> hit = workloadsOf(m_document, fault);
    return (!fault.target.edge || fault.target.edge->first == caller.service)
           && std::ranges::find(hit, workload.name) != hit.end();
}

model::Document LineSet::seenFrom(model::Document document, std::string_view node) const
{
    const auto caller = m_callers.find(node);
    for (model::Workload& workload : document.workloads) {
        if (caller == m_callers.end() || workload.node == node) {
            continue;
        }
        const auto line = m_addresses.find({caller->second, workload.name});
        if (line != m_addresses.end()) {
            workload.inbound = line->second;
        }
    }
    return document;
}

void LineSet::begin(const std::shared_ptr<const Fault>& fault)
{
    if (m_lines.empty()) {
        return;
    }
    Active active{fault, {}};
    if (fault->kind == FaultKind::Bandwidth) {
        for (const std::string& name : workloadsOf(m_document, *fault)) {
            active.narrow.emplace(name, std::make_unique<Narrow>(fault->bytesPerSecond));
        }
    }
    m_active.push_back(std::move(active));
    update();
}

void LineSet::end(const std::shared_ptr<const Fault>& fault)
{
    const auto over = std::ranges::find(m_active, fault, &Active::fault);
    if (over == m_active.end()) {
        return;
    }
    const Active kept = std::move(*over); // Until no relay speaks of its ways.
    m_active.erase(over);
    update();
}

void LineSet::update()
{
    for (Line& line : m_lines) {
        line.relay->setFaults(faultsOf(line));
    }
}

LineFaults LineSet::faultsOf(const Line& line) const
{
    LineFaults faults;
    for (const Active& active : m_active) {
        const Fault& fault = *active.fault;
        if (!isHit(fault, line.caller, *line.workload)) {
            continue;
        }
        if (fault.kind == FaultKind::Bandwidth) {
            Narrow& narrow = *active.narrow.at(line.workload->name);
            faults.there.push_back(&narrow.there);
            faults.back.push_back(&narrow.back);
            continue;
        }
        if (isKill(fault.kind)) {
            faults.isRefused = true;
            continue;
        }
        const bool isFromFirst = line.caller.zone == fault.target.between->first;
        faults.isCutThere = faults.isCutThere || !fault.isOneWay || isFromFirst;
        faults.isCutBack = faults.isCutBack || !fault.isOneWay || !isFromFirst;
    }
    return faults;
}

} // namespace mesh::simulator
