// Findings about upstreams (MW-4nn), and about certificates, workloads and the mesh (MW-5nn).

#include "app/fleet/finding_rules.h"
#include "proxyengine/base/duration_text.h"
#include "proxyengine/config/target_facts.h"
#include "proxyengine/tls/certificate.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace mesh::fleet {
namespace {

using model::Upstream;
using Severity = ReviewFinding::Severity;

constexpr Duration kExpiryWarning = std::chrono::hours(24 * 30); // Time to get another.

class UpstreamRules
{
public:
    UpstreamRules(FindingList& findings, const Upstream& upstream, std::size_t at)
        : m_findings(findings)
        , m_upstream(upstream)
        , m_at(at)
    {}

    void findTargets(const std::vector<config::TargetFacts>& targets, bool isUsed)
    {
        const bool hasWeight =
            m_upstream.targets.empty()
            || std::ranges::any_of(m_upstream.targets, [](const model::Target& target) {
                   return target.weight > 0;
               });
        if (isUsed && (targets.empty() || !hasWeight)) {
            add(Severity::Warning,
                "MW-401",
                fmt::format("upstream '{}' has no target that takes requests", m_upstream.name),
                targets.empty() ? "it has none" : "all have weight 0",
                ".targets");
        }
        if (!isUsed) {
            m_findings.add(
                {Severity::Info,
                 "MW-402",
                 fmt::format("upstream '{}' is used by no service", m_upstream.name),
                 "no service names it as its host",
                 path(""),
                 &m_upstream.tags,
                 "Remove the upstream",
                 [at = m_at](model::Document& fixed) {
                     fixed.upstreams.erase(
                         fixed.upstreams.begin() + static_cast<std::ptrdiff_t>(at)
                     );
                 }}
            );
        }
        if (m_upstream.outlierDetection && targets.size() == 1) {
            add(Severity::Info,
                "MW-403",
                fmt::format("upstream '{}' can eject nobody", m_upstream.name),
                "it has one target, and the last one is never ejected",
                ".outlier_detection");
        }
    }

    void findFailover(const std::vector<config::TargetFacts>& targets)
    {
        if (!m_upstream.locality) {
            return;
        }
        std::set<std::string> seen;
        for (const std::string& zone : m_upstream.locality->failover) {
            const bool isThere = std::ranges::any_of(targets, [&](const config::TargetFacts& each) {
                return each.zone == zone;
            });
            if (!isThere) {
                add(Severity::Warning,
                    "MW-410",
                    fmt::format(
                        "upstream '{}' fails over to zone '{}', where it has no target",
                        m_upstream.name,
                        zone
                    ),
                    "requests go on to the next zone of the list",
                    ".locality.failover");
            }
            if (!seen.insert(zone).second) {
                addFailoverCircle(zone);
            }
        }
    }

    void findChecks()
    {
        const model::ActiveHealthcheck& active = m_upstream.healthchecks.active;
        const bool isProbed =
            active.healthy.interval > Duration{} || active.unhealthy.interval > Duration{};
        const bool canFail = active.unhealthy.httpFailures > 0 || active.unhealthy.tcpFailures > 0
                             || active.unhealthy.timeouts > 0;
        if (isProbed && !canFail) {
            add(Severity::Warning,
                "MW-420",
                fmt::format("upstream '{}' is probed for nothing", m_upstream.name),
                "no number of failures makes a target unhealthy; set http_failures, tcp_failures "
                "or timeouts",
                ".healthchecks.active.unhealthy");
        }
        if (!m_upstream.outlierDetection || active.healthy.interval <= Duration{}
            || active.healthy.interval <= m_upstream.outlierDetection->interval) {
            return;
        }
        m_findings.add(
            {Severity::Info,
             "MW-421",
             fmt::format(
                 "upstream '{}' is probed less often than outliers are looked for", m_upstream.name
             ),
             fmt::format(
                 "a target that was ejected waits up to {} for the probe that brings it back",
                 toDurationText(active.healthy.interval)
             ),
             path(".healthchecks.active.healthy.interval"),
             &m_upstream.tags,
             fmt::format("Probe every {}", toDurationText(m_upstream.outlierDetection->interval)),
             [at = m_at](model::Document& fixed) {
                 Upstream& upstream = fixed.upstreams[at];
                 upstream.healthchecks.active.healthy.interval =
                     upstream.outlierDetection->interval;
             }}
        );
    }

