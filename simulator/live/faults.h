#pragma once

#include "proxyengine/base/time.h"
#include "proxyengine/model/document.h"
#include "simulator/scenario/scenario.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mesh::simulator {

// What requests meet before any work is done for them. The default is: nothing.
struct RequestFaults
{
    Duration latencyAdd{}; // Before every answer.
    Duration latencyJitter{}; // Uniform, plus or minus; never below zero in sum.
    double latencyShare = 1.0; // Of the requests.
    double errorShare = 0.0; // Of the requests, answered without work.
    int errorStatus = 503;
    double resetShare = 0.0; // Of the requests; their connection is reset.
    double lostShare = 0.0; // Of the requests and probes; taken and never answered.
    bool areProbesHit = false; // By all of it, not by the loss alone.

    friend bool operator==(const RequestFaults&, const RequestFaults&) = default;
};

// The same for the requests of one caller.
struct CallerFaults
{
    std::string caller; // A service or "gateway"; empty: everybody.
    RequestFaults faults;

    [[nodiscard]] bool hits(std::string_view who) const { return caller.empty() || caller == who; }
    friend bool operator==(const CallerFaults&, const CallerFaults&) = default;
};

// What is wrong with one simulated instance: with every request of it, with those of some, and with
// itself. The default is: nothing.
struct InstanceFaults : RequestFaults
{
    bool isKilled = false; // Its port is closed and every connection reset.
    bool isFrozen = false; // Connections and requests are taken, nothing is answered.
    double slowFactor = 1.0; // Of service times.
    std::optional<double> errorRate; // Instead of the model's.
    bool isCacheCold = false; // Its calls that a cache would answer go through.
    std::vector<CallerFaults> more;

    friend bool operator==(const InstanceFaults&, const InstanceFaults&) = default;
};

// "killed", "frozen", "503 30 % · +400 ms"; empty when nothing is wrong.
[[nodiscard]] std::string toText(const InstanceFaults& faults);

// Why a fault cannot be played with real servers and proxies; empty: it can.
[[nodiscard]] std::string whyNotLive(const Fault& fault);

// What a playable fault adds to what is wrong already. Those that do not hit instances (surge,
// retry_storm, bandwidth, partitions of zones) add nothing.
[[nodiscard]] InstanceFaults withFault(InstanceFaults faults, const Fault& fault);

// The configuration of callers that repeat as these active retry storms say: by attempts and 5xx,
// without budget and without the limit of an upstream. Other kinds change nothing.
[[nodiscard]] model::Document withStorms(
    model::Document document, const std::vector<Fault>& active
);

// The fault as a series of playable ones that last, as virtual time plays it: a flapping instance
// is up for its duty and killed for the rest of each period; services of a swizzle are killed one
// after the other and restored in an order that the seed draws. Others stand for themselves.
// Endless ones end with `duration`.
[[nodiscard]] std::vector<Fault> unrolled(const Fault& fault, Duration duration, Seed seed);

// The load with the surges of the timeline in it.
[[nodiscard]] Load withSurges(Load load, const std::vector<Fault>& timeline);

} // namespace mesh::simulator
