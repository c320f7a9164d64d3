#include "proxyengine/model/format.h"

#include "proxyengine/model/hedge_text.h"
#include "proxyengine/model/schema.h"

#include <fmt/format.h>

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace mesh::model {
namespace {

constexpr std::size_t kTextBytesMax = 8192;
constexpr std::size_t kPemBytesMax = 256U << 10U; // Chains of a dozen certificates.
constexpr std::size_t kHostBytesMax = 253; // RFC 1035.

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool isAlphanumeric(char c) { return isDigit(c) || isLetter(c); }
bool isHex(char c) { return isDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool isOneOf(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }
bool isNonAscii(char c) { return static_cast<unsigned char>(c) >= 0x80U; }

std::string checkName(std::string_view text)
{
    const bool isRight = std::ranges::all_of(text, [](char c) {
        return isAlphanumeric(c) || isOneOf(c, ".-_~") || isNonAscii(c);
    });
    return isRight ? ""
                   : fmt::format(
                       "invalid value '{}': it must only contain alphanumeric and '., -, _, ~' "
                       "characters",
                       text
                   );
}

std::string checkTag(std::string_view text)
{
    const bool isRight = std::ranges::all_of(text, [](char c) {
        return isNonAscii(c) || (c >= 0x20 && c < 0x7f && c != ',' && c != '/');
    });
    return isRight
               ? ""
               : fmt::format(
                   "invalid tag '{}': expected printable ascii (except ',' and '/') or valid utf-8",
                   text
               );
}

std::string checkUuid(std::string_view text)
{
    bool isRight = text.size() == 36;
    for (std::size_t at = 0; isRight && at < text.size(); ++at) {
        const bool isDash = at == 8 || at == 13 || at == 18 || at == 23;
        isRight = isDash ? text[at] == '-' : isHex(text[at]);
    }
    return isRight ? "" : "expected a valid UUID";
}

bool isHostName(std::string_view text)
{
    if (text.empty() || text.size() > kHostBytesMax) {
        return false;
    }
    std::size_t labelLength = 0;
    for (const char c : text) {
        if (c == '.') {
            if (labelLength == 0) {
                return false;
            }
            labelLength = 0;
        } else if (isAlphanumeric(c) || isOneOf(c, "-_")) {
            ++labelLength;
        } else {
            return false;
        }
        if (labelLength > 63) {
            return false;
        }
    }
    return true;
}

bool isIp(std::string_view text)
{
    const std::string copy(text);
    std::array<std::byte, 16> bytes{};
    return inet_pton(AF_INET, copy.c_str(), bytes.data()) == 1
           || inet_pton(AF_INET6, copy.c_str(), bytes.data()) == 1;
}

// "[::1]" and "::1" are addresses; so is 10.0.0.1.
bool isHostOrIp(std::string_view host)
{
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        return isIp(host.substr(1, host.size() - 2));
    }
    return isIp(host) || isHostName(host);
}

std::string checkHost(std::string_view text)
{
    if (isHostOrIp(text)) {
        return "";
    }
    const std::optional<HostPort> parts = splitHostPort(text);
    if (parts && parts->port && isHostOrIp(parts->host)) {
        return "must not have a port";
    }
    return fmt::format("invalid hostname: {}", text);
}

enum class Port : std::uint8_t { Optional, Required, Forbidden };

std::string checkHostPort(std::string_view text, Port port)
{
    const std::optional<HostPort> parts = splitHostPort(text);
    if (!parts || !isHostOrIp(parts->host)) {
        return fmt::format("invalid hostname: {}", text);
    }
    if (port == Port::Required && !parts->port) {
        return "needs a port, as in 127.0.0.1:8080";
    }
    return "";
}

std::string checkWildcard(std::string_view text, Port port)
{
    std::string_view host = text;
    if (const std::size_t colon = text.rfind(':');
        colon != std::string_view::npos && !isIp(text) && text.back() != ']') {
        if (port == Port::Forbidden) {
            return "must not have a port";
        }
        if (!parsePort(text.substr(colon + 1))) {
            return fmt::format("invalid port in '{}'", text);
        }
        host = text.substr(0, colon);
    }
    const auto stars = std::ranges::count(host, '*');
    if (stars == 0) {
        return isHostOrIp(host) ? "" : fmt::format("invalid hostname: {}", text);
    }
    if (stars > 1) {
        return "only one wildcard must be specified";
    }
    if (host == "*") {
        return "";
    }
    if (host.starts_with("*.") && isHostName(host.substr(2))) {
        return "";
    }
    if (host.ends_with(".*") && isHostName(host.substr(0, host.size() - 2))) {
        return "";
    }
    return "wildcard must be leftmost or rightmost label";
}

std::string checkSni(std::string_view text)
{
    if (isIp(text)) {
        return fmt::format("must not be an IP: {}", text);
    }
    return checkWildcard(text, Port::Forbidden);
}

std::string checkUpstreamName(std::string_view text)
{
    const auto say = [&](std::string_view why) {
        return fmt::format("Invalid name ('{}'); {}", text, why);
    };
    if (isIp(text)) {
        return say("no ip addresses allowed");
    }
    if (isHostName(text)) {
        return "";
    }
    const std::optional<HostPort> parts = splitHostPort(text);
    if (parts && parts->port) {
        return say(isIp(parts->host) ? "no ip addresses allowed" : "no port allowed");
    }
    return say("must be a valid hostname");
}

std::string checkPath(std::string_view text)
{
    if (text.empty() || text.front() != '/') {
        return "should start with: /";
    }
    if (text.find("//") != std::string_view::npos) {
        return "must not have empty segments";
    }
    const bool isReserved = std::ranges::all_of(text, [](char c) {
        return isAlphanumeric(c) || isOneOf(c, "._-~/%:@!$&'()*+,;=");
    });
    if (!isReserved) {
        return fmt::format(
            "invalid path: '{}' (characters outside of the reserved list of RFC 3986 found)", text
        );
    }
    for (std::size_t at = text.find('%'); at != std::string_view::npos;
         at = text.find('%', at + 1)) {
        const std::string_view code = text.substr(at, 3);
        if (code.size() < 3 || !isHex(code[1]) || !isHex(code[2])) {
            return fmt::format("invalid url-encoded value: '{}'", code);
        }
    }
    return "";
}

// Whether it is normalised, and whether a regular expression compiles, the router knows.
std::string checkRouterPath(std::string_view text)
{
    return text.starts_with('/') || text.starts_with("~/")
               ? ""
               : "should start with: / (fixed path) or ~/ (regexed path)";
}

std::string checkMethod(std::string_view text)
{
    const bool isRight = std::ranges::all_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
    return isRight ? "" : fmt::format("invalid value: {}", text);
}

std::string checkHeaderName(std::string_view text)
{
    constexpr std::size_t kNameBytesMax = 256; // Longer would not be a key on one line of YAML.
    const bool isRight = text.size() <= kNameBytesMax && std::ranges::all_of(text, [](char c) {
                             return isAlphanumeric(c) || isOneOf(c, "!#$%&'*+-.^_`|~");
                         });
    return isRight ? "" : fmt::format("bad header name '{}', it must be a token of RFC 7230", text);
}

std::string checkCidr(std::string_view text)
{
    const std::size_t slash = text.find('/');
    const std::string_view ip = text.substr(0, slash);
    bool isRight = isIp(ip);
    if (isRight && slash != std::string_view::npos) {
        const std::string_view bits = text.substr(slash + 1);
        int count = -1;
        const auto [rest, status] = std::from_chars(bits.data(), bits.data() + bits.size(), count);
        const int countMax = ip.find(':') == std::string_view::npos ? 32 : 128;
        isRight = status == std::errc{} && rest == bits.data() + bits.size() && count >= 0
                  && count <= countMax;
    }
    return isRight ? "" : fmt::format("invalid ip or cidr range: '{}'", text);
}

std::string checkUrl(std::string_view text)
{
    const std::size_t scheme = text.find("://");
    if (scheme == std::string_view::npos || scheme == 0) {
        return "missing scheme in url";
    }
    if (text.substr(0, scheme) == "unix") {
        return "";
    }
    const std::string_view rest = text.substr(scheme + 3);
    const std::string_view authority = rest.substr(0, rest.find('/'));
    const std::optional<HostPort> parts = splitHostPort(authority);
    return parts && isHostOrIp(parts->host) ? "" : "missing host in url";
}

std::string checkPem(std::string_view text)
{
    return text.find("-----BEGIN ") != std::string_view::npos ? "" : "expected a PEM text";
}

std::string checkHedgeDelay(std::string_view text)
{
    const Result<HedgeAfter> after = parseHedgeAfter(text);
    return after ? "" : after.error().message;
}

} // namespace

std::optional<std::uint16_t> parsePort(std::string_view text)
{
    std::uint16_t port = 0;
    const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (status != std::errc{} || rest != text.data() + text.size()) {
        return std::nullopt;
    }
    return port;
}

std::optional<HostPort> splitHostPort(std::string_view text)
{
    if (text.empty()) {
        return std::nullopt;
    }
    if (text.front() == '[') {
        const std::size_t close = text.find(']');
        if (close == std::string_view::npos) {
            return std::nullopt;
        }
        const std::string host(text.substr(1, close - 1));
        const std::string_view rest = text.substr(close + 1);
        if (rest.empty()) {
            return HostPort{host, std::nullopt};
        }
        const std::optional<std::uint16_t> port = parsePort(rest.substr(1));
        return rest.front() == ':' && port ? std::optional(HostPort{host, port}) : std::nullopt;
    }
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || isIp(text)) { // No port, or a bare IPv6 address.
        return HostPort{std::string(text), std::nullopt};
    }
    const std::optional<std::uint16_t> port = parsePort(text.substr(colon + 1));
    if (!port) {
        return std::nullopt;
    }
    return HostPort{std::string(text.substr(0, colon)), port};
}

