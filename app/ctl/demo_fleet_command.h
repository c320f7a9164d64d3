#pragma once

#include "app/ctl/surroundings.h"

#include <string>
#include <vector>

namespace mesh::ctl {

struct DemoFleetOptions
{
    std::string file; // Declarative file with nodes, workloads and models.
    std::string scenario; // Whose load and faults are played; empty: a little of everything.
    std::vector<std::string> nodes; // "vm-1=http://127.0.0.1:8001", one for each of the file.
    std::string into; // The mesh document to write; must not be there.
};

// Plays the services of a mesh on loopback behind nodes that run already: binds the workloads,
// gives them free ports, makes the mesh's certificates, pushes the result to the nodes, calls the
// gateways, and writes the mesh document that a console opens. Runs until it is interrupted.
//
// 0 interrupted, 2 the file or an option is bad, 3 a node cannot be reached, 4 a node refused.
[[nodiscard]] int runDemoFleet(const DemoFleetOptions& options, const Surroundings& around);

} // namespace mesh::ctl
