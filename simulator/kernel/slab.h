#pragma once

#include "proxyengine/base/assert.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mesh::simulator {

// Names an item of a slab. The name of an item that was freed finds nothing, even when its place is
// used again.
struct SlabHandle
{
    std::uint32_t index = 0;
    std::uint32_t generation = 0; // 0: never an item.

    [[nodiscard]] bool isNone() const { return generation == 0; }
    friend constexpr bool operator==(const SlabHandle&, const SlabHandle&) = default;
};

// Items of one type with places that are used again: requests, attempts. References into it are
// valid until the next take().
// Cost: O(1); allocates only when more items live at once than ever before.
template <typename Item>
class Slab
{
public:
    void reserve(std::size_t count) { m_places.reserve(count); }

    // A fresh item, made anew.
    SlabHandle take()
    {
        std::uint32_t index = m_free;
        if (index == kNobody) {
            MESH_ASSERT(m_places.size() < kNobody);
            index = static_cast<std::uint32_t>(m_places.size());
            m_places.emplace_back();
        } else {
            m_free = m_places[index].next;
            m_places[index].item = Item();
        }
        m_places[index].next = kTaken;
        ++m_count;
        return {index, m_places[index].generation};
    }

    void free(SlabHandle handle)
    {
        MESH_ASSERT(find(handle) != nullptr);
        Place& place = m_places[handle.index];
        place.generation = place.generation == kNobody ? 1 : place.generation + 1;
        place.next = m_free;
        m_free = handle.index;
        --m_count;
    }

    // Null when the item is gone.
    [[nodiscard]] Item* find(SlabHandle handle)
    {
        if (handle.isNone() || handle.index >= m_places.size()) {
            return nullptr;
        }
        Place& place = m_places[handle.index];
        return place.generation == handle.generation ? &place.item : nullptr;
    }

    // It will be asked for soon, and is fetched from memory if it is there.
    void foresee(SlabHandle handle) const
    {
        if (handle.index < m_places.size()) {
            const Place& place = m_places[handle.index];
            __builtin_prefetch(&place);
            __builtin_prefetch(&place.generation); // Its end.
        }
    }

    // The item must be there.
    [[nodiscard]] Item& operator[](SlabHandle handle)
    {
        Item* const item = find(handle);
        MESH_ASSERT(item != nullptr);
        return *item;
    }

    // visit(SlabHandle, const Item&) for every item that is taken, in the order of places. Must not
    // take or free.
    template <typename Visit>
    void forEach(const Visit& visit) const
    {
        for (std::uint32_t index = 0; index < m_places.size(); ++index) {
            if (m_places[index].next == kTaken) {
                visit(SlabHandle{index, m_places[index].generation}, m_places[index].item);
            }
        }
    }

    [[nodiscard]] std::size_t count() const { return m_count; } // Taken and not freed.
    [[nodiscard]] std::size_t capacity() const { return m_places.size(); } // Ever at once.

private:
    static constexpr std::uint32_t kNobody = 0xffff'ffffU;
    static constexpr std::uint32_t kTaken = 0xffff'fffeU;

    struct Place
    {
        Item item{};
        std::uint32_t next = kNobody; // Among the free ones.
        std::uint32_t generation = 1;
    };

    std::vector<Place> m_places;
    std::uint32_t m_free = kNobody;
    std::size_t m_count = 0;
};

} // namespace mesh::simulator
