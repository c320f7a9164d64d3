#include "proxyengine/proxy/proxy_protocol.h"

#include "proxyengine/base/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace mesh::proxy {
namespace {

using Family = net::SocketAddress::Family;
using Status = ProxyHeaderStep::Status;

constexpr std::string_view kLineStart = "PROXY ";
constexpr std::size_t kLineBytesMax = 107; // With CRLF, by the specification.
constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kFixedBytes = 16; // Signature, version and command, family, length.
constexpr std::uint8_t kStreamIp4 = 0x11;
constexpr std::uint8_t kStreamIp6 = 0x21;
constexpr std::uint8_t kStreamUnix = 0x31;
constexpr std::size_t kUnixBytes = 216; // Two paths.

ProxyHeaderStep refused(std::string_view reason) { return {Status::Refused, reason}; }

std::uint8_t byteAt(std::string_view bytes, std::size_t at)
{
    return static_cast<std::uint8_t>(bytes[at]);
}

std::size_t shortAt(std::string_view bytes, std::size_t at)
{
    return static_cast<std::size_t>(byteAt(bytes, at)) << 8U | byteAt(bytes, at + 1);
}

bool isPrefixOf(std::string_view part, std::string_view whole)
{
    return part.substr(0, whole.size()) == whole.substr(0, part.size());
}

// The next word of a line; words end with one blank or with the line.
std::optional<std::string_view> nextWord(std::string_view& line)
{
    if (line.empty()) {
        return std::nullopt;
    }
    const std::size_t end = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    if (word.empty()) {
        return std::nullopt;
    }
    return word;
}

std::optional<std::uint16_t> portOf(std::string_view word)
{
    std::uint16_t port = 0;
    const char* const end = word.data() + word.size();
    const auto [rest, status] = std::from_chars(word.data(), end, port);
    const bool hasNeedlessZero = word.size() > 1 && word.front() == '0';
    if (status != std::errc{} || rest != end || hasNeedlessZero) {
        return std::nullopt;
    }
    return port;
}

std::optional<net::SocketAddress> addressOf(
    std::string_view word, Family family, std::optional<std::uint16_t> port
)
{
    if (!port) {
        return std::nullopt;
    }
    auto address = net::SocketAddress::fromLiteral(word, *port);
    if (!address || address->family() != family) {
        return std::nullopt;
    }
    return *std::move(address);
}

// "TCP4 192.0.2.1 192.0.2.9 4711 443", between "PROXY " and CRLF.
bool readLine(std::string_view line, ProxyHeader& header)
{
    const std::string_view whole = line;
    const auto kind = nextWord(line);
    if (!kind || whole.ends_with(' ')) {
        return false;
    }
    if (*kind == "UNKNOWN") {
        return true; // What follows is to be ignored.
    }
    if (*kind != "TCP4" && *kind != "TCP6") {
        return false;
    }
    const Family family = *kind == "TCP4" ? Family::Ip4 : Family::Ip6;
    const auto source = nextWord(line);
    const auto destination = nextWord(line);
    const auto sourcePort = nextWord(line);
    const auto destinationPort = nextWord(line);
    if (!source || !destination || !sourcePort || !destinationPort || !line.empty()) {
        return false;
    }
    header.source = addressOf(*source, family, portOf(*sourcePort));
    header.destination = addressOf(*destination, family, portOf(*destinationPort));
    return header.source && header.destination;
}

ProxyHeaderStep readVersion1(std::string_view bytes, ProxyHeader& header)
{
    const std::size_t end = bytes.substr(0, kLineBytesMax).find("\r\n");
    if (end == std::string_view::npos) {
        return bytes.size() >= kLineBytesMax ? refused("its line is longer than 107 bytes")
                                             : ProxyHeaderStep{Status::NeedMore};
    }
    if (!readLine(bytes.substr(kLineStart.size(), end - kLineStart.size()), header)) {
        header = {};
        return refused("its line is not one of version 1");
    }
    header.bytes = end + 2;
    return {Status::Done};
}

net::SocketAddress nativeAddress(std::string_view bytes, Family family, std::size_t port)
{
    std::array<std::uint8_t, 16> copy{};
    std::ranges::transform(bytes, copy.begin(), [](char c) {
        return static_cast<std::uint8_t>(c);
    });
    return net::SocketAddress::fromBytes(family, copy, static_cast<std::uint16_t>(port));
}

// Type and length and as many bytes, until nothing is left.
bool areTlvsSound(std::string_view rest)
{
    while (!rest.empty()) {
        if (rest.size() < 3 || rest.size() - 3 < shortAt(rest, 1)) {
            return false;
        }
        rest.remove_prefix(3 + shortAt(rest, 1));
    }
    return true;
}

// Addresses and TLVs of a header that speaks for somebody else.
ProxyHeaderStep readAddresses(std::uint8_t family, std::string_view rest, ProxyHeader& header)
{
    std::size_t used = 0;
    if (family == kStreamIp4 || family == kStreamIp6) {
        const std::size_t each = family == kStreamIp4 ? 4 : 16;
        const Family kind = family == kStreamIp4 ? Family::Ip4 : Family::Ip6;
        used = 2 * each + 4;
        if (rest.size() < used) {
            return refused("it is too short for its addresses");
        }
        header.source = nativeAddress(rest.substr(0, each), kind, shortAt(rest, 2 * each));
        header.destination =
            nativeAddress(rest.substr(each, each), kind, shortAt(rest, 2 * each + 2));
    } else if (family == kStreamUnix) {
        used = kUnixBytes;
        if (rest.size() < used) {
            return refused("it is too short for its addresses");
        }
    } else if (family != 0) {
        return refused("its family is not one of connections");
    }
    if (!areTlvsSound(rest.substr(used))) {
        header = {};
        return refused("the lengths of its TLVs do not fit");
    }
    return {Status::Done};
}

ProxyHeaderStep readVersion2(std::string_view bytes, ProxyHeader& header)
{
    if (bytes.size() < kFixedBytes) {
        return {Status::NeedMore};
    }
    const std::uint8_t command = byteAt(bytes, 12);
    const std::uint8_t family = byteAt(bytes, 13);
    const std::size_t length = shortAt(bytes, 14);
    constexpr std::uint8_t kLocal = 0x20;
    constexpr std::uint8_t kProxy = 0x21;
    if (command != kLocal && command != kProxy) {
        return refused("its version or command is unknown");
    }
    if (kFixedBytes + length > kProxyHeaderBytesMax) {
        return refused("it is longer than 4096 bytes");
    }
    if (bytes.size() < kFixedBytes + length) {
        return {Status::NeedMore};
    }
    const std::string_view rest = bytes.substr(kFixedBytes, length);
    const ProxyHeaderStep step =
        command == kProxy ? readAddresses(family, rest, header) : ProxyHeaderStep{Status::Done};
    if (step.status == Status::Done) {
        header.bytes = kFixedBytes + length;
    }
    return step;
}

std::array<std::uint8_t, 16> mapped(const net::SocketAddress& address)
{
    if (address.family() == Family::Ip6) {
        return address.bytes();
    }
    std::array<std::uint8_t, 16> bytes{};
    bytes[10] = bytes[11] = 0xff;
    std::copy_n(address.bytes().begin(), 4, bytes.begin() + 12);
    return bytes;
}

net::SocketAddress asIp6(const net::SocketAddress& address)
{
    return net::SocketAddress::fromBytes(Family::Ip6, mapped(address), address.port());
}

bool isIp(const net::SocketAddress& address)
{
    return address.family() == Family::Ip4 || address.family() == Family::Ip6;
}

void appendShort(std::string& out, std::size_t value)
{
    out.push_back(static_cast<char>(value >> 8U));
    out.push_back(static_cast<char>(value & 0xffU));
}

void appendBinary(
    std::string& out, const net::SocketAddress& source, const net::SocketAddress& destination
)
{
    const std::size_t each = source.family() == Family::Ip4 ? 4 : 16;
    out += kSignature;
    out += '\x21';
    out.push_back(static_cast<char>(each == 4 ? kStreamIp4 : kStreamIp6));
    appendShort(out, 2 * each + 4);
    for (const net::SocketAddress& address : {source, destination}) {
        std::for_each_n(address.bytes().begin(), each, [&out](std::uint8_t byte) {
            out.push_back(static_cast<char>(byte));
        });
    }
    appendShort(out, source.port());
    appendShort(out, destination.port());
}

} // namespace

