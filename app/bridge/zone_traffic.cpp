#include "app/bridge/zone_traffic.h"

namespace mesh::bridge {
namespace {

const std::string& zoneIn(const std::map<std::string, std::string>& zones, const std::string& name)
{
    static const std::string unknown;
    const auto found = zones.find(name);
    return found == zones.end() ? unknown : found->second;
}

} // namespace

void ZoneTraffic::setDocument(const model::Document& document)
{
    m_zoneOfNode.clear();
    m_zoneOfWorkload.clear();
    for (const model::Node& node : document.nodes) {
        m_zoneOfNode[node.name] = node.zone.value_or("");
    }
    for (const model::Workload& workload : document.workloads) {
        m_zoneOfWorkload[workload.name] =
            workload.zone.value_or(zoneIn(m_zoneOfNode, workload.node));
    }
}

void ZoneTraffic::add(
    const std::string& node, std::int64_t second, const telemetry::StatsFrame& frame
)
{
    const std::string& from = zoneIn(m_zoneOfNode, node);
    if (from.empty()) {
        return;
    }
    Second& sums = m_seconds[second];
    for (const telemetry::AttemptSeries& series : frame.attempts) {
        const std::string& to = zoneIn(m_zoneOfWorkload, series.workload);
        if (series.source.empty() || to.empty()) {
            continue;
        }
        for (const std::uint64_t count : series.answers) {
            sums.known += count;
            sums.crossing += to == from ? 0 : count;
        }
    }
    m_seconds.erase(m_seconds.begin(), m_seconds.lower_bound(second - kLengthMax_s));
}

std::optional<double> ZoneTraffic::crossShare(std::int64_t end_s, std::int64_t length_s) const
{
    Second sums;
    const auto end = m_seconds.lower_bound(end_s);
    for (auto at = m_seconds.lower_bound(end_s - length_s); at != end; ++at) {
        sums.known += at->second.known;
        sums.crossing += at->second.crossing;
    }
    if (sums.known == 0) {
        return std::nullopt;
    }
    return static_cast<double>(sums.crossing) / static_cast<double>(sums.known);
}

} // namespace mesh::bridge
