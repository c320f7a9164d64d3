#include "proxyengine/config/check_document.h"

#include "proxyengine/base/clock.h"
#include "proxyengine/model/format.h"
#include "proxyengine/model/schema.h"
#include "proxyengine/policy/path.h"
#include "proxyengine/policy/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace mesh::config {
namespace {

using model::Route;
using model::Service;
using model::Upstream;

bool takesRequests(const Route& route)
{
    return std::ranges::any_of(route.protocols, [](model::Protocol each) {
        return each <= model::Protocol::Grpcs;
    });
}

class Checker
{
public:
    Checker(const model::Document& document, std::vector<Finding>& findings)
        : m_document(document)
        , m_findings(findings)
    {
        for (const model::Certificate& certificate : document.certificates) {
            if (certificate.id) {
                m_certificateIds.insert(*certificate.id);
            }
        }
    }

    void run()
    {
        for (std::size_t at = 0; at < m_document.services.size(); ++at) {
            service(m_document.services[at], at);
        }
        for (std::size_t at = 0; at < m_document.routes.size(); ++at) {
            const Route& each = m_document.routes[at];
            route(each, {std::nullopt, at});
            const std::string path = fmt::format("routes[{}]", at);
            if (each.service && !hasService(*each.service)) {
                dangling(path + ".service", "service", *each.service);
            } else if (!each.service) {
                add(Severity::Info,
                    path,
                    ErrorCode::MissingField,
                    takesRequests(each)
                        ? "the route has no service; requests that match it are answered with 503"
                        : "the route has no service; connections that match it are closed");
            }
        }
        upstreams();
        certificates();
        regexes();
    }

private:
    // Where a route stands: in a service or at the top.
    struct RoutePlace
    {
        std::optional<std::size_t> service;
        std::size_t route;

        [[nodiscard]] std::string toText() const
        {
            return service ? fmt::format("services[{}].routes[{}]", *service, route)
                           : fmt::format("routes[{}]", route);
        }
    };

    using Names = std::unordered_set<std::string_view>;

    void add(Severity severity, std::string path, ErrorCode code, std::string message)
    {
        m_findings.push_back(Finding{
            Problem{std::move(path), {}, code, severity, std::move(message)}, {}});
    }

    void dangling(std::string path, std::string_view what, std::string_view name)
    {
        add(Severity::Error,
            std::move(path),
            ErrorCode::DanglingReference,
            fmt::format("there is no {} '{}' in this document", what, name));
    }

    [[nodiscard]] bool hasService(std::string_view nameOrId) const
    {
        return m_serviceNames.contains(nameOrId)
               || std::ranges::any_of(m_document.services, [&](const Service& service) {
                      return service.id == nameOrId;
                  });
    }

    // `path` makes the object's path, only when something is wrong.
    template <typename Path>
    void unique(Names& names, std::string_view name, std::string_view what, const Path& path)
    {
        if (!names.insert(name).second) {
            add(Severity::Error,
                path(),
                ErrorCode::Duplicate,
                fmt::format("{} '{}' stands twice; it must be unique", what, name));
        }
    }

    template <typename Entity, typename Path>
    void rules(const Entity& entity, const Path& path)
    {
        m_scratch.clear();
        model::schemaOf<Entity>().check(static_cast<const void*>(&entity), m_scratch);
        for (model::FieldProblem& found : m_scratch) {
            const std::string object = path();
            std::string full = found.path.empty() ? object : object + "." + found.path;
            m_findings.push_back(Finding{
                Problem{std::move(full), {}, found.code, Severity::Error, std::move(found.message)},
                object});
        }
    }

    template <typename Entity, typename Path>
    void named(const Entity& entity, Names& names, std::string_view what, const Path& path)
    {
        if (entity.name) {
            unique(names, *entity.name, what, [&] { return path() + ".name"; });
        }
        if (entity.id) {
            unique(m_ids, *entity.id, "id", [&] { return path() + ".id"; });
        }
    }

    void certificateReference(const std::optional<std::string>& id, const std::string& path)
    {
        if (id && !m_certificateIds.contains(*id)) {
            dangling(path, "certificate", *id);
        }
    }

    void service(const Service& service, std::size_t at)
    {
        const auto path = [&] { return fmt::format("services[{}]", at); };
        rules(service, path);
        compression(service, path);
        named(service, m_serviceNames, "service", path);
        if (service.clientCertificate) {
            certificateReference(service.clientCertificate, path() + ".client_certificate");
        }
        for (std::size_t each = 0; each < service.routes.size(); ++each) {
            route(service.routes[each], {at, each});
        }
    }

    void route(const Route& route, RoutePlace place)
    {
        const auto path = [&] { return place.toText(); };
        rules(route, path);
        compression(route, path);
        named(route, m_routeNames, "route", path);
        bool hasRegex = std::ranges::any_of(route.headers, [](const model::HeaderMatch& header) {
            return header.values.size() == 1 && header.values.front().starts_with("~*");
        });
        for (std::size_t at = 0; at < route.paths.size(); ++at) {
            if (route.paths[at].starts_with('~')) {
                hasRegex = true;
            } else {
                normalized(route.paths[at], place, at);
            }
        }
        for (const model::AddressMatch& match : route.sources) {
            addressRules(match, place, "sources", &match - route.sources.data());
        }
        for (const model::AddressMatch& match : route.destinations) {
            addressRules(match, place, "destinations", &match - route.destinations.data());
        }
        if (hasRegex) {
            m_regexRoutes.push_back(&route);
            m_regexPlaces.push_back(place);
        }
        checkStreamRoute(
            route,
            place.service ? &m_document.services[*place.service] : nullptr,
            path(),
            m_findings
        );
    }

