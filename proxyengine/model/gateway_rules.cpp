#include "proxyengine/model/gateway_rules.h"

#include "proxyengine/model/field_build.h"
#include "proxyengine/model/stream_rules.h"
#include "proxyengine/model/traffic_rules.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

namespace mesh::model {
namespace {

using build::report;

std::string_view wordOf(Protocol protocol)
{
    return build::wordsOf<Protocol>()[static_cast<std::size_t>(protocol)];
}

// Families whose protocols may stand together in one route.
enum class Family : std::uint8_t { Http, Grpc, Stream, Passthrough };

Family familyOf(Protocol protocol)
{
    switch (protocol) {
    case Protocol::Http:
    case Protocol::Https:
        return Family::Http;
    case Protocol::Grpc:
    case Protocol::Grpcs:
        return Family::Grpc;
    case Protocol::Tcp:
    case Protocol::Tls:
    case Protocol::Udp:
        return Family::Stream;
    case Protocol::TlsPassthrough:
        return Family::Passthrough;
    }
    return Family::Http;
}

bool isStream(Family family) { return family == Family::Stream || family == Family::Passthrough; }

constexpr std::string_view kStreamWords = "'tcp', 'tls', 'tls_passthrough' or 'udp'";

struct Matcher
{
    std::string_view key;
    bool isSet;
};

std::array<Matcher, 7> matchersOf(const Route& route)
{
    return {
        Matcher{"methods", !route.methods.empty()},
        Matcher{"hosts", !route.hosts.empty()},
        Matcher{"headers", !route.headers.empty()},
        Matcher{"paths", !route.paths.empty()},
        Matcher{"snis", !route.snis.empty()},
        Matcher{"sources", !route.sources.empty()},
        Matcher{"destinations", !route.destinations.empty()}};
}

void requireOneOf(
    const Route& route,
    const std::vector<std::string_view>& keys,
    std::string_view protocol,
    FieldProblems& problems
)
{
    for (const Matcher& matcher : matchersOf(route)) {
        if (matcher.isSet && std::ranges::find(keys, matcher.key) != keys.end()) {
            return;
        }
    }
    report(
        problems,
        {},
        fmt::format(
            "must set one of '{}' when 'protocols' is '{}'", fmt::join(keys, "', '"), protocol
        ),
        ErrorCode::MissingField
    );
}

void forbid(
    const Route& route,
    const std::vector<std::string_view>& keys,
    std::string_view protocols,
    FieldProblems& problems
)
{
    for (const Matcher& matcher : matchersOf(route)) {
        if (matcher.isSet && std::ranges::find(keys, matcher.key) != keys.end()) {
            report(
                problems,
                std::string(matcher.key),
                fmt::format("cannot set '{}' when 'protocols' is {}", matcher.key, protocols)
            );
        }
    }
}

void checkMatchers(const Route& route, Family family, FieldProblems& problems)
{
    switch (family) {
    case Family::Http:
        forbid(route, {"sources", "destinations"}, "'http' or 'https'", problems);
        if (takes(route, Protocol::Http)) {
            requireOneOf(route, {"methods", "hosts", "headers", "paths"}, "http", problems);
        } else {
            requireOneOf(
                route, {"methods", "hosts", "headers", "paths", "snis"}, "https", problems
            );
        }
        return;
    case Family::Grpc:
        forbid(route, {"methods", "sources", "destinations"}, "'grpc' or 'grpcs'", problems);
        if (takes(route, Protocol::Grpc)) {
            requireOneOf(route, {"hosts", "headers", "paths"}, "grpc", problems);
        } else {
            requireOneOf(route, {"hosts", "headers", "paths", "snis"}, "grpcs", problems);
        }
        return;
    case Family::Stream:
        forbid(route, {"methods", "hosts", "paths", "headers"}, kStreamWords, problems);
        requireOneOf(
            route, {"sources", "destinations", "snis"}, wordOf(route.protocols.front()), problems
        );
        return;
    case Family::Passthrough:
        forbid(route, {"methods", "hosts", "paths", "headers"}, kStreamWords, problems);
        if (route.snis.empty()) {
            report(
                problems,
                "snis",
                "must set snis when 'protocols' is 'tls_passthrough'",
                ErrorCode::MissingField
            );
        }
        return;
    }
}

void checkRouteHeaders(const Route& route, FieldProblems& problems)
{
    std::vector<std::string> names;
    for (const HeaderMatch& header : route.headers) {
        std::string lower = header.name;
        std::ranges::transform(lower, lower.begin(), [](char c) {
            return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        });
        if (lower == "host") {
            report(
                problems,
                "headers." + header.name,
                "cannot contain 'host' header, which must be specified in the 'hosts' attribute"
            );
        }
        if (std::ranges::find(names, lower) != names.end()) {
            report(
                problems,
                "headers." + header.name,
                "this header stands twice; case makes no difference",
                ErrorCode::Duplicate
            );
        }
        names.push_back(std::move(lower));
    }
}

void checkSplit(const Route& route, FieldProblems& problems)
{
    if (route.split.empty()) {
        if (route.splitSticky) {
            report(
                problems, "split_sticky", "has no effect without 'split'; set that or remove this"
            );
        }
        return;
    }
    if (!route.name) {
        report(
            problems,
            "name",
            "required field missing: a route with 'split' is known by its name in events and "
            "metrics",
            ErrorCode::MissingField
        );
    }
    if (route.split.size() == 1) {
        report(
            problems,
            "split",
            fmt::format(
                "needs two parts or more; to send everything to one service, put the route into "
                "'{}' and remove 'split'",
                route.split.front().service
            )
        );
    }
    std::set<std::string_view> services;
    bool hasWeight = false;
    for (std::size_t at = 0; at < route.split.size(); ++at) {
        hasWeight = hasWeight || route.split[at].weight > 0;
        if (!services.insert(route.split[at].service).second) {
            report(
                problems,
                fmt::format("split[{}].service", at),
                fmt::format(
                    "service '{}' stands twice in this split; add the weights up",
                    route.split[at].service
                ),
                ErrorCode::Duplicate
            );
        }
    }
    if (!hasWeight) {
        report(problems, "split", "all weights are 0; give one of the services a weight");
    }
}

// What only requests have.
void checkStreamRoute(const Route& route, FieldProblems& problems)
{
    const auto forbidden = [&](std::string_view key, bool isSet) {
        if (isSet) {
            report(
                problems,
                std::string(key),
                fmt::format("cannot set '{}' when 'protocols' is {}", key, kStreamWords)
            );
        }
    };
    forbidden("resilience", route.resilience.has_value());
    forbidden("split", !route.split.empty());
    forbidden("split_sticky", route.splitSticky.has_value());
}

// What the words of http_version ask for must be possible under the protocol.
void checkHttpVersion(const Service& service, Family family, FieldProblems& problems)
{
    if (!service.httpVersion) {
        return;
    }
    if (isStream(family)) {
        report(
            problems,
            "http_version",
            fmt::format("value must be null when 'protocol' is '{}'", wordOf(service.protocol))
        );
    } else if (family == Family::Grpc && *service.httpVersion != HttpVersion::Http2) {
        report(
            problems,
            "http_version",
            fmt::format(
                "'{}' is spoken over HTTP/2 only; leave it out or say 'http2'",
                wordOf(service.protocol)
            )
        );
    } else if (service.protocol == Protocol::Http && *service.httpVersion == HttpVersion::Auto) {
        report(
            problems,
            "http_version",
            "'auto' asks by ALPN, which only 'https' has; say 'http2' when the service speaks it"
        );
    }
}

} // namespace

void checkService(const Service& service, FieldProblems& problems)
{
    checkUpgrades(service, problems);
    const Family family = familyOf(service.protocol);
    if (service.path && family != Family::Http) {
        report(
            problems,
            "path",
            fmt::format("value must be null when 'protocol' is '{}'", wordOf(service.protocol))
        );
    }
    // grpcs is ours: the gateway format leaves it out, to the regret of its users.
    const bool isTls = service.protocol == Protocol::Https || service.protocol == Protocol::Tls
                       || service.protocol == Protocol::Grpcs;
    const auto onlyTls = [&](std::string_view key, bool isSet) {
        if (isSet && !isTls) {
            report(
                problems,
                std::string(key),
                fmt::format("can only be set when 'protocol' is 'https', 'tls' or 'grpcs'")
            );
        }
    };
    checkHttpVersion(service, family, problems);
    checkProxyProtocol(service, problems);
    onlyTls("client_certificate", service.clientCertificate.has_value());
    onlyTls("tls_verify", service.tlsVerify.has_value());
    onlyTls("tls_verify_depth", service.tlsVerifyDepth.has_value());
    onlyTls("ca_certificates", !service.caCertificates.empty());
    if (service.resilience && isStream(family)) {
        report(
            problems,
            "resilience",
            fmt::format(
                "works on requests, and '{}' has none; outlier_detection, limits, slow_start and "
                "locality of the upstream work on connections too",
                wordOf(service.protocol)
            )
        );
    }
}

void checkAddressMatch(const AddressMatch& match, FieldProblems& problems)
{
    if (!match.ip && !match.port) {
        report(
            problems,
            {},
            "at least one of these fields must be non-empty: 'ip', 'port'",
            ErrorCode::MissingField
        );
    }
}

void checkRoute(const Route& route, FieldProblems& problems)
{
    if (route.protocols.empty()) {
        return; // Reported as a list that is too short.
    }
    const Family family = familyOf(route.protocols.front());
    const bool isOneFamily = std::ranges::all_of(route.protocols, [&](Protocol protocol) {
        return familyOf(protocol) == family;
    });
    if (!isOneFamily) {
        report(
            problems,
            "protocols",
            "must be a subset of one of: (http, https), (grpc, grpcs), (tcp, tls, udp), "
            "(tls_passthrough)"
        );
        return;
    }
    checkMatchers(route, family, problems);
    checkRouteHeaders(route, problems);
    if (isStream(family)) {
        checkStreamRoute(route, problems);
    } else {
        checkSplit(route, problems);
    }
    const bool hasTls = takes(route, Protocol::Https) || takes(route, Protocol::Grpcs)
                        || takes(route, Protocol::Tls) || takes(route, Protocol::TlsPassthrough);
    if (!route.snis.empty() && !hasTls) {
        report(
            problems,
            "snis",
            "'snis' can only be set when 'protocols' is 'grpcs', 'https', 'tls' or "
            "'tls_passthrough'"
        );
    }
    if (family == Family::Grpc && route.stripPath.value_or(false)) {
        report(
            problems, "strip_path", "cannot set 'strip_path' when 'protocols' is 'grpc' or 'grpcs'"
        );
    }
}

namespace {

// What one of hash_on and hash_fallback needs besides itself.
struct HashPart
{
    std::string_view key; // "hash_on"
    HashOn on;
    const std::optional<std::string>& header;
    const std::optional<std::string>& queryArg;
    const std::optional<std::string>& uriCapture;
};

void checkHashPart(const Upstream& upstream, const HashPart& part, FieldProblems& problems)
{
    const auto need = [&](std::string_view suffix, bool isSet, std::string_view value) {
        if (!isSet) {
            // The cookie's name is shared by both parts.
            const std::string key =
                fmt::format("{}_{}", suffix == "cookie" ? "hash_on" : part.key, suffix);
            report(
                problems,
                key,
                fmt::format("required field missing: '{}' is '{}'", part.key, value),
                ErrorCode::MissingField
            );
        }
    };
    switch (part.on) {
    case HashOn::Header:
        return need("header", part.header.has_value(), "header");
    case HashOn::Cookie:
        return need("cookie", upstream.hashOnCookie.has_value(), "cookie");
    case HashOn::QueryArg:
        return need("query_arg", part.queryArg.has_value(), "query_arg");
    case HashOn::UriCapture:
        return need("uri_capture", part.uriCapture.has_value(), "uri_capture");
    default:
        return;
    }
}

void checkHashPair(const Upstream& upstream, FieldProblems& problems)
{
    const bool isPlain = upstream.hashOn == HashOn::Consumer || upstream.hashOn == HashOn::Ip
                         || upstream.hashOn == HashOn::Path;
    if (upstream.hashOn == HashOn::None || upstream.hashOn == HashOn::Cookie) {
        if (upstream.hashFallback != HashOn::None) {
            report(
                problems,
                "hash_fallback",
                fmt::format(
                    "must be 'none' when 'hash_on' is '{}'",
                    upstream.hashOn == HashOn::None ? "none" : "cookie"
                )
            );
        }
    } else if (isPlain && upstream.hashFallback == upstream.hashOn) {
        report(problems, "hash_fallback", "must differ from 'hash_on'");
    }
    const auto differ = [&](HashOn on, std::string_view key, const auto& first, const auto& second
                        ) {
        const bool areBoth = upstream.hashOn == on && upstream.hashFallback == on;
        if (areBoth && first && first == second) {
            report(problems, std::string(key), "must name another than 'hash_on' does");
        }
    };
    differ(
        HashOn::Header, "hash_fallback_header", upstream.hashOnHeader, upstream.hashFallbackHeader
    );
    differ(
        HashOn::QueryArg,
        "hash_fallback_query_arg",
        upstream.hashOnQueryArg,
        upstream.hashFallbackQueryArg
    );
    differ(
        HashOn::UriCapture,
        "hash_fallback_uri_capture",
        upstream.hashOnUriCapture,
        upstream.hashFallbackUriCapture
    );
}

} // namespace

void checkUpstream(const Upstream& upstream, FieldProblems& problems)
{
    const HashPart first{
        "hash_on",
        upstream.hashOn,
        upstream.hashOnHeader,
        upstream.hashOnQueryArg,
        upstream.hashOnUriCapture};
    const HashPart fallback{
        "hash_fallback",
        upstream.hashFallback,
        upstream.hashFallbackHeader,
        upstream.hashFallbackQueryArg,
        upstream.hashFallbackUriCapture};
    checkHashPart(upstream, first, problems);
    checkHashPart(upstream, fallback, problems);
    checkHashPair(upstream, problems);
    const bool hashes = upstream.algorithm == Algorithm::ConsistentHashing
                        || upstream.algorithm == Algorithm::Maglev;
    if (!hashes && upstream.hashOn != HashOn::None) {
        report(
            problems, "algorithm", "must be 'consistent-hashing' or 'maglev' when 'hash_on' is set"
        );
    }
}

bool isHttpRoute(const Route& route)
{
    return !route.protocols.empty() && !isStream(familyOf(route.protocols.front()));
}

void checkCertificate(const Certificate& certificate, FieldProblems& problems)
{
    if (certificate.certAlt.has_value() != certificate.keyAlt.has_value()) {
        report(
            problems,
            certificate.certAlt ? "key_alt" : "cert_alt",
            "all or none of these fields must be set: 'cert_alt', 'key_alt'",
            ErrorCode::MissingField
        );
    }
}

} // namespace mesh::model
