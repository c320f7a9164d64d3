#pragma once

#include "proxyengine/base/limits.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace mesh::net {

class BufferPool;

// A block of kBodyBufferBytes between what was read and what was used, or no block at all.
//
//   block   [ consumed | readable() | writable() ]
//
// Connections hold a block only while there are bytes in it. Movable; gives the block back.
class Buffer
{
public:
    Buffer() = default;
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    Buffer(Buffer&& other) noexcept;
    Buffer& operator=(Buffer&& other) noexcept;
    ~Buffer() { release(); }

    static constexpr std::size_t kCapacity = kBodyBufferBytes;

    // Takes a block unless it has one.
    void acquire(BufferPool& pool);
    // Gives the block back with whatever is in it.
    void release();
    // Gives the block back if nothing is readable.
    void releaseIfEmpty()
    {
        if (isEmpty()) {
            release();
        }
    }

    [[nodiscard]] bool hasBlock() const { return m_block != nullptr; }
    [[nodiscard]] bool isEmpty() const { return m_begin == m_end; }
    [[nodiscard]] std::size_t size() const { return m_end - m_begin; }
    [[nodiscard]] std::string_view readable() const { return {m_block + m_begin, size()}; }
    [[nodiscard]] std::span<char> writable() const
    {
        return {m_block + m_end, m_block == nullptr ? 0 : kCapacity - m_end};
    }

    void consume(std::size_t count); // From the front of readable(); empty starts at the beginning.
    void commit(std::size_t count) { m_end += static_cast<std::uint32_t>(count); } // writable()
    // Moves readable() to the beginning of the block; views into it move with it.
    void compact();
    // Copies as much as fits and says how much. Takes no block by itself.
    std::size_t append(std::string_view bytes);

private:
    char* m_block = nullptr;
    BufferPool* m_pool = nullptr;
    std::uint32_t m_begin = 0;
    std::uint32_t m_end = 0;
};

// Blocks of one loop; the one given back last is taken first, because it is in the cache.
//
// Limits: keeps at most kSpareMax blocks that nobody uses.
class BufferPool
{
public:
    static constexpr std::size_t kSpareMax = 64; // 4 MiB per worker.

    BufferPool() = default;
    BufferPool(const BufferPool&) = delete;
    BufferPool& operator=(const BufferPool&) = delete;

    [[nodiscard]] std::size_t inUse() const { return m_inUse; }

private:
    friend class Buffer;
    [[nodiscard]] char* take();
    void giveBack(char* block);

    std::vector<std::unique_ptr<char[]>> m_spare;
    std::size_t m_inUse = 0;
};

} // namespace mesh::net
