#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/strong_id.h"
#include "proxyengine/base/time.h"
#include "proxyengine/telemetry/frame.h"

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace mesh::api {

// The configuration that now runs.
struct Applied
{
    std::string hash; // 64 hex digits.
};

// Answers exactly one accepted command.
struct CommandDone
{
    CommandId id;
    Result<Applied> result; // A refused ApplyDocument carries every problem in `problems`.
    struct Problem
    {
        std::string path;
        int line = 0; // 0: the document did not come from text.
        int column = 0;
        std::string code;
        std::string message;
    };
    std::vector<Problem> problems;
};

enum class EngineState : std::uint8_t { Starting, Running, Draining, Stopped, Unreachable };

struct ListenerState
{
    std::string name; // "proxy" for a gateway's, "cart-1 inbound" for a workload's.
    std::string address; // As bound, with the real port.
};

// Everything about the engine that is not a measurement; sent first to every subscriber and on
// change.
struct StateEvent
{
    std::string node;
    std::string version;
    EngineState state = EngineState::Starting;
    std::string hash;
    std::vector<ListenerState> listeners;
    std::vector<telemetry::TargetHealth> health;
    bool isInMaintenance = false; // By SetMaintenance; the state stays Running.
    std::string problem = {}; // While Unreachable: why, "its certificate has expired ...".
};

// One second of measurements.
struct StatsEvent
{
    std::shared_ptr<const telemetry::StatsFrame> frame;
};

// A target changed its state.
struct HealthEvent
{
    std::string node;
    WallTime time{};
    telemetry::TargetHealth health;
};

// A policy acted. Verdicts about requests are told once when they begin and then at most once a
// second with their count; the frame counts each.
//
//   ejected, ejection_suppressed, returned          target:UPSTREAM/HOST:PORT
//   breaker_opened, breaker_half_opened,
//   breaker_closed                                  service:NAME or route:NAME
//   budget_exhausted, retried, hedged, timed_out,
//   rate_limited, concurrency_limited, shed,
//   fault_injected, mirrored, fallback_served       service:NAME or route:NAME
//   limit_reached                                   upstream:NAME
//   panic_entered, panic_left,
//   failover_started, failover_ended                upstream:NAME
//   tls_failed (detail: tls::wordOf())              target:UPSTREAM/HOST:PORT
//   certificate_refused (detail: the same)          route:NAME
//   plaintext_refused, peer_refused                 listener:NAME
//   config_applied                                  the hash; reason: "was HASH", empty: the first
//   maintenance_begun, maintenance_ended            node
struct PolicyEvent
{
    std::string node;
    WallTime time{};
    std::string kind;
    std::string subject;
    std::string reason;
};

// One attempt of a request at a target.
struct AccessAttempt
{
    std::string target;
    double started_ms = 0; // Since the request began.
    double latency_ms = 0; // To the answer's head, or to its failure.
    int status = 0; // 0: it brought no answer.
    std::string outcome; // "answered", "retried", "connect_failed"; a word per end.
};

// A header of a request or its answer, captured because a tap asked for it.
struct AccessHeader
{
    std::string name; // Lower case.
    std::string value; // "***" for secrets; cut at kTapHeaderBytesMax.
};

// One request, sampled up to kAccessSamplesPerSecondMax.
struct AccessEvent
{
    std::string node;
    WallTime time{}; // When the request began.
    std::string method;
    std::string host;
    std::string path;
    int status = 0; // 0: no answer was sent.
    std::string route;
    std::string service;
    std::string target;
    std::string source;
    int attempts = 0;
    double latencyTotal_ms = 0;
    double latencyUpstream_ms = 0;
    double latencyProxy_ms = 0;
    std::uint64_t bytesIn = 0;
    std::uint64_t bytesOut = 0;
    std::string requestId;
    std::string failure = {}; // "the upstream's certificate has expired"; empty: it did not fail.
    std::vector<AccessAttempt> tries = {}; // In order, at most kAccessAttemptsMax; hedges left out.
    std::vector<std::string> policies =
        {}; // That acted: "retried", "rate_limited"; kinds as above.
    std::string why = {}; // What of the route took it: "path prefix /cart"; empty: not told.
    std::vector<AccessHeader> requestHeaders = {}; // Asked for by SetTapHeaders.
};

// All that can be known of an engine.
using Event =
    std::variant<CommandDone, StateEvent, StatsEvent, HealthEvent, PolicyEvent, AccessEvent>;

} // namespace mesh::api
