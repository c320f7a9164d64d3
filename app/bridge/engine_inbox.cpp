#include "app/bridge/engine_inbox.h"

#include "proxyengine/base/limits.h"

#include <utility>

namespace mesh::bridge {

namespace {

class NodeSink final : public api::EventSink
{
public:
    NodeSink(EngineInbox& inbox, std::string node)
        : m_inbox(inbox)
        , m_node(std::move(node))
    {}

    void onEvent(const api::Event& event) override { m_inbox.onNodeEvent(m_node, event); }

private:
    EngineInbox& m_inbox;
    const std::string m_node;
};

bool isDetail(const api::Event& event)
{
    return std::holds_alternative<api::AccessEvent>(event)
           || std::holds_alternative<api::StatsEvent>(event);
}

} // namespace

EngineInbox::EngineInbox(std::function<void()> wake)
    : m_control(kEngineEventsMax, wake)
    , m_detail(kEngineEventsMax, wake)
{}

void EngineInbox::onNodeEvent(const std::string& node, const api::Event& event)
{
    auto& mailbox = isDetail(event) ? m_detail : m_control;
    if (!mailbox.push({node, event})) {
        m_dropped.fetch_add(1, std::memory_order_relaxed);
    }
}

std::unique_ptr<api::EventSink> EngineInbox::makeSink(std::string node)
{
    return std::make_unique<NodeSink>(*this, std::move(node));
}

std::vector<NodeEvent> EngineInbox::take()
{
    std::vector<NodeEvent> events;
    while (auto event = m_control.pop()) {
        events.push_back(std::move(*event));
    }
    while (auto event = m_detail.pop()) {
        events.push_back(std::move(*event));
    }
    return events;
}

} // namespace mesh::bridge
