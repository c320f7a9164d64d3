#include "simulator/live/faults.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace mesh::simulator {
namespace {

void add(RequestFaults& faults, const Fault& fault)
{
    faults.areProbesHit = fault.kind != FaultKind::Grey;
    switch (fault.kind) {
    case FaultKind::Latency:
        faults.latencyAdd = fault.add;
        faults.latencyJitter = fault.jitter;
        faults.latencyShare = fault.probability;
        break;
    case FaultKind::Error:
    case FaultKind::Grey:
        faults.errorShare = fault.probability;
        faults.errorStatus = fault.status;
        break;
    case FaultKind::Reset:
        faults.resetShare = fault.probability;
        break;
    case FaultKind::BlackHole:
    case FaultKind::Partition:
        faults.lostShare = fault.probability;
        break;
    default:
        break;
    }
}

// Whether the fault can be written into these without covering another.
bool hasRoom(const RequestFaults& faults, FaultKind kind)
{
    if (faults != RequestFaults() && faults.areProbesHit != (kind != FaultKind::Grey)) {
        return false;
    }
    switch (kind) {
    case FaultKind::Latency:
        return faults.latencyAdd == Duration::zero();
    case FaultKind::Error:
    case FaultKind::Grey:
        return faults.errorShare == 0.0;
    case FaultKind::Reset:
        return faults.resetShare == 0.0;
    default:
        return faults.lostShare == 0.0;
    }
}

void addToRequests(InstanceFaults& faults, const Fault& fault)
{
    if (!fault.target.edge && hasRoom(faults, fault.kind)) {
        add(faults, fault);
        return;
    }
    CallerFaults more;
    more.caller = fault.target.edge ? fault.target.edge->first : std::string();
    add(more.faults, fault);
    faults.more.push_back(std::move(more));
}

bool isSlowness(const Fault& fault) { return fault.factor != 1.0; }

void appendText(std::vector<std::string>& parts, const RequestFaults& faults)
{
    if (faults.errorShare > 0) {
        parts.push_back(
            fmt::format("{} {} %", faults.errorStatus, std::lround(faults.errorShare * 100))
        );
    }
    if (faults.latencyAdd > Duration::zero()) {
        parts.push_back(fmt::format("+{} ms", toMilliseconds(faults.latencyAdd)));
    }
    if (faults.resetShare > 0) {
        parts.push_back(fmt::format("reset {} %", std::lround(faults.resetShare * 100)));
    }
    if (faults.lostShare > 0) {
        parts.push_back(fmt::format("lost {} %", std::lround(faults.lostShare * 100)));
    }
}

constexpr int kRetriesUnlimited = 1'000'000; // The most that a file may say.

void storm(model::Retry& retry, int attempts)
{
    if (std::ranges::find(retry.on, model::RetryOn::FiveXx) == retry.on.end()) {
        retry.on.push_back(model::RetryOn::FiveXx);
    }
    retry.attempts = attempts;
    retry.budget.reset();
}

void storm(model::Service& service, int attempts)
{
    model::Resilience resilience = service.resilience.value_or(model::Resilience());
    model::Retry retry = resilience.retry.value_or(model::Retry());
    storm(retry, attempts);
    resilience.retry = std::move(retry);
    service.resilience = std::move(resilience);
    for (model::Route& route : service.routes) {
        if (route.resilience && route.resilience->retry) {
            storm(*route.resilience->retry, attempts);
        }
    }
}

void liftRetryLimit(model::Limits& limits)
{
    limits.maxRetries = kRetriesUnlimited;
    if (limits.high) {
        limits.high->maxRetries = kRetriesUnlimited;
    }
}

std::vector<Fault> unrolledFlap(const Fault& fault, Duration end)
{
    std::vector<Fault> kills;
    const Duration up = fromSeconds(toSeconds(fault.period) * std::clamp(fault.duty, 0.0, 1.0));
    if (fault.period <= Duration::zero() || up >= fault.period) {
        return kills;
    }
    for (Duration at = fault.at + up; at < end; at += fault.period) {
        Fault kill = fault;
        kill.at = at;
        kill.length = std::min(fault.period - up, end - at);
        kills.push_back(std::move(kill));
    }
    return kills;
}

// The gaps between all stops and returns are the same; the last returns at the end.
std::vector<Fault> unrolledSwizzle(const Fault& fault, Duration end, Seed seed)
{
    std::vector<std::string> services = fault.target.services;
    if (!fault.target.service.empty()) {
        services.insert(services.begin(), fault.target.service);
    }
    const auto count = static_cast<std::int64_t>(services.size());
    std::vector<std::int64_t> returns; // By service: the how manieth it is.
    for (std::int64_t at = 0; at < count; ++at) {
        returns.push_back(at);
    }
    Random random(seed);
    for (std::size_t left = returns.size(); left > 1; --left) {
        std::swap(returns[left - 1], returns[random.below(left)]);
    }
    std::vector<Fault> kills;
    const Duration length = end - fault.at;
    for (std::int64_t at = 0; at < count; ++at) {
        Fault kill = fault;
        kill.target.services.clear();
        kill.target.service = services[static_cast<std::size_t>(at)];
        const Duration from = length * at / (2 * count - 1);
        const Duration to =
            length * (count + returns[static_cast<std::size_t>(at)]) / (2 * count - 1);
        kill.at = fault.at + from;
        kill.length = to - from;
        kills.push_back(std::move(kill));
    }
    return kills;
}

} // namespace

