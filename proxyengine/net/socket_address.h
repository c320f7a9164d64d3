#pragma once

#include "proxyengine/base/error.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

struct sockaddr;

namespace mesh::net {

// A host name or literal and its port, as people write them.
struct HostPort
{
    std::string host; // Without brackets.
    std::uint16_t port = 0;
};

// Reads "host:port", "10.0.0.1:80" and "[::1]:80".
// Errors: InvalidArgument when the port is missing or not a number up to 65535.
[[nodiscard]] Result<HostPort> splitHostPort(std::string_view text);

// Where a socket listens or connects: IPv4, IPv6 or a UNIX socket's path. A regular value.
class SocketAddress
{
public:
    enum class Family : std::uint8_t { None, Ip4, Ip6, Unix };

    SocketAddress() = default; // Family::None: no address.

    // Reads "127.0.0.1:80", "[::1]:80", "localhost:80" (127.0.0.1), "*:80" (0.0.0.0) and
    // "unix:PATH". Names need the Resolver. Errors: InvalidArgument.
    [[nodiscard]] static Result<SocketAddress> parse(std::string_view text);
    // A literal without port, "127.0.0.1" or "::1". Errors: InvalidArgument.
    [[nodiscard]] static Result<SocketAddress> fromLiteral(
        std::string_view host, std::uint16_t port
    );
    [[nodiscard]] static SocketAddress loopback(std::uint16_t port); // 127.0.0.1
    // Errors: InvalidArgument above the 107 bytes that the kernel takes.
    [[nodiscard]] static Result<SocketAddress> unixPath(std::string_view path);
    [[nodiscard]] static SocketAddress fromNative(const sockaddr* native, std::size_t length);
    // In network order, of IPv4 the first four; `family` is Ip4 or Ip6.
    [[nodiscard]] static SocketAddress fromBytes(
        Family family, const std::array<std::uint8_t, 16>& bytes, std::uint16_t port
    );

    [[nodiscard]] Family family() const { return m_family; }
    [[nodiscard]] bool isLoopback() const; // 127.0.0.0/8, ::1, or a UNIX socket.
    [[nodiscard]] std::uint16_t port() const { return m_port; }
    [[nodiscard]] const std::array<std::uint8_t, 16>& bytes() const { return m_bytes; }
    [[nodiscard]] const std::string& path() const { return m_path; }
    [[nodiscard]] SocketAddress withPort(std::uint16_t port) const;

    [[nodiscard]] std::string hostText() const; // "127.0.0.1", "::1"; empty for a UNIX socket.
    [[nodiscard]] std::string toText() const; // What parse() reads back.

    // Room for any address of any family.
    struct Native
    {
        alignas(8) std::array<std::byte, 128> bytes{};
        std::uint32_t length = 0;
        [[nodiscard]] const sockaddr* get() const;
    };
    [[nodiscard]] Native toNative() const;

    friend bool operator==(const SocketAddress&, const SocketAddress&) = default;
    friend auto operator<=>(const SocketAddress&, const SocketAddress&) = default;

private:
    Family m_family = Family::None;
    std::uint16_t m_port = 0;
    std::array<std::uint8_t, 16> m_bytes{}; // Network order; IPv4 uses the first four.
    std::string m_path;
};

// A client's network for limits by address: the first 64 bits of an IPv6 address, because one
// client has all the others; any other text as it is.
[[nodiscard]] std::string networkOf(const std::string& host);

} // namespace mesh::net
