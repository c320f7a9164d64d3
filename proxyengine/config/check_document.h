#pragma once

#include "proxyengine/base/time.h"
#include "proxyengine/config/problem.h"
#include "proxyengine/model/document.h"
#include "proxyengine/model/schema.h"

#include <string>
#include <utility>
#include <vector>

namespace mesh::config {

// A problem and the object whose own rule found it; empty: a rule between objects.
struct Finding
{
    Problem problem;
    std::string object; // "services[0].routes[1]"
};

// All that concerns more than one field: rules of single objects, uniqueness, references, regular
// expressions, and what is allowed but doubtful. Fields by themselves are right, or reported
// before.
// `expired`: how bad a certificate is that was good once.
[[nodiscard]] std::vector<Finding> checkDocument(
    const model::Document& document, Severity expired = Severity::Error
);

// The part about nodes, workloads and models.
void checkMesh(const model::Document& document, std::vector<Finding>& findings);

// The part about resilience and splits of services and routes.
void checkResilience(const model::Document& document, std::vector<Finding>& findings);

// The part about one stream route; `service`: that it goes to, if it is known.
void checkStreamRoute(
    const model::Route& route,
    const model::Service* service,
    const std::string& path,
    std::vector<Finding>& findings
);

// The part about what upstreams and the mesh say about their traffic.
void checkUpstreams(const model::Document& document, std::vector<Finding>& findings);

// The part about certificates, authorities, plugins and the identities of the mesh. `now`: against
// which certificates are held.
void checkSecurity(
    const model::Document& document, WallTime now, Severity expired, std::vector<Finding>& findings
);

// The part about where plugins run and where they would be passed by.
void checkPluginReach(const model::Document& document, std::vector<Finding>& findings);

// The rules of one policy and of those inside it; `path`: of the policy.
template <typename Policy>
void addRuleFindings(const Policy& policy, const std::string& path, std::vector<Finding>& findings)
{
    model::FieldProblems problems;
    model::validateRules(
        model::schemaOf<Policy>(), model::toValue(policy, model::Defaults::Omitted), path, problems
    );
    for (model::FieldProblem& found : problems) {
        findings.push_back(Finding{
            Problem{
                std::move(found.path), {}, found.code, Severity::Error, std::move(found.message)},
            path});
    }
}

} // namespace mesh::config
