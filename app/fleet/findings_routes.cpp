// Findings about routes: MW-2nn.

#include "app/fleet/finding_rules.h"
#include "proxyengine/config/target_facts.h"
#include "proxyengine/model/gateway_rules.h"
#include "proxyengine/policy/path.h"
#include "proxyengine/policy/route_rule.h"
#include "proxyengine/policy/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace mesh::fleet {
namespace {

using model::Route;
using model::Service;
using Severity = ReviewFinding::Severity;

constexpr std::size_t kProbesMax = 64; // Of one route; more combinations than that are not tried.

struct Place
{
    const Route* route = nullptr;
    std::size_t service = 0; // kNone: at the top.
    std::size_t at = 0;
    static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

    [[nodiscard]] std::string path() const
    {
        return service == kNone ? fmt::format("routes[{}]", at)
                                : fmt::format("services[{}].routes[{}]", service, at);
    }
    [[nodiscard]] std::string name() const
    {
        return route->name ? *route->name : route->id.value_or(path());
    }
    [[nodiscard]] Route& in(model::Document& document) const
    {
        return service == kNone ? document.routes[at] : document.services[service].routes[at];
    }
    void removeFrom(model::Document& document) const
    {
        std::vector<Route>& list =
            service == kNone ? document.routes : document.services[service].routes;
        list.erase(list.begin() + static_cast<std::ptrdiff_t>(at));
    }
};

std::vector<Place> placesOf(const model::Document& document)
{
    std::vector<Place> places;
    for (std::size_t service = 0; service < document.services.size(); ++service) {
        const Service& owner = document.services[service];
        for (std::size_t at = 0; owner.enabled && at < owner.routes.size(); ++at) {
            places.push_back({&owner.routes[at], service, at});
        }
    }
    for (std::size_t at = 0; at < document.routes.size(); ++at) {
        places.push_back({&document.routes[at], Place::kNone, at});
    }
    return places;
}

// Something that a pattern of hosts takes: "*.shop.test" takes "mw-probe.shop.test".
std::string hostFor(const std::string& pattern)
{
    std::string host = pattern;
    const std::size_t star = host.find('*');
    if (star != std::string::npos) {
        host.replace(star, 1, star == 0 ? "mw-probe" : "test");
    }
    const std::size_t colon = host.rfind(':');
    return policy::toLower(colon == std::string::npos ? host : host.substr(0, colon));
}

// Requests that a route asks for. None when it cannot be said of which form they are: expressions.
class Probes
{
public:
    explicit Probes(const Route& route)
    {
        const auto isPattern = [](const std::string& path) { return path.starts_with('~'); };
        const bool hasPattern =
            std::ranges::any_of(route.paths, isPattern)
            || std::ranges::any_of(route.headers, [](const model::HeaderMatch& header) {
                   return header.values.empty() || header.values.front().starts_with("~*");
               });
        if (hasPattern) {
            return;
        }
        for (const model::HeaderMatch& header : route.headers) {
            m_headers.push_back({header.name, header.values.front()});
        }
        for (const std::string& host : listOr(route.hosts, "mw-probe.invalid")) {
            for (const std::string& method : listOr(route.methods, "GET")) {
                for (const std::string& path : listOr(route.paths, "/")) {
                    add(route, hostFor(host), method, path);
                    add(route,
                        hostFor(host),
                        method,
                        path + (path.ends_with('/') ? "" : "/") + "mw-probe");
                }
            }
        }
    }
    Probes(const Probes&) = delete;
    Probes& operator=(const Probes&) = delete;

    // True when the router gives at least one of them to this route, or nothing can be said.
    [[nodiscard]] bool isReached(
        const policy::Router& router, std::size_t route, std::size_t& taker
    ) const
    {
        for (const Probe& probe : m_probes) {
            policy::RequestView view;
            view.method = probe.method;
            view.host = probe.host;
            view.port = probe.isTls ? 443 : 80;
            view.path = probe.path;
            view.isTls = probe.isTls;
            view.sni = probe.sni;
            view.headers = m_headers.data();
            view.headerCount = m_headers.size();
            const auto match = router.match(view);
            if (!match || match->route == route) {
                return true;
            }
            taker = match->route;
        }
        return m_probes.empty();
    }

private:
    struct Probe
    {
        std::string host;
        std::string method;
        std::string path;
        std::string sni;
        bool isTls = false;
    };

    static std::vector<std::string> listOr(const std::vector<std::string>& list, const char* none)
    {
        return list.empty() ? std::vector<std::string>{none} : list;
    }

    void add(const Route& route, std::string host, std::string method, const std::string& path)
    {
        std::string buffer;
        const auto normal = policy::normalizePath(path, buffer);
        if (!normal || m_probes.size() >= kProbesMax) {
            return;
        }
        const bool isTls = !route.snis.empty() || !takes(route, model::Protocol::Http);
        const std::string sni = route.snis.empty() ? host : hostFor(route.snis.front());
        m_probes.push_back(
            {std::move(host), std::move(method), std::string(*normal), isTls ? sni : "", isTls}
        );
    }

