#include "proxyengine/base/duration_text.h"
#include "proxyengine/config/check_document.h"
#include "proxyengine/config/hand_on.h"
#include "proxyengine/config/target_facts.h"
#include "proxyengine/model/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

// What services and routes say about their traffic: rules of single policies, references to other
// services, versions, and what cannot take effect.
namespace mesh::config {
namespace {

using model::Protocol;
using model::Resilience;
using model::Route;
using model::Service;

class ResilienceChecker
{
public:
    ResilienceChecker(const model::Document& document, std::vector<Finding>& findings)
        : m_document(document)
        , m_findings(findings)
        , m_facts(document)
    {
        for (const Service& service : document.services) {
            if (service.name) {
                m_services.emplace(*service.name, &service);
            }
            if (service.id) {
                m_ids.emplace(*service.id, &service);
            }
        }
    }

    void run()
    {
        for (std::size_t at = 0; at < m_document.services.size(); ++at) {
            const Service& each = m_document.services[at];
            if (each.resilience) {
                service(each, fmt::format("services[{}]", at));
            }
            for (std::size_t place = 0; place < each.routes.size(); ++place) {
                if (isConcerned(each.routes[place])) {
                    route(
                        each.routes[place], &each, fmt::format("services[{}].routes[{}]", at, place)
                    );
                }
            }
        }
        for (std::size_t at = 0; at < m_document.routes.size(); ++at) {
            const Route& each = m_document.routes[at];
            if (isConcerned(each)) {
                route(each, ownerOf(each), fmt::format("routes[{}]", at));
            }
        }
        checkCircles(m_document, m_services, m_findings);
    }

private:
    using Callees = std::vector<const Service*>;

    static bool isConcerned(const Route& route)
    {
        return route.resilience || !route.split.empty() || route.splitSticky;
    }

    // While `m_object` is set, what is found is left out when that object has a wrong field.
    void add(Severity severity, std::string path, ErrorCode code, std::string message)
    {
        m_findings.push_back(Finding{
            Problem{std::move(path), {}, code, severity, std::move(message)}, m_object});
    }
    void error(std::string path, std::string message)
    {
        add(Severity::Error, std::move(path), ErrorCode::Conflict, std::move(message));
    }
    void warning(std::string path, std::string message)
    {
        add(Severity::Warning, std::move(path), ErrorCode::Conflict, std::move(message));
    }

    [[nodiscard]] const Service* serviceNamed(const std::string& name) const
    {
        const auto found = m_services.find(name);
        return found == m_services.end() ? nullptr : found->second;
    }

    // Of a top-level route that has not been put into its service.
    [[nodiscard]] const Service* ownerOf(const Route& route) const
    {
        if (!route.service) {
            return nullptr;
        }
        if (const Service* const named = serviceNamed(*route.service); named != nullptr) {
            return named;
        }
        const auto found = m_ids.find(*route.service);
        return found == m_ids.end() ? nullptr : found->second;
    }

    void service(const Service& service, const std::string& path)
    {
        const std::string own = path + ".resilience";
        addRuleFindings(*service.resilience, own, m_findings);
        references(*service.resilience, own);
        m_object = own;
        doubts(*service.resilience, own);
        if (service.resilience->version) {
            version(*service.resilience->version, service, own);
        }
        m_object.clear();
    }

    void route(const Route& route, const Service* owner, const std::string& path)
    {
        if (route.splitSticky) {
            addRuleFindings(*route.splitSticky, path + ".split_sticky", m_findings);
        }
        for (std::size_t at = 0; at < route.split.size(); ++at) {
            reference(route.split[at].service, fmt::format("{}.split[{}].service", path, at));
        }
        if (owner == nullptr && !route.split.empty() && !route.service) {
            add(Severity::Error,
                path + ".service",
                ErrorCode::MissingField,
                "required field missing: a route with 'split' belongs to a service");
        }
        if (!route.resilience) {
            return;
        }
        const std::string own = path + ".resilience";
        addRuleFindings(*route.resilience, own, m_findings);
        references(*route.resilience, own);
        m_object = own;
        doubts(*route.resilience, own);
        if (owner != nullptr) {
            againstCallees(route, *owner, own);
        } else if (!route.service) {
            warning(own, "has no effect: the route has no service");
        }
        m_object.clear();
    }

    void againstCallees(const Route& route, const Service& owner, const std::string& path)
    {
        const Callees callees = calleesOf(route, owner);
        for (const Service* const callee : callees) {
            if (route.resilience->version) {
                version(*route.resilience->version, *callee, path);
            }
            times(*route.resilience, *callee, path);
        }
        for (const HandOn way : {HandOn::Mirror, HandOn::Fallback}) {
            std::string text = circleOfRoute(*route.resilience, callees, way, m_services);
            if (!text.empty()) {
                error(fmt::format("{}.{}", path, keyOf(way)), std::move(text));
            }
        }
    }

    [[nodiscard]] Callees calleesOf(const Route& route, const Service& owner) const
    {
        if (route.split.empty()) {
            return {&owner};
        }
        Callees callees;
        for (const model::SplitPart& part : route.split) {
            if (const Service* const callee = serviceNamed(part.service); callee != nullptr) {
                callees.push_back(callee);
            }
        }
        return callees;
    }

    void references(const Resilience& resilience, const std::string& path)
    {
        for (const HandOn way : {HandOn::Mirror, HandOn::Fallback}) {
            if (const std::string* const next = nextOf(resilience, way); next != nullptr) {
                reference(*next, fmt::format("{}.{}", path, keyOf(way)));
            }
        }
    }

