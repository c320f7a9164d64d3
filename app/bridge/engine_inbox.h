#pragma once

#include "proxyengine/api/engine.h"
#include "proxyengine/base/mailbox.h"
#include "simulator/live/live_mesh.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace mesh::bridge {

struct NodeEvent
{
    std::string node;
    api::Event event;
};

// Carries events of all engines to the GUI thread. Answers, states and verdicts have a queue of
// their own, so that a flood of requests cannot push them out.
//
// Threads: onNodeEvent() any; take() the owner's. `wake` is called on the engines' threads.
// Limits: kEngineEventsMax in each queue; what does not fit is counted.
class EngineInbox final : public simulator::MeshSink
{
public:
    explicit EngineInbox(std::function<void()> wake);

    void onNodeEvent(const std::string& node, const api::Event& event) override;
    // For an engine that is not part of a live mesh. The inbox outlives the sink.
    [[nodiscard]] std::unique_ptr<api::EventSink> makeSink(std::string node);

    // All that has come so far, states and answers first.
    [[nodiscard]] std::vector<NodeEvent> take();
    [[nodiscard]] std::uint64_t droppedCount() const
    {
        return m_dropped.load(std::memory_order_relaxed);
    }

private:
    Mailbox<NodeEvent> m_control;
    Mailbox<NodeEvent> m_detail;
    std::atomic<std::uint64_t> m_dropped = 0;
};

} // namespace mesh::bridge
