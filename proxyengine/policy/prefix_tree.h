#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mesh::policy {

// One thing that a route asks for, found by its prefix or host.
struct RouteItem
{
    std::uint32_t rank; // Place of the route's group in the order of priority; 0 wins.
    std::uint16_t port; // That the host asks for; 0: any.
    bool isPlain = false; // The route asks for nothing else: no method, header, SNI or pattern.
};

// All prefixes of a text in one walk over it: a radix tree in four flat arrays.
//
// Threads: any, after construction (immutable).
// Cost: a walk reads the text once, whatever the number of prefixes.
class PrefixTree
{
public:
    using Entry = std::pair<std::string, RouteItem>;

    PrefixTree() = default;
    explicit PrefixTree(std::vector<Entry> entries);

    // Calls visit(items, prefixBytes) for each stored prefix of `text`, shortest first. The items
    // of one call are sorted by rank.
    template <typename Visit>
    void walk(std::string_view text, Visit&& visit) const
    {
        if (m_nodes.empty()) {
            return;
        }
        std::size_t node = 0;
        std::size_t position = 0;
        while (true) {
            const Node& here = m_nodes[node];
            const std::string_view label(m_labels.data() + here.labelAt, here.labelBytes);
            if (!text.substr(position).starts_with(label)) {
                return;
            }
            position += label.size();
            if (here.itemCount > 0) {
                visit(std::span(m_items).subspan(here.itemAt, here.itemCount), position);
            }
            if (position == text.size() || here.childCount == 0) {
                return;
            }
            const char* const heads = m_heads.data() + here.childAt;
            const void* const found =
                std::memchr(heads, static_cast<unsigned char>(text[position]), here.childCount);
            if (found == nullptr) {
                return;
            }
            node = here.childAt + static_cast<std::size_t>(static_cast<const char*>(found) - heads);
        }
    }

private:
    struct Node
    {
        std::uint32_t labelAt = 0;
        std::uint32_t labelBytes = 0;
        std::uint32_t itemAt = 0;
        std::uint32_t itemCount = 0;
        std::uint32_t childAt = 0; // Children lie side by side; their first bytes in m_heads.
        std::uint32_t childCount = 0;
    };

    // A node still to be built: its entries (sorted) share `depth` bytes, which lie above it.
    struct Pending
    {
        std::size_t node;
        std::size_t begin;
        std::size_t end;
        std::size_t depth;
    };

    void build(
        const std::vector<Entry>& entries, const Pending& pending, std::vector<Pending>& more
    );

    std::vector<Node> m_nodes;
    std::string m_heads; // By node: the first byte of its label.
    std::string m_labels;
    std::vector<RouteItem> m_items;
};

} // namespace mesh::policy
