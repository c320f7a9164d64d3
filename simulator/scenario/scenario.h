#pragma once

#include "proxyengine/base/random.h"
#include "proxyengine/base/time.h"
#include "proxyengine/config/problem.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mesh::simulator {

enum class Arrivals : std::uint8_t { Poisson, Uniform };

// Open load on one service: a step function of requests per second that holds until its next point.
struct Load
{
    std::string entry;
    Arrivals arrivals = Arrivals::Poisson;
    std::vector<std::pair<Duration, double>> rate; // Sorted by time; the first at 0.
    friend bool operator==(const Load&, const Load&) = default;
};

// The requests per second that a load asks for at this time since its start.
[[nodiscard]] double rateAt(const Load& load, Duration since);

enum class FaultKind : std::uint8_t { Kill, Freeze, Latency, Error };

// What a fault hits: one service, some of its instances, or one instance.
struct FaultTarget
{
    std::string service; // Empty when `instance` names one.
    std::string instance;
    std::optional<int> percent; // Of the service's instances, rounded up, lowest names first.
    std::optional<int> count;
    friend bool operator==(const FaultTarget&, const FaultTarget&) = default;
};

struct Fault
{
    Duration at{};
    std::optional<Duration> length; // Absent: to the end.
    FaultKind kind = FaultKind::Kill;
    FaultTarget target;
    double probability = 1.0; // Per request; latency and error only.
    int status = 503; // error
    Duration add{}; // latency
    Duration jitter{}; // latency: uniform, plus or minus.
    friend bool operator==(const Fault&, const Fault&) = default;
};

// What a scenario file says, as far as it can be run live.
struct Scenario
{
    std::string name;
    std::string mesh; // Path of a declarative file, relative to the scenario's.
    Seed seed{42};
    std::optional<Duration> duration; // Absent: until stopped.
    Duration warmup{};
    std::vector<Load> load;
    std::vector<Fault> timeline; // In file order.
};

struct ScenarioResult
{
    Scenario scenario; // Meaningful only when there are no errors.
    std::vector<config::Problem> problems; // Every problem with line and column.
};

// Reads YAML or JSON. Unknown fields and faults that cannot be run are problems, never dropped.
[[nodiscard]] ScenarioResult parseScenario(std::string_view text);

} // namespace mesh::simulator
