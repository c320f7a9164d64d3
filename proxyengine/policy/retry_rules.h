#pragma once

#include "proxyengine/base/random.h"
#include "proxyengine/base/time.h"
#include "proxyengine/model/resilience.h"
#include "proxyengine/policy/retry.h"
#include "proxyengine/policy/route_rule.h"

#include <bitset>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mesh::policy {

// How an attempt ended, for the retry policy of a service or route.
struct AttemptOutcome
{
    enum class Kind : std::uint8_t {
        Answer, // A response head came.
        ConnectFailure, // Refused, unreachable, connect timeout: nothing was sent.
        RefusedStream, // The peer says that it has not begun (HTTP/2 REFUSED_STREAM, GOAWAY).
        Reset, // Closed or broken before a response head.
        Timeout, // A write, read or per-try timeout before a response head.
        RefusedHere, // Our own limit or breaker; no upstream caused it.
    };

    Kind kind = Kind::Answer;
    bool isPerTryTimeout = false; // Of a Timeout; only the text differs.
    int status = 0; // Of an Answer.
    std::optional<int> grpcStatus; // In the head, or in the trailers of an Answer without a body.
    std::span<const HeaderView> headers; // Of an Answer.
};

// "connect failure", "per-try timeout", "answer 503", "grpc status 14".
[[nodiscard]] std::string toText(const AttemptOutcome& outcome);

// How far a request has come when one of its attempts ends.
struct RetryProgress
{
    enum class Body : std::uint8_t { Kept, TooLarge }; // TooLarge: beyond max_body_bytes.

    int attemptsMade = 1; // All that were begun, hedges too.
    AttemptProgress::Sent sent = AttemptProgress::Sent::Something; // To this attempt's upstream.
    AttemptProgress::Answered answered = AttemptProgress::Answered::Nothing;
    Body body = Body::Kept;
};

enum class PolicyRetryVerdict : std::uint8_t {
    Retry,
    NotRetryable, // No condition of `on` names this outcome.
    AttemptsUsedUp,
    AnswerBegun,
    NotIdempotent,
    BodyTooLarge,
    BudgetExhausted, // Said by the driver when the budget refuses.
    NoTimeLeft,
};

// A sentence fragment for events, "the retry budget is exhausted"; empty for Retry.
[[nodiscard]] std::string_view toText(PolicyRetryVerdict verdict);

struct RetryWait
{
    PolicyRetryVerdict verdict = PolicyRetryVerdict::Retry; // Or NoTimeLeft.
    Duration wait{}; // Before the next attempt; never as long as the time that is left.
};

// A retry policy, compiled once per snapshot.
//
// Conditions, by what happened (Source: Envoy, retry_on):
//
//   outcome           repeated on
//   ConnectFailure    connect-failure, reset, gateway-error, 5xx
//   RefusedStream     refused-stream, reset, gateway-error, 5xx
//   Reset, Timeout    reset, gateway-error, 5xx
//   Answer 500..599   5xx; 502, 503 and 504: gateway-error too
//   Answer 409        retriable-4xx
//   any Answer        retriable-status-codes and `statuses`, retriable-headers and `headers`,
//                     cancelled 1, deadline-exceeded 4, resource-exhausted 8, internal 13,
//                     unavailable 14 (gRPC status)
//   RefusedHere       never
//
// POST, LOCK and PATCH are not sent again once something of them was sent, unless non_idempotent
// is set; after ConnectFailure and RefusedStream they always may.
//
// Threads: any, after construction (immutable).
class RetryRules
{
public:
    // Header patterns that do not compile match nothing; validation names them (see refusals()).
    explicit RetryRules(const model::Retry& settings);

    // Reasons to say no are looked at in this order: no condition fits, an answer has begun,
    // not idempotent, body, attempts. The caller still owes wait() and the budget.
    [[nodiscard]] PolicyRetryVerdict decide(
        std::string_view method, const AttemptOutcome& outcome, const RetryProgress& progress
    ) const;

    // How long to wait before retry `retryNumber` (from 1). Honours the answer's Retry-After where
    // the settings say so. `timeLeft` of the request's total timeout; nothing: it has none, and
    // then a Retry-After beyond kRetryAfterMax is not waited for. Draws exactly once.
    [[nodiscard]] RetryWait wait(
        const AttemptOutcome& outcome,
        int retryNumber,
        std::optional<Duration> timeLeft,
        Random& random,
        WallTime now
    ) const;

    // Whether a second copy of the request may run beside the first (hedging): the method must be
    // idempotent or non_idempotent set, and the body kept. Retry means yes.
    [[nodiscard]] PolicyRetryVerdict decideCopy(std::string_view method, RetryProgress::Body body)
        const;

    [[nodiscard]] int attempts() const { return m_attempts; }
    [[nodiscard]] std::size_t maxBodyBytes() const { return m_maxBodyBytes; }
    // The engine's words on header patterns that did not compile; empty when all did.
    [[nodiscard]] const std::vector<std::string>& refusals() const { return m_refusals; }

private:
    [[nodiscard]] bool isOn(model::RetryOn condition) const;
    [[nodiscard]] bool isRetryable(const AttemptOutcome& outcome) const;
    [[nodiscard]] bool isAnswerRetryable(const AttemptOutcome& answer) const;

    std::bitset<16> m_on; // By model::RetryOn.
    std::bitset<600> m_statuses; // What the answer's status alone makes repeatable.
    std::bitset<17> m_grpcStatuses;
    std::vector<RouteRule> m_headerRules; // Of one header each; one is enough.
    std::vector<std::string> m_refusals;
    model::RetryBackoff m_backoff;
    int m_attempts;
    std::size_t m_maxBodyBytes;
    bool m_mayRepeatAll; // Also methods that are not idempotent.
    bool m_honoursRetryAfter;
};

} // namespace mesh::policy
