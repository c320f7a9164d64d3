#pragma once

#include "app/ctl/node_access.h"
#include "app/ctl/surroundings.h"

#include <string>
#include <vector>

// Commands that ask nodes and change nothing.
namespace mesh::ctl {

struct DumpOptions
{
    std::string node;
    bool withSecrets = false;
    CredentialFiles credentials;
};

struct NodesOptions
{
    std::string file;
    CredentialFiles credentials;
};

// Canonical YAML, with --json the canonical JSON byte by byte.
[[nodiscard]] int runDump(const DumpOptions& options, const Surroundings& around);

// Every node of the document as it answers now. 0: all run the document; 1: one runs something
// else; 3: one cannot be reached.
[[nodiscard]] int runNodes(const NodesOptions& options, const Surroundings& around);

} // namespace mesh::ctl
