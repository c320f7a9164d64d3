#pragma once

#include "proxyengine/api/engine_options.h"
#include "proxyengine/base/error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The addresses of the command line, as text and as values.
namespace mesh::control {

enum class ListenUse : std::uint8_t { Proxy, Stream };

// Reads "ADDR:PORT [WORD...], ...": one or more addresses separated by commas, each with its words:
// ssl, http2 (proxy only), proxy_protocol, udp (stream only), reuseport. ADDR is an IPv4 address,
// an IPv6 address in brackets, "localhost" or "*" (0.0.0.0). "off" alone means no listener.
//
// Errors: InvalidArgument with the offset of the element that is wrong and the remedy.
[[nodiscard]] Result<std::vector<api::ListenOption>> parseListen(
    std::string_view text, ListenUse use
);

// Where an admin API listens or is reached: a TCP address, or the path of a UNIX socket.
struct AdminAddress
{
    std::string hostPort; // "127.0.0.1:8001"; empty for a UNIX socket.
    std::string unixPath; // Empty for TCP.
    bool isTls = false; // Mutual TLS; needs NodeCredentials.

    [[nodiscard]] bool isUnix() const { return !unixPath.empty(); }
    friend bool operator==(const AdminAddress&, const AdminAddress&) = default;
};

// "127.0.0.1:8001", "unix:/run/x.sock", or "https://10.0.0.2:8444" of one with TLS.
std::string toText(const AdminAddress& address);

enum class AdminSecurity : std::uint8_t { None, MutualTls };

// Reads ADDR:PORT or unix:PATH.
// Errors: InvalidArgument, also for unix:PATH with mutual TLS; PermissionDenied for an address that
//         is not loopback without mutual TLS.
[[nodiscard]] Result<AdminAddress> parseAdminListen(
    std::string_view text, AdminSecurity security = AdminSecurity::None
);

// Reads what --node takes: https://HOST:PORT, http://HOST:PORT, HOST:PORT or unix:PATH. A path
// after the port is refused; without a port it is 8001, with https 8444.
// Errors: InvalidArgument.
[[nodiscard]] Result<AdminAddress> parseNodeUrl(std::string_view text);

// True for 127.0.0.0/8, [::1] and "localhost", with or without a port.
[[nodiscard]] bool isLoopback(std::string_view hostPort);

} // namespace mesh::control
