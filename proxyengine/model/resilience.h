#pragma once

#include "proxyengine/base/time.h"
#include "proxyengine/model/headers.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// What an operator says about a service's or a route's traffic beyond the gateway format. Field
// names and defaults follow Envoy's where it has the thing. Plain values; bounds are in the
// Schemas.
namespace mesh::model {

// When an attempt may be repeated. Words as in Envoy's retry_on.
enum class RetryOn : std::uint8_t {
    ConnectFailure, // Refused, unreachable, connect timeout: nothing was sent.
    RefusedStream, // HTTP/2 REFUSED_STREAM.
    Reset, // Disconnect, reset or a timeout of any kind, before a response head.
    FiveXx, // Any 5xx, and all of the above.
    GatewayError, // 502, 503, 504, and all of the first three.
    Retriable4xx, // 409.
    RetriableStatusCodes, // `statuses`.
    RetriableHeaders, // `headers` match those of the response.
    Cancelled, // gRPC status in the response head or in a response without a body.
    DeadlineExceeded,
    Internal,
    ResourceExhausted,
    Unavailable,
};

struct RetryBackoff
{
    Duration base = std::chrono::milliseconds(25);
    Duration max = std::chrono::milliseconds(250);
    friend bool operator==(const RetryBackoff&, const RetryBackoff&) = default;
};

// Retries in flight at once: max(min_concurrent, percent of the requests in flight). It takes the
// place of the upstream's limits.max_retries, as in Envoy.
struct RetryBudget
{
    double percent = 20;
    int minConcurrent = 3;
    friend bool operator==(const RetryBudget&, const RetryBudget&) = default;
};

struct Retry
{
    std::vector<RetryOn> on = {RetryOn::ConnectFailure};
    int attempts = 2; // The first try included.
    std::vector<int> statuses;
    std::vector<HeaderMatch> headers;
    bool nonIdempotent = false; // Whether POST, PATCH and LOCK are sent again once sent.
    bool retryAfter = true; // A response's Retry-After replaces the back-off; longer than the
                            // total timeout leaves: no retry.
    int maxBodyBytes = 65536; // Beyond it the request's body is not kept and nothing is repeated.
    RetryBackoff backoff;
    std::optional<RetryBudget> budget; // Nothing: limits.max_retries alone, if there are limits.
    friend bool operator==(const Retry&, const Retry&) = default;
};

// When to start a second attempt beside the first: after a time, or at a percentile ("p95") of the
// latencies that this proxy has seen of the service.
struct HedgeAfter
{
    std::variant<Duration, double> delay = 95.0; // double: percentile in (0, 100).
    friend bool operator==(const HedgeAfter&, const HedgeAfter&) = default;
};

struct Hedge
{
    HedgeAfter after;
    int max = 1; // Attempts beside the first.
    friend bool operator==(const Hedge&, const Hedge&) = default;
};

// What is answered instead of calling the service: a response, or another service.
struct BreakerFallback
{
    int status = 503;
    std::string body;
    std::string contentType = "text/plain; charset=utf-8";
    std::optional<std::string> service; // A service's name; excludes the three above.
    friend bool operator==(const BreakerFallback&, const BreakerFallback&) = default;
};

struct Breaker
{
    double errorRatio = 0.5; // Opens when reached or passed, in (0, 1].
    std::optional<double> slowRatio; // Likewise for requests slower than `slow`.
    Duration slow = std::chrono::seconds(1);
    int minRequests = 20; // In the window, before anything is judged.
    Duration window = std::chrono::seconds(10);
    Duration open = std::chrono::seconds(5); // Before probes are let through.
    int probes = 3; // Requests at once while half-open, before the ramp.
    Duration ramp = std::chrono::seconds(10); // From the first share to all; zero: at once.
    BreakerFallback fallback;
    friend bool operator==(const Breaker&, const Breaker&) = default;
};

struct Mirror
{
    std::string service; // Gets a copy; its answer is dropped.
    double percent = 100;
    int maxBodyBytes = 65536; // A longer request is not mirrored.
    friend bool operator==(const Mirror&, const Mirror&) = default;
};

struct FaultDelay
{
    Duration time{};
    double percent = 0; // By hash of the request id, so that it repeats.
    friend bool operator==(const FaultDelay&, const FaultDelay&) = default;
};

struct FaultAbort
{
    int status = 503;
    double percent = 0;
    friend bool operator==(const FaultAbort&, const FaultAbort&) = default;
};

struct Fault
{
    std::optional<FaultDelay> delay;
    std::optional<FaultAbort> abort;
    friend bool operator==(const Fault&, const Fault&) = default;
};

enum class RateAlgorithm : std::uint8_t { TokenBucket, FixedWindow, SlidingWindow };

// Consumer and Credential fall back to the client's address when nobody authenticated.
enum class RateBy : std::uint8_t { Service, Consumer, Credential, Ip, Header, Path };

struct RateLimit
{
    int requests = 0; // Per `per`; the rate of the bucket.
    Duration per = std::chrono::seconds(1); // Fixed windows are aligned to UTC.
    std::optional<int> burst; // Only token-bucket; absent: `requests`.
    RateAlgorithm algorithm = RateAlgorithm::TokenBucket;
    RateBy by = RateBy::Service;
    std::optional<std::string> header; // With by: header.
    int status = 429;
    friend bool operator==(const RateLimit&, const RateLimit&) = default;
};

// A concurrency limit that follows the measured latency. Source: Envoy's gradient controller.
struct AdaptiveConcurrency
{
    Duration minRttInterval = std::chrono::seconds(60);
    int minRttRequests = 50;
    int minConcurrency = 3;
    int maxConcurrency = 1000;
    double buffer = 25; // Percent of the smallest round trip.
    Duration updateInterval = std::chrono::milliseconds(100);
    friend bool operator==(const AdaptiveConcurrency&, const AdaptiveConcurrency&) = default;
};

enum class RequestPriority : std::uint8_t { Low, Default, High };

// Fields of a route win over those of its service, one by one.
struct Resilience
{
    std::optional<Duration> timeout; // Whole request, all attempts and waits.
    std::optional<Duration> perTryTimeout; // One attempt, to its response head.
    std::optional<Retry> retry;
    std::optional<Hedge> hedge;
    std::optional<Breaker> breaker;
    std::optional<Mirror> mirror;
    std::optional<Fault> fault;
    std::vector<RateLimit> rateLimits; // All must admit.
    std::optional<AdaptiveConcurrency> adaptiveConcurrency;
    std::optional<RequestPriority> priority;
    std::optional<std::string> version; // Only targets of this version (tag version:v2).
    friend bool operator==(const Resilience&, const Resilience&) = default;
};

struct SplitPart
{
    std::string service;
    int weight = 0; // Share is weight over the sum of all.
    friend bool operator==(const SplitPart&, const SplitPart&) = default;
};

enum class StickyBy : std::uint8_t { Ip, Header, Cookie };

// Keeps a caller on one side of a split.
struct SplitSticky
{
    StickyBy by = StickyBy::Cookie;
    std::string name; // Of the header or the cookie.
    friend bool operator==(const SplitSticky&, const SplitSticky&) = default;
};

// Ejects a host whose success rate is far below that of the others.
struct OutlierSuccessRate
{
    int minimumHosts = 5;
    int requestVolume = 100;
    double stdevFactor = 1.9;
    double enforcing = 100;
    friend bool operator==(const OutlierSuccessRate&, const OutlierSuccessRate&) = default;
};

// Ejects a host that fails too often.
struct OutlierFailurePercentage
{
    double threshold = 85;
    int minimumHosts = 5;
    int requestVolume = 50;
    double enforcing = 100;
    friend bool operator==(const OutlierFailurePercentage&, const OutlierFailurePercentage&) =
        default;
};

// Passive ejection with recovery. Source of fields and defaults: Envoy outlier detection.
struct OutlierDetection
{
    using SuccessRate = OutlierSuccessRate;
    using FailurePercentage = OutlierFailurePercentage;

