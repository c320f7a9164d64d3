#include "tests/support/swarm_case.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace mesh::test {
namespace {

using simulator::Fault;
using simulator::FaultKind;
using namespace std::chrono_literals;

constexpr std::array kZones = {"a", "b", "c"};

// Draws one after the other: compilers differ in the order of a call's arguments.
class Dice
{
public:
    explicit Dice(Seed seed)
        : m_random(seed)
    {}

    int between(int least, int most)
    {
        return least
               + static_cast<int>(m_random.below(static_cast<std::uint64_t>(most - least + 1)));
    }
    double share() { return static_cast<double>(m_random.below(1001)) / 1000.0; }
    bool chance(double probability) { return m_random.chance(probability); }
    template <std::size_t Count>
    const char* oneOf(const std::array<const char*, Count>& words)
    {
        return words[m_random.below(Count)];
    }

private:
    Random m_random;
};

std::string lawText(Dice& dice)
{
    const int mean = dice.between(100, 3000);
    switch (dice.between(0, 3)) {
    case 0:
        return fmt::format("{{dist: const, mean: {}us}}", mean);
    case 1:
        return fmt::format("{{dist: exp, mean: {}us}}", mean);
    case 2: {
        const int cv = dice.between(2, 25);
        return fmt::format("{{dist: lognormal, mean: {}us, cv: {}.{}}}", mean, cv / 10, cv % 10);
    }
    default:
        return fmt::format("{{quantiles: [[0, 0ms], [0.9, {}us], [1, {}us]]}}", mean, 20 * mean);
    }
}

void addRetry(Dice& dice, SwarmCase::Service& service, std::vector<std::string>& parts)
{
    const int attempts = dice.between(2, 5);
    const int percent = dice.between(1, 100);
    const int least = dice.between(0, 5);
    const int wait = dice.between(1, 40);
    const char* const on = dice.oneOf(std::array{
        "connect-failure, reset",
        "5xx",
        "connect-failure, 5xx, reset",
        "gateway-error",
        "5xx, reset"});
    const std::string budget =
        dice.chance(0.75)
            ? fmt::format(", budget: {{percent: {}, min_concurrent: {}}}", percent, least)
            : std::string();
    parts.push_back(fmt::format(
        "retry: {{on: [{}], attempts: {}, backoff: {{base: {}ms, max: {}ms}}{}}}",
        on,
        attempts,
        wait,
        4 * wait,
        budget
    ));
    service.attemptsMax = attempts;
}

void addPolicies(Dice& dice, SwarmCase::Service& service)
{
    std::vector<std::string> parts;
    int longest = 150; // Of one try.
    if (dice.chance(0.4)) {
        const int timeout = dice.between(12, 400); // More than any hedge waits.
        longest = std::min(longest, timeout);
        parts.push_back(fmt::format("timeout: {}ms", timeout));
    }
    if (dice.chance(0.4)) {
        parts.push_back(fmt::format("per_try_timeout: {}ms", dice.between(2, longest)));
    }
    service.retries = dice.between(0, 3);
    service.attemptsMax = 1 + service.retries;
    if (dice.chance(0.6)) {
        addRetry(dice, service, parts);
    }
    if (dice.chance(0.25)) {
        const int copies = dice.between(1, 2);
        const char* const after = dice.oneOf(std::array{"2ms", "p90", "p50", "10ms"});
        parts.push_back(fmt::format("hedge: {{after: {}, max: {}}}", after, copies));
        service.attemptsMax *= 1 + copies;
    }
    if (dice.chance(0.35)) {
        const int ratio = dice.between(2, 9);
        const int open = dice.between(100, 1500);
        parts.push_back(fmt::format(
            "breaker: {{error_ratio: 0.{}, min_requests: {}, open: {}ms, ramp: {}ms}}",
            ratio,
            dice.between(5, 40),
            open,
            open
        ));
    }
    service.resilience = fmt::format("{}", fmt::join(parts, ", "));
}

void addProtection(Dice& dice, SwarmCase::Service& service)
{
    service.upstream = fmt::format(
        ", algorithm: {}",
        dice.oneOf(std::array{
            "round-robin", "least-requests", "least-connections", "latency", "random"})
    );
    if (dice.chance(0.5)) {
        service.ejectionMax = dice.between(1, 100);
        const int failures = dice.between(1, 8);
        const int interval = dice.between(100, 1000);
        const int ejection = dice.between(200, 1500);
        service.upstream += fmt::format(
            ", outlier_detection: {{consecutive_5xx: {}, interval: {}ms, base_ejection: {}ms, "
            "max_ejection_percent: {}}}",
            failures,
            interval,
            ejection,
            *service.ejectionMax
        );
    }
    if (dice.chance(0.3)) {
        service.upstream += fmt::format(", limits: {{max_requests: {}}}", dice.between(1, 60));
    }
    if (service.zones > 1 && dice.chance(0.4)) {
        service.upstream += fmt::format(
            ", locality: {{prefer_local_zone: true, panic_percent: {}}}", dice.between(0, 80)
        );
    }
}

SwarmCase::Service makeService(Dice& dice, std::size_t place, std::size_t count)
{
    SwarmCase::Service service;
    service.zones = dice.between(1, 3);
    service.instances = dice.between(1, 5);
    service.concurrency = dice.between(1, 8);
    service.queue = dice.between(0, 40);
    service.serviceTime = lawText(dice);
    service.errorRate = dice.chance(0.5) ? 0.3 * dice.share() : 0.0;
    service.holdsWorker = dice.chance(0.2);
    const int calls = place + 1 < count ? dice.between(0, 3) : 0;
    for (int at = 0; at < calls; ++at) {
        SwarmCase::Call call;
        call.callee =
            place + 1
            + static_cast<std::size_t>(dice.between(0, static_cast<int>(count - place) - 2));
        call.probability = dice.chance(0.5) ? 1.0 : dice.share();
        call.count = dice.between(1, 2);
        call.isParallel = dice.chance(0.4);
        if (dice.chance(0.2)) {
            call.cached = dice.share();
        }
        service.calls.push_back(call);
    }
    addPolicies(dice, service);
    addProtection(dice, service);
    return service;
}

bool isOfTraffic(FaultKind kind)
{
    return kind == FaultKind::Latency || kind == FaultKind::Error || kind == FaultKind::Reset
           || kind == FaultKind::BlackHole || kind == FaultKind::Bandwidth;
}

bool isOfWholeService(FaultKind kind)
{
    return kind == FaultKind::RetryStorm || kind == FaultKind::CacheWipe
           || kind == FaultKind::Swizzle || kind == FaultKind::StaleEndpoints;
}

// Kinds that hit instances, a service or an edge; each with numbers of its own.
Fault makeFault(Dice& dice, const SwarmCase& mesh)
{
    constexpr std::array kKinds = {
        FaultKind::Kill,
        FaultKind::Freeze,
        FaultKind::Latency,
        FaultKind::Error,
        FaultKind::Reset,
        FaultKind::BlackHole,
        FaultKind::Slow,
        FaultKind::Grey,
        FaultKind::Surge,
        FaultKind::RetryStorm,
        FaultKind::BadDeploy,
        FaultKind::Flap,
        FaultKind::ZoneOutage,
        FaultKind::CacheWipe,
        FaultKind::Swizzle,
        FaultKind::Bandwidth,
        FaultKind::CertExpiry,
        FaultKind::StaleEndpoints};
    Fault fault;
    fault.kind = kKinds[static_cast<std::size_t>(dice.between(0, kKinds.size() - 1))];
    const auto millis = [](int count) { return Duration(std::chrono::milliseconds(count)); };
    fault.at = millis(dice.between(0, 1500));
    if (dice.chance(0.8)) {
        fault.length = millis(dice.between(1, 1200));
    }
    fault.probability = dice.chance(0.5) ? 1.0 : dice.share();
    fault.status = dice.between(500, 504);
    fault.add = millis(dice.between(1, 100));
    fault.jitter = millis(dice.between(0, 50));
    fault.factor = 1.0 + 4.0 * dice.share();
    fault.attempts = dice.between(2, 4);
    fault.errorRate = dice.share();
    fault.share = 0.1 + 0.9 * dice.share();
    fault.version = "bad";
    fault.period = millis(dice.between(50, 500));
    fault.duty = dice.share();
    fault.bytesPerSecond = dice.between(1'000, 1'000'000);
    fault.by = millis(dice.between(10, 1000));
    const auto place =
        static_cast<std::size_t>(dice.between(0, static_cast<int>(mesh.services.size()) - 1));
    const int part = dice.between(0, 2);
    const bool isOnEdge = dice.chance(0.3) && !mesh.services[place].calls.empty();
    fault.target.service = swarmServiceName(place);
    if (fault.kind == FaultKind::ZoneOutage) {
        fault.target = {};
        fault.target.zone = "a"; // The only one that is surely there.
    } else if (fault.kind == FaultKind::Surge) {
        fault.target.service = swarmServiceName(0);
    } else if (!isOfWholeService(fault.kind)) {
        if (isOnEdge && isOfTraffic(fault.kind)) {
            const std::size_t callee = mesh.services[place].calls.front().callee;
            fault.target = {};
            fault.target.edge = {swarmServiceName(place), swarmServiceName(callee)};
        }
        if (part == 1) {
            fault.target.count = 1;
        } else if (part == 2) {
            fault.target.percent = 50;
        }
    }
    return fault;
}

// What the fault's kind reads, as a file says it.
std::string parametersOf(const Fault& fault)
{
    switch (fault.kind) {
    case FaultKind::Latency:
        return fmt::format(
            ", add: {}ms, jitter: {}ms, probability: {}",
            toMilliseconds(fault.add),
            toMilliseconds(fault.jitter),
            fault.probability
        );
    case FaultKind::Error:
        return fmt::format(", status: {}, probability: {}", fault.status, fault.probability);
    case FaultKind::Bandwidth:
        return fmt::format(
            ", bytes_per_second: {}, probability: {}", fault.bytesPerSecond, fault.probability
        );
    case FaultKind::StaleEndpoints:
        return fmt::format(", by: {}ms", toMilliseconds(fault.by));
    case FaultKind::Reset:
    case FaultKind::BlackHole:
        return fmt::format(", probability: {}", fault.probability);
    case FaultKind::Slow:
    case FaultKind::Grey:
    case FaultKind::Surge:
        return fmt::format(", factor: {}", fault.factor);
    case FaultKind::RetryStorm:
        return fmt::format(", attempts: {}", fault.attempts);
    case FaultKind::BadDeploy:
        return fmt::format(
            ", version: {}, share: {}, error_rate: {}, factor: {}",
            fault.version,
            fault.share,
            fault.errorRate,
            fault.factor
        );
    case FaultKind::Flap:
        return fmt::format(", period: {}ms, duty: {}", toMilliseconds(fault.period), fault.duty);
    default:
        return {};
    }
}

std::string targetText(const simulator::FaultTarget& target)
{
    std::string text = fmt::format("{{service: {}", target.service);
    if (target.edge) {
        text = fmt::format("{{edge: \"{}->{}\"", target.edge->first, target.edge->second);
    } else if (!target.zone.empty()) {
        text = fmt::format("{{zone: {}", target.zone);
    }
    if (target.count) {
        text += fmt::format(", instances: {}", *target.count);
    } else if (target.percent) {
        text += fmt::format(", instances: \"{}%\"", *target.percent);
    }
    return text + "}";
}

std::string scriptText(const std::vector<SwarmCase::Call>& calls)
{
    std::vector<std::string> steps;
    for (const SwarmCase::Call& call : calls) {
        std::string text = fmt::format(
            "{{call: {}, probability: {}, count: {}",
            swarmServiceName(call.callee),
            call.probability,
            call.count
        );
        text += call.cached ? fmt::format(", cached: {}}}", *call.cached) : std::string("}");
        steps.push_back(call.isParallel ? fmt::format("[{}]", text) : text);
    }
    return fmt::format("[{}]", fmt::join(steps, ", "));
}

} // namespace

std::string swarmServiceName(std::size_t place) { return fmt::format("s{}", place); }

SwarmCase SwarmCase::make(Seed seed)
{
    Dice dice(seed);
    SwarmCase made;
    made.seed = seed;
    const int count = dice.between(1, 6);
    for (int at = 0; at < count; ++at) {
        made.services.push_back(
            makeService(dice, static_cast<std::size_t>(at), static_cast<std::size_t>(count))
        );
    }
    made.rate = dice.between(20, 500);
    made.duration = Duration(std::chrono::milliseconds(dice.between(500, 2500)));
    made.hasNetwork = dice.chance(0.4);
    const int faults = dice.between(0, 5);
    for (int at = 0; at < faults; ++at) {
        made.timeline.push_back(makeFault(dice, made));
    }
    return made;
}

std::string SwarmCase::meshText() const
{
    std::string text = "_format_version: \"3.0\"\nservices:\n";
    for (std::size_t at = 0; at < services.size(); ++at) {
        const Service& service = services[at];
        text += fmt::format(
            "- {{name: {0}, host: {0}, retries: {1}{2}}}\n",
            swarmServiceName(at),
            service.retries,
            service.resilience.empty() ? std::string()
                                       : fmt::format(", resilience: {{{}}}", service.resilience)
        );
    }
    text += "upstreams:\n";
    for (std::size_t at = 0; at < services.size(); ++at) {
        text += fmt::format("- {{name: {}{}}}\n", swarmServiceName(at), services[at].upstream);
    }
    text += "models:\n";
    for (std::size_t at = 0; at < services.size(); ++at) {
        const Service& service = services[at];
        std::vector<std::string> zones(kZones.begin(), kZones.begin() + service.zones);
        text += fmt::format(
            "- {{service: {}, instances: {}, zones: [{}], concurrency: {}, queue: {}, "
            "service_time: {}, "
            "error_rate: {}, hold_worker_during_calls: {}, script: {}}}\n",
            swarmServiceName(at),
            service.instances,
            fmt::join(zones, ", "),
            service.concurrency,
            service.queue,
            service.serviceTime,
            service.errorRate,
            service.holdsWorker,
            scriptText(service.calls)
        );
    }
    return text;
}

std::string SwarmCase::scenarioText(const std::string& mesh) const
{
    std::string text = fmt::format(
        "scenario: swarm\nmesh: {}\nseed: {}\nduration: {}ms\nload: [{{entry: {}, rate: [[0s, "
        "{}]]}}]\n",
        mesh,
        seed.value & 0x7fff'ffff'ffff'ffffU,
        toMilliseconds(duration),
        swarmServiceName(0),
        rate
    );
    if (hasNetwork) {
        text += "network: {same_zone: {dist: const, mean: 100us}, cross_zone: {dist: exp, mean: "
                "500us}, "
                "connect: {dist: const, mean: 200us}, proxy: {dist: exp, mean: 80us}}\n";
    }
    if (!timeline.empty()) {
        text += "timeline:\n";
    }
    for (const Fault& fault : timeline) {
        const std::string length = fault.length
                                       ? fmt::format(" for: {}ms,", toMilliseconds(*fault.length))
                                       : std::string();
        text += fmt::format(
            "- {{at: {}ms,{} fault: {}, target: {}{}}}\n",
            toMilliseconds(fault.at),
            length,
            toText(fault.kind),
            targetText(fault.target),
            parametersOf(fault)
        );
    }
    return text;
}

simulator::NetworkLaws SwarmCase::network() const
{
    using Kind = model::DurationLaw::Kind;
    simulator::NetworkLaws laws;
    if (hasNetwork) {
        laws.sameZone = model::DurationLaw{Kind::Const, 100us, 1.0, {}};
        laws.crossZone = model::DurationLaw{Kind::Exp, 500us, 1.0, {}};
        laws.connect = model::DurationLaw{Kind::Const, 200us, 1.0, {}};
        laws.proxy = model::DurationLaw{Kind::Exp, 80us, 1.0, {}};
    }
    return laws;
}

simulator::Load SwarmCase::load() const
{
    return {swarmServiceName(0), simulator::Arrivals::Poisson, {{Duration::zero(), rate}}};
}

std::vector<SwarmCase> SwarmCase::smaller() const
{
    std::vector<SwarmCase> cases;
    for (std::size_t at = 0; at < timeline.size(); ++at) {
        cases.push_back(*this);
        cases.back().timeline.erase(
            cases.back().timeline.begin() + static_cast<std::ptrdiff_t>(at)
        );
    }
    if (services.size() > 1) {
        SwarmCase fewer = *this;
        fewer.services.pop_back();
        const std::size_t gone = fewer.services.size();
        for (Service& service : fewer.services) {
            std::erase_if(service.calls, [gone](const Call& call) { return call.callee == gone; });
        }
        std::erase_if(fewer.timeline, [gone](const Fault& fault) {
            return fault.target.service == swarmServiceName(gone)
                   || (fault.target.edge && fault.target.edge->second == swarmServiceName(gone));
        });
        cases.push_back(std::move(fewer));
    }
    if (rate > 2.0) {
        cases.push_back(*this);
        cases.back().rate /= 2.0;
    }
    if (duration > 50ms) {
        cases.push_back(*this);
        cases.back().duration /= 2;
    }
    if (hasNetwork) {
        cases.push_back(*this);
        cases.back().hasNetwork = false;
    }
    for (std::size_t at = 0; at < services.size(); ++at) {
        if (!services[at].resilience.empty()) {
            cases.push_back(*this);
            cases.back().services[at].resilience.clear();
        }
        if (services[at].ejectionMax || services[at].upstream.find("limits") != std::string::npos) {
            cases.push_back(*this);
            cases.back().services[at].upstream.clear();
            cases.back().services[at].ejectionMax.reset();
        }
        const bool isHit = std::ranges::any_of(timeline, [](const Fault& fault) {
            return fault.target.edge.has_value(); // It must stay an edge that is called along.
        });
        if (!services[at].calls.empty() && !isHit) {
            cases.push_back(*this);
            cases.back().services[at].calls.pop_back();
        }
        if (services[at].instances > 1) {
            cases.push_back(*this);
            --cases.back().services[at].instances;
        }
    }
    return cases;
}

} // namespace mesh::test
