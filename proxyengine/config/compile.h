#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/config/problem.h"
#include "proxyengine/config/snapshot.h"
#include "proxyengine/model/document.h"

#include <memory>
#include <string_view>
#include <vector>

namespace mesh::config {

struct CompileResult
{
    std::shared_ptr<const Snapshot> snapshot; // Null when there are problems.
    std::vector<Problem> problems;
};

// The document as this node runs it. Pure: the same document gives the same snapshot everywhere.
//
// A gateway gets every enabled service and route; a sidecar gets two listeners per workload of its
// own (inbound to the process, outbound to every service of the mesh). An empty node name is a
// gateway. A service whose host names no upstream, but which has workloads, balances over the
// workloads' inbound addresses (their process addresses when they have no sidecar).
// Errors: a node that the document does not list is a problem at "nodes"; so is every regular
//         expression that does not compile.
[[nodiscard]] CompileResult compile(const model::Document& document, std::string_view node);

} // namespace mesh::config
