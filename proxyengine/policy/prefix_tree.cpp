#include "proxyengine/policy/prefix_tree.h"

#include <algorithm>
#include <tuple>

namespace mesh::policy {

PrefixTree::PrefixTree(std::vector<Entry> entries)
{
    if (entries.empty()) {
        return;
    }
    std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
        return std::tie(a.first, a.second.rank, a.second.port)
               < std::tie(b.first, b.second.rank, b.second.port);
    });
    m_nodes.emplace_back();
    m_heads.push_back('\0');
    std::vector<Pending> pending{{0, 0, entries.size(), 0}};
    while (!pending.empty()) {
        const Pending next = pending.back();
        pending.pop_back();
        build(entries, next, pending);
    }
}

void PrefixTree::build(
    const std::vector<Entry>& entries, const Pending& pending, std::vector<Pending>& more
)
{
    // Sorted, so what the first and the last share, all share.
    const std::string_view first =
        std::string_view(entries[pending.begin].first).substr(pending.depth);
    const std::string_view last =
        std::string_view(entries[pending.end - 1].first).substr(pending.depth);
    const auto shared = std::ranges::mismatch(first, last).in1 - first.begin();
    const std::string_view label = first.substr(0, static_cast<std::size_t>(shared));
    const std::size_t depth = pending.depth + label.size();

    Node node;
    node.labelAt = static_cast<std::uint32_t>(m_labels.size());
    node.labelBytes = static_cast<std::uint32_t>(label.size());
    m_labels.append(label);
    node.itemAt = static_cast<std::uint32_t>(m_items.size());
    std::size_t at = pending.begin;
    for (; at < pending.end && entries[at].first.size() == depth; ++at) {
        m_items.push_back(entries[at].second);
    }
    node.itemCount = static_cast<std::uint32_t>(m_items.size()) - node.itemAt;
    node.childAt = static_cast<std::uint32_t>(m_nodes.size());
    while (at < pending.end) {
        const char head = entries[at].first[depth];
        const std::size_t begin = at;
        while (at < pending.end && entries[at].first[depth] == head) {
            ++at;
        }
        more.push_back({m_nodes.size(), begin, at, depth});
        m_nodes.emplace_back();
        m_heads.push_back(head);
        ++node.childCount;
    }
    m_nodes[pending.node] = node;
}

} // namespace mesh::policy
