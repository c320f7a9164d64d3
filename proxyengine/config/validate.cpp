#include "proxyengine/base/limits.h"
#include "proxyengine/config/check_document.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/model/schema.h"

#include <fmt/format.h>

namespace mesh::config {
namespace {

// The fields of one object are checked as they would stand in a file.
template <typename Entity>
void checkFields(
    const Entity& entity, const std::string& path, std::vector<model::FieldProblem>& problems
)
{
    model::validateFields(
        model::schemaOf<Entity>(), model::toValue(entity, model::Defaults::Omitted), path, problems
    );
}

template <typename Entity>
void checkAll(
    const std::vector<Entity>& entities,
    std::string_view key,
    std::vector<model::FieldProblem>& problems
)
{
    for (std::size_t at = 0; at < entities.size(); ++at) {
        checkFields(entities[at], fmt::format("{}[{}]", key, at), problems);
    }
}

} // namespace

std::vector<Problem> validate(const model::Document& document)
{
    std::vector<model::FieldProblem> fields;
    checkAll(document.services, "services", fields);
    checkAll(document.routes, "routes", fields);
    checkAll(document.upstreams, "upstreams", fields);
    checkAll(document.certificates, "certificates", fields);
    checkAll(document.caCertificates, "ca_certificates", fields);
    checkAll(document.plugins, "plugins", fields);
    if (document.mesh) {
        checkFields(*document.mesh, "mesh", fields);
    }
    checkAll(document.nodes, "nodes", fields);
    checkAll(document.workloads, "workloads", fields);
    checkAll(document.models, "models", fields);

    std::vector<Problem> problems;
    for (model::FieldProblem& each : fields) {
        problems.push_back(Problem{
            std::move(each.path), {}, each.code, Severity::Error, std::move(each.message)});
    }
    for (Finding& finding : checkDocument(document)) {
        problems.push_back(std::move(finding.problem));
    }
    if (problems.size() > kConfigProblemsMax) {
        problems.resize(kConfigProblemsMax);
    }
    return problems;
}

} // namespace mesh::config
