#include "proxyengine/model/canonical.h"

#include "proxyengine/model/format.h"

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mesh::model {
namespace {

// Objects with a name come first; those without keep their order behind them.
template <typename Entity>
std::tuple<bool, std::string_view, std::string_view> keyOf(const Entity& entity)
{
    const std::string_view name = entity.name ? std::string_view(*entity.name) : std::string_view();
    const std::string_view id = entity.id ? std::string_view(*entity.id) : std::string_view();
    return {!entity.name.has_value(), name, id};
}

template <typename Entity, typename Key>
void sortBy(std::vector<Entity>& entities, Key key)
{
    const auto isBefore = [&](const Entity& a, const Entity& b) {
        return std::invoke(key, a) < std::invoke(key, b);
    };
    if (std::is_sorted(entities.begin(), entities.end(), isBefore)) {
        return;
    }
    // Objects are large: their places are sorted, and each moves once.
    std::vector<Entity*> places;
    places.reserve(entities.size());
    for (Entity& entity : entities) {
        places.push_back(&entity);
    }
    std::ranges::stable_sort(places, [&](const Entity* a, const Entity* b) {
        return isBefore(*a, *b);
    });
    std::vector<Entity> sorted;
    sorted.reserve(entities.size());
    for (Entity* entity : places) {
        sorted.push_back(std::move(*entity));
    }
    entities = std::move(sorted);
}

// Sets have one order. A split, rate limits and zones of failover keep theirs: it means something.
void settle(std::optional<Resilience>& resilience)
{
    if (resilience && resilience->retry) {
        std::ranges::sort(resilience->retry->on);
        std::ranges::sort(resilience->retry->statuses);
        sortBy(resilience->retry->headers, &HeaderMatch::name);
    }
}

void settle(Route& route)
{
    std::ranges::sort(route.protocols);
    sortBy(route.headers, &HeaderMatch::name);
    settle(route.resilience);
}

void settle(Upstream& upstream)
{
    for (Target& target : upstream.targets) {
        target.target = withDefaultPort(target.target);
    }
    sortBy(upstream.targets, &Target::target);
    sortBy(upstream.healthchecks.active.headers, &HeaderMatch::name);
}

void nestRoutes(Document& document)
{
    std::unordered_map<std::string_view, Service*> byName;
    for (Service& service : document.services) {
        if (service.id) {
            byName.emplace(*service.id, &service);
        }
        if (service.name) {
            byName[*service.name] = &service;
        }
    }
    std::vector<Route> left;
    for (Route& route : document.routes) {
        const auto found = route.service ? byName.find(*route.service) : byName.end();
        if (found == byName.end()) {
            left.push_back(std::move(route));
            continue;
        }
        route.service.reset();
        found->second->routes.push_back(std::move(route));
    }
    document.routes = std::move(left);
}

} // namespace

Document canonical(Document document)
{
    if (!document.routes.empty()) {
        nestRoutes(document);
    }
    for (Service& service : document.services) {
        settle(service.resilience);
        std::ranges::for_each(service.routes, [](Route& route) { settle(route); });
        sortBy(service.routes, &keyOf<Route>);
    }
    std::ranges::for_each(document.routes, [](Route& route) { settle(route); });
    std::ranges::for_each(document.upstreams, [](Upstream& upstream) { settle(upstream); });
    for (Certificate& certificate : document.certificates) {
        sortBy(certificate.snis, &Sni::name);
    }
    sortBy(document.services, &keyOf<Service>);
    sortBy(document.routes, &keyOf<Route>);
    sortBy(document.upstreams, &Upstream::name);
    sortBy(document.certificates, [](const Certificate& each) {
        return std::tuple(!each.id.has_value(), std::string_view(each.id ? *each.id : each.cert));
    });
    sortBy(document.caCertificates, [](const CaCertificate& each) {
        return std::tuple(!each.id.has_value(), std::string_view(each.id ? *each.id : each.cert));
    });
    sortBy(document.nodes, &Node::name);
    sortBy(document.workloads, &Workload::name);
    sortBy(document.models, &ServiceModel::service);
    return document;
}

} // namespace mesh::model
