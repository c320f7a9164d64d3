#include "proxyengine/control/listen_text.h"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace mesh::control {
namespace {

constexpr std::string_view kAdminPort = "8001"; // The gateway's well-known admin ports.
constexpr std::string_view kAdminTlsPort = "8444";
constexpr std::size_t kUnixPathMax = 107; // sockaddr_un::sun_path with its terminator.

std::string_view trimmed(std::string_view text)
{
    const auto isSpace = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && isSpace(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && isSpace(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

struct HostPortView
{
    std::string_view host; // With brackets when IPv6.
    std::string_view port; // Empty when there is none.
};

HostPortView split(std::string_view text)
{
    const std::size_t colon = text.rfind(':');
    const std::size_t bracket = text.rfind(']');
    if (colon == std::string_view::npos || (bracket != std::string_view::npos && colon < bracket)) {
        return {text, {}};
    }
    return {text.substr(0, colon), text.substr(colon + 1)};
}

bool isPort(std::string_view text)
{
    std::uint16_t port = 0;
    const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), port);
    return !text.empty() && status == std::errc{} && rest == text.data() + text.size();
}

bool isAddress(std::string_view host)
{
    in_addr four{};
    in6_addr six{};
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        return ::inet_pton(AF_INET6, std::string(host.substr(1, host.size() - 2)).c_str(), &six)
               == 1;
    }
    return host == "localhost" || ::inet_pton(AF_INET, std::string(host).c_str(), &four) == 1;
}

Result<std::string> parseAddress(std::string_view text, std::size_t offset)
{
    const HostPortView parts = split(text);
    if (parts.port.empty()) {
        return fail(
            ErrorCode::InvalidArgument,
            fmt::format("'{}' has no port; write ADDR:PORT, port 0 for any free one", text),
            Offset{offset}
        );
    }
    if (!isPort(parts.port)) {
        return fail(
            ErrorCode::InvalidArgument,
            fmt::format("'{}' is not a port; use 0 to 65535", parts.port),
            Offset{offset + parts.host.size() + 1}
        );
    }
    const std::string_view host = parts.host == "*" ? std::string_view("0.0.0.0") : parts.host;
    if (!isAddress(host)) {
        return fail(
            ErrorCode::InvalidArgument,
            fmt::format(
                "'{}' is not an address; write IPv4, [IPv6], localhost or * for all", parts.host
            ),
            Offset{offset}
        );
    }
    return fmt::format("{}:{}", host == "localhost" ? "127.0.0.1" : host, parts.port);
}

struct Word
{
    std::string_view text;
    bool api::ListenOption::*flag;
    bool isOfProxy;
    bool isOfStream;
};

constexpr std::array<Word, 5> kWords = {{
    {"ssl", &api::ListenOption::ssl, true, true},
    {"http2", &api::ListenOption::http2, true, false},
    {"proxy_protocol", &api::ListenOption::proxyProtocol, true, true},
    {"udp", &api::ListenOption::udp, false, true},
    {"reuseport", &api::ListenOption::reusePort, true, true},
}};

bool isOf(const Word& word, ListenUse use)
{
    return use == ListenUse::Proxy ? word.isOfProxy : word.isOfStream;
}

Result<void> addWord(
    api::ListenOption& option, std::string_view text, std::size_t offset, ListenUse use
)
{
    const auto word = std::ranges::find_if(kWords, [&](const Word& each) {
        return each.text == text && isOf(each, use);
    });
    if (word != kWords.end()) {
        option.*word->flag = true;
        return {};
    }
    const std::string_view allowed = use == ListenUse::Proxy
                                         ? "ssl, http2, proxy_protocol and reuseport"
                                         : "ssl, proxy_protocol, udp and reuseport";
    return fail(
        ErrorCode::InvalidArgument,
        fmt::format("'{}' is not known here; after the address only {} may stand", text, allowed),
        Offset{offset}
    );
}

// Words that exclude each other.
Result<void> checkWords(const api::ListenOption& option, std::size_t offset)
{
    if (option.udp && (option.ssl || option.proxyProtocol)) {
        return fail(
            ErrorCode::InvalidArgument,
            fmt::format(
                "'{}' is of connections, 'udp' of datagrams; remove one of them",
                option.ssl ? "ssl" : "proxy_protocol"
            ),
            Offset{offset}
        );
    }
    return {};
}

Result<api::ListenOption> parseElement(std::string_view text, std::size_t offset, ListenUse use)
{
    api::ListenOption option;
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t begin = text.find_first_not_of(" \t", at);
        if (begin == std::string_view::npos) {
            break;
        }
        const std::size_t end = std::min(text.find_first_of(" \t", begin), text.size());
        const std::string_view word = text.substr(begin, end - begin);
        at = end;
        if (option.address.empty()) {
            MESH_TRY(option.address, parseAddress(word, offset + begin));
        } else {
            MESH_TRY_VOID(addWord(option, word, offset + begin, use));
        }
    }
    if (option.address.empty()) {
        return fail(
            ErrorCode::InvalidArgument,
            "an address is missing; write ADDR:PORT, or off for no listener",
            Offset{offset}
        );
    }
    MESH_TRY_VOID(checkWords(option, offset));
    return option;
}