ProxyHeaderStep readProxyHeader(std::string_view bytes, ProxyHeader& header)
{
    header = {};
    if (!isPrefixOf(bytes, kSignature)) {
        if (!isPrefixOf(bytes, kLineStart)) {
            return refused("the connection does not begin with one");
        }
        return bytes.size() < kLineStart.size() ? ProxyHeaderStep{Status::NeedMore}
                                                : readVersion1(bytes, header);
    }
    return readVersion2(bytes, header);
}

void appendProxyHeader(
    std::string& out,
    model::ProxyProtocol version,
    const net::SocketAddress& source,
    const net::SocketAddress& destination
)
{
    const bool isKnown = isIp(source) && isIp(destination);
    const bool isMixed = isKnown && source.family() != destination.family();
    const net::SocketAddress from = isMixed ? asIp6(source) : source;
    const net::SocketAddress to = isMixed ? asIp6(destination) : destination;
    if (version == model::ProxyProtocol::V2) {
        if (!isKnown) {
            out += kSignature;
            out += std::string_view("\x20\0\0\0", 4);
            return;
        }
        appendBinary(out, from, to);
        return;
    }
    if (!isKnown) {
        out += "PROXY UNKNOWN\r\n";
        return;
    }
    fmt::format_to(
        std::back_inserter(out),
        "PROXY {} {} {} {} {}\r\n",
        from.family() == Family::Ip4 ? "TCP4" : "TCP6",
        from.hostText(),
        to.hostText(),
        from.port(),
        to.port()
    );
}

} // namespace mesh::proxy
