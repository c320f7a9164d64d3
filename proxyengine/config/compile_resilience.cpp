#include "proxyengine/config/compile_resilience.h"

#include <fmt/format.h>

#include <utility>

namespace mesh::config {
namespace {

using model::Resilience;

// A field with the subject of the layer that says it; the route's wins.
template <typename Field>
struct Said
{
    const Field* value = nullptr;
    const std::string* subject = nullptr;
};

template <typename Layers, typename Field>
Said<Field> saidIn(const Layers& layers, std::optional<Field> Resilience::*member)
{
    if (layers.route != nullptr && layers.route->*member) {
        return {&*(layers.route->*member), &layers.routeSubject};
    }
    if (layers.service != nullptr && layers.service->*member) {
        return {&*(layers.service->*member), &layers.serviceSubject};
    }
    return {};
}

template <typename Layers, typename Field>
void take(const Layers& layers, std::optional<Field> Resilience::*member, std::optional<Field>& to)
{
    if (const Said<Field> said = saidIn(layers, member); said.value != nullptr) {
        to = *said.value;
    }
}

// The place of an equal entry of the same subject; a new one when there is none.
template <typename Settings, typename Places>
std::size_t placeOf(
    std::vector<KeptPlan<Settings>>& plans,
    Places& places,
    const std::string& subject,
    const Settings& settings
)
{
    std::vector<std::size_t>& own = places[subject];
    for (const std::size_t place : own) {
        if (plans[place].settings == settings) {
            return place;
        }
    }
    own.push_back(plans.size());
    plans.push_back(KeptPlan<Settings>{subject, settings});
    return own.back();
}

} // namespace

ResilienceCompiler::ResilienceCompiler(
    const model::Document& document,
    const std::vector<std::size_t>& serviceIndex,
    Snapshot& snapshot,
    std::vector<Problem>& problems
)
    : m_document(document)
    , m_serviceIndex(serviceIndex)
    , m_snapshot(snapshot)
    , m_problems(problems)
{
    for (std::size_t at = 0; at < document.services.size(); ++at) {
        if (document.services[at].name) {
            m_byName.emplace(*document.services[at].name, at);
        }
    }
}

std::optional<std::size_t> ResilienceCompiler::ofService(std::size_t service)
{
    const std::optional<Resilience>& own = m_document.services[service].resilience;
    if (!own || *own == Resilience()) {
        return std::nullopt;
    }
    if (const auto found = m_ofService.find(service); found != m_ofService.end()) {
        return found->second;
    }
    m_path = fmt::format("services[{}]", service);
    const std::size_t added = add(layersOf(nullptr, {}, service), Fallbacks::Followed);
    m_ofService.emplace(service, added);
    return added;
}

void ResilienceCompiler::addTo(
    RoutePlan& plan, const model::Route& route, std::size_t service, std::string path
)
{
    if (service != kNoService) {
        m_path = path;
        plan.resilience = merged(&route, plan.name, service);
    }
    for (const model::SplitPart& part : route.split) {
        m_path = path;
        const std::optional<std::size_t> found = find(part.service, "split");
        if (!found) {
            continue;
        }
        SplitPlan& added = plan.split.emplace_back();
        added.service = m_serviceIndex[*found];
        added.weight = static_cast<std::uint32_t>(part.weight);
        added.resilience = *found == service ? plan.resilience : merged(&route, plan.name, *found);
    }
    if (!plan.split.empty()) {
        plan.splitSticky = route.splitSticky;
    }
}

std::optional<std::size_t> ResilienceCompiler::merged(
    const model::Route* route, std::string_view routeName, std::size_t service
)
{
    if (!route->resilience || *route->resilience == Resilience()) {
        return ofService(service);
    }
    return add(layersOf(route, routeName, service), Fallbacks::Followed);
}

ResilienceCompiler::Layers ResilienceCompiler::layersOf(
    const model::Route* route, std::string_view routeName, std::size_t service
) const
{
    const auto orNull = [](const std::optional<Resilience>& said) {
        return said ? &*said : nullptr;
    };
    Layers layers;
    layers.service = orNull(m_document.services[service].resilience);
    layers.serviceSubject = "service:" + m_snapshot.services[m_serviceIndex[service]].name;
    if (route != nullptr) {
        layers.route = orNull(route->resilience);
        layers.routeSubject = fmt::format("route:{}", routeName);
    }
    return layers;
}

std::size_t ResilienceCompiler::add(const Layers& layers, Fallbacks fallbacks)
{
    ResiliencePlan plan;
    plan.subject = layers.serviceSubject;
    addKept(layers, plan);
    addOthers(layers, fallbacks, plan);
    m_snapshot.resiliences.push_back(std::move(plan));
    return m_snapshot.resiliences.size() - 1;
}

void ResilienceCompiler::addKept(const Layers& layers, ResiliencePlan& plan)
{
    if (const auto said = saidIn(layers, &Resilience::retry); said.value != nullptr) {
        plan.retry = placeOf(m_snapshot.retries, m_retries, *said.subject, *said.value);
    }
    if (const auto said = saidIn(layers, &Resilience::breaker); said.value != nullptr) {
        plan.breaker = placeOf(m_snapshot.breakers, m_breakers, *said.subject, *said.value);
    }
    if (const auto said = saidIn(layers, &Resilience::adaptiveConcurrency); said.value != nullptr) {
        plan.adaptiveConcurrency =
            placeOf(m_snapshot.adaptiveConcurrencies, m_adaptive, *said.subject, *said.value);
    }
    const bool isOfRoute = layers.route != nullptr && !layers.route->rateLimits.empty();
    const Resilience* const limited = isOfRoute ? layers.route : layers.service;
    for (const model::RateLimit& limit :
         limited == nullptr ? std::vector<model::RateLimit>() : limited->rateLimits) {
        const std::string& subject = isOfRoute ? layers.routeSubject : layers.serviceSubject;
        plan.rateLimits.push_back(placeOf(m_snapshot.rateLimits, m_rateLimits, subject, limit));
    }
}

void ResilienceCompiler::addOthers(const Layers& layers, Fallbacks fallbacks, ResiliencePlan& plan)
{
    take(layers, &Resilience::timeout, plan.timeout);
    take(layers, &Resilience::perTryTimeout, plan.perTryTimeout);
    take(layers, &Resilience::hedge, plan.hedge);
    take(layers, &Resilience::mirror, plan.mirror);
    take(layers, &Resilience::fault, plan.fault);
    if (const auto said = saidIn(layers, &Resilience::priority); said.value != nullptr) {
        plan.priority = *said.value;
    }
    if (const auto said = saidIn(layers, &Resilience::version); said.value != nullptr) {
        plan.version = *said.value;
    }
    if (plan.mirror) {
        if (const auto found = find(plan.mirror->service, "resilience.mirror.service")) {
            plan.mirrorService = m_serviceIndex[*found];
        }
    }
    const auto breaker = saidIn(layers, &Resilience::breaker);
    if (breaker.value == nullptr || !breaker.value->fallback.service
        || fallbacks == Fallbacks::Ignored) {
        return;
    }
    const auto found =
        find(*breaker.value->fallback.service, "resilience.breaker.fallback.service");
    if (found) {
        plan.fallbackService = m_serviceIndex[*found];
        plan.fallbackResilience = asFallback(*found);
    }
}

// The service's own resilience, but a fallback is not replaced by its own fallback in turn.
std::optional<std::size_t> ResilienceCompiler::asFallback(std::size_t service)
{
    const std::optional<Resilience>& own = m_document.services[service].resilience;
    if (!own || !own->breaker || !own->breaker->fallback.service) {
        return ofService(service);
    }
    if (const auto found = m_asFallback.find(service); found != m_asFallback.end()) {
        return found->second;
    }
    const std::size_t added = add(layersOf(nullptr, {}, service), Fallbacks::Ignored);
    m_asFallback.emplace(service, added);
    return added;
}

// The place of an enabled service in the document; reported when there is none.
std::optional<std::size_t> ResilienceCompiler::find(const std::string& name, std::string_view key)
{
    const auto found = m_byName.find(name);
    if (found != m_byName.end() && m_serviceIndex[found->second] != kNoService) {
        return found->second;
    }
    m_problems.push_back(Problem{
        fmt::format("{}.{}", m_path, key),
        {},
        ErrorCode::DanglingReference,
        Severity::Error,
        fmt::format("there is no enabled service '{}' in this document", name)});
    return std::nullopt;
}

} // namespace mesh::config
