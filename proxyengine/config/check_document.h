#pragma once

#include "proxyengine/config/problem.h"
#include "proxyengine/model/document.h"

#include <string>
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
[[nodiscard]] std::vector<Finding> checkDocument(const model::Document& document);

// The part about nodes, workloads and models.
void checkMesh(const model::Document& document, std::vector<Finding>& findings);

} // namespace mesh::config
