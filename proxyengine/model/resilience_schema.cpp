#include "proxyengine/model/field_build.h"
#include "proxyengine/model/headers_codec.h"
#include "proxyengine/model/hedge_text.h"
#include "proxyengine/model/resilience.h"
#include "proxyengine/model/resilience_build.h"
#include "proxyengine/model/resilience_rules.h"
#include "proxyengine/model/schema.h"

#include <array>

// How requests of a service or a route are timed, repeated, copied and spoiled.
namespace mesh::model {
namespace build {

template <>
std::span<const std::string_view> wordsOf<RetryOn>()
{
    static constexpr std::array<std::string_view, 13> kWords = {
        "connect-failure",
        "refused-stream",
        "reset",
        "5xx",
        "gateway-error",
        "retriable-4xx",
        "retriable-status-codes",
        "retriable-headers",
        "cancelled",
        "deadline-exceeded",
        "internal",
        "resource-exhausted",
        "unavailable"};
    return kWords;
}

template <>
std::span<const std::string_view> wordsOf<RequestPriority>()
{
    static constexpr std::array<std::string_view, 3> kWords = {"low", "default", "high"};
    return kWords;
}

namespace {

// "p95" or "200ms".
struct AsHedgeDelay
{
    static constexpr Kind kKind = Kind::Text;
    static Value write(const HedgeAfter& after) { return toText(after); }
    static void read(const Value& from, HedgeAfter& to)
    {
        if (from.isString()) {
            to = parseHedgeAfter(from.text()).value_or(to);
        }
    }
};

} // namespace
} // namespace build

using build::as;
using build::AsHedgeDelay;
using build::bodyLimit;
using build::Headers;
using build::ListOf;
using build::percent;
using build::Plain;
using build::plain;
using build::RecordOf;
using build::rules;
using build::time;
using build::Words;

template <>
const Schema& schemaOf<RetryBackoff>()
{
    static const Schema kSchema(
        "backoff",
        {
            time<&RetryBackoff::base>("base", std::chrono::milliseconds(1), kTimeMax)
                .named("Base", "Wait before the first repetition; it doubles with each more."),
            time<&RetryBackoff::max>("max", std::chrono::milliseconds(1), kTimeMax)
                .named("Longest", "No wait is longer than this."),
        },
        rules<RetryBackoff, checkRetryBackoff>()
    );
    return kSchema;
}

template <>
const Schema& schemaOf<RetryBudget>()
{
    static const Schema kSchema(
        "budget",
        {
            percent<&RetryBudget::percent>("percent").named(
                "Percent", "Share of the requests under way that may be repetitions at once."
            ),
            plain<&RetryBudget::minConcurrent>("min_concurrent")
                .named("At least", "Repetitions that may run at once even with little traffic.")
                .between(0, kCountMax),
        },
        rules<RetryBudget, checkRetryBudget>()
    );
    return kSchema;
}

template <>
const Schema& schemaOf<Retry>()
{
    static const Schema kSchema(
        "retry",
        {
            as<&Retry::on, ListOf<Words<RetryOn>>>("on")
                .named("On", "Failures after which a request is sent again.")
                .unique()
                .atLeast(1),
            plain<&Retry::attempts>("attempts")
                .named("Attempts", "How often a request is sent at most, the first time included.")
                .between(1, kAttemptsMax),
            as<&Retry::statuses, ListOf<Plain<int>>>("statuses")
                .named("Statuses", "Response statuses that 'retriable-status-codes' stands for.")
                .between(100, 599)
                .unique(),
            as<&Retry::headers, Headers>("headers").named(
                "Headers", "Response headers that 'retriable-headers' stands for."
            ),
            plain<&Retry::nonIdempotent>("non_idempotent")
                .named(
                    "Not idempotent",
                    "Whether POST, PATCH and LOCK are repeated although the service may have "
                    "acted on them."
                ),
            plain<&Retry::retryAfter>("retry_after")
                .named(
                    "Retry-After", "Whether to wait as long as the response's Retry-After says."
                ),
            bodyLimit<&Retry::maxBodyBytes>("max_body_bytes")
                .named("Largest body", "A request with a longer body is sent once only."),
            as<&Retry::backoff, RecordOf<RetryBackoff>>("backoff").named(
                "Back-off", "How long to wait before a repetition."
            ),
            as<&Retry::budget, RecordOf<RetryBudget>>("budget").named(
                "Budget",
                "How many repetitions may run at once, so that retries cannot pile up. Without it, "
                "only the upstream's max_retries bounds them."
            ),
        },
        rules<Retry, checkRetry>()
    );
    return kSchema;
}

template <>
const Schema& schemaOf<Hedge>()
{
    static const Schema kSchema(
        "hedge",
        {
            as<&Hedge::after, AsHedgeDelay>("after")
                .named(
                    "After",
                    "When to start a second attempt beside a slow one: a time, or a percentile "
                    "of the latencies seen, as in p95."
                )
                .formed(Format::HedgeDelay),
            plain<&Hedge::max>("max")
                .named("At most", "Attempts beside the first; the first good answer wins.")
                .between(1, kAttemptsMax),
        },
        {}
    );
    return kSchema;
}

template <>
const Schema& schemaOf<Mirror>()
{
    static const Schema kSchema(
        "mirror",
        {
            plain<&Mirror::service>("service")
                .named("Service", "Service that gets a copy of the requests; its answers are lost.")
                .formed(Format::Name)
                .naming("services")
                .required(),
            percent<&Mirror::percent>("percent").named(
                "Percent", "Share of the requests that are copied."
            ),
            bodyLimit<&Mirror::maxBodyBytes>("max_body_bytes")
                .named("Largest body", "A request with a longer body is not copied."),
        },
        rules<Mirror, checkMirror>()
    );
    return kSchema;
}

template <>
const Schema& schemaOf<FaultDelay>()
{
    static const Schema kSchema(
        "delay",
        {
            time<&FaultDelay::time>("time", std::chrono::milliseconds(1), kTimeMax)
                .named("Time", "How long a request is held back before it is sent.")
                .required(),
            percent<&FaultDelay::percent>("percent")
                .named("Percent", "Share of the requests that are held back.")
                .required(),
        },
        rules<FaultDelay, checkFaultDelay>()
    );
    return kSchema;
}

template <>
const Schema& schemaOf<FaultAbort>()
{
    static const Schema kSchema(
        "abort",
        {
            plain<&FaultAbort::status>("status")
                .named("Status", "What is answered instead of calling the service.")
                .between(200, 599),
            percent<&FaultAbort::percent>("percent")
                .named("Percent", "Share of the requests that are answered so.")
                .required(),
        },
        rules<FaultAbort, checkFaultAbort>()
    );
    return kSchema;
}

template <>
const Schema& schemaOf<Fault>()
{
    static const Schema kSchema(
        "fault",
        {
            as<&Fault::delay, RecordOf<FaultDelay>>("delay").named(
                "Delay", "Holds some requests back, to see what slowness does."
            ),
            as<&Fault::abort, RecordOf<FaultAbort>>("abort").named(
                "Abort", "Answers some requests with an error, to see what failure does."
            ),
        },
        rules<Fault, checkFault>()
    );
    return kSchema;
}

template <>
const Schema& schemaOf<Resilience>()
{
    constexpr Duration kMillisecond = std::chrono::milliseconds(1);
    static const Schema kSchema(
        "resilience",
        {
            time<&Resilience::timeout>("timeout", kMillisecond, kTimeMax)
                .named("Timeout", "Longest time of a whole request, with all attempts and waits."),
            time<&Resilience::perTryTimeout>("per_try_timeout", kMillisecond, kTimeMax)
                .named("Timeout per attempt", "Longest time until one attempt begins to answer."),
            as<&Resilience::retry, RecordOf<Retry>>("retry").named(
                "Retries", "Sends a failed request again, to another target when there is one."
            ),
            as<&Resilience::hedge, RecordOf<Hedge>>("hedge").named(
                "Hedging", "Sends a slow request a second time without giving up the first."
            ),
            as<&Resilience::breaker, RecordOf<Breaker>>("breaker").named(
                "Breaker", "Stops calling a service that fails too often, until it recovers."
            ),
            as<&Resilience::mirror, RecordOf<Mirror>>("mirror").named(
                "Mirror", "Sends a copy of the requests to another service."
            ),
            as<&Resilience::fault, RecordOf<Fault>>("fault").named(
                "Faults", "Spoils some requests on purpose, to test what callers do."
            ),
            as<&Resilience::rateLimits, ListOf<RecordOf<RateLimit>>>("rate_limits")
                .named("Rate limits", "How many requests may come in a time; all must admit one."),
            as<&Resilience::adaptiveConcurrency, RecordOf<AdaptiveConcurrency>>(
                "adaptive_concurrency"
            )
                .named(
                    "Adaptive concurrency",
                    "Limits the requests under way to what the service can take, by its latency."
                ),
            as<&Resilience::priority, Words<RequestPriority>>("priority")
                .named("Priority", "Who goes first under overload; low is turned away first."),
            plain<&Resilience::version>("version")
                .named("Version", "Only targets of this version get the requests.")
                .formed(Format::Name),
        },
        rules<Resilience, checkResilience>()
    );
    return kSchema;
}

} // namespace mesh::model
