#pragma once

#include "proxyengine/model/document.h"
#include "proxyengine/telemetry/frame.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace mesh::bridge {

// How much of the recent traffic crossed zones: attempts from a node in one zone to an instance in
// another. Series do not keep the caller's zone, so this is known for live frames only.
//
// Limits: keeps kLengthMax_s seconds.
class ZoneTraffic
{
public:
    static constexpr std::int64_t kLengthMax_s = 300;

    // Zones of nodes and workloads; what was counted stays.
    void setDocument(const model::Document& document);
    // Books the attempts of a frame on its second. Inbound listeners (empty source) do not count:
    // they never leave the node.
    void add(const std::string& node, std::int64_t second, const telemetry::StatsFrame& frame);
    // Of the attempts in [end - length, end) whose both zones are known; absent when there are
    // none.
    [[nodiscard]] std::optional<double> crossShare(std::int64_t end_s, std::int64_t length_s) const;
    void clear() { m_seconds.clear(); }

private:
    struct Second
    {
        std::uint64_t known = 0;
        std::uint64_t crossing = 0;
    };

    std::map<std::string, std::string> m_zoneOfNode;
    std::map<std::string, std::string> m_zoneOfWorkload;
    std::map<std::int64_t, Second> m_seconds;
};

} // namespace mesh::bridge
