#pragma once

#include "proxyengine/base/time.h"
#include "proxyengine/model/compression.h"
#include "proxyengine/model/headers.h"
#include "proxyengine/model/resilience.h"
#include "proxyengine/model/security.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// The gateway's entities, with the field names, defaults and bounds that users of the declarative
// gateway format know. Plain values; what a field may hold is checked by its Schema and validate().
namespace mesh::model {

using Tags = std::vector<std::string>; // In file order, unique, no ',' or '/'.

enum class Protocol : std::uint8_t { Http, Https, Grpc, Grpcs, Tcp, Tls, TlsPassthrough, Udp };

// How a service's targets are spoken to below requests.
enum class HttpVersion : std::uint8_t {
    Http1,
    Http2, // Without TLS from the first byte ("prior knowledge"), under TLS by ALPN.
    Auto, // What the target chooses by ALPN.
};

// An element of a stream route's sources or destinations; at least one part is present.
struct AddressMatch
{
    std::optional<std::string> ip; // Address or CIDR.
    std::optional<std::uint16_t> port;
    friend bool operator==(const AddressMatch&, const AddressMatch&) = default;
};

// Of the header that tells a service of its client before the connection's first byte.
enum class ProxyProtocol : std::uint8_t { V1, V2 };

enum class PathHandling : std::uint8_t { V0, V1 };

struct Route
{
    std::optional<std::string> id;
    std::optional<std::string> name;
    std::vector<Protocol> protocols = {Protocol::Http, Protocol::Https};
    std::vector<std::string> methods;
    std::vector<std::string> hosts;
    std::vector<std::string> paths; // "/prefix" or "~/regex".
    std::vector<HeaderMatch> headers; // Sorted by name, unique.
    std::vector<std::string> snis;
    std::vector<AddressMatch> sources;
    std::vector<AddressMatch> destinations;
    int httpsRedirectStatusCode = 426;
    std::int64_t regexPriority = 0;
    std::optional<bool> stripPath; // Absent: true, but false for grpc and grpcs.
    PathHandling pathHandling = PathHandling::V0;
    bool preserveHost = false;
    bool requestBuffering = true;
    bool responseBuffering = true;
    std::optional<std::string> service; // Only on a top-level route: the service's name or id.
    std::optional<Resilience> resilience; // Wins over the service's, field by field.
    std::optional<Compression> compression; // Wins over the service's as a whole.
    std::vector<SplitPart> split; // Empty: all goes to the route's service.
    std::optional<SplitSticky> splitSticky;
    std::vector<Plugin> plugins;
    Tags tags;
    std::optional<std::int64_t> createdAt;
    std::optional<std::int64_t> updatedAt;
    friend bool operator==(const Route&, const Route&) = default;
};

[[nodiscard]] inline bool takes(const Route& route, Protocol protocol)
{
    return std::ranges::find(route.protocols, protocol) != route.protocols.end();
}

struct Service
{
    std::optional<std::string> id;
    std::optional<std::string> name;
    bool enabled = true;
    Protocol protocol = Protocol::Http;
    std::string host; // The name of an upstream, a DNS name or an address.
    std::uint16_t port = 80;
    std::optional<std::string> path;
    std::optional<HttpVersion> httpVersion; // Absent: HTTP/1.1, but HTTP/2 for grpc and grpcs.
    int retries = 5; // Additional tries after the first.
    Duration connectTimeout = std::chrono::milliseconds(60'000);
    Duration writeTimeout = std::chrono::milliseconds(60'000); // Between two writes, not in total.
    Duration readTimeout = std::chrono::milliseconds(60'000); // Between two reads, not in total.
    std::optional<std::string> clientCertificate; // Id of a certificate.
    std::optional<bool> tlsVerify;
    std::optional<int> tlsVerifyDepth;
    std::vector<std::string> caCertificates;
    std::vector<Plugin> plugins;
    // Protocols that a request may change to by Upgrade; others are not passed on.
    std::vector<std::string> upgrades = {"websocket"};
    std::optional<Compression> compression; // Of answers on gateways; absent: none.
    std::optional<ProxyProtocol> proxyProtocol; // Of tcp and tls; absent: no header.
    std::optional<Resilience> resilience;
    Tags tags;
    std::optional<std::int64_t> createdAt;
    std::optional<std::int64_t> updatedAt;
    std::vector<Route>
        routes; // Nested ones first, then the top-level routes that named this service.
    friend bool operator==(const Service&, const Service&) = default;
};

enum class Algorithm : std::uint8_t {
    RoundRobin,
    LeastConnections,
    LeastRequests,
    Latency,
    ConsistentHashing,
    Maglev,
    Random,
};

enum class HashOn : std::uint8_t { None, Consumer, Ip, Header, Cookie, Path, QueryArg, UriCapture };

enum class ProbeType : std::uint8_t { Http, Https, Tcp, Grpc, Grpcs };

struct ActiveHealthcheck
{
    struct Healthy
    {
        Duration interval{}; // Zero: no probes of healthy targets.
        std::vector<int> httpStatuses = {200, 302};
        int successes = 0; // Zero: never becomes healthy by probes.
        friend bool operator==(const Healthy&, const Healthy&) = default;
    };
    struct Unhealthy
    {
        Duration interval{};
        std::vector<int> httpStatuses = {429, 404, 500, 501, 502, 503, 504, 505};
        int tcpFailures = 0;
        int timeouts = 0;
        int httpFailures = 0;
        friend bool operator==(const Unhealthy&, const Unhealthy&) = default;
    };

    ProbeType type = ProbeType::Http;
    Duration timeout = std::chrono::seconds(1);
    int concurrency = 10;
    std::string httpPath = "/";
    std::optional<std::string> httpsSni;
    bool httpsVerifyCertificate = true;
    std::vector<HeaderMatch> headers;
    Healthy healthy;
    Unhealthy unhealthy;
    friend bool operator==(const ActiveHealthcheck&, const ActiveHealthcheck&) = default;
};

struct PassiveHealthcheck
{
    struct Healthy
    {
        std::vector<int> httpStatuses = {
            200,
            201,
            202,
            203,
            204,
            205,
            206,
            207,
            208,
            226,
            300,
            301,
            302,
            303,
            304,
            305,
            306,
            307,
            308};
        int successes = 0;
        friend bool operator==(const Healthy&, const Healthy&) = default;
    };
    struct Unhealthy
    {
        std::vector<int> httpStatuses = {429, 500, 503};
        int tcpFailures = 0;
        int timeouts = 0;
        int httpFailures = 0;
        friend bool operator==(const Unhealthy&, const Unhealthy&) = default;
    };

    ProbeType type = ProbeType::Http;
    Healthy healthy;
    Unhealthy unhealthy;
    friend bool operator==(const PassiveHealthcheck&, const PassiveHealthcheck&) = default;
};

struct Healthchecks
{
    ActiveHealthcheck active;
    PassiveHealthcheck passive;
    double threshold = 0; // Minimum % of weight that must be available, 0..100.
    friend bool operator==(const Healthchecks&, const Healthchecks&) = default;
};

struct Target
{
    std::optional<std::string> id;
    std::string target; // host:port; a missing port means 8000 and is written out.
    int weight = 100; // 0: in the list, but no traffic.
    Tags tags; // zone:a and version:v1 have a meaning.
    std::optional<std::int64_t> createdAt;
    std::optional<std::int64_t> updatedAt;
    friend bool operator==(const Target&, const Target&) = default;
};

struct Upstream
{
    std::optional<std::string> id;
    std::string name;
    Algorithm algorithm = Algorithm::RoundRobin;
    HashOn hashOn = HashOn::None;
    HashOn hashFallback = HashOn::None;
    std::optional<std::string> hashOnHeader;
    std::optional<std::string> hashFallbackHeader;
    std::optional<std::string> hashOnCookie;
    std::string hashOnCookiePath = "/";
    std::optional<std::string> hashOnQueryArg;
    std::optional<std::string> hashFallbackQueryArg;
    std::optional<std::string> hashOnUriCapture;
    std::optional<std::string> hashFallbackUriCapture;
    int slots = 10'000;
    std::optional<std::string> hostHeader;
    std::optional<std::string> clientCertificate;
    bool useSrvName = false;
    Healthchecks healthchecks;
    std::optional<OutlierDetection> outlierDetection;
    std::optional<Limits> limits;
    std::optional<Duration> slowStart;
    std::optional<Locality> locality;
    Tags tags;
    std::optional<std::int64_t> createdAt;
    std::optional<std::int64_t> updatedAt;
    std::vector<Target> targets;
    friend bool operator==(const Upstream&, const Upstream&) = default;
};

struct Sni
{
    std::optional<std::string> id;
    std::string name;
    Tags tags;
    friend bool operator==(const Sni&, const Sni&) = default;
};

struct Certificate
{
    std::optional<std::string> id;
    std::string cert; // PEM chain.
    std::string key; // PEM; a secret, masked in every output unless asked for by name.
    std::optional<std::string> certAlt;
    std::optional<std::string> keyAlt;
    std::vector<Sni> snis;
    Tags tags;
    std::optional<std::int64_t> createdAt;
    std::optional<std::int64_t> updatedAt;
    friend bool operator==(const Certificate&, const Certificate&) = default;
};

} // namespace mesh::model
