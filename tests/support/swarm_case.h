#pragma once

#include "proxyengine/base/random.h"
#include "simulator/scenario/scenario.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mesh::test {

// A random mesh with random policies, load and faults, small enough to be run in milliseconds. As
// values, so that it can be made smaller; as text, so that it can be run by hand.
struct SwarmCase
{
    struct Call
    {
        std::size_t callee = 0; // A later service: meshes have no cycles.
        double probability = 1.0;
        int count = 1;
        bool isParallel = false;
        std::optional<double> cached;
    };
    struct Service
    {
        int instances = 1;
        int zones = 1; // Of "a", "b", "c".
        int concurrency = 1;
        int queue = 0;
        std::string serviceTime; // As in a file.
        double errorRate = 0.0;
        bool holdsWorker = false;
        std::vector<Call> calls;
        int retries = 0; // The gateway format's.
        std::string resilience; // The inside of a flow map; empty: nothing is said.
        std::string upstream; // The same of the upstream, after its name.
        int attemptsMax = 1; // Of one call, hedges included, as the policies allow.
        std::optional<int> ejectionMax; // Percent.
    };

    Seed seed{0};
    std::vector<Service> services; // The first is the entry.
    double rate = 100.0; // Requests per second.
    Duration duration{};
    std::vector<simulator::Fault> timeline;
    bool hasNetwork = false;

    [[nodiscard]] static SwarmCase make(Seed seed);

    [[nodiscard]] std::string meshText() const;
    // The whole scenario file; `mesh` is the path of the other.
    [[nodiscard]] std::string scenarioText(const std::string& mesh) const;
    [[nodiscard]] simulator::NetworkLaws network() const;
    [[nodiscard]] simulator::Load load() const;

    // Every case that is this one with a part less: without a fault, half of the load or of the
    // time, without the last service, without a service's policies.
    [[nodiscard]] std::vector<SwarmCase> smaller() const;
};

// "s3"
[[nodiscard]] std::string swarmServiceName(std::size_t place);

} // namespace mesh::test
