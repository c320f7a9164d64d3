#include "proxyengine/model/resilience_rules.h"

#include "proxyengine/base/duration_text.h"
#include "proxyengine/model/field_build.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace mesh::model {
namespace {

using build::report;

// For what is said but cannot take effect.
void reportUseless(FieldProblems& problems, std::string path, std::string_view needed)
{
    report(
        problems,
        std::move(path),
        fmt::format("has no effect without {}; set that too or remove this", needed)
    );
}

bool contains(const Retry& retry, RetryOn condition)
{
    return std::ranges::find(retry.on, condition) != retry.on.end();
}

// Shares are counted in hundredths of a percent.
void checkShare(double percent, FieldProblems& problems)
{
    constexpr double kStepsPerPercent = 100;
    const double steps = percent * kStepsPerPercent;
    if (std::abs(steps - std::nearbyint(steps)) > 1e-6) {
        report(
            problems,
            "percent",
            "has steps of 0.01; write at most two decimals",
            ErrorCode::OutOfRange
        );
    }
}

} // namespace

void checkRetryBackoff(const RetryBackoff& backoff, FieldProblems& problems)
{
    if (backoff.max < backoff.base) {
        report(
            problems,
            "max",
            fmt::format(
                "must not be shorter than 'base', which is {}", toDurationText(backoff.base)
            )
        );
    }
}

void checkRetryBudget(const RetryBudget& budget, FieldProblems& problems)
{
    checkShare(budget.percent, problems);
    if (budget.percent == 0 && budget.minConcurrent == 0) {
        report(
            problems,
            {},
            "allows no retry at all; raise 'percent' or 'min_concurrent', or set 'attempts' to 1"
        );
    }
}

void checkRetry(const Retry& retry, FieldProblems& problems)
{
    const auto pair = [&](RetryOn condition, std::string_view word, std::string_view key, bool isSet
                      ) {
        if (contains(retry, condition) && !isSet) {
            report(
                problems,
                std::string(key),
                fmt::format("required field missing: 'on' has '{}'", word),
                ErrorCode::MissingField
            );
        } else if (isSet && !contains(retry, condition)) {
            reportUseless(problems, std::string(key), fmt::format("'{}' in 'on'", word));
        }
    };
    pair(
        RetryOn::RetriableStatusCodes, "retriable-status-codes", "statuses", !retry.statuses.empty()
    );
    pair(RetryOn::RetriableHeaders, "retriable-headers", "headers", !retry.headers.empty());
}

void checkMirror(const Mirror& mirror, FieldProblems& problems)
{
    checkShare(mirror.percent, problems);
}

void checkFaultDelay(const FaultDelay& delay, FieldProblems& problems)
{
    checkShare(delay.percent, problems);
}

void checkFaultAbort(const FaultAbort& abort, FieldProblems& problems)
{
    checkShare(abort.percent, problems);
}

void checkFault(const Fault& fault, FieldProblems& problems)
{
    if (!fault.delay && !fault.abort) {
        report(
            problems,
            {},
            "at least one of these fields must be non-empty: 'delay', 'abort'",
            ErrorCode::MissingField
        );
    }
}

void checkBreakerFallback(const BreakerFallback& fallback, FieldProblems& problems)
{
    static const BreakerFallback kDefaults;
    const bool isFieldValue =
        !fallback.contentType.empty()
        && std::ranges::all_of(fallback.contentType, [](char c) { return c >= ' ' && c <= '~'; });
    if (!isFieldValue) {
        report(
            problems,
            "content_type",
            "must be a media type in one line, as in 'text/plain; charset=utf-8'"
        );
    }
    if (!fallback.service) {
        return;
    }
    const auto exclude = [&](std::string_view key, bool isSet) {
        if (isSet) {
            report(
                problems,
                std::string(key),
                fmt::format("cannot set '{}' together with 'service', which answers itself", key)
            );
        }
    };
    exclude("status", fallback.status != kDefaults.status);
    exclude("body", fallback.body != kDefaults.body);
    exclude("content_type", fallback.contentType != kDefaults.contentType);
}

void checkBreaker(const Breaker& breaker, FieldProblems& problems)
{
    static const Breaker kDefaults;
    if (!breaker.slowRatio && breaker.slow != kDefaults.slow) {
        reportUseless(problems, "slow", "'slow_ratio'");
    }
}