    template <typename Owner, typename Path>
    void compression(const Owner& owner, const Path& path)
    {
        if (owner.compression) {
            rules(*owner.compression, [&] { return path() + ".compression"; });
        }
    }

    void addressRules(
        const model::AddressMatch& match, RoutePlace place, std::string_view key, std::ptrdiff_t at
    )
    {
        rules(match, [&] { return fmt::format("{}.{}[{}]", place.toText(), key, at); });
    }

    void normalized(const std::string& raw, RoutePlace place, std::size_t at)
    {
        const auto normal = policy::normalizePath(raw, m_buffer);
        if (normal && *normal == raw) {
            return;
        }
        if (!raw.starts_with('/')) {
            return; // The format of the field has been reported.
        }
        add(Severity::Error,
            fmt::format("{}.paths[{}]", place.toText(), at),
            ErrorCode::InvalidArgument,
            normal ? fmt::format("non-normalized path, consider use '{}' instead", *normal)
                   : fmt::format("invalid path: {}", policy::toText(normal.error())));
    }

    void upstreams()
    {
        Names names;
        std::unordered_set<std::string_view> fedByWorkloads;
        if (!m_document.workloads.empty()) {
            for (const model::Workload& workload : m_document.workloads) {
                fedByWorkloads.insert(workload.service);
            }
            for (const Service& service : m_document.services) {
                if (service.name && fedByWorkloads.contains(*service.name)) {
                    fedByWorkloads.insert(service.host);
                }
            }
        }
        for (std::size_t at = 0; at < m_document.upstreams.size(); ++at) {
            const Upstream& upstream = m_document.upstreams[at];
            const auto path = [&] { return fmt::format("upstreams[{}]", at); };
            rules(upstream, path);
            unique(names, upstream.name, "upstream", [&] { return path() + ".name"; });
            certificateReference(upstream.clientCertificate, path() + ".client_certificate");
            Names targets;
            for (std::size_t each = 0; each < upstream.targets.size(); ++each) {
                unique(targets, upstream.targets[each].target, "target", [&] {
                    return fmt::format("upstreams[{}].targets[{}].target", at, each);
                });
            }
            doubts(upstream, path(), !fedByWorkloads.contains(upstream.name));
        }
    }

    void doubts(const Upstream& upstream, const std::string& path, bool hasNoWorkloads)
    {
        const auto warn = [&](const std::string& where, std::string message) {
            add(Severity::Warning, where, ErrorCode::MissingField, std::move(message));
        };
        if (upstream.targets.empty() && hasNoWorkloads) {
            warn(path, "the upstream has no targets; requests to it are answered with 503");
        }
        const bool hashes = upstream.algorithm == model::Algorithm::ConsistentHashing
                            || upstream.algorithm == model::Algorithm::Maglev;
        if (hashes && upstream.hashOn == model::HashOn::None) {
            warn(path + ".hash_on", "hashes on nothing; all requests may go to one target");
        }
        const auto& passive = upstream.healthchecks.passive.unhealthy;
        const auto& active = upstream.healthchecks.active;
        const bool ejects =
            passive.tcpFailures != 0 || passive.timeouts != 0 || passive.httpFailures != 0;
        const bool heals =
            active.unhealthy.interval != Duration::zero() && active.healthy.successes != 0;
        if (ejects && !heals) {
            warn(
                path + ".healthchecks",
                "traffic can make a target unhealthy, but no probe makes it healthy again; set "
                "active.unhealthy.interval and active.healthy.successes"
            );
        }
    }

    void certificates()
    {
        Names names;
        for (std::size_t at = 0; at < m_document.certificates.size(); ++at) {
            const model::Certificate& certificate = m_document.certificates[at];
            const auto path = [&] { return fmt::format("certificates[{}]", at); };
            rules(certificate, path);
            if (certificate.id) {
                unique(m_ids, *certificate.id, "id", [&] { return path() + ".id"; });
            }
            for (std::size_t each = 0; each < certificate.snis.size(); ++each) {
                unique(names, certificate.snis[each].name, "SNI", [&] {
                    return fmt::format("certificates[{}].snis[{}].name", at, each);
                });
            }
        }
    }

    // By the engine that will run them.
    void regexes()
    {
        if (m_regexRoutes.empty()) {
            return;
        }
        std::vector<policy::Router::Refusal> refusals;
        const policy::Router router = policy::Router::make(m_regexRoutes, refusals);
        for (const policy::Router::Refusal& refusal : refusals) {
            const RoutePlace& place = m_regexPlaces[refusal.route];
            m_findings.push_back(Finding{
                Problem{
                    place.toText() + "." + refusal.field,
                    {},
                    ErrorCode::InvalidArgument,
                    Severity::Error,
                    refusal.message},
                place.toText()});
        }
    }

    const model::Document& m_document;
    std::vector<Finding>& m_findings;
    model::FieldProblems m_scratch;
    std::string m_buffer;
    Names m_certificateIds;
    Names m_serviceNames;
    Names m_routeNames;
    Names m_ids;
    std::vector<const Route*> m_regexRoutes;
    std::vector<RoutePlace> m_regexPlaces;
};

} // namespace

std::vector<Finding> checkDocument(const model::Document& document, Severity expired)
{
    std::vector<Finding> findings;
    Checker(document, findings).run();
    checkResilience(document, findings);
    checkUpstreams(document, findings);
    checkMesh(document, findings);
    checkSecurity(document, SystemClock().wallNow(), expired, findings);
    checkPluginReach(document, findings);
    return findings;
}

} // namespace mesh::config