    // `need`: how many requests its services' models work on at once.
    void findLimits(int need)
    {
        if (m_upstream.limits && need > m_upstream.limits->maxRequests) {
            m_findings.add(
                {Severity::Warning,
                 "MW-430",
                 fmt::format(
                     "upstream '{}' is limited to {} requests and could work on {}",
                     m_upstream.name,
                     m_upstream.limits->maxRequests,
                     need
                 ),
                 "the limit refuses what the instances of the model have room for",
                 path(".limits.max_requests"),
                 &m_upstream.tags,
                 fmt::format("Allow {}", need),
                 [at = m_at, need](model::Document& fixed) {
                     fixed.upstreams[at].limits->maxRequests = need;
                 }}
            );
        }
    }

private:
    [[nodiscard]] std::string path(std::string_view field) const
    {
        return fmt::format("upstreams[{}]{}", m_at, field);
    }

    void add(
        Severity severity,
        std::string_view code,
        std::string title,
        std::string text,
        std::string_view field
    )
    {
        m_findings.add(
            {severity, code, std::move(title), std::move(text), path(field), &m_upstream.tags}
        );
    }

    void addFailoverCircle(const std::string& zone)
    {
        m_findings.add(
            {Severity::Warning,
             "MW-411",
             fmt::format("upstream '{}' fails over to zone '{}' twice", m_upstream.name, zone),
             "a zone that could not take the requests is not asked again",
             path(".locality.failover"),
             &m_upstream.tags,
             "Name each zone once",
             [at = m_at](model::Document& fixed) {
                 std::vector<std::string> zones;
                 for (const std::string& each : fixed.upstreams[at].locality->failover) {
                     if (std::ranges::find(zones, each) == zones.end()) {
                         zones.push_back(each);
                     }
                 }
                 fixed.upstreams[at].locality->failover = std::move(zones);
             }}
        );
    }

