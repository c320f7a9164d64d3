#pragma once

#include "proxyengine/base/time.h"

#include <string>

namespace mesh::simulator {

// What is wrong with one simulated instance. The default is: nothing.
struct InstanceFaults
{
    bool isKilled = false; // Its port is closed and every connection reset.
    bool isFrozen = false; // Connections and requests are taken, nothing is answered.
    Duration latencyAdd{}; // Before every answer.
    Duration latencyJitter{}; // Uniform, plus or minus; never below zero in sum.
    double latencyShare = 1.0; // Of the requests.
    double errorShare = 0.0; // Of the requests, answered without work.
    int errorStatus = 503;
    // Health checks pass whatever the two above say: only requests suffer.

    friend bool operator==(const InstanceFaults&, const InstanceFaults&) = default;
};

// "killed", "frozen", "503 30 % · +400 ms"; empty when nothing is wrong.
[[nodiscard]] std::string toText(const InstanceFaults& faults);

} // namespace mesh::simulator
