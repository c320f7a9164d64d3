#include "proxyengine/config/check_document.h"
#include "proxyengine/config/plugin_scope.h"
#include "proxyengine/model/gateway_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace mesh::config {
namespace {

using model::Plugin;
using model::Resilience;
using model::Route;
using model::Service;

bool hasPlugins(const Service& service)
{
    return !service.plugins.empty() || std::ranges::any_of(service.routes, [](const Route& route) {
        return !route.plugins.empty();
    });
}

// A service or a route with its place: "services[0]".
template <typename Entity>
struct Placed
{
    const Entity* entity = nullptr; // Null: there is none.
    std::string path;
};

// Looks for ways to a service on which nobody asks for the certificates that it demands. What a
// route's requests have to show is decided once, by the route and its own service.
class PluginReachChecker
{
public:
    PluginReachChecker(const model::Document& document, std::vector<Finding>& findings)
        : m_document(document)
        , m_findings(findings)
    {}

    void run()
    {
        const bool hasAny = !m_document.plugins.empty()
                            || std::ranges::any_of(m_document.services, hasPlugins)
                            || std::ranges::any_of(m_document.routes, [](const Route& route) {
                                   return !route.plugins.empty();
                               });
        if (!hasAny) {
            return;
        }
        for (std::size_t at = 0; at < m_document.services.size(); ++at) {
            const Service& service = m_document.services[at];
            Placed<Service> placed{&service, fmt::format("services[{}]", at)};
            if (service.name) {
                m_byName.emplace(*service.name, placed);
            }
            if (service.id) {
                m_byId.emplace(*service.id, placed);
            }
        }
        scopes();
        forEachRoute([this](const Placed<Route>& route, const Placed<Service>& service) {
            if (service.entity != nullptr && !service.entity->enabled) {
                return;
            }
            if (isHttpRoute(*route.entity)) {
                requests(route, service);
            } else {
                stream(route, service);
            }
        });
    }

private:
    void add(std::string path, ErrorCode code, Severity severity, std::string message)
    {
        if (m_told.insert(path).second) {
            m_findings.push_back(Finding{
                Problem{std::move(path), {}, code, severity, std::move(message)}, {}});
        }
    }

    // By name or id.
    [[nodiscard]] Placed<Service> service(const std::optional<std::string>& called) const
    {
        if (!called) {
            return {};
        }
        if (const auto found = m_byName.find(*called); found != m_byName.end()) {
            return found->second;
        }
        const auto found = m_byId.find(*called);
        return found == m_byId.end() ? Placed<Service>() : found->second;
    }

    // Calls `function` with every route and the service that it belongs to.
    template <typename Function>
    void forEachRoute(const Function& function) const
    {
        for (std::size_t at = 0; at < m_document.services.size(); ++at) {
            const Service& owner = m_document.services[at];
            const Placed<Service> placed{&owner, fmt::format("services[{}]", at)};
            for (std::size_t each = 0; each < owner.routes.size(); ++each) {
                function(
                    Placed<Route>{
                        &owner.routes[each], fmt::format("{}.routes[{}]", placed.path, each)},
                    placed
                );
            }
        }
        for (std::size_t at = 0; at < m_document.routes.size(); ++at) {
            const Route& route = m_document.routes[at];
            function(Placed<Route>{&route, fmt::format("routes[{}]", at)}, service(route.service));
        }
    }

    // Two plugins for the same things: the first would run, and nobody would miss the other.
    // Inside one list that has been reported.
    void scopes()
    {
        using Scope = std::pair<const Service*, const Route*>;
        std::map<Scope, std::string> known;
        const auto claim = [&](const Scope& scope, const std::string& path) {
            const auto [first, isNew] = known.emplace(scope, path);
            if (!isNew) {
                add(path,
                    ErrorCode::Duplicate,
                    Severity::Error,
                    fmt::format(
                        "the plugin stands twice for the same, first at {}; one of a name runs, "
                        "remove the other",
                        first->second
                    ));
            }
        };
        std::unordered_map<std::string_view, const Route*> routes;
        forEachRoute([&](const Placed<Route>& route, const Placed<Service>&) {
            for (const auto& name : {&route.entity->name, &route.entity->id}) {
                if (*name) {
                    routes.emplace(**name, route.entity);
                }
            }
        });
        for (std::size_t at = 0; at < m_document.plugins.size(); ++at) {
            const Plugin& plugin = m_document.plugins[at];
            const auto route = plugin.route ? routes.find(*plugin.route) : routes.end();
            const Scope scope{
                service(plugin.service).entity, route == routes.end() ? nullptr : route->second};
            const bool isKnown = (!plugin.service || scope.first != nullptr)
                                 && (!plugin.route || scope.second != nullptr);
            if (isKnown) {
                claim(scope, fmt::format("plugins[{}]", at));
            }
        }
        for (std::size_t at = 0; at < m_document.services.size(); ++at) {
            if (!m_document.services[at].plugins.empty()) {
                claim(
                    {&m_document.services[at], nullptr}, fmt::format("services[{}].plugins[0]", at)
                );
            }
        }
        forEachRoute([&](const Placed<Route>& route, const Placed<Service>&) {
            if (!route.entity->plugins.empty()) {
                claim({nullptr, route.entity}, route.path + ".plugins[0]");
            }
        });
    }

