#include "proxyengine/config/check_document.h"
#include "proxyengine/model/format.h"
#include "proxyengine/model/schema.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace mesh::config {
namespace {

using model::ServiceModel;

class MeshChecker
{
public:
    MeshChecker(const model::Document& document, std::vector<Finding>& findings)
        : m_document(document)
        , m_findings(findings)
    {
        for (const model::Service& service : document.services) {
            if (service.name) {
                m_services.insert(*service.name);
            }
        }
        for (const ServiceModel& each : document.models) {
            m_models.emplace(each.service, &each);
        }
    }

    void run()
    {
        nodes();
        workloads();
        models();
    }

private:
    void add(Severity severity, std::string path, ErrorCode code, std::string message)
    {
        m_findings.push_back(Finding{
            Problem{std::move(path), {}, code, severity, std::move(message)}, {}});
    }

    void error(std::string path, ErrorCode code, std::string message)
    {
        add(Severity::Error, std::move(path), code, std::move(message));
    }

    void serviceReference(const std::string& name, const std::string& path)
    {
        if (!m_services.contains(name)) {
            error(
                path,
                ErrorCode::DanglingReference,
                fmt::format("there is no service '{}' in this document", name)
            );
        }
    }

    void nodes()
    {
        for (std::size_t at = 0; at < m_document.nodes.size(); ++at) {
            const model::Node& node = m_document.nodes[at];
            if (!m_nodes.emplace(node.name, &node).second) {
                error(
                    fmt::format("nodes[{}].name", at),
                    ErrorCode::Duplicate,
                    fmt::format("node '{}' stands twice; it must be unique", node.name)
                );
            }
        }
    }

    void workloads()
    {
        std::unordered_set<std::string_view> names;
        for (std::size_t at = 0; at < m_document.workloads.size(); ++at) {
            const model::Workload& workload = m_document.workloads[at];
            const std::string path = fmt::format("workloads[{}]", at);
            if (!names.insert(workload.name).second) {
                error(
                    path + ".name",
                    ErrorCode::Duplicate,
                    fmt::format("workload '{}' stands twice; it must be unique", workload.name)
                );
            }
            serviceReference(workload.service, path + ".service");
            placement(workload, path);
        }
    }

    void placement(const model::Workload& workload, const std::string& path)
    {
        const auto node = m_nodes.find(workload.node);
        const bool hasSidecar = workload.inbound || workload.outbound;
        if (node == m_nodes.end()) {
            error(
                path + ".node",
                ErrorCode::DanglingReference,
                fmt::format("there is no node '{}' in this document", workload.node)
            );
        } else if (hasSidecar && node->second->role == model::NodeRole::Gateway) {
            error(
                path + ".node",
                ErrorCode::Conflict,
                fmt::format("node '{}' is a gateway; only a sidecar has workloads", workload.node)
            );
        }
        if (workload.inbound) {
            listener(*workload.inbound, workload.node, path + ".inbound");
        }
        if (workload.outbound) {
            listener(*workload.outbound, workload.node, path + ".outbound");
        }
        if (workload.inbound && *workload.inbound == workload.address
            && !workload.address.ends_with(":0")) {
            error(
                path + ".inbound",
                ErrorCode::Conflict,
                "the sidecar cannot listen where the process listens"
            );
        }
    }

    // Two listeners of a node cannot share an address; port 0 stands for any free one.
    void listener(const std::string& address, const std::string& node, const std::string& path)
    {
        if (address.ends_with(":0")) {
            return;
        }
        const auto [found, isNew] = m_listeners.emplace(node + " " + address, path);
        if (!isNew) {
            error(
                path, ErrorCode::Conflict, fmt::format("{} listens there already", found->second)
            );
        }
    }

