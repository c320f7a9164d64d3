#pragma once

#include "proxyengine/api/engine.h"
#include "proxyengine/base/clock.h"
#include "proxyengine/base/mailbox.h"
#include "proxyengine/model/document.h"
#include "simulator/live/live_mesh.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <vector>

namespace mesh::simulator {

// The document that a node is to run; null: what it runs already.
using NodeView = std::function<std::shared_ptr<const model::Document>(const std::string& node)>;

// The engines of a mesh, one per node: started together, configured together, stopped together.
class EngineSet
{
public:
    EngineSet(const Clock& clock, MeshSink* sink);
    EngineSet(const EngineSet&) = delete;
    EngineSet& operator=(const EngineSet&) = delete;
    ~EngineSet(); // stop()

    // Makes an engine for every node of the document, applies each one's view of it, and waits
    // until each listens on all it should. Errors: those of the factory; Refused; Timeout.
    [[nodiscard]] Result<void> start(
        const EngineFactory& factory,
        const std::shared_ptr<const model::Document>& document,
        const NodeView& view,
        Duration startMax
    );

    // Applies documents and waits for the answers. Errors: Refused with the first problem; Timeout.
    [[nodiscard]] Result<void> apply(const NodeView& view, Duration answerMax);

    [[nodiscard]] const std::vector<LiveMesh::Node>& nodes() const { return m_nodes; }
    // Where the gateways listen, in the order of the nodes. After start().
    [[nodiscard]] const std::vector<std::string>& gatewayAddresses() const
    {
        return m_gatewayAddresses;
    }

    void stop(Duration grace);

private:
    class Watch;
    struct News
    {
        std::size_t node;
        std::optional<CommandId> command; // With `failure` when it was refused.
        std::optional<Error> failure;
        std::vector<api::ListenerState> listeners;
    };
    struct Standing
    {
        bool isAsked = false; // To run another document.
        std::optional<CommandId> awaited;
        std::vector<CommandId> answered; // Answers may overtake the id that submit() returns.
        std::size_t listenersWanted = 0;
        std::vector<api::ListenerState> listeners;
    };

    [[nodiscard]] Result<void> submitToAll(const NodeView& view);
    [[nodiscard]] Result<void> waitForAll(Duration answerMax);
    [[nodiscard]] Result<void> take(News news);
    [[nodiscard]] static bool isReady(const Standing& standing);

    const Clock& m_clock;
    MeshSink* const m_sink;
    std::counting_semaphore<> m_arrived{0};
    Mailbox<News> m_news;
    std::vector<Standing> m_standings; // By node.
    std::vector<std::unique_ptr<Watch>> m_watches; // Outlive the engines.
    std::vector<std::unique_ptr<api::Engine>> m_engines;
    std::vector<LiveMesh::Node> m_nodes;
    std::vector<std::string> m_gatewayAddresses;
};

} // namespace mesh::simulator
