#pragma once

#include "app/ctl/node_access.h"
#include "app/ctl/surroundings.h"

#include <string>
#include <vector>

namespace mesh::ctl {

struct PlanOptions
{
    std::vector<std::string> nodes; // Names or URLs; empty: all of the document.
    CredentialFiles credentials;
};

struct PushOptions
{
    std::string file;
    PlanOptions plan;
};

// Nodes one after the other; a failure does not keep the others from theirs. Nothing is sent when
// the file has errors (1). The exit code is the worst of all nodes.
[[nodiscard]] int runPush(const PushOptions& options, const Surroundings& around);

} // namespace mesh::ctl
