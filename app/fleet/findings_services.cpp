// Findings about services and what they say of their traffic: MW-3nn.

#include "app/fleet/finding_rules.h"
#include "proxyengine/base/duration_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace mesh::fleet {
namespace {

using model::Service;
using Severity = ReviewFinding::Severity;

constexpr double kStormFactor = 8; // Three tries at each of two hops is nine.
constexpr std::size_t kCallDepthMax = 32; // Longer chains are counted up to here.

class ServiceRules
{
public:
    explicit ServiceRules(FindingList& findings)
        : m_findings(findings)
        , m_document(findings.document())
    {
        for (std::size_t at = 0; at < m_document.services.size(); ++at) {
            if (m_document.services[at].name) {
                m_services.emplace(*m_document.services[at].name, at);
            }
        }
        for (const model::ServiceModel& model : m_document.models) {
            m_models.emplace(model.service, &model);
        }
        for (const model::Upstream& upstream : m_document.upstreams) {
            m_upstreams.insert(upstream.name);
        }
        for (const model::Workload& workload : m_document.workloads) {
            m_withWorkloads.insert(workload.service);
        }
    }

    void run()
    {
        for (std::size_t at = 0; at < m_document.services.size(); ++at) {
            const Service& service = m_document.services[at];
            findHost(service, at);
            findTries(service, at);
            findFault(service, at);
            findNoPolicy(service, at);
        }
        for (const auto& [name, model] : m_models) {
            findSlowCallees(*model);
        }
        findStorms();
    }

private:
    static std::string pathOf(std::size_t at) { return fmt::format("services[{}]", at); }
    static std::string nameOf(const Service& service, std::size_t at)
    {
        return service.name ? *service.name : service.id.value_or(pathOf(at));
    }

    void findHost(const Service& service, std::size_t at)
    {
        const bool isName = service.host.find_first_of(".:") == std::string::npos;
        const bool isKnown = m_upstreams.contains(service.host) || service.host == "localhost"
                             || (service.name && m_withWorkloads.contains(*service.name))
                             || (service.name && m_models.contains(*service.name));
        if (isName && !isKnown) {
            m_findings.add(
                {Severity::Warning,
                 "MW-301",
                 fmt::format(
                     "service '{}' goes to '{}', which no upstream is called",
                     nameOf(service, at),
                     service.host
                 ),
                 "it is looked up in DNS as it stands; add the upstream or write a full host name",
                 pathOf(at) + ".host",
                 &service.tags}
            );
        }
    }

    // Tries that the whole request's timeout leaves no time for.
    void findTries(const Service& service, std::size_t at)
    {
        if (!service.resilience || !service.resilience->retry || !service.resilience->timeout
            || !service.resilience->perTryTimeout) {
            return;
        }
        const int attempts = service.resilience->retry->attempts;
        const Duration all = *service.resilience->perTryTimeout * attempts;
        if (all <= *service.resilience->timeout) {
            return;
        }
        const auto fit = std::max<std::int64_t>(
            1, *service.resilience->timeout / *service.resilience->perTryTimeout
        );
        m_findings.add(
            {Severity::Warning,
             "MW-310",
             fmt::format(
                 "service '{}' has time for {} of its {} tries", nameOf(service, at), fit, attempts
             ),
             fmt::format(
                 "{} tries of {} do not fit into {}",
                 attempts,
                 toDurationText(*service.resilience->perTryTimeout),
                 toDurationText(*service.resilience->timeout)
             ),
             pathOf(at) + ".resilience.retry.attempts",
             &service.tags,
             fmt::format("Try {} times", fit),
             [at, fit](model::Document& fixed) {
                 fixed.services[at].resilience->retry->attempts = static_cast<int>(fit);
             }}
        );
    }

    void findFault(const Service& service, std::size_t at)
    {
        if (!service.resilience || !service.resilience->fault) {
            return;
        }
        const model::Fault& fault = *service.resilience->fault;
        if ((fault.delay && fault.delay->percent > 0)
            || (fault.abort && fault.abort->percent > 0)) {
            m_findings.add(
                {Severity::Warning,
                 "MW-320",
                 fmt::format("service '{}' is made to fail on purpose", nameOf(service, at)),
                 "its fault is part of the configuration and does not end by itself",
                 pathOf(at) + ".resilience.fault",
                 &service.tags,
                 "Remove the fault",
                 [at](model::Document& fixed) { fixed.services[at].resilience->fault.reset(); }}
            );
        }
    }

