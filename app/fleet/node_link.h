#pragma once

#include "app/fleet/rollout_machine.h"
#include "proxyengine/base/error.h"
#include "proxyengine/model/document.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace mesh::fleet {

struct SendAnswer
{
    SendOutcome outcome = SendOutcome::Unreachable;
    std::string hash; // What the node says it runs; empty: it did not say.
    std::string text;
    std::vector<NodeProblem> problems;
};

// The way to one node: in this process, or through its admin API.
//
// Threads: any; nothing blocks. Answers come once for each call, on any thread.
class NodeLink
{
public:
    NodeLink() = default;
    NodeLink(const NodeLink&) = delete;
    NodeLink& operator=(const NodeLink&) = delete;
    virtual ~NodeLink() = default; // Waits for answers on their way, which come as Unreachable.

    virtual void send(
        std::shared_ptr<const model::Document> document,
        const std::string& onlyIfHash, // Empty: whatever it runs.
        std::function<void(SendAnswer)> onAnswer
    ) = 0;
    // What it runs now, asked of the node and not remembered. Errors: Unavailable and its kin.
    virtual void readHash(std::function<void(Result<std::string>)> onAnswer) = 0;
    // What it runs now, as a document, to be able to go back. Errors: as readHash().
    virtual void readDocument(
        std::function<void(Result<std::shared_ptr<const model::Document>>)> onAnswer
    ) = 0;
};

} // namespace mesh::fleet