void checkRateLimit(const RateLimit& limit, FieldProblems& problems)
{
    constexpr Duration kWindowMin = std::chrono::seconds(1);
    const bool isBucket = limit.algorithm == RateAlgorithm::TokenBucket;
    const std::string_view algorithm =
        build::wordsOf<RateAlgorithm>()[static_cast<std::size_t>(limit.algorithm)];
    if (limit.burst && !isBucket) {
        report(
            problems,
            "burst",
            fmt::format(
                "only 'token-bucket' has a burst; remove it, or change 'algorithm' from '{}'",
                algorithm
            )
        );
    }
    if (!isBucket && limit.per < kWindowMin) {
        report(
            problems,
            "per",
            fmt::format(
                "must be at least 1s with '{}'; only 'token-bucket' has shorter times", algorithm
            ),
            ErrorCode::OutOfRange
        );
    }
    if (limit.requests > limit.per / std::chrono::microseconds(1)) {
        report(
            problems,
            "requests",
            fmt::format(
                "more than one in a microsecond cannot be counted; at most {} per {}",
                limit.per / std::chrono::microseconds(1),
                toDurationText(limit.per)
            ),
            ErrorCode::OutOfRange
        );
    }
    if (limit.by == RateBy::Header && !limit.header) {
        report(
            problems, "header", "required field missing: 'by' is 'header'", ErrorCode::MissingField
        );
    } else if (limit.by != RateBy::Header && limit.header) {
        reportUseless(problems, "header", "'by: header'");
    }
}

void checkAdaptiveConcurrency(const AdaptiveConcurrency& settings, FieldProblems& problems)
{
    if (settings.maxConcurrency < settings.minConcurrency) {
        report(
            problems,
            "max_concurrency",
            fmt::format(
                "must not be less than 'min_concurrency', which is {}", settings.minConcurrency
            )
        );
    }
    if (settings.minRttInterval <= settings.updateInterval) {
        report(
            problems,
            "update_interval",
            fmt::format(
                "must be shorter than 'min_rtt_interval', which is {}",
                toDurationText(settings.minRttInterval)
            )
        );
    }
}

namespace {

void checkTimes(const Resilience& resilience, FieldProblems& problems)
{
    if (!resilience.timeout) {
        return;
    }
    const std::string total = toDurationText(*resilience.timeout);
    if (resilience.perTryTimeout && *resilience.perTryTimeout > *resilience.timeout) {
        report(
            problems,
            "per_try_timeout",
            fmt::format("must not be longer than 'timeout', which is {}", total)
        );
    }
    const Duration* const delay =
        resilience.hedge ? std::get_if<Duration>(&resilience.hedge->after.delay) : nullptr;
    if (delay != nullptr && *delay >= *resilience.timeout) {
        report(
            problems,
            "hedge.after",
            fmt::format("must be shorter than 'timeout', which is {}", total)
        );
    }
}

} // namespace

void checkResilience(const Resilience& resilience, FieldProblems& problems)
{
    checkTimes(resilience, problems);
    const std::vector<RateLimit>& limits = resilience.rateLimits;
    for (std::size_t at = 1; at < limits.size(); ++at) {
        const auto end = limits.begin() + static_cast<std::ptrdiff_t>(at);
        const auto same = std::find(limits.begin(), end, limits[at]);
        if (same != end) {
            report(
                problems,
                fmt::format("rate_limits[{}]", at),
                fmt::format("says the same as rate_limits[{}]; remove one", same - limits.begin()),
                ErrorCode::Duplicate
            );
        }
    }
}

void checkSplitSticky(const SplitSticky& sticky, FieldProblems& problems)
{
    if (sticky.by == StickyBy::Ip && !sticky.name.empty()) {
        report(problems, "name", "an address has no name; remove it, or change 'by' from 'ip'");
    } else if (sticky.by != StickyBy::Ip && sticky.name.empty()) {
        report(
            problems,
            "name",
            fmt::format(
                "required field missing: 'by' is '{}'",
                sticky.by == StickyBy::Header ? "header" : "cookie"
            ),
            ErrorCode::MissingField
        );
    }
}

void checkOutlierDetection(const OutlierDetection& settings, FieldProblems& problems)
{
    static const OutlierDetection kDefaults;
    if (settings.maxEjection < settings.baseEjection) {
        report(
            problems,
            "max_ejection",
            fmt::format(
                "must not be shorter than 'base_ejection', which is {}",
                toDurationText(settings.baseEjection)
            )
        );
    }
    if (settings.splitLocalOrigin) {
        return;
    }
    if (settings.consecutiveLocalOriginFailure != kDefaults.consecutiveLocalOriginFailure) {
        reportUseless(problems, "consecutive_local_origin_failure", "'split_local_origin: true'");
    }
    if (settings.enforcingConsecutiveLocalOriginFailure
        != kDefaults.enforcingConsecutiveLocalOriginFailure) {
        reportUseless(
            problems, "enforcing_consecutive_local_origin_failure", "'split_local_origin: true'"
        );
    }
}

void checkLimits(const Limits& limits, FieldProblems& problems)
{
    if (limits.maxConnectionsPerTarget && *limits.maxConnectionsPerTarget > limits.maxConnections) {
        report(
            problems,
            "max_connections_per_target",
            fmt::format(
                "must not be more than 'max_connections', which is {}", limits.maxConnections
            )
        );
    }
}

void checkOverload(const Overload& overload, FieldProblems& problems)
{
    if (overload.maxRequests == 0 && overload.maxLoopLag == Duration::zero()) {
        report(
            problems,
            {},
            "at least one of these fields must be set: 'max_requests', 'max_loop_lag'",
            ErrorCode::MissingField
        );
    }
}

} // namespace mesh::model