    // A model makes its service known to the simulator, whatever else the document has.
    void models()
    {
        std::unordered_set<std::string_view> names;
        for (const ServiceModel& model : m_document.models) {
            m_modelled.insert(model.service);
        }
        for (std::size_t at = 0; at < m_document.models.size(); ++at) {
            const ServiceModel& model = m_document.models[at];
            const std::string path = fmt::format("models[{}]", at);
            if (!names.insert(model.service).second) {
                error(
                    path + ".service",
                    ErrorCode::Duplicate,
                    fmt::format("service '{}' has two models", model.service)
                );
            }
            if (!m_document.services.empty() && !m_services.contains(model.service)) {
                add(Severity::Warning,
                    path + ".service",
                    ErrorCode::DanglingReference,
                    fmt::format(
                        "there is no service '{}' in this document; only rehearsals know it",
                        model.service
                    ));
            }
            law(model.serviceTime, path + ".service_time");
            calls(model, path);
        }
        cycles();
    }

    void law(const model::DurationLaw& law, const std::string& path)
    {
        model::FieldProblems problems;
        model::schemaOf<model::DurationLaw>().check(static_cast<const void*>(&law), problems);
        for (model::FieldProblem& found : problems) {
            m_findings.push_back(Finding{
                Problem{
                    path + "." + found.path,
                    {},
                    found.code,
                    Severity::Error,
                    std::move(found.message)},
                path});
        }
    }

    void calls(const ServiceModel& model, const std::string& path)
    {
        for (std::size_t step = 0; step < model.script.size(); ++step) {
            const model::ModelStep& each = model.script[step];
            for (std::size_t at = 0; at < each.calls.size(); ++at) {
                const std::string place =
                    each.isParallel ? fmt::format("{}.script[{}][{}].call", path, step, at)
                                    : fmt::format("{}.script[{}].call", path, step);
                const std::string& callee = each.calls[at].call;
                if (!m_modelled.contains(callee)) {
                    serviceReference(callee, place);
                }
                if (callee == model.service) {
                    error(place, ErrorCode::Conflict, "a service cannot call itself");
                }
            }
        }
    }

    // Depth-first over the calls; a way back to a service on the current way is a circle.
    void cycles()
    {
        for (const ServiceModel& model : m_document.models) {
            visit(model);
        }
    }

    void visit(const ServiceModel& model)
    {
        if (m_visited.contains(model.service)) {
            return;
        }
        m_visited.insert(model.service);
        m_way.push_back(model.service);
        for (const model::ModelStep& step : model.script) {
            for (const model::ModelCall& call : step.calls) {
                const auto start = std::ranges::find(m_way, std::string_view(call.call));
                if (start != m_way.end()) {
                    circle({start, m_way.end()}, call.call);
                } else if (const auto callee = m_models.find(call.call); callee != m_models.end()) {
                    visit(*callee->second);
                }
            }
        }
        m_way.pop_back();
    }

    void circle(std::vector<std::string_view> way, std::string_view last)
    {
        if (way.size() < 2) {
            return; // A call to itself has been reported.
        }
        const auto caller =
            std::ranges::find(m_document.models, way.back(), &ServiceModel::service);
        way.push_back(last);
        add(Severity::Error,
            fmt::format("models[{}].script", caller - m_document.models.begin()),
            ErrorCode::Conflict,
            fmt::format("calls go round in a circle: {}", fmt::join(way, " -> ")));
    }

    const model::Document& m_document;
    std::vector<Finding>& m_findings;
    std::unordered_set<std::string_view> m_services;
    std::unordered_set<std::string_view> m_modelled;
    std::unordered_map<std::string_view, const model::Node*> m_nodes;
    std::unordered_map<std::string, std::string> m_listeners;
    std::unordered_map<std::string_view, const ServiceModel*> m_models;
    std::unordered_set<std::string_view> m_visited;
    std::vector<std::string_view> m_way;
};

} // namespace

void checkMesh(const model::Document& document, std::vector<Finding>& findings)
{
    MeshChecker(document, findings).run();
}

} // namespace mesh::config
