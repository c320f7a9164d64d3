#include "proxyengine/model/document.h"
#include "proxyengine/model/field_build.h"
#include "proxyengine/model/resilience.h"
#include "proxyengine/model/resilience_build.h"
#include "proxyengine/model/resilience_rules.h"
#include "proxyengine/model/schema.h"

#include <array>

// Whether a request is let through and where it goes: breakers, rate limits, adaptive concurrency,
// splits, overload.
namespace mesh::model {
namespace build {

template <>
std::span<const std::string_view> wordsOf<RateAlgorithm>()
{
    static constexpr std::array<std::string_view, 3> kWords = {
        "token-bucket", "fixed-window", "sliding-window"};
    return kWords;
}

template <>
std::span<const std::string_view> wordsOf<RateBy>()
{
    static constexpr std::array<std::string_view, 6> kWords = {
        "service", "consumer", "credential", "ip", "header", "path"};
    return kWords;
}

template <>
std::span<const std::string_view> wordsOf<StickyBy>()
{
    static constexpr std::array<std::string_view, 3> kWords = {"ip", "header", "cookie"};
    return kWords;
}

} // namespace build

using build::as;
using build::percent;
using build::plain;
using build::RecordOf;
using build::rules;
using build::TextOrNone;
using build::time;
using build::Words;

namespace {

constexpr Duration kMillisecond = std::chrono::milliseconds(1);
constexpr double kProbesMax = 1000;
constexpr double kRatioMin = 0.001; // A breaker that opens at no failure at all is never closed.

} // namespace

template <>
const Schema& schemaOf<BreakerFallback>()
{
    static const Schema kSchema(
        "fallback",
        {
            plain<&BreakerFallback::status>("status")
                .named("Status", "Status of the answer while the breaker is open.")
                .between(200, 599),
            as<&BreakerFallback::body, TextOrNone>("body").named(
                "Body", "Text of the answer while the breaker is open."
            ),
            plain<&BreakerFallback::contentType>("content_type")
                .named("Content type", "Media type of the body."),
            plain<&BreakerFallback::service>("service")
                .named("Service", "Service that is called instead; then nothing else is set here.")
                .formed(Format::Name)
                .naming("services"),
        },
        rules<BreakerFallback, checkBreakerFallback>()
    );
    return kSchema;
}

template <>
const Schema& schemaOf<Breaker>()
{
    static const Schema kSchema(
        "breaker",
        {
            plain<&Breaker::errorRatio>("error_ratio")
                .named("Error ratio", "Opens when this share of the requests fails; 0.5 is half.")
                .between(kRatioMin, 1),
            plain<&Breaker::slowRatio>("slow_ratio")
                .named("Slow ratio", "Opens when this share of the requests is slow, too.")
                .between(kRatioMin, 1),
            time<&Breaker::slow>("slow", kMillisecond, kTimeMax)
                .named("Slow", "A request that takes longer is slow."),
            plain<&Breaker::minRequests>("min_requests")
                .named("Fewest requests", "With fewer requests in the window nothing is judged.")
                .between(1, kCountMax),
            time<&Breaker::window>("window", std::chrono::milliseconds(100), kTimeMax)
                .named("Window", "How far back requests are counted."),
            time<&Breaker::open>("open", std::chrono::milliseconds(10), kTimeMax)
                .named("Open", "How long nothing is sent before it is tried again."),
            plain<&Breaker::probes>("probes")
                .named("Probes", "Requests let through at once to see whether the service is back.")
                .between(1, kProbesMax),
            time<&Breaker::ramp>("ramp", Duration::zero(), kTimeMax)
                .named("Ramp", "Time from the first share of the traffic to all; 0s: all at once."),
            as<&Breaker::fallback, RecordOf<BreakerFallback>>("fallback")
                .named("Fallback", "What is answered while the breaker is open."),
        },
        rules<Breaker, checkBreaker>()
    );
    return kSchema;
}

template <>
const Schema& schemaOf<RateLimit>()
{
    static const Schema kSchema(
        "rate_limit",
        {
            plain<&RateLimit::requests>("requests")
                .named("Requests", "How many requests may come in the time below.")
                .between(1, kRateMax)
                .required(),
            time<&RateLimit::per>("per", kMillisecond, kSpanMax)
                .named("Per", "The time in which they may come."),
            plain<&RateLimit::burst>("burst")
                .named("Burst", "Requests that may come at once; as many as above when left out.")
                .between(1, kRateMax),
            as<&RateLimit::algorithm, Words<RateAlgorithm>>("algorithm")
                .named(
                    "Algorithm",
                    "token-bucket refills steadily, fixed-window starts anew with the clock, "
                    "sliding-window looks back from now."
                ),
            as<&RateLimit::by, Words<RateBy>>("by").named(
                "By", "Who has a limit of their own: everybody together, each client, each path."
            ),
            plain<&RateLimit::header>("header")
                .named("Header", "Header whose value tells callers apart, with by: header.")
                .formed(Format::HeaderName),
            plain<&RateLimit::status>("status")
                .named("Status", "Status of the answer to a request too many.")
                .between(400, 599),
        },
        rules<RateLimit, checkRateLimit>()
    );
    return kSchema;
}

template <>
const Schema& schemaOf<AdaptiveConcurrency>()
{
    using Adaptive = AdaptiveConcurrency;
    static const Schema kSchema(
        "adaptive_concurrency",
        {
            time<&Adaptive::minRttInterval>("min_rtt_interval", std::chrono::seconds(1), kTimeMax)
                .named("Measure every", "Time between measurements of the latency without load."),
            plain<&Adaptive::minRttRequests>("min_rtt_requests")
                .named("Measured requests", "Requests that one such measurement takes.")
                .between(1, kCountMax),
            plain<&Adaptive::minConcurrency>("min_concurrency")
                .named("Lowest limit", "Requests under way that are always allowed.")
                .between(1, kCountMax),
            plain<&Adaptive::maxConcurrency>("max_concurrency")
                .named("Highest limit", "Requests under way that are never exceeded.")
                .between(1, kCountMax),
            percent<&Adaptive::buffer>("buffer").named(
                "Buffer", "Latency above the best one that is taken as normal."
            ),
            time<&Adaptive::updateInterval>(
                "update_interval", std::chrono::milliseconds(10), kTimeMax
            )
                .named("Adjust every", "Time between two changes of the limit."),
        },
        rules<AdaptiveConcurrency, checkAdaptiveConcurrency>()
    );
    return kSchema;
}

template <>
const Schema& schemaOf<SplitPart>()
{
    static const Schema kSchema(
        "split_part",
        {
            plain<&SplitPart::service>("service")
                .named("Service", "Service that gets this part of the requests.")
                .formed(Format::Name)
                .naming("services")
                .required(),
            plain<&SplitPart::weight>("weight")
                .named("Weight", "Its share is this over the sum of all weights; 0: nothing.")
                .between(0, 65535)
                .required(),
        },
        {}
    );
    return kSchema;
}

template <>
const Schema& schemaOf<SplitSticky>()
{
    static const Schema kSchema(
        "split_sticky",
        {
            as<&SplitSticky::by, Words<StickyBy>>("by").named(
                "By", "What of a caller keeps it on one side of the split."
            ),
            as<&SplitSticky::name, TextOrNone>("name")
                .named("Name", "Name of the header or of the cookie, which is set when missing.")
                .formed(Format::HeaderName),
        },
        rules<SplitSticky, checkSplitSticky>()
    );
    return kSchema;
}

template <>
const Schema& schemaOf<Overload>()
{
    static const Schema kSchema(
        "overload",
        {
            plain<&Overload::maxRequests>("max_requests")
                .named("Most requests", "Requests under way on a node at once; 0: not judged.")
                .between(0, kCountMax),
            time<&Overload::maxLoopLag>("max_loop_lag", Duration::zero(), std::chrono::seconds(10))
                .named("Longest lag", "How late a worker may be with its work; 0s: not judged."),
            percent<&Overload::shedFrom>("shed_from")
                .named(
                    "Shed from",
                    "Share of either limit from which requests of low priority are turned away."
                )
                .between(1, 100),
        },
        rules<Overload, checkOverload>()
    );
    return kSchema;
}

} // namespace mesh::model
