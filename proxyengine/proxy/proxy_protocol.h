#pragma once

#include "proxyengine/model/gateway.h"
#include "proxyengine/net/socket_address.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The PROXY protocol, versions 1 and 2: who the client is, said before the first byte by a load
// balancer in front of this node, or by this node to the services behind it.
// Source: haproxy.org, proxy-protocol.txt, 2020/03/05.
namespace mesh::proxy {

// What a header says.
struct ProxyHeader
{
    std::size_t bytes = 0; // Length of the header; the connection's own bytes follow.
    // Absent: the connection's real addresses count, because the sender speaks for itself (LOCAL,
    // a health check) or does not know (UNKNOWN, UNSPEC, UNIX sockets).
    std::optional<net::SocketAddress> source;
    std::optional<net::SocketAddress> destination;
};

struct ProxyHeaderStep
{
    enum class Status : std::uint8_t { NeedMore, Done, Refused };
    Status status;
    std::string_view reason = {}; // Of a refusal, a literal.
};

// Reads the header at the beginning of `bytes`, all that has come so far.
//
// Strict: one blank between the words of version 1, numbers without needless zeros, addresses of
// the family that was said, a line of 107 bytes at most; in version 2 the lengths of addresses and
// TLVs must fit, whose contents are ignored. Datagrams (UDP) are refused: this is a connection.
// Limits: kProxyHeaderBytesMax.
[[nodiscard]] ProxyHeaderStep readProxyHeader(std::string_view bytes, ProxyHeader& header);

// Appends the header that tells a service of its client. Addresses of two families are both told
// as IPv6; without both addresses it says UNKNOWN or LOCAL.
void appendProxyHeader(
    std::string& out,
    model::ProxyProtocol version,
    const net::SocketAddress& source,
    const net::SocketAddress& destination
);

} // namespace mesh::proxy
