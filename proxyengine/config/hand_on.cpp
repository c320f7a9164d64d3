#include "proxyengine/config/hand_on.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace mesh::config {
namespace {

using model::Service;

const Service* serviceNamed(const ServicesByName& services, const std::string& name)
{
    const auto found = services.find(name);
    return found == services.end() ? nullptr : found->second;
}

const std::string* nextOf(const Service& service, HandOn way)
{
    return service.resilience ? nextOf(*service.resilience, way) : nullptr;
}

std::string circleText(const std::vector<std::string_view>& names, HandOn way)
{
    return fmt::format(
        "{} go round in a circle: {}; remove one of them",
        way == HandOn::Mirror ? "mirrors" : "fallbacks",
        fmt::join(names, " -> ")
    );
}

// `services`: each hands on to the next, and the last to the first.
void addCircle(
    const model::Document& document,
    std::vector<const Service*> services,
    HandOn way,
    std::vector<Finding>& findings
)
{
    // By address: they all stand in one list. Not std::ranges::rotate: clang 14 cannot read the
    // subrange of libstdc++ 12.
    std::rotate(services.begin(), std::ranges::min_element(services), services.end());
    std::string text;
    if (services.size() == 1) {
        text = way == HandOn::Mirror ? "a service cannot mirror to itself; name another service"
                                     : "a service cannot fall back to itself; name another service";
    } else {
        std::vector<std::string_view> names;
        for (const Service* const each : services) {
            names.push_back(*each->name);
        }
        names.push_back(names.front());
        text = circleText(names, way);
    }
    std::string path = fmt::format(
        "services[{}].resilience.{}", services.front() - document.services.data(), keyOf(way)
    );
    findings.push_back(Finding{
        Problem{std::move(path), {}, ErrorCode::Conflict, Severity::Error, std::move(text)}, {}});
}

} // namespace

std::string_view keyOf(HandOn way)
{
    return way == HandOn::Mirror ? "mirror.service" : "breaker.fallback.service";
}

const std::string* nextOf(const model::Resilience& resilience, HandOn way)
{
    if (way == HandOn::Mirror) {
        return resilience.mirror ? &resilience.mirror->service : nullptr;
    }
    const bool hasFallback = resilience.breaker && resilience.breaker->fallback.service;
    return hasFallback ? &*resilience.breaker->fallback.service : nullptr;
}

std::string circleOfRoute(
    const model::Resilience& resilience,
    const std::vector<const Service*>& callees,
    HandOn way,
    const ServicesByName& services
)
{
    const auto isCalled = [&](const std::string& name) {
        return std::ranges::any_of(callees, [&](const Service* each) {
            return each->name == name;
        });
    };
    const std::string* next = nextOf(resilience, way);
    if (next != nullptr && isCalled(*next)) {
        return fmt::format("the route calls service '{}' already; name another service", *next);
    }
    std::vector<std::string_view> names;
    while (next != nullptr && std::ranges::find(names, *next) == names.end()) {
        names.push_back(*next);
        if (isCalled(*next)) {
            std::vector<std::string_view> circle{names.back()};
            circle.insert(circle.end(), names.begin(), names.end());
            return circleText(circle, way);
        }
        const Service* const service = serviceNamed(services, *next);
        next = service == nullptr ? nullptr : nextOf(*service, way);
    }
    return {};
}

void checkCircles(
    const model::Document& document, const ServicesByName& services, std::vector<Finding>& findings
)
{
    // Every service hands on to one other at most, so that each walk is a line or ends in a circle.
    for (const HandOn way : {HandOn::Mirror, HandOn::Fallback}) {
        std::unordered_map<const Service*, std::size_t> walkOf; // Number of the walk that came by.
        for (std::size_t at = 0; at < document.services.size(); ++at) {
            std::vector<const Service*> walk;
            const Service* service = &document.services[at];
            while (service != nullptr && walkOf.emplace(service, at).second) {
                walk.push_back(service);
                const std::string* const next = nextOf(*service, way);
                service = next == nullptr ? nullptr : serviceNamed(services, *next);
            }
            if (service != nullptr && walkOf[service] == at) {
                addCircle(document, {std::ranges::find(walk, service), walk.end()}, way, findings);
            }
        }
    }
}

} // namespace mesh::config