    // Where the plugin stands that runs for this route; empty: in the list for everything.
    [[nodiscard]] std::string placeOf(
        const Plugin& plugin, const Placed<Route>& route, const Placed<Service>& service
    ) const
    {
        const auto in = [&plugin](const std::vector<Plugin>& list, const std::string& owner) {
            const auto found =
                std::ranges::find(list, &plugin, [](const Plugin& each) { return &each; });
            return found == list.end() ? std::string()
                                       : fmt::format("{}plugins[{}]", owner, found - list.begin());
        };
        std::string place = in(route.entity->plugins, route.path + ".");
        if (place.empty() && service.entity != nullptr) {
            place = in(service.entity->plugins, service.path + ".");
        }
        return place.empty() ? in(m_document.plugins, {}) : place;
    }

    void stream(const Placed<Route>& route, const Placed<Service>& service)
    {
        const Plugin* plugin = mtlsAuthOf(m_document, *route.entity, service.entity);
        if (plugin == nullptr) {
            return;
        }
        const std::string place = placeOf(*plugin, route, service);
        const bool isForAll = !plugin->service && !plugin->route && place.starts_with("plugins[");
        if (isForAll) {
            add(route.path + ".protocols",
                ErrorCode::Unsupported,
                Severity::Warning,
                fmt::format(
                    "connections of this route are not asked for a certificate: mtls-auth ({}) "
                    "works for HTTP alone",
                    place
                ));
            return;
        }
        add(place,
            ErrorCode::Unsupported,
            Severity::Error,
            fmt::format(
                "mtls-auth works for HTTP alone, so that {} would let anybody in; put the plugin "
                "on routes that take HTTP, or let that route go to a service without it",
                route.path
            ));
    }

    void requests(const Placed<Route>& route, const Placed<Service>& own)
    {
        const Plugin* asked = mtlsAuthOf(m_document, *route.entity, own.entity);
        const auto demand = [&](const Placed<Service>& to, const std::string& place) {
            const Plugin* needed =
                to.entity == nullptr ? nullptr : mtlsAuthOf(m_document, *route.entity, to.entity);
            const bool isAsked =
                needed == nullptr || (asked != nullptr && asked->config == needed->config);
            if (!isAsked) {
                add(place,
                    ErrorCode::Unsupported,
                    Severity::Error,
                    fmt::format(
                        "the service asks for client certificates ({}), and requests of {} would "
                        "come there {}; put the same mtls-auth on that route",
                        placeOf(*needed, route, to),
                        route.path,
                        asked == nullptr ? "without" : "with those of another mtls-auth"
                    ));
            }
        };
        detours(route, own, demand);
        for (std::size_t at = 0; at < route.entity->split.size(); ++at) {
            const Placed<Service> part = named(route.entity->split[at].service);
            demand(part, fmt::format("{}.split[{}].service", route.path, at));
            detours(route, part, demand);
        }
    }

    [[nodiscard]] Placed<Service> named(const std::string& name) const
    {
        const auto found = m_byName.find(name);
        return found == m_byName.end() ? Placed<Service>() : found->second;
    }

    // Where requests to this service go beside it: copies, and all of them while its breaker is
    // open. A fallback goes by its own policies, but is not replaced in turn.
    template <typename Demand>
    void detours(const Placed<Route>& route, const Placed<Service>& to, const Demand& demand) const
    {
        if (to.entity == nullptr) {
            return;
        }
        const auto orNull = [](const std::optional<Resilience>& said) {
            return said ? &*said : nullptr;
        };
        const Resilience* own = orNull(to.entity->resilience);
        const Resilience* over = orNull(route.entity->resilience);
        mirror(
            over != nullptr && over->mirror ? over : own,
            over != nullptr && over->mirror ? route.path : to.path,
            demand
        );
        const bool isOfRoute = over != nullptr && over->breaker;
        const Resilience* breaking = isOfRoute ? over : own;
        if (breaking == nullptr || !breaking->breaker || !breaking->breaker->fallback.service) {
            return;
        }
        const Placed<Service> fallback = named(*breaking->breaker->fallback.service);
        demand(
            fallback, (isOfRoute ? route.path : to.path) + ".resilience.breaker.fallback.service"
        );
        if (fallback.entity != nullptr) {
            mirror(orNull(fallback.entity->resilience), fallback.path, demand);
        }
    }

    template <typename Demand>
    void mirror(const Resilience* said, const std::string& owner, const Demand& demand) const
    {
        if (said != nullptr && said->mirror) {
            demand(named(said->mirror->service), owner + ".resilience.mirror.service");
        }
    }

    const model::Document& m_document;
    std::vector<Finding>& m_findings;
    std::unordered_map<std::string_view, Placed<Service>> m_byName;
    std::unordered_map<std::string_view, Placed<Service>> m_byId;
    std::unordered_set<std::string> m_told; // Places; one problem each is enough.
};

} // namespace

void checkPluginReach(const model::Document& document, std::vector<Finding>& findings)
{
    PluginReachChecker(document, findings).run();
}

} // namespace mesh::config
