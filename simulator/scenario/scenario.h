#pragma once

#include "proxyengine/base/random.h"
#include "proxyengine/base/time.h"
#include "proxyengine/config/problem.h"
#include "proxyengine/model/document.h"
#include "proxyengine/model/value.h"
#include "simulator/scenario/condition.h"

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

enum class FaultKind : std::uint8_t {
    Kill,
    Freeze,
    Latency,
    Error,
    ZoneOutage,
    Partition,
    Bandwidth,
    Reset,
    BlackHole,
    Slow,
    Grey,
    Surge,
    RetryStorm,
    BadDeploy,
    CertExpiry,
    StaleEndpoints,
    ConfigDelay,
    CacheWipe,
    Flap,
    Swizzle,
};
inline constexpr int kFaultKindCount = 20;

// As scenario files spell it: "zone_outage".
[[nodiscard]] std::string_view toText(FaultKind kind);

// What a fault hits. Exactly one of the first eight says what kind of thing; `percent`, `count` and
// `names` then choose among its instances (none of them: all).
struct FaultTarget
{
    std::string service; // Also the entry of a surge.
    std::string instance;
    std::string zone;
    std::string version;
    std::string node; // config_delay
    std::optional<std::pair<std::string, std::string>> edge; // Caller ("gateway" too) and callee.
    std::optional<std::pair<std::string, std::string>> between; // Two zones.
    std::vector<std::string> services; // swizzle
    std::optional<int> percent; // Of the instances, rounded up, lowest names first.
    std::optional<int> count;
    std::vector<std::string> names;
    friend bool operator==(const FaultTarget&, const FaultTarget&) = default;
};

// As a person says it: "zone b", "checkout->payment, 30% of instances".
[[nodiscard]] std::string toText(const FaultTarget& target);

struct Fault
{
    Duration at{};
    std::optional<Duration> length; // Absent: to the end.
    FaultKind kind = FaultKind::Kill;
    FaultTarget target;
    double probability = 1.0; // Per attempt.
    int status = 503; // error, grey without factor
    Duration add{}; // latency
    Duration jitter{}; // latency: uniform, plus or minus.
    double bytesPerSecond = 0.0; // bandwidth
    double factor = 1.0; // slow, grey, surge, bad_deploy: of time, or of load.
    int attempts = 0; // retry_storm
    std::string version; // bad_deploy
    double share = 1.0; // bad_deploy: of the instances.
    double errorRate = 0.0; // bad_deploy
    Duration by{}; // stale_endpoints, config_delay
    Duration period{}; // flap
    double duty = 0.5; // flap: share of the period in which they are up.
    bool isOneWay = false; // partition: from the first to the second only.
    friend bool operator==(const Fault&, const Fault&) = default;
};

// Laws of the way between two proxies, one way and per hop. Absent: no time passes.
struct NetworkLaws
{
    std::optional<model::DurationLaw> sameZone;
    std::optional<model::DurationLaw> crossZone;
    std::optional<model::DurationLaw> connect; // A new connection, beside the way itself.
    std::optional<model::DurationLaw> proxy; // What one proxy costs a request.
    friend bool operator==(const NetworkLaws&, const NetworkLaws&) = default;
};

// A variant of the configuration: a JSON merge patch on objects found by name; null: none.
struct PolicyVariant
{
    std::string name;
    model::Value patch;
};

// A policy that an ablation takes out of every service.
enum class AblatedPolicy : std::uint8_t { Retry, Breaker, OutlierDetection, Hedge };
inline constexpr int kAblatedPolicyCount = 4;
[[nodiscard]] std::string_view toText(AblatedPolicy policy);

struct Guard
{
    std::string text; // As in the file.
    Condition condition;
    Duration length{}; // True in every whole second of it.
};

// Either of one window, or of a comparison of two variants over the whole run.
struct Assertion
{
    std::string text; // `that`, as in the file.
    Condition condition; // Of a comparison: candidate minus reference.
    std::string window; // "before", "during", "after", "always"; empty: a comparison.
    std::optional<Duration> within; // Leaves out the first of its window.
    std::string candidate; // Names of variants; empty: of a window.
    std::string reference;
};

// What a scenario file says.
struct Scenario
{
    std::string name;
    std::string mesh; // Path of a declarative file, relative to the scenario's.
    Seed seed{42};
    int replications = 1;
    std::optional<Duration> duration; // Absent: until stopped; virtual runs need one.
    Duration warmup{};
    std::vector<Load> load;
    NetworkLaws network;
    std::vector<PolicyVariant> policies; // The first is the reference; none: one without a patch.
    std::vector<AblatedPolicy> ablate;
    std::vector<Fault> timeline; // In file order.
    std::vector<Guard> guards;
    std::vector<Assertion> asserts;
};

struct ScenarioResult
{
    Scenario scenario; // Meaningful only when there are no errors.
    std::vector<config::Problem> problems; // Every problem with line and column.
};

// Reads YAML or JSON. Unknown fields are problems, never dropped.
[[nodiscard]] ScenarioResult parseScenario(std::string_view text);

} // namespace mesh::simulator