    void findNoPolicy(const Service& service, std::size_t at)
    {
        if (service.name && m_withWorkloads.contains(*service.name)
            && (!service.resilience || *service.resilience == model::Resilience{})) {
            m_findings.add(
                {Severity::Info,
                 "MW-330",
                 fmt::format("workloads of '{}' have no policy", *service.name),
                 "neither a timeout nor retries nor a breaker protects their callers",
                 pathOf(at),
                 &service.tags}
            );
        }
    }

    [[nodiscard]] const model::Resilience* policiesOf(const std::string& service) const
    {
        const auto found = m_services.find(service);
        if (found == m_services.end()) {
            return nullptr;
        }
        const auto& resilience = m_document.services[found->second].resilience;
        return resilience ? &*resilience : nullptr;
    }

    // A service that waits longer for another than anybody waits for it.
    void findSlowCallees(const model::ServiceModel& model)
    {
        const model::Resilience* const own = policiesOf(model.service);
        if (own == nullptr || !own->timeout) {
            return;
        }
        for (const model::ModelStep& step : model.script) {
            for (const model::ModelCall& call : step.calls) {
                const model::Resilience* const other = policiesOf(call.call);
                if (other != nullptr && other->timeout && *other->timeout > *own->timeout) {
                    const std::size_t at = m_services.at(call.call);
                    m_findings.add(
                        {Severity::Warning,
                         "MW-311",
                         fmt::format(
                             "'{}' may take {} and its caller '{}' has {}",
                             call.call,
                             toDurationText(*other->timeout),
                             model.service,
                             toDurationText(*own->timeout)
                         ),
                         "the caller is given up first and the work is for nothing",
                         pathOf(at) + ".resilience.timeout",
                         &m_document.services[at].tags,
                         fmt::format("Give it {}", toDurationText(*own->timeout)),
                         [at, timeout = *own->timeout](model::Document& fixed) {
                             fixed.services[at].resilience->timeout = timeout;
                         }}
                    );
                }
            }
        }
    }

    [[nodiscard]] double triesOf(const std::string& service) const
    {
        const model::Resilience* const own = policiesOf(service);
        return own != nullptr && own->retry ? std::max(1, own->retry->attempts) : 1.0;
    }

    // The most often that one request can reach a service, by the calls of the models: tries of
    // every hop multiplied. Each service is followed with the largest factor it was reached with.
    void findStorms()
    {
        std::set<std::string> callees;
        for (const auto& [name, model] : m_models) {
            for (const model::ModelStep& step : model->script) {
                for (const model::ModelCall& call : step.calls) {
                    callees.insert(call.call);
                }
            }
        }
        std::map<std::string, double> worst;
        std::map<std::string, std::string> chains;
        for (const auto& [name, model] : m_models) {
            if (!callees.contains(name)) {
                follow(name, triesOf(name), name, 0, worst, chains);
            }
        }
        for (const auto& [name, factor] : worst) {
            const auto found = m_services.find(name);
            if (factor > kStormFactor && found != m_services.end()) {
                m_findings.add(
                    {Severity::Warning,
                     "MW-312",
                     fmt::format("one request may reach '{}' {:.0f} times", name, factor),
                     fmt::format(
                         "every hop of {} tries again by itself; a failure multiplies the load",
                         chains[name]
                     ),
                     pathOf(found->second) + ".resilience.retry",
                     &m_document.services[found->second].tags}
                );
            }
        }
    }

    void follow(
        const std::string& service,
        double factor,
        const std::string& chain,
        std::size_t depth,
        std::map<std::string, double>& worst,
        std::map<std::string, std::string>& chains
    )
    {
        double& known = worst[service];
        if (factor <= known || depth >= kCallDepthMax) {
            return;
        }
        known = factor;
        chains[service] = chain;
        const auto model = m_models.find(service);
        if (model == m_models.end()) {
            return;
        }
        for (const model::ModelStep& step : model->second->script) {
            for (const model::ModelCall& call : step.calls) {
                const bool isCircle = chain == call.call || chain.starts_with(call.call + " ")
                                      || chain.find("> " + call.call + " ") != std::string::npos;
                if (!isCircle) {
                    follow(
                        call.call,
                        factor * triesOf(call.call),
                        chain + " -> " + call.call,
                        depth + 1,
                        worst,
                        chains
                    );
                }
            }
        }
    }

    FindingList& m_findings;
    const model::Document& m_document;
    std::map<std::string, std::size_t> m_services;
    std::map<std::string, const model::ServiceModel*> m_models;
    std::set<std::string> m_upstreams;
    std::set<std::string> m_withWorkloads;
};

} // namespace

void findServiceProblems(FindingList& findings) { ServiceRules(findings).run(); }

} // namespace mesh::fleet
