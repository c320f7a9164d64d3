#pragma once

#include "proxyengine/base/time.h"
#include "proxyengine/http/grpc_words.h"
#include "proxyengine/http/head.h"
#include "proxyengine/http/parser.h"
#include "proxyengine/net/buffer.h"
#include "proxyengine/net/resolver.h"
#include "proxyengine/policy/hosts.h"
#include "proxyengine/proxy/body_pump.h"
#include "proxyengine/proxy/compression.h"
#include "proxyengine/proxy/request_policy.h"
#include "proxyengine/proxy/runtime.h"
#include "proxyengine/proxy/tunnel.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mesh::proxy {

// Everything about one request and its answer while they pass. Kept by the worker for the next
// request when done, so that its strings keep their room and nothing is allocated per request.
struct Exchange
{
    // The request. `head` views the client's buffer, which is not moved before the end.
    http::RequestHead head;
    http::RequestParser requestParser;
    BodyPump up;
    net::Buffer body; // Body bytes that came after those that are kept for another attempt.
    std::string kept; // The body so far, when it outgrew the client's buffer and is still wanted.
    std::size_t keptAt = 0; // First byte of `kept` not yet forwarded.
    std::size_t keepMax = 0; // How much of a body is kept beyond the client's buffer.
    std::size_t bodyAt = 0; // In the client's buffer: first body byte not yet forwarded.
    std::string host; // Lower case, without port.
    std::string pathBuffer;
    std::string joinBuffer;
    std::string escapeBuffer;
    std::string keyBuffer; // Of rate limits.
    std::string_view path; // Normalised, without query.
    std::string_view query; // With its '?', as received.
    std::array<char, 32> requestId{};
    bool isGrpc = false; // By its content type.
    std::string_view upgrade; // The protocol that is asked for and allowed; empty: none.

    // Where it goes.
    Runtime* runtime = nullptr;
    std::size_t listener = 0;
    const config::RoutePlan* route = nullptr;
    const config::ServicePlan* service = nullptr;
    std::size_t matchedPathBytes = 0;
    const policy::Pattern* pattern = nullptr; // That found the route; null: none did.
    telemetry::RequestRow* row = nullptr;
    UpstreamState* upstream = nullptr;
    RequestPolicy* policy = nullptr; // The worker's; null: nothing to look after.
    std::atomic<std::uint32_t>* countedRequests = nullptr; // Of the node; owed one less.
    const UpstreamState* hashedFor = nullptr;
    std::optional<std::uint64_t> hash;

    // The present attempt.
    policy::TriedHosts tried;
    PoolUse pool;
    UpstreamConnection* connection = nullptr;
    telemetry::AttemptRow* attemptRow = nullptr;
    std::optional<net::QueryId> lookup;
    std::uint32_t target = 0;
    int retriesLeft = 0;
    int attempts = 0;
    bool hasAttempt = false; // begin() was called on the host set and end() was not.
    bool hasNameFailed = false; // The present attempt: its name has no address.
    bool needsFresh = false; // A kept connection turned out stale: take a new one.
    bool hasSentAny = false;
    bool isHeadSent = false;
    bool isBodyKept = false; // `kept` is in use.
    bool isBodyConsumed = false; // Some of the body is in no buffer any more.
    bool hasContinued = false;
    TimePoint startedAt{};
    TimePoint attemptAt{};
    net::Buffer toUpstream; // Rest of a head that the socket did not take.

    // The answer.
    http::ResponseHead answer;
    http::ResponseParser answerParser;
    BodyPump down;
    net::Buffer toClient; // Rest of a head, or of a whole answer of our own.
    int status = 0; // As sent to the client.
    bool isAnswerHead = false; // `answer` is complete.
    bool hasAnswered = false; // Something of the final answer was sent or queued.
    bool isOwnAnswer = false;
    bool closesClient = false;
    std::string answerFields; // Whole lines that policies add to whatever is answered.
    Duration upstreamLatency{};
    std::uint64_t bytesIn = 0;
    std::uint64_t bytesOut = 0;
    std::uint64_t bytesInTold = 0; // To the counters.
    std::uint64_t bytesOutTold = 0;
    std::string_view failure; // For the log; a literal, or a view of failureText.
    std::string failureText;
    std::string trailers; // Lines behind the answer's body; kept of gRPC alone.
    std::optional<http::GrpcStatus> grpcStatus; // What the caller was told.
    CodingVerdict coding; // Whether the answer is compressed.
    std::unique_ptr<http::Compressor> compressor; // Of the answer; null: it passes as it is.
    bool owesFlush = false; // The compressor has taken bytes that cannot be read yet.
    bool isFlushing = false; // A flush was begun that did not fit; nothing else is written before.
    bool isCompressed = false; // All of the answer.
    bool isAnswerRecorded = false; // Counters and health know of the answer already.
    bool owesCount = false; // And the counters of attempts: a gRPC call tells at its end.
    bool owesReport = false; // Health hears of the answer when its body has come whole.

    // For the sample that is told of this request.
    struct PastAttempt
    {
        std::string target;
        TimePoint begunAt{};
        TimePoint endedAt{};
        int status = 0; // 0: no head came.
    };
    std::vector<PastAttempt> pastAttempts; // Before the present one, at most kAccessAttemptsMax.
    std::vector<std::string_view> verdicts; // Kinds of policies that acted; literals.

    // After a 101.
    std::unique_ptr<Tunnel> tunnel;
    TimePoint tunnelMovedAt{}; // When bytes passed last.

    // For the next request; keeps the buffers' room.
    void reset();
};

} // namespace mesh::proxy