    int consecutive5xx = 5; // Each count: 0 means never.
    int consecutiveGatewayFailure = 5;
    bool splitLocalOrigin = false; // Connect failures, resets, timeouts are counted apart.
    int consecutiveLocalOriginFailure = 5;
    double enforcingConsecutive5xx = 100;
    double enforcingConsecutiveGatewayFailure = 0;
    double enforcingConsecutiveLocalOriginFailure = 100;
    Duration interval = std::chrono::seconds(10);
    Duration baseEjection = std::chrono::seconds(30);
    Duration maxEjection = std::chrono::seconds(300);
    Duration ejectionJitter{};
    double maxEjectionPercent = 10; // One host is always allowed when there are two or more.
    std::optional<SuccessRate> successRate;
    std::optional<FailurePercentage> failurePercentage;
    bool unejectOnActiveSuccess = true;
    friend bool operator==(const OutlierDetection&, const OutlierDetection&) = default;
};

// Circuit-breaker thresholds of an upstream, for the whole node. Source: Envoy.
struct LimitSet
{
    int maxConnections = 1024;
    int maxPending = 1024; // Requests that wait for a connection.
    int maxRequests = 1024;
    int maxRetries = 3; // Without a retry budget.
    friend bool operator==(const LimitSet&, const LimitSet&) = default;
};

struct Limits
{
    int maxConnections = 1024;
    int maxPending = 1024;
    int maxRequests = 1024;
    int maxRetries = 3;
    std::optional<int> maxConnectionsPerTarget;
    std::optional<LimitSet> high; // For requests of priority high; absent: the same numbers,
                                  // counted apart.
    friend bool operator==(const Limits&, const Limits&) = default;
};

// Zones in the order of use: the node's own when preferred, then `failover`, then all others.
// Each takes traffic in proportion to its health, with the spill going to the next.
struct Locality
{
    bool preferLocalZone = true;
    std::vector<std::string> failover;
    double panicPercent = 50; // Below this share of healthy hosts, health is ignored; 0: never.
    double overprovisioning = 140; // Percent. 140: a zone takes all until 72 % are healthy.
    friend bool operator==(const Locality&, const Locality&) = default;
};

} // namespace mesh::model
