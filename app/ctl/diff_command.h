#pragma once

#include "app/ctl/node_access.h"
#include "app/ctl/surroundings.h"

#include <string>

namespace mesh::ctl {

struct DiffOptions
{
    std::string file;
    std::string against; // A file, or a revision of FILE. Exactly one of these two is given.
    std::string node; // Name or URL: what it runs now.
    CredentialFiles credentials;
};

// What would change if FILE were pushed where the other one runs: objects, then the effective
// configuration of each node. 0 the same, 1 different.
[[nodiscard]] int runDiff(const DiffOptions& options, const Surroundings& around);

} // namespace mesh::ctl
