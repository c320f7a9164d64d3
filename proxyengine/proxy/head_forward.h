#pragma once

#include "proxyengine/http/head_writer.h"
#include "proxyengine/proxy/exchange.h"

#include <cstdint>
#include <string_view>

namespace mesh::proxy {

// What the proxy says about itself in heads.
struct OwnNames
{
    std::string via; // "1.1 meshwright/0.1"
    std::string server; // "meshwright/0.1"
};
[[nodiscard]] OwnNames makeOwnNames();

struct ClientFacts
{
    std::string_view address; // Without port.
    std::uint16_t listenerPort = 0;
    bool isTls = false;
    TimePoint now{}; // For what is left of a gRPC call's deadline.
    bool isHttp2 = false; // What it speaks to us.
};

// What a TLS handshake with the target asks for and what its certificate must name: the Host that
// the target will be sent, without its port.
[[nodiscard]] std::string_view serverNameFor(
    const Exchange& exchange, const config::UpstreamPlan& upstream, const config::TargetPlan& target
);

// Whether that name is one which the client chose: preserve_host, and the route lists no such host.
[[nodiscard]] bool isNameOfClient(const Exchange& exchange);

// The request as a target of the service gets it: hop-by-hop fields and what only we may say are
// left out, the body is framed anew, the host is the one of this attempt.
void writeUpstreamHead(
    http::HeadWriter& out,
    Exchange& exchange,
    const config::ServicePlan& service,
    const config::UpstreamPlan& upstream,
    const config::TargetPlan& target,
    const ClientFacts& client,
    const OwnNames& names
);

enum class ClientConnectionEnds : std::uint8_t { No, Yes };

// The answer as the client gets it.
void writeClientHead(
    http::HeadWriter& out,
    const Exchange& exchange,
    ClientConnectionEnds ends,
    Duration proxyLatency,
    const OwnNames& names
);

} // namespace mesh::proxy
