#include "proxyengine/control/event_queue.h"

#include "proxyengine/base/duration_text.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace mesh::control {

EventQueue::EventQueue(std::size_t capacity)
    : m_capacity(capacity)
{}

void EventQueue::push(std::shared_ptr<const std::string> line)
{
    if (m_lines.size() >= m_capacity) {
        m_lines.pop_front();
        ++m_dropped;
    }
    m_lines.push_back(std::move(line));
}

std::optional<std::string> EventQueue::pop(WallTime now, const std::string& node)
{
    if (m_dropped > 0) {
        const nlohmann::ordered_json json{
            {"kind", "dropped"},
            {"time", toIsoText(now)},
            {"node", node},
            {"count", std::exchange(m_dropped, 0)}};
        return json.dump() + '\n';
    }
    if (m_lines.empty()) {
        return std::nullopt;
    }
    std::string line = *m_lines.front() + '\n';
    m_lines.pop_front();
    return line;
}

} // namespace mesh::control
