#pragma once

#include "proxyengine/base/assert.h"
#include "simulator/kernel/event.h"

#include <array>
#include <cstddef>
#include <vector>

namespace mesh::simulator {

// The events that are due next: an implicit heap of four children per node.
//
// Four children instead of two halve the levels that a pop walks through, and lie side by side in
// memory. A node carries its event (32 bytes), so that nothing else is touched on the way. Measured
// against a calendar queue in tests/bench/sim_queue_bench.cpp, which tells why it is this one.
// Cost: O(log4 n); no allocation beyond the greatest number that ever waited.
// Source: LaMarca and Ladner, "The influence of caches on the performance of heaps", 1996.
class EventHeap
{
public:
    struct Node
    {
        EventKey key;
        Event event;
    };

    void reserve(std::size_t count) { m_nodes.reserve(count); }
    [[nodiscard]] bool isEmpty() const { return m_nodes.empty(); }
    [[nodiscard]] std::size_t size() const { return m_nodes.size(); }
    [[nodiscard]] const Node& top() const { return m_nodes.front(); } // Not when empty.

    void push(EventKey key, const Event& event)
    {
        m_nodes.push_back({key, event});
        Node* const nodes = m_nodes.data();
        std::size_t hole = m_nodes.size() - 1;
        while (hole > 0) {
            const std::size_t parent = (hole - 1) / kChildren;
            if (!(key < nodes[parent].key)) {
                break;
            }
            nodes[hole] = nodes[parent];
            hole = parent;
        }
        nodes[hole] = {key, event};
    }

    // Not when empty.
    Node pop()
    {
        MESH_ASSERT(!m_nodes.empty());
        const Node first = m_nodes.front();
        const Node last = m_nodes.back();
        m_nodes.pop_back();
        if (!m_nodes.empty()) {
            sink(last);
        }
        return first;
    }

private:
    static constexpr std::size_t kChildren = 4;

    // Puts `node` where the first one was.
    void sink(const Node& node)
    {
        Node* const nodes = m_nodes.data();
        const std::size_t count = m_nodes.size();
        std::size_t hole = 0;
        for (std::size_t child = 1; child < count; child = hole * kChildren + 1) {
            const std::size_t end = child + kChildren < count ? child + kChildren : count;
            std::size_t least = child;
            for (std::size_t other = child + 1; other < end; ++other) {
                least = nodes[other].key < nodes[least].key ? other : least;
            }
            if (!(nodes[least].key < node.key)) {
                break;
            }
            nodes[hole] = nodes[least];
            hole = least;
        }
        nodes[hole] = node;
    }

    std::vector<Node> m_nodes;
};

} // namespace mesh::simulator
