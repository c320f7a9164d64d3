#pragma once

#include "proxyengine/base/time.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

namespace mesh::control {

// Lines that wait for one slow reader of /v1/events. A full queue drops its oldest line, and the
// reader is told how many are missing where they are missing.
//
// Limits: kEventsPerSubscriberMax lines.
class EventQueue
{
public:
    explicit EventQueue(std::size_t capacity);

    void push(std::shared_ptr<const std::string> line); // Shared by all readers of the node.

    // The next line with its line feed; nothing when the reader has seen all.
    [[nodiscard]] std::optional<std::string> pop(WallTime now, const std::string& node);

    [[nodiscard]] bool isEmpty() const { return m_lines.empty() && m_dropped == 0; }

private:
    const std::size_t m_capacity;
    std::deque<std::shared_ptr<const std::string>> m_lines;
    std::uint64_t m_dropped = 0; // Since the last line that was taken.
};

} // namespace mesh::control
