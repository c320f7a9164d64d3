#include "proxyengine/net/buffer.h"

#include "proxyengine/base/assert.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace mesh::net {

Buffer::Buffer(Buffer&& other) noexcept
    : m_block(std::exchange(other.m_block, nullptr))
    , m_pool(std::exchange(other.m_pool, nullptr))
    , m_begin(std::exchange(other.m_begin, 0))
    , m_end(std::exchange(other.m_end, 0))
{}

Buffer& Buffer::operator=(Buffer&& other) noexcept
{
    if (this != &other) {
        release();
        m_block = std::exchange(other.m_block, nullptr);
        m_pool = std::exchange(other.m_pool, nullptr);
        m_begin = std::exchange(other.m_begin, 0);
        m_end = std::exchange(other.m_end, 0);
    }
    return *this;
}

void Buffer::acquire(BufferPool& pool)
{
    if (m_block == nullptr) {
        m_block = pool.take();
        m_pool = &pool;
    }
}

void Buffer::release()
{
    if (m_block != nullptr) {
        m_pool->giveBack(m_block);
        m_block = nullptr;
        m_begin = 0;
        m_end = 0;
    }
}

void Buffer::consume(std::size_t count)
{
    MESH_ASSERT(count <= size());
    m_begin += static_cast<std::uint32_t>(count);
    if (m_begin == m_end) {
        m_begin = 0;
        m_end = 0;
    }
}

void Buffer::compact()
{
    if (m_begin > 0) {
        std::memmove(m_block, m_block + m_begin, size());
        m_end -= m_begin;
        m_begin = 0;
    }
}

std::size_t Buffer::append(std::string_view bytes)
{
    const std::span<char> room = writable();
    const std::size_t count = std::min(room.size(), bytes.size());
    if (count > 0) {
        std::memcpy(room.data(), bytes.data(), count);
        commit(count);
    }
    return count;
}

char* BufferPool::take()
{
    ++m_inUse;
    if (m_spare.empty()) {
        // Without value initialisation: nobody reads what was not written.
        return std::unique_ptr<char[]>(std::make_unique_for_overwrite<char[]>(Buffer::kCapacity))
            .release();
    }
    char* const block = m_spare.back().release();
    m_spare.pop_back();
    return block;
}

void BufferPool::giveBack(char* block)
{
    --m_inUse;
    std::unique_ptr<char[]> owned(block);
    if (m_spare.size() < kSpareMax) {
        m_spare.push_back(std::move(owned));
    }
}

} // namespace mesh::net
