#pragma once

#include "proxyengine/base/assert.h"

#include <memory>
#include <utility>
#include <vector>

// Lists that own objects which know their places (a member `place`), so that each leaves in
// constant time.
namespace mesh::proxy {

template <typename T>
void keep(std::vector<std::unique_ptr<T>>& list, std::unique_ptr<T> object)
{
    object->place = list.size();
    list.push_back(std::move(object));
}

// The last of the list takes the place of the one that leaves.
template <typename T>
[[nodiscard]] std::unique_ptr<T> takeOut(std::vector<std::unique_ptr<T>>& list, T& object)
{
    const std::size_t place = object.place;
    MESH_ASSERT(list[place].get() == &object);
    auto taken = std::move(list[place]);
    if (place + 1 != list.size()) {
        list[place] = std::move(list.back());
        list[place]->place = place;
    }
    list.pop_back();
    return taken;
}

} // namespace mesh::proxy
