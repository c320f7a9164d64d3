#include "app/fleet/node_classes.h"

#include "proxyengine/config/tree.h"
#include "proxyengine/model/schema.h"

#include <fmt/format.h>

#include <algorithm>

namespace mesh::fleet {

NodeClasses::NodeClasses(const model::Document& document)
    : m_document(document)
{
    std::map<std::string_view, std::string> workloads;
    for (const model::Workload& workload : document.workloads) {
        workloads[workload.node] +=
            config::toJson(model::toValue(workload, model::Defaults::Omitted));
    }
    for (const model::Node& node : document.nodes) {
        const bool isGateway = node.role == model::NodeRole::Gateway;
        m_keys.emplace(
            node.name,
            fmt::format(
                "{}|{}|{}|{}",
                isGateway ? "gateway" : "sidecar",
                node.zone.value_or(""),
                node.certificate.value_or(""),
                isGateway ? std::string() : workloads[node.name]
            )
        );
    }
}

std::string NodeClasses::keyOf(const std::string& node) const
{
    const auto found = m_keys.find(node);
    return found == m_keys.end() ? std::string() : found->second;
}

const config::CompileResult& NodeClasses::compiled(const std::string& node)
{
    const std::string key = keyOf(node);
    const auto found = m_compiled.find(key);
    if (found != m_compiled.end()) {
        return found->second;
    }
    const bool isNobody = key.empty() && m_keys.empty();
    return m_compiled.emplace(key, config::compile(m_document, isNobody ? "" : node)).first->second;
}

std::vector<std::string> nodesOf(const model::Document& before, const model::Document& after)
{
    std::vector<std::string> nodes;
    for (const model::Document* document : {&before, &after}) {
        for (const model::Node& node : document->nodes) {
            nodes.push_back(node.name);
        }
    }
    std::ranges::sort(nodes);
    nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
    if (nodes.empty()) {
        nodes.emplace_back(); // The gateway of a document without nodes.
    }
    return nodes;
}

} // namespace mesh::fleet
