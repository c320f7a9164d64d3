#pragma once

#include <cstdint>
#include <string_view>

namespace mesh::policy {

// How an attempt failed at the level of connections. A status code is never a failure here.
enum class AttemptFailure : std::uint8_t {
    Connect, // Refused, unreachable, or the connect timeout passed: nothing was sent.
    Timeout, // A write or read timeout passed.
    Refused, // The peer says that it has not begun: safe to send again, whatever was sent.
    Broken, // Reset, closed early, or a response head that is not HTTP.
};

// How far the request has come when its attempt fails.
struct AttemptProgress
{
    enum class Sent : std::uint8_t { Nothing, Something }; // Of the request, to the upstream.
    enum class Answered : std::uint8_t { Nothing, Something }; // Of an answer, to the client.
    enum class Body : std::uint8_t { Replayable, Consumed }; // Consumed: some of it is gone.

    int retriesLeft = 0;
    Sent sent = Sent::Nothing;
    Answered answered = Answered::Nothing;
    Body body = Body::Replayable;
};

enum class RetryVerdict : std::uint8_t {
    Retry, // With this host among the tried ones.
    RetriesUsedUp,
    AnswerBegun,
    NotIdempotent,
    BodyConsumed,
};

// "retries are used up" and so on; empty for Retry.
std::string_view toText(RetryVerdict verdict);

// GET, HEAD and all that may be sent twice without harm: everything but POST, LOCK and PATCH.
[[nodiscard]] bool isIdempotent(std::string_view method);

// Whether a failed attempt is repeated on another host. The caller owes an entry in TriedHosts.
// Source: the gateway format's `retries` (nginx, proxy_next_upstream error timeout).
[[nodiscard]] RetryVerdict decideRetry(
    std::string_view method, AttemptFailure failure, const AttemptProgress& progress
);

} // namespace mesh::policy
