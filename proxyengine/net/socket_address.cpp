#include "proxyengine/net/socket_address.h"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <iterator>

namespace mesh::net {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";

Result<std::uint16_t> parsePort(std::string_view text, std::size_t offset)
{
    std::uint16_t port = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, status] = std::from_chars(text.data(), end, port);
    if (text.empty() || status != std::errc{} || rest != end) {
        return fail(ErrorCode::InvalidArgument, "expected a port from 0 to 65535", Offset{offset});
    }
    return port;
}

} // namespace

Result<HostPort> splitHostPort(std::string_view text)
{
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) {
        return fail(ErrorCode::InvalidArgument, fmt::format("expected host:port, not '{}'", text));
    }
    std::string_view host = text.substr(0, colon);
    if (host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string_view::npos) {
        return fail(
            ErrorCode::InvalidArgument,
            fmt::format(
                "an IPv6 address and its port are written [{}]:{}", host, text.substr(colon + 1)
            )
        );
    }
    MESH_TRY(const std::uint16_t port, parsePort(text.substr(colon + 1), colon + 1));
    return HostPort{std::string(host), port};
}

Result<SocketAddress> SocketAddress::parse(std::string_view text)
{
    if (text.starts_with(kUnixPrefix)) {
        return unixPath(text.substr(kUnixPrefix.size()));
    }
    MESH_TRY(HostPort split, splitHostPort(text));
    if (split.host == "localhost") {
        return loopback(split.port);
    }
    if (split.host == "*") {
        split.host = "0.0.0.0";
    }
    return fromLiteral(split.host, split.port);
}

Result<SocketAddress> SocketAddress::fromLiteral(std::string_view host, std::uint16_t port)
{
    const std::string text(host);
    SocketAddress address;
    address.m_port = port;
    if (::inet_pton(AF_INET, text.c_str(), address.m_bytes.data()) == 1) {
        address.m_family = Family::Ip4;
    } else if (::inet_pton(AF_INET6, text.c_str(), address.m_bytes.data()) == 1) {
        address.m_family = Family::Ip6;
    } else {
        return fail(ErrorCode::InvalidArgument, fmt::format("'{}' is not an IP address", host));
    }
    return address;
}

SocketAddress SocketAddress::loopback(std::uint16_t port)
{
    SocketAddress address;
    address.m_family = Family::Ip4;
    address.m_port = port;
    address.m_bytes = {127, 0, 0, 1};
    return address;
}

Result<SocketAddress> SocketAddress::unixPath(std::string_view path)
{
    if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path)) {
        return fail(ErrorCode::InvalidArgument, "the path of a UNIX socket has 1 to 107 bytes");
    }
    SocketAddress address;
    address.m_family = Family::Unix;
    address.m_path = path;
    return address;
}

SocketAddress SocketAddress::fromNative(const sockaddr* native, std::size_t length)
{
    SocketAddress address;
    if (native->sa_family == AF_INET && length >= sizeof(sockaddr_in)) {
        sockaddr_in in{};
        std::memcpy(&in, native, sizeof(in));
        address.m_family = Family::Ip4;
        address.m_port = ntohs(in.sin_port);
        std::memcpy(address.m_bytes.data(), &in.sin_addr, sizeof(in.sin_addr));
    } else if (native->sa_family == AF_INET6 && length >= sizeof(sockaddr_in6)) {
        sockaddr_in6 in{};
        std::memcpy(&in, native, sizeof(in));
        address.m_family = Family::Ip6;
        address.m_port = ntohs(in.sin6_port);
        std::memcpy(address.m_bytes.data(), &in.sin6_addr, sizeof(in.sin6_addr));
    } else if (native->sa_family == AF_UNIX) {
        address.m_family = Family::Unix;
        const std::size_t pathAt = offsetof(sockaddr_un, sun_path);
        sockaddr_un un{};
        std::memcpy(&un, native, std::min(length, sizeof(un) - 1));
        if (length > pathAt) {
            address.m_path = un.sun_path;
        }
    }
    return address;
}

bool SocketAddress::isLoopback() const
{
    switch (m_family) {
    case Family::Ip4:
        return m_bytes[0] == 127;
    case Family::Ip6: {
        std::array<std::uint8_t, 16> one{};
        one.back() = 1;
        return m_bytes == one;
    }
    case Family::Unix:
        return true;
    case Family::None:
        break;
    }
    return false;
}

SocketAddress SocketAddress::fromBytes(
    Family family, const std::array<std::uint8_t, 16>& bytes, std::uint16_t port
)
{
    SocketAddress address;
    address.m_family = family;
    address.m_bytes = bytes;
    address.m_port = port;
    return address;
}

SocketAddress SocketAddress::withPort(std::uint16_t port) const
{
    SocketAddress address = *this;
    address.m_port = port;
    return address;
}

std::string SocketAddress::hostText() const
{
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (m_family == Family::Ip4) {
        ::inet_ntop(AF_INET, m_bytes.data(), text.data(), text.size());
    } else if (m_family == Family::Ip6) {
        ::inet_ntop(AF_INET6, m_bytes.data(), text.data(), text.size());
    }
    return text.data();
}

std::string SocketAddress::toText() const
{
    switch (m_family) {
    case Family::Ip4:
        return fmt::format("{}:{}", hostText(), m_port);
    case Family::Ip6:
        return fmt::format("[{}]:{}", hostText(), m_port);
    case Family::Unix:
        return fmt::format("{}{}", kUnixPrefix, m_path);
    case Family::None:
        break;
    }
    return {};
}

const sockaddr* SocketAddress::Native::get() const
{
    return reinterpret_cast<const sockaddr*>(bytes.data());
}

SocketAddress::Native SocketAddress::toNative() const
{
    Native native;
    if (m_family == Family::Ip4) {
        sockaddr_in in{};
        in.sin_family = AF_INET;
        in.sin_port = htons(m_port);
        std::memcpy(&in.sin_addr, m_bytes.data(), sizeof(in.sin_addr));
        std::memcpy(native.bytes.data(), &in, sizeof(in));
        native.length = sizeof(in);
    } else if (m_family == Family::Ip6) {
        sockaddr_in6 in{};
        in.sin6_family = AF_INET6;
        in.sin6_port = htons(m_port);
        std::memcpy(&in.sin6_addr, m_bytes.data(), sizeof(in.sin6_addr));
        std::memcpy(native.bytes.data(), &in, sizeof(in));
        native.length = sizeof(in);
    } else if (m_family == Family::Unix) {
        sockaddr_un un{};
        un.sun_family = AF_UNIX;
        std::memcpy(un.sun_path, m_path.data(), std::min(m_path.size(), sizeof(un.sun_path) - 1));
        std::memcpy(native.bytes.data(), &un, sizeof(un));
        native.length = sizeof(un);
    }
    return native;
}

std::string networkOf(const std::string& host)
{
    in6_addr address{};
    if (host.find(':') == std::string::npos || inet_pton(AF_INET6, host.c_str(), &address) != 1
        || IN6_IS_ADDR_V4MAPPED(&address)) {
        return host;
    }
    std::fill(std::begin(address.s6_addr) + 8, std::end(address.s6_addr), std::uint8_t{0});
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(AF_INET6, &address, text.data(), text.size());
    return std::string(text.data()) + "/64";
}

} // namespace mesh::net
