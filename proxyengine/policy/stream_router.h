#pragma once

#include "proxyengine/model/gateway.h"
#include "proxyengine/policy/ip_range.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mesh::policy {

// What carries a stream, as far as it is known when a route is asked for.
enum class StreamKind : std::uint8_t {
    Plain, // TCP, and no TLS that could be seen.
    TlsEnded, // TLS that ends at this node.
    TlsPassing, // A ClientHello has been read that belongs to whoever stands behind this node.
    Datagrams, // A UDP session.
};

// What the stream router looks at.
struct StreamView
{
    StreamKind kind = StreamKind::Plain;
    IpAddress sourceIp;
    std::uint16_t sourcePort = 0;
    IpAddress destinationIp; // That the client connected to.
    std::uint16_t destinationPort = 0;
    std::string_view serverName; // Lower case, without a dot at its end; empty: none was said.
};

// The rank of a stream route; of two that match, the one with the larger word wins.
//
//   61 server names, or both sources and destinations   7..4 sources   3..0 destinations
//
// each nibble: 8 an address, 4 a port, 1 a range, over all its elements.
// Source: the gateway's router, flavor traditional_compatible, stream subsystem.
[[nodiscard]] std::uint64_t streamPriorityWord(const model::Route& route);

// Finds the route of a TCP connection or a UDP session. Routes compile to (priority word,
// predicate) and the first match in descending priority wins; ties go to the older, then to the
// lower id, then to the earlier in the file.
//
// A route takes Plain when its protocols say tcp; TlsEnded: tls or tcp; TlsPassing: tls_passthrough
// or tcp; Datagrams: udp. Server names are compared on TLS only: elsewhere they match trivially, as
// in the gateway format.
//
// Threads: any, after construction (immutable).
// Cost: independent of the number of routes that name other ports or server names.
class StreamRouter
{
public:
    StreamRouter();
    StreamRouter(StreamRouter&&) noexcept;
    StreamRouter& operator=(StreamRouter&&) noexcept;
    StreamRouter(const StreamRouter&) = delete;
    StreamRouter& operator=(const StreamRouter&) = delete;
    ~StreamRouter();

    // Compiles the stream routes among these; indices of matches are into `routes`.
    [[nodiscard]] static StreamRouter make(const std::vector<const model::Route*>& routes);

    [[nodiscard]] std::optional<std::size_t> match(const StreamView& stream) const;

    // Whether a tls_passthrough route could take this connection, were its server name known: only
    // then is it worth to wait for the client's first bytes.
    [[nodiscard]] bool wantsServerName(const StreamView& stream) const;

private:
    struct Compiled;
    explicit StreamRouter(std::unique_ptr<const Compiled> compiled);
    std::unique_ptr<const Compiled> m_compiled;
};

} // namespace mesh::policy
