#include "proxyengine/config/check_document.h"
#include "proxyengine/config/target_facts.h"
#include "proxyengine/model/schema.h"

#include <fmt/format.h>

#include <algorithm>

// What upstreams say about ejection, limits, slow start and zones, against the targets they have;
// and the overload of the mesh.
namespace mesh::config {
namespace {

using model::Algorithm;
using model::OutlierDetection;
using model::Upstream;

// `object`: says nothing when that has a wrong field.
void warn(std::vector<Finding>& findings, std::string path, std::string message, std::string object)
{
    findings.push_back(Finding{
        Problem{std::move(path), {}, ErrorCode::Conflict, Severity::Warning, std::move(message)},
        std::move(object)});
}

// Comparing targets needs enough of them.
void checkHosts(
    int minimumHosts, std::size_t count, const std::string& path, std::vector<Finding>& findings
)
{
    if (count > 0 && static_cast<std::size_t>(minimumHosts) > count) {
        warn(
            findings,
            path + ".minimum_hosts",
            fmt::format(
                "is {}, but the upstream has {} {}, so that nothing is ever judged",
                minimumHosts,
                count,
                count == 1 ? "target" : "targets"
            ),
            path
        );
    }
}

void checkEjection(
    const OutlierDetection& settings,
    std::size_t count,
    const std::string& path,
    std::vector<Finding>& findings
)
{
    const bool countsLocal =
        settings.splitLocalOrigin && settings.consecutiveLocalOriginFailure != 0;
    if (settings.consecutive5xx == 0 && settings.consecutiveGatewayFailure == 0 && !countsLocal
        && !settings.successRate && !settings.failurePercentage) {
        warn(findings, path, "counts nothing, so that no target is ever ejected", path);
    }
    if (count == 1) {
        warn(findings, path, "the upstream has one target only, which is never ejected", path);
        return;
    }
    if (settings.successRate) {
        checkHosts(settings.successRate->minimumHosts, count, path + ".success_rate", findings);
    }
    if (settings.failurePercentage) {
        checkHosts(
            settings.failurePercentage->minimumHosts, count, path + ".failure_percentage", findings
        );
    }
}

void checkZones(
    const model::Locality& locality,
    const std::vector<TargetFacts>& targets,
    const std::string& path,
    std::vector<Finding>& findings
)
{
    for (std::size_t at = 0; at < locality.failover.size(); ++at) {
        const std::string& zone = locality.failover[at];
        if (std::ranges::find(targets, zone, &TargetFacts::zone) == targets.end()) {
            warn(
                findings,
                fmt::format("{}.failover[{}]", path, at),
                fmt::format(
                    "no target of this upstream is in zone '{}'; give one the tag 'zone:{}'",
                    zone,
                    zone
                ),
                path
            );
        }
    }
}

bool warmsUp(Algorithm algorithm)
{
    return algorithm == Algorithm::RoundRobin || algorithm == Algorithm::LeastConnections
           || algorithm == Algorithm::LeastRequests;
}

void checkOne(
    const Upstream& upstream,
    const TargetBook& book,
    const std::string& path,
    std::vector<Finding>& findings
)
{
    const std::vector<TargetFacts> targets = book.ofUpstream(upstream);
    if (upstream.outlierDetection) {
        const std::string own = path + ".outlier_detection";
        addRuleFindings(*upstream.outlierDetection, own, findings);
        checkEjection(*upstream.outlierDetection, targets.size(), own, findings);
    }
    if (upstream.limits) {
        addRuleFindings(*upstream.limits, path + ".limits", findings);
    }
    if (upstream.locality && !targets.empty()) {
        checkZones(*upstream.locality, targets, path + ".locality", findings);
    }
    if (upstream.slowStart && !warmsUp(upstream.algorithm)) {
        warn(
            findings,
            path + ".slow_start",
            "has no effect with this 'algorithm'; round-robin, least-connections and "
            "least-requests start slowly",
            path + ".algorithm"
        );
    }
}

} // namespace

void checkUpstreams(const model::Document& document, std::vector<Finding>& findings)
{
    const TargetBook book(document);
    for (std::size_t at = 0; at < document.upstreams.size(); ++at) {
        const Upstream& each = document.upstreams[at];
        if (each.outlierDetection || each.limits || each.slowStart || each.locality) {
            checkOne(each, book, fmt::format("upstreams[{}]", at), findings);
        }
    }
    if (document.mesh && document.mesh->overload) {
        addRuleFindings(*document.mesh->overload, "mesh.overload", findings);
    }
}

} // namespace mesh::config
