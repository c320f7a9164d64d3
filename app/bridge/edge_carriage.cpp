#include "app/bridge/edge_carriage.h"

#include <QCoreApplication>

namespace mesh::bridge {
namespace {

QString tr(const char* text) { return QCoreApplication::translate("mesh::bridge::Topology", text); }

QString nameOf(telemetry::EdgeProtocol protocol)
{
    switch (protocol) {
    case telemetry::EdgeProtocol::Http:
        return QStringLiteral("HTTP");
    case telemetry::EdgeProtocol::Tcp:
        return QStringLiteral("TCP");
    case telemetry::EdgeProtocol::Tls:
        return QStringLiteral("TLS");
    case telemetry::EdgeProtocol::TlsPassthrough:
        return tr("TLS passthrough");
    case telemetry::EdgeProtocol::Udp:
        return QStringLiteral("UDP");
    }
    return {};
}

void addTo(CarriageRow& sum, const CarriageRow& part)
{
    sum.source = part.source;
    sum.service = part.service;
    sum.protocol = part.protocol;
    sum.mtls += part.mtls;
    sum.plaintext += part.plaintext;
}

} // namespace

void EdgeCarriage::add(std::int64_t second, const telemetry::StatsFrame& frame)
{
    for (const telemetry::RequestSeries& series : frame.requests) {
        const bool saysNothing = series.protocol == telemetry::EdgeProtocol::Http
                                 && series.mtls == 0 && series.plaintext == 0;
        if (saysNothing || series.service.empty()) {
            continue;
        }
        addTo(
            m_seconds[second][{series.source, series.service}],
            {series.source, series.service, series.protocol, series.mtls, series.plaintext}
        );
    }
    m_seconds.erase(m_seconds.begin(), m_seconds.lower_bound(second - kLengthMax_s));
}

std::vector<CarriageRow> EdgeCarriage::rows(std::int64_t end_s, std::int64_t length_s) const
{
    std::map<Ends, CarriageRow> sums;
    const auto end = m_seconds.lower_bound(end_s);
    for (auto at = m_seconds.lower_bound(end_s - length_s); at != end; ++at) {
        for (const auto& [ends, row] : at->second) {
            addTo(sums[ends], row);
        }
    }
    std::vector<CarriageRow> rows;
    rows.reserve(sums.size());
    for (auto& [ends, row] : sums) {
        rows.push_back(std::move(row));
    }
    return rows;
}

telemetry::EdgeProtocol protocolOf(model::Protocol protocol)
{
    switch (protocol) {
    case model::Protocol::Tcp:
        return telemetry::EdgeProtocol::Tcp;
    case model::Protocol::Tls:
        return telemetry::EdgeProtocol::Tls;
    case model::Protocol::TlsPassthrough:
        return telemetry::EdgeProtocol::TlsPassthrough;
    case model::Protocol::Udp:
        return telemetry::EdgeProtocol::Udp;
    case model::Protocol::Http:
    case model::Protocol::Https:
    case model::Protocol::Grpc:
    case model::Protocol::Grpcs:
        break;
    }
    return telemetry::EdgeProtocol::Http;
}

EdgeLock lockOf(std::uint64_t mtls, std::uint64_t plaintext)
{
    if (mtls == 0 && plaintext == 0) {
        return EdgeLock::Unknown;
    }
    if (plaintext == 0) {
        return EdgeLock::Closed;
    }
    return mtls == 0 ? EdgeLock::Open : EdgeLock::Half;
}

QString lockTextOf(const CarriageRow& row, int window_s)
{
    const std::uint64_t all = row.mtls + row.plaintext;
    if (all == 0) {
        return {};
    }
    if (row.plaintext == 0) {
        return tr("all %1 requests under mutual TLS in %2 s").arg(all).arg(window_s);
    }
    return tr("%1 of %2 requests in plaintext in %3 s").arg(row.plaintext).arg(all).arg(window_s);
}

void describe(const CarriageRow& carried, int window_s, EdgeRow& edge)
{
    edge.isTcp = carried.protocol != telemetry::EdgeProtocol::Http;
    edge.protocol = nameOf(carried.protocol);
    edge.lock = lockOf(carried.mtls, carried.plaintext);
    edge.lockText = lockTextOf(carried, window_s);
}

} // namespace mesh::bridge
