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

struct RouteTestOptions
{
    std::vector<std::string> words; // [FILE] REQUEST
    std::string node; // Its URL; with FILE the name of the node that is asked about.
    std::vector<std::string> headers; // "Name: value"
    CredentialFiles credentials;
};

// Canonical YAML, with --json the canonical JSON byte by byte.
[[nodiscard]] int runDump(const DumpOptions& options, const Surroundings& around);

// Every node of the document as it answers now. 0: all run the document; 1: one runs something
// else; 3: one cannot be reached.
[[nodiscard]] int runNodes(const NodesOptions& options, const Surroundings& around);

// Which route takes the request and why the others do not: what the file says, or what the node
// says. 0 a route takes it, 1 none does.
[[nodiscard]] int runRouteTest(const RouteTestOptions& options, const Surroundings& around);

} // namespace mesh::ctl
