#pragma once

#include "proxyengine/base/random.h"
#include "proxyengine/base/time.h"
#include "proxyengine/model/gateway.h"

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mesh::policy {

enum class Check : std::uint8_t {
    Active, // A probe of ours.
    Passive, // A client's request.
};

// How one probe or one attempt ended. Passive, as the gateway reports it: a timeout of any kind is
// Timeout, any other failure before a whole response head is ConnectFailure, else Status.
//
//   probe          passed     did not pass
//   http, https    Status     Status; ConnectFailure (also of a TLS handshake); Timeout
//   tcp            Success    ConnectFailure; Timeout
//   grpc, grpcs    Success    NotServing (any other answer of the health service, or none of it)
struct Observation
{
    enum class Kind : std::uint8_t {
        Status,
        ConnectFailure,
        Timeout,
        Success, // Whatever the lists of statuses say.
        NotServing, // Counts as an HTTP failure.
    };
    Check check = Check::Passive;
    Kind kind = Kind::Status;
    int status = 0; // Only with Status; 0: not readable as HTTP, a failure.
};

// Thresholds, statuses and intervals of an upstream's health checks in the form machines use.
// Made once per upstream and snapshot, shared by the machines of its targets.
struct HealthRules
{
    using Statuses = std::bitset<1000>;
    struct Limits
    {
        Statuses healthyStatuses;
        Statuses unhealthyStatuses;
        int successes = 0; // Each limit: 0 means never.
        int tcpFailures = 0;
        int timeouts = 0;
        int httpFailures = 0;
    };

    Limits active;
    Limits passive;
    Duration healthyInterval{}; // Between probes of a healthy target; zero: no probes.
    Duration unhealthyInterval{};

    // A check of type tcp does not look at statuses: any answer is a success.
    explicit HealthRules(const model::Healthchecks& config);

    // False when neither probes nor requests can change anything: HEALTHCHECKS_OFF.
    [[nodiscard]] bool isAnythingChecked() const;
};

// Decides whether one target is healthy, from probes and from what requests met.
//
//             first failure counted               a limit of failures reached
//   Healthy ------------------------> MostlyHealthy ------------------------> Unhealthy
//     ^  ^                                 |                                   |    ^
//     |  +------- a success zeroes --------+         first success counted     |    | a failure
//     |                                                                        v    | zeroes
//     +------------ `successes` successes in a row ----------------------- MostlyUnhealthy
//
// A limit of 1 goes straight across. A success zeroes the three failure counters, a failure the
// success counter; a status in neither list changes nothing. A target that requests made unhealthy
// stays so until a probe or an operator heals it: without traffic there is no passive success.
//
// Lifetime: the rules must outlive the machine.
// Source: lua-resty-healthcheck; we zero failures on a success even when `successes` is 0, because
//         "in a row" would be untrue otherwise.
class HealthMachine
{
public:
    enum class State : std::uint8_t { Healthy, MostlyHealthy, MostlyUnhealthy, Unhealthy };
    enum class Override : std::uint8_t { None, Healthy, Unhealthy };

    // Starts healthy. The first probe is spread at random over one interval.
    HealthMachine(const HealthRules& rules, TimePoint now, Random& random);

    // True when isAvailable() changed.
    bool observe(TimePoint now, const Observation& observation);

    // An operator's word; while it is not None, observations change nothing and no probe is due.
    // Taking it back starts over: healthy, nothing counted, a probe at once. True when
    // isAvailable() changed.
    bool setOverride(TimePoint now, Override word);

    [[nodiscard]] bool isAvailable() const;
    [[nodiscard]] State state() const;
    [[nodiscard]] Override overrideWord() const { return m_override; }
    [[nodiscard]] TimePoint since() const { return m_since; } // Of the present availability.
    // "3 connection failures in a row", "HTTP 503 from 2 probes in a row", "set by an operator";
    // empty while healthy by observation.
    [[nodiscard]] std::string reason() const;

    // When the next probe is due; a time that has passed means now. Nothing: no probes in this
    // state, or one is on its way.
    [[nodiscard]] std::optional<TimePoint> nextProbeAt() const;
    // Each probe started owes one observe() with Check::Active.
    void onProbeStarted(TimePoint now);

private:
    enum class Counter : std::uint8_t { TcpFailures, Timeouts, HttpFailures, NotServing };
    struct Counters
    {
        int successes = 0;
        int tcpFailures = 0;
        int timeouts = 0;
        int httpFailures = 0;
    };
    struct Cause
    {
        Check check = Check::Passive;
        Counter counter = Counter::TcpFailures;
        int count = 0;
        int status = 0;
    };

    void countSuccess(const HealthRules::Limits& limits);
    void countFailure(Check check, Counter counter, int status, int limit);
    [[nodiscard]] Duration probeInterval() const;

    const HealthRules* m_rules;
    Counters m_counters;
    Cause m_cause; // Of the present unhealthy state.
    bool m_isHealthy = true; // By observation.
    bool m_isProbing = false;
    Override m_override = Override::None;
    TimePoint m_since;
    TimePoint m_probedAt; // Start of the last probe; the next is one interval later.
};

std::string_view toText(HealthMachine::State state);

// What all that is known of a target comes to.
struct Availability
{
    bool isAvailable = true;
    std::string reason; // Empty when available by observation.
    friend bool operator==(const Availability&, const Availability&) = default;
};

// An operator's word wins, then the health checks, then ejection: a target is available only when
// neither of the last two objects. `ejection` is the ejection's reason, empty when not ejected.
//
//   override     checks       ejection   available   reason
//   healthy      any          any        yes         "set by an operator"
//   unhealthy    any          any        no          "set by an operator"
//   none         unhealthy    no         no          that of the checks
//   none         unhealthy    yes        no          "<checks>; also ejected: <ejection>"
//   none         healthy      yes        no          "ejected: <ejection>"
//   none         healthy      no         yes         empty
[[nodiscard]] Availability combine(const HealthMachine& health, std::string_view ejection);

} // namespace mesh::policy