std::string joinHostPort(std::string_view host, std::uint16_t port)
{
    const bool isIp6 = host.find(':') != std::string_view::npos;
    return isIp6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

std::string withDefaultPort(std::string_view target)
{
    constexpr std::uint16_t kTargetPortDefault = 8000; // The gateway format's.
    const std::optional<HostPort> parts = splitHostPort(target);
    return parts && !parts->port ? joinHostPort(parts->host, kTargetPortDefault)
                                 : std::string(target);
}

std::string checkFormat(Format format, std::string_view text)
{
    if (text.size() > (format == Format::Pem ? kPemBytesMax : kTextBytesMax)) {
        return fmt::format("longer than {} bytes", kTextBytesMax);
    }
    if (text.empty()) {
        return "length must be at least 1";
    }
    switch (format) {
    case Format::Any:
        return "";
    case Format::Name:
        return checkName(text);
    case Format::Tag:
        return checkTag(text);
    case Format::Uuid:
        return checkUuid(text);
    case Format::Host:
        return checkHost(text);
    case Format::HostPort:
        return checkHostPort(text, Port::Optional);
    case Format::Address:
        return checkHostPort(text, Port::Required);
    case Format::WildcardHost:
        return checkWildcard(text, Port::Optional);
    case Format::WildcardSni:
        return checkSni(text);
    case Format::UpstreamName:
        return checkUpstreamName(text);
    case Format::Path:
        return checkPath(text);
    case Format::RouterPath:
        return checkRouterPath(text);
    case Format::Method:
        return checkMethod(text);
    case Format::HeaderName:
        return checkHeaderName(text);
    case Format::IpOrCidr:
        return checkCidr(text);
    case Format::Url:
        return checkUrl(text);
    case Format::Pem:
        return checkPem(text);
    case Format::HedgeDelay:
        return checkHedgeDelay(text);
    }
    return "";
}

} // namespace mesh::model
