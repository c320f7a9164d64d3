#pragma once

#include "proxyengine/config/compile.h"
#include "proxyengine/model/document.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace mesh::fleet {

// Nodes that compile() cannot tell apart: role, zone, certificate and own workloads are the same.
// So a fleet of a thousand gateways is compiled once.
class NodeClasses
{
public:
    // The document is canonical and outlives this.
    explicit NodeClasses(const model::Document& document);

    // Of any node; empty when the document does not list it.
    [[nodiscard]] std::string keyOf(const std::string& node) const;
    // Compiled when it is first asked for. A node that is not listed is a gateway when the document
    // lists none, else there are problems.
    [[nodiscard]] const config::CompileResult& compiled(const std::string& node);

private:
    const model::Document& m_document;
    std::map<std::string, std::string> m_keys; // By node.
    std::map<std::string, config::CompileResult> m_compiled; // By key.
};

// The nodes of both documents, sorted, unique.
[[nodiscard]] std::vector<std::string> nodesOf(
    const model::Document& before, const model::Document& after
);

} // namespace mesh::fleet