std::string toText(const InstanceFaults& faults)
{
    std::vector<std::string> parts;
    if (faults.isKilled) {
        parts.emplace_back("killed");
    }
    if (faults.isFrozen) {
        parts.emplace_back("frozen");
    }
    appendText(parts, faults);
    if (faults.slowFactor != 1.0) {
        parts.push_back(fmt::format("{:.3g} times as slow", faults.slowFactor));
    }
    if (faults.errorRate) {
        parts.push_back(fmt::format("fails {} %", std::lround(*faults.errorRate * 100)));
    }
    if (faults.isCacheCold) {
        parts.emplace_back("cold cache");
    }
    for (const CallerFaults& more : faults.more) {
        std::vector<std::string> words;
        appendText(words, more.faults);
        if (!words.empty() && !more.caller.empty()) {
            words.back() += fmt::format(" for {}", more.caller);
        }
        parts.insert(parts.end(), words.begin(), words.end());
    }
    return fmt::format("{}", fmt::join(parts, " \xC2\xB7 "));
}

std::string whyNotLive(const Fault& fault)
{
    if (fault.kind == FaultKind::Bandwidth && fault.probability < 1.0) {
        return "a line is as narrow for one request as for the next";
    }
    if (fault.kind == FaultKind::BadDeploy && fault.target.edge) {
        return "a deployment is of a service";
    }
    return {};
}

InstanceFaults withFault(InstanceFaults faults, const Fault& fault)
{
    if (fault.target.between) {
        return faults;
    }
    switch (fault.kind) {
    case FaultKind::Kill:
    case FaultKind::ZoneOutage:
    case FaultKind::Flap:
    case FaultKind::Swizzle:
        faults.isKilled = true;
        break;
    case FaultKind::Freeze:
        faults.isFrozen = true;
        break;
    case FaultKind::Slow:
        faults.slowFactor *= fault.factor;
        break;
    case FaultKind::BadDeploy:
        faults.slowFactor *= fault.factor;
        faults.errorRate = fault.errorRate;
        break;
    case FaultKind::CacheWipe:
        faults.isCacheCold = true;
        break;
    case FaultKind::Grey:
        if (isSlowness(fault)) {
            faults.slowFactor *= fault.factor;
            break;
        }
        [[fallthrough]];
    case FaultKind::Latency:
    case FaultKind::Error:
    case FaultKind::Reset:
    case FaultKind::BlackHole:
    case FaultKind::Partition:
        addToRequests(faults, fault);
        break;
    default:
        break;
    }
    return faults;
}

model::Document withStorms(model::Document document, const std::vector<Fault>& active)
{
    std::vector<Fault> storms = active;
    std::ranges::stable_sort(storms, {}, &Fault::attempts); // The wildest has the last word.
    for (const Fault& fault : storms) {
        const auto service =
            std::ranges::find(document.services, fault.target.service, &model::Service::name);
        if (fault.kind != FaultKind::RetryStorm || service == document.services.end()) {
            continue;
        }
        storm(*service, fault.attempts);
        const auto upstream =
            std::ranges::find(document.upstreams, service->host, &model::Upstream::name);
        if (upstream != document.upstreams.end() && upstream->limits) {
            liftRetryLimit(*upstream->limits);
        }
    }
    return document;
}

std::vector<Fault> unrolled(const Fault& fault, Duration duration, Seed seed)
{
    const Duration end = fault.length ? fault.at + *fault.length : duration;
    if (fault.kind == FaultKind::Flap) {
        return unrolledFlap(fault, end);
    }
    if (fault.kind == FaultKind::Swizzle) {
        return unrolledSwizzle(fault, end, seed);
    }
    return {fault};
}

Load withSurges(Load load, const std::vector<Fault>& timeline)
{
    std::vector<Duration> steps;
    for (const auto& [from, rate] : load.rate) {
        steps.push_back(from);
    }
    std::vector<const Fault*> surges;
    for (const Fault& fault : timeline) {
        if (fault.kind == FaultKind::Surge && fault.target.service == load.entry) {
            surges.push_back(&fault);
            steps.push_back(fault.at);
            if (fault.length) {
                steps.push_back(fault.at + *fault.length);
            }
        }
    }
    std::ranges::sort(steps);
    steps.erase(std::unique(steps.begin(), steps.end()), steps.end());
    std::vector<std::pair<Duration, double>> rates;
    for (const Duration at : steps) {
        double rate = rateAt(load, at);
        for (const Fault* surge : surges) {
            const bool isOn =
                at >= surge->at && (!surge->length || at < surge->at + *surge->length);
            rate *= isOn ? surge->factor : 1.0;
        }
        rates.emplace_back(at, rate);
    }
    load.rate = std::move(rates);
    return load;
}

} // namespace mesh::simulator