    // A service that takes requests in the place of another, or beside it.
    void reference(const std::string& name, const std::string& path)
    {
        if (name.empty()) {
            return; // Reported as a field that is missing.
        }
        const Service* const service = serviceNamed(name);
        if (service == nullptr) {
            add(Severity::Error,
                path,
                ErrorCode::DanglingReference,
                fmt::format("there is no service '{}' in this document", name));
            return;
        }
        if (!service->enabled) {
            error(
                path, fmt::format("service '{}' is not enabled; enable it or name another", name)
            );
        }
        if (service->protocol > Protocol::Grpcs) {
            error(
                path,
                fmt::format(
                    "service '{}' takes connections, not requests; name one with protocol http, "
                    "https, grpc or grpcs",
                    name
                )
            );
        }
    }

    void version(const std::string& version, const Service& service, const std::string& path)
    {
        const std::vector<TargetFacts> targets = m_facts.ofService(service);
        if (std::ranges::find(targets, version, &TargetFacts::version) != targets.end()) {
            return;
        }
        add(Severity::Error,
            path + ".version",
            ErrorCode::DanglingReference,
            fmt::format(
                "no target of service '{}' has version '{}'; give a target the tag 'version:{}' "
                "or a workload this version",
                service.name.value_or(service.host),
                version,
                version
            ));
    }

    // Times of which the route says one and its service the other.
    void times(const Resilience& route, const Service& service, const std::string& path)
    {
        if (!service.resilience) {
            return;
        }
        const Resilience& under = *service.resilience;
        const std::string name = service.name.value_or(service.host);
        const auto tooLong = [&](std::string_view key, Duration limit) {
            error(
                fmt::format("{}.{}", path, key),
                fmt::format(
                    "must not be longer than 'timeout' of service '{}', which is {}",
                    name,
                    toDurationText(limit)
                )
            );
        };
        const auto tooShort = [&](std::string_view key, Duration limit) {
            error(
                path + ".timeout",
                fmt::format(
                    "must not be shorter than '{}' of service '{}', which is {}",
                    key,
                    name,
                    toDurationText(limit)
                )
            );
        };
        const auto compare = [&](std::string_view key,
                                 std::optional<Duration> ofRoute,
                                 std::optional<Duration> ofService) {
            if (ofRoute && !route.timeout && under.timeout && *ofRoute > *under.timeout) {
                tooLong(key, *under.timeout);
            } else if (!ofRoute && route.timeout && ofService && *ofService > *route.timeout) {
                tooShort(key, *ofService);
            }
        };
        compare("per_try_timeout", route.perTryTimeout, under.perTryTimeout);
        compare("hedge.after", hedgeDelay(route), hedgeDelay(under));
    }

    static std::optional<Duration> hedgeDelay(const Resilience& resilience)
    {
        const Duration* const delay =
            resilience.hedge ? std::get_if<Duration>(&resilience.hedge->after.delay) : nullptr;
        return delay == nullptr ? std::nullopt : std::optional(*delay);
    }

    // What is allowed, but does not do what it seems to say.
    void doubts(const Resilience& resilience, const std::string& path)
    {
        const auto nothing = [&](std::string_view key, double percent, std::string_view verb) {
            if (percent == 0) {
                warning(
                    fmt::format("{}.{}.percent", path, key),
                    fmt::format("is 0, so that nothing is {}", verb)
                );
            }
        };
        if (resilience.mirror) {
            nothing("mirror", resilience.mirror->percent, "mirrored");
        }
        if (resilience.fault && resilience.fault->delay) {
            nothing("fault.delay", resilience.fault->delay->percent, "delayed");
        }
        if (resilience.fault && resilience.fault->abort) {
            nothing("fault.abort", resilience.fault->abort->percent, "aborted");
        }
        const std::optional<Duration> delay = hedgeDelay(resilience);
        if (delay && resilience.perTryTimeout && *delay >= *resilience.perTryTimeout) {
            warning(
                path + ".hedge.after",
                "is not shorter than 'per_try_timeout', so that no attempt is ever hedged"
            );
        }
        const bool judgesSlow = resilience.breaker && resilience.breaker->slowRatio;
        if (judgesSlow && resilience.timeout && resilience.breaker->slow >= *resilience.timeout) {
            warning(
                path + ".breaker.slow",
                "is not shorter than 'timeout', so that no request is ever slow"
            );
        }
        unknownCallers(resilience, path);
    }

    void unknownCallers(const Resilience& resilience, const std::string& path)
    {
        for (std::size_t at = 0; at < resilience.rateLimits.size(); ++at) {
            const model::RateBy by = resilience.rateLimits[at].by;
            if (by == model::RateBy::Consumer || by == model::RateBy::Credential) {
                add(Severity::Info,
                    fmt::format("{}.rate_limits[{}].by", path, at),
                    ErrorCode::Unsupported,
                    "this version authenticates nobody, so that callers are told apart by address");
            }
        }
    }

    const model::Document& m_document;
    std::vector<Finding>& m_findings;
    TargetBook m_facts;
    std::string m_object;
    ServicesByName m_services;
    std::unordered_map<std::string_view, const Service*> m_ids;
};

} // namespace

void checkResilience(const model::Document& document, std::vector<Finding>& findings)
{
    ResilienceChecker(document, findings).run();
}

} // namespace mesh::config
