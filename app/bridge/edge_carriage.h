#pragma once

#include "app/bridge/topology.h"
#include "proxyengine/model/gateway.h"
#include "proxyengine/telemetry/frame.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace mesh::bridge {

// What carried the recent traffic between two, as their nodes counted it.
struct CarriageRow
{
    std::string source; // As in a RequestSeries; empty: an inbound listener, whoever called.
    std::string service;
    telemetry::EdgeProtocol protocol = telemetry::EdgeProtocol::Http;
    std::uint64_t mtls = 0;
    std::uint64_t plaintext = 0;
    friend bool operator==(const CarriageRow&, const CarriageRow&) = default;
};

// Protocols and protection of the last minutes. Series do not keep them, so they are known for
// live frames only.
//
// Limits: keeps kLengthMax_s seconds.
class EdgeCarriage
{
public:
    static constexpr std::int64_t kLengthMax_s = 300;

    void add(std::int64_t second, const telemetry::StatsFrame& frame);
    // Sums of [end - length, end), sorted by (source, service). The protocol is the newest one.
    [[nodiscard]] std::vector<CarriageRow> rows(std::int64_t end_s, std::int64_t length_s) const;
    void clear() { m_seconds.clear(); }

private:
    using Ends = std::pair<std::string, std::string>;

    std::map<std::int64_t, std::map<Ends, CarriageRow>> m_seconds;
};

// What the document alone says of a service's traffic.
[[nodiscard]] telemetry::EdgeProtocol protocolOf(model::Protocol protocol);

// Closed when all was under mutual TLS, Open when nothing was; Unknown when no hop was counted.
[[nodiscard]] EdgeLock lockOf(std::uint64_t mtls, std::uint64_t plaintext);
[[nodiscard]] QString lockTextOf(const CarriageRow& row, int window_s); // Empty: nothing to say.

void describe(const CarriageRow& carried, int window_s, EdgeRow& edge);

} // namespace mesh::bridge