    std::vector<policy::HeaderView> m_headers;
    std::vector<Probe> m_probes;
};

void findShadowed(FindingList& findings, const std::vector<Place>& places)
{
    std::vector<const Route*> routes;
    std::vector<Place> asked;
    for (const Place& place : places) {
        if (model::isHttpRoute(*place.route)) {
            routes.push_back(place.route);
            asked.push_back(place);
        }
    }
    std::vector<policy::Router::Refusal> refusals;
    const policy::Router router = policy::Router::make(routes, refusals);
    for (std::size_t at = 0; at < asked.size(); ++at) {
        std::size_t taker = at;
        const bool isRefused = std::ranges::any_of(refusals, [at](const auto& refusal) {
            return refusal.route == at;
        });
        if (isRefused || Probes(*routes[at]).isReached(router, at, taker)) {
            continue;
        }
        findings.add(
            {Severity::Warning,
             "MW-201",
             fmt::format("route '{}' is never reached", asked[at].name()),
             fmt::format(
                 "every request it asks for goes to route '{}', which is asked first",
                 asked[taker].name()
             ),
             asked[at].path(),
             &routes[at]->tags,
             "Remove the route",
             [place = asked[at]](model::Document& fixed) { place.removeFrom(fixed); }}
        );
    }
}

void findSplits(FindingList& findings, const Place& place)
{
    const Route& route = *place.route;
    std::set<std::string> seen;
    for (const model::SplitPart& part : route.split) {
        if (!seen.insert(part.service).second) {
            findings.add(
                {Severity::Warning,
                 "MW-211",
                 fmt::format("split of route '{}' names '{}' twice", place.name(), part.service),
                 "write its share once",
                 place.path() + ".split",
                 &route.tags,
                 "Merge the parts",
                 [place](model::Document& fixed) {
                     std::vector<model::SplitPart> merged;
                     for (const model::SplitPart& each : place.in(fixed).split) {
                         const auto same =
                             std::ranges::find(merged, each.service, &model::SplitPart::service);
                         if (same == merged.end()) {
                             merged.push_back(each);
                         } else {
                             same->weight += each.weight;
                         }
                     }
                     place.in(fixed).split = std::move(merged);
                 }}
            );
            break;
        }
    }
    if (route.split.size() == 1) {
        findings.add(
            {Severity::Info,
             "MW-212",
             fmt::format("split of route '{}' has one part", place.name()),
             "all its requests go there, whatever the weight",
             place.path() + ".split",
             &route.tags}
        );
    }
}

void findWeightToNowhere(FindingList& findings, const std::vector<Place>& places)
{
    const config::TargetBook book(findings.document());
    std::map<std::string_view, const Service*> services;
    for (const Service& service : findings.document().services) {
        if (service.name) {
            services.emplace(*service.name, &service);
        }
    }
    const auto hasUpstream = [&](const Service& service) {
        return std::ranges::any_of(findings.document().upstreams, [&](const auto& upstream) {
            return upstream.name == service.host;
        });
    };
    for (const Place& place : places) {
        for (const model::SplitPart& part : place.route->split) {
            const auto found = services.find(part.service);
            if (part.weight == 0 || found == services.end()) {
                continue; // That it is missing is MW-101.
            }
            if (!found->second->enabled
                || (hasUpstream(*found->second) && book.ofService(*found->second).empty())) {
                findings.add(
                    {Severity::Warning,
                     "MW-213",
                     fmt::format(
                         "route '{}' gives weight to '{}', which has nowhere to go",
                         place.name(),
                         part.service
                     ),
                     found->second->enabled ? "its upstream has no target"
                                            : "the service is not enabled",
                     place.path() + ".split",
                     &place.route->tags}
                );
            }
        }
    }
}

void findMethods(FindingList& findings, const Place& place)
{
    static constexpr std::array<std::string_view, 9> kKnown = {
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"};
    for (const std::string& method : place.route->methods) {
        if (std::ranges::find(kKnown, method) == kKnown.end()) {
            findings.add(
                {Severity::Info,
                 "MW-214",
                 fmt::format(
                     "route '{}' asks for method {}, which is none of HTTP's own",
                     place.name(),
                     method
                 ),
                 "clients that mean another are answered with 404",
                 place.path() + ".methods",
                 &place.route->tags}
            );
        }
    }
}

} // namespace

void findRouteProblems(FindingList& findings)
{
    const std::vector<Place> places = placesOf(findings.document());
    findShadowed(findings, places);
    for (const Place& place : places) {
        findSplits(findings, place);
        findMethods(findings, place);
    }
    findWeightToNowhere(findings, places);
}

} // namespace mesh::fleet