    FindingList& m_findings;
    const Upstream& m_upstream;
    const std::size_t m_at;
};

std::string certificateName(const model::Certificate& certificate, std::size_t at)
{
    if (certificate.id) {
        return *certificate.id;
    }
    return certificate.snis.empty() ? fmt::format("#{}", at + 1) : certificate.snis.front().name;
}

void findExpiry(FindingList& findings, WallTime now)
{
    const std::vector<model::Certificate>& certificates = findings.document().certificates;
    for (std::size_t at = 0; at < certificates.size(); ++at) {
        const auto facts =
            tls::checkCertificate({certificates[at].cert, certificates[at].key, {}, {}, {}});
        if (!facts || facts->notAfter - now > kExpiryWarning) {
            continue; // What cannot be read is a problem of validation.
        }
        const auto days =
            std::chrono::duration_cast<std::chrono::hours>(facts->notAfter - now) / 24;
        const bool isOver = facts->notAfter <= now;
        findings.add(
            {isOver ? Severity::Error : Severity::Warning,
             isOver ? "MW-502" : "MW-501",
             isOver ? fmt::format(
                 "certificate '{}' has expired", certificateName(certificates[at], at)
             )
                    : fmt::format(
                        "certificate '{}' expires in {} days",
                        certificateName(certificates[at], at),
                        days.count()
                    ),
             fmt::format("it ends at {}", toIsoText(facts->notAfter)),
             fmt::format("certificates[{}].cert", at),
             &certificates[at].tags}
        );
    }
}

// Who speaks plainly where the mesh wants mutual TLS.
void findTlsModes(FindingList& findings)
{
    const model::Document& document = findings.document();
    if (!document.mesh || document.mesh->mtls == model::MtlsMode::Off) {
        return;
    }
    const bool isStrict = document.mesh->mtls == model::MtlsMode::Strict;
    for (std::size_t at = 0; at < document.nodes.size(); ++at) {
        const model::Node& node = document.nodes[at];
        if (node.role == model::NodeRole::Gateway && !node.certificate) {
            findings.add(
                {isStrict ? Severity::Warning : Severity::Info,
                 "MW-510",
                 fmt::format("gateway '{}' has no certificate", node.name),
                 isStrict ? "sidecars refuse its requests: mesh.mtls is strict"
                          : "it speaks plainly to sidecars",
                 fmt::format("nodes[{}].certificate", at),
                 &node.tags}
            );
        }
    }
    std::map<std::string_view, const model::Node*> nodes;
    for (const model::Node& node : document.nodes) {
        nodes.emplace(node.name, &node);
    }
    for (std::size_t at = 0; at < document.workloads.size(); ++at) {
        const model::Workload& workload = document.workloads[at];
        const auto node = nodes.find(workload.node);
        const bool hasIdentity =
            workload.certificate || (node != nodes.end() && node->second->certificate);
        if (isStrict && workload.outbound && !hasIdentity) {
            findings.add(
                {Severity::Warning,
                 "MW-511",
                 fmt::format("workload '{}' calls without an identity", workload.name),
                 "sidecars refuse it: mesh.mtls is strict",
                 fmt::format("workloads[{}].certificate", at),
                 &workload.tags}
            );
        }
        if (isStrict && !workload.inbound) {
            findings.add(
                {Severity::Warning,
                 "MW-512",
                 fmt::format("workload '{}' takes plaintext", workload.name),
                 "it has no inbound sidecar, so nothing asks its callers for a certificate",
                 fmt::format("workloads[{}].inbound", at),
                 &workload.tags}
            );
        }
    }
}

// What a role does not do with what stands there.
void findUnsupported(FindingList& findings)
{
    const model::Document& document = findings.document();
    std::map<std::string_view, const model::Node*> nodes;
    for (const model::Node& node : document.nodes) {
        nodes.emplace(node.name, &node);
    }
    for (std::size_t at = 0; at < document.workloads.size(); ++at) {
        const model::Workload& workload = document.workloads[at];
        const auto node = nodes.find(workload.node);
        if (node != nodes.end() && node->second->role == model::NodeRole::Gateway
            && (workload.inbound || workload.outbound)) {
            findings.add(
                {Severity::Warning,
                 "MW-520",
                 fmt::format(
                     "node '{}' is a gateway and no sidecar of '{}'", workload.node, workload.name
                 ),
                 "a gateway opens neither inbound nor outbound of a workload",
                 fmt::format("workloads[{}].node", at),
                 &workload.tags}
            );
        }
    }
}

} // namespace

void findUpstreamProblems(FindingList& findings)
{
    const model::Document& document = findings.document();
    const config::TargetBook book(document);
    std::set<std::string_view> hosts;
    std::map<std::string_view, int> needs; // By host.
    for (const model::Service& service : document.services) {
        hosts.insert(service.host);
        for (const model::ServiceModel& model : document.models) {
            if (service.name && model.service == *service.name) {
                needs[service.host] += model.instances * model.concurrency;
            }
        }
    }
    std::set<std::string_view> workloadServices;
    for (const model::Workload& workload : document.workloads) {
        workloadServices.insert(workload.service);
    }
    for (std::size_t at = 0; at < document.upstreams.size(); ++at) {
        const Upstream& upstream = document.upstreams[at];
        const std::vector<config::TargetFacts> targets = book.ofUpstream(upstream);
        const bool isOfWorkloads = workloadServices.contains(upstream.name);
        const bool isModel =
            std::ranges::find(document.models, upstream.name, &model::ServiceModel::service)
            != document.models.end();
        UpstreamRules rules(findings, upstream, at);
        if (!isModel || !targets.empty()) { // The demo gives models their targets when it starts.
            rules.findTargets(targets, hosts.contains(upstream.name) || isOfWorkloads);
            rules.findFailover(targets);
        }
        rules.findChecks();
        rules.findLimits(needs[upstream.name]);
    }
}

void findMeshProblems(FindingList& findings, WallTime now)
{
    findExpiry(findings, now);
    findTlsModes(findings);
    findUnsupported(findings);
}

} // namespace mesh::fleet
