#pragma once

#include <atomic>
#include <cstdint>

namespace mesh::policy {

// One step on a state of one word: `change(word)` alters its copy and says whether that shall
// stand. Gives back what it said. The simulator's states are plain words.
template <typename Change>
bool step(std::uint64_t& word, const Change& change)
{
    std::uint64_t next = word;
    if (!change(next)) {
        return false;
    }
    word = next;
    return true;
}

// The same step on a word that several threads share: repeated until nobody came between, so
// `change` may run more than once and must depend on its argument alone.
//
// The word is the whole state and publishes nothing else, so its own modification order is enough
// and every access is relaxed.
template <typename Change>
bool step(std::atomic<std::uint64_t>& word, const Change& change)
{
    std::uint64_t seen = word.load(std::memory_order_relaxed);
    while (true) {
        std::uint64_t next = seen;
        if (!change(next)) {
            return false;
        }
        if (word.compare_exchange_weak(seen, next, std::memory_order_relaxed)) {
            return true;
        }
    }
}

inline std::uint64_t readWord(std::uint64_t word) { return word; }

inline std::uint64_t readWord(const std::atomic<std::uint64_t>& word)
{
    return word.load(std::memory_order_relaxed);
}

} // namespace mesh::policy