Result<AdminAddress> parseUnix(std::string_view path)
{
    if (path.empty() || path.size() > kUnixPathMax) {
        return fail(
            ErrorCode::InvalidArgument,
            fmt::format("unix: needs a path of 1 to {} bytes", kUnixPathMax),
            Offset{5}
        );
    }
    return AdminAddress{{}, std::string(path)};
}

} // namespace

Result<std::vector<api::ListenOption>> parseListen(std::string_view text, ListenUse use)
{
    std::vector<api::ListenOption> options;
    if (trimmed(text) == "off") {
        return options;
    }
    std::size_t at = 0;
    for (;;) {
        const std::size_t comma = std::min(text.find(',', at), text.size());
        MESH_TRY(api::ListenOption option, parseElement(text.substr(at, comma - at), at, use));
        const bool isTwice =
            !option.address.ends_with(":0")
            && std::ranges::any_of(options, [&](const api::ListenOption& other) {
                   return other.address == option.address && other.udp == option.udp;
               });
        if (isTwice) {
            return fail(
                ErrorCode::Duplicate,
                fmt::format("{} stands twice; remove one", option.address),
                Offset{at}
            );
        }
        options.push_back(std::move(option));
        if (comma == text.size()) {
            return options;
        }
        at = comma + 1;
    }
}

std::string toText(const AdminAddress& address)
{
    if (address.isUnix()) {
        return "unix:" + address.unixPath;
    }
    return address.isTls ? "https://" + address.hostPort : address.hostPort;
}

bool isLoopback(std::string_view hostPort)
{
    const bool hasBareSix = std::ranges::count(hostPort, ':') > 1 && !hostPort.starts_with('[');
    std::string_view host = hasBareSix ? hostPort : split(hostPort).host;
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    }
    in_addr four{};
    if (::inet_pton(AF_INET, std::string(host).c_str(), &four) == 1) {
        return (ntohl(four.s_addr) >> 24U) == 127;
    }
    return host == "::1" || host == "localhost";
}

Result<AdminAddress> parseAdminListen(std::string_view text, AdminSecurity security)
{
    const bool isTls = security == AdminSecurity::MutualTls;
    if (text.starts_with("unix:")) {
        if (isTls) {
            return fail(
                ErrorCode::InvalidArgument,
                "a UNIX socket needs no TLS; leave --admin-tls out, or listen on ADDR:PORT",
                Offset{0}
            );
        }
        return parseUnix(text.substr(5));
    }
    MESH_TRY(std::string hostPort, parseAddress(text, 0));
    if (!isTls && !isLoopback(hostPort)) {
        return fail(
            ErrorCode::PermissionDenied,
            fmt::format(
                "the admin API on {} needs mutual TLS: give --admin-tls CERT,KEY,CA, or use a "
                "loopback address or unix:PATH",
                hostPort
            ),
            Offset{0}
        );
    }
    return AdminAddress{std::move(hostPort), {}, isTls};
}

Result<AdminAddress> parseNodeUrl(std::string_view text)
{
    if (text.starts_with("unix:")) {
        return parseUnix(text.substr(5));
    }
    const bool isTls = text.starts_with("https://");
    std::size_t offset = 0;
    if (isTls || text.starts_with("http://")) {
        offset = text.find("//") + 2;
        text.remove_prefix(offset);
    }
    if (text.ends_with('/')) {
        text.remove_suffix(1);
    }
    const HostPortView parts = split(text);
    const std::string_view port = !parts.port.empty() ? parts.port
                                  : isTls             ? kAdminTlsPort
                                                      : kAdminPort;
    const bool hasOther = parts.host.find_first_of("/?#@ \t") != std::string_view::npos;
    if (parts.host.empty() || hasOther || !isPort(port)) {
        return fail(
            ErrorCode::InvalidArgument,
            fmt::format(
                "'{}' is no node; write https://HOST:PORT, http://HOST:PORT or unix:PATH", text
            ),
            Offset{offset}
        );
    }
    return AdminAddress{fmt::format("{}:{}", parts.host, port), {}, isTls};
}

} // namespace mesh::control
