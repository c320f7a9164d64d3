#pragma once

#include "app/ctl/node_access.h"
#include "app/ctl/surroundings.h"

#include <string>
#include <vector>

namespace mesh::ctl {

struct PlanOptions
{
    std::vector<std::string> nodes; // Names or URLs; empty: all of the document.
    std::string waves = "100%";
    std::string gates; // Empty: none.
    std::string bake; // "60s"; empty: what the gates say.
    std::string onFailure = "rollback"; // Or stop.
    std::string message;
    CredentialFiles credentials;
};

struct PushOptions
{
    std::string file;
    bool isDraft = false; // Of a mesh document: its draft, which becomes a revision first.
    PlanOptions plan;
};

struct RollbackOptions
{
    std::vector<std::string> words; // [DOC] REV
    std::string document; // Empty: the only one of this folder.
    PlanOptions plan;
};

// Brings FILE to its nodes, see carryOut(). Nothing is sent when the file has errors (1). A mesh
// document remembers the push before anything is sent, and how it ended.
// 0 every node runs it, read back; 1 not every node does; 2 usage; 3 a node cannot be reached; 4 a
// node refused it or a gate failed.
[[nodiscard]] int runPush(const PushOptions& options, const Surroundings& around);

// An older revision becomes the newest one and is pushed.
[[nodiscard]] int runRollback(const RollbackOptions& options, const Surroundings& around);

} // namespace mesh::ctl
