#pragma once

#include "proxyengine/base/error.h"

#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

// Clang's -Wthread-safety reads these; other compilers see nothing.
#if defined(__clang__)
#define MESH_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define MESH_THREAD_ATTRIBUTE(x)
#endif
#define MESH_GUARDED_BY(x) MESH_THREAD_ATTRIBUTE(guarded_by(x))

namespace mesh {

class MESH_THREAD_ATTRIBUTE(capability("mutex")) Mutex
{
public:
    void lock() MESH_THREAD_ATTRIBUTE(acquire_capability()) { m_mutex.lock(); }
    void unlock() MESH_THREAD_ATTRIBUTE(release_capability()) { m_mutex.unlock(); }

private:
    std::mutex m_mutex;
};

class MESH_THREAD_ATTRIBUTE(scoped_lockable) MutexLock
{
public:
    explicit MutexLock(Mutex& mutex) MESH_THREAD_ATTRIBUTE(acquire_capability(mutex))
        : m_mutex(mutex)
    {
        m_mutex.lock();
    }
    MutexLock(const MutexLock&) = delete;
    MutexLock& operator=(const MutexLock&) = delete;
    MutexLock(MutexLock&&) = delete;
    MutexLock& operator=(MutexLock&&) = delete;
    ~MutexLock() MESH_THREAD_ATTRIBUTE(release_capability()) { m_mutex.unlock(); }

private:
    Mutex& m_mutex;
};

// Bounded messages from many threads to one. Full means Overloaded to the sender, never waiting.
//
// Threads: push() any; pop() the owner's.
// Lifetime: `wake` is called on the sender's thread after each push, outside the lock; it must be
//           callable for as long as a sender exists (an event descriptor, a queued signal).
template <typename T>
class Mailbox
{
public:
    Mailbox(std::size_t capacity, std::function<void()> wake)
        : m_capacity(capacity)
        , m_wake(std::move(wake))
    {}

    // Errors: Overloaded; the message is dropped.
    [[nodiscard]] Result<void> push(T message)
    {
        {
            const MutexLock lock(m_mutex);
            if (m_messages.size() >= m_capacity) {
                return fail(ErrorCode::Overloaded, "mailbox is full");
            }
            m_messages.push_back(std::move(message));
        }
        if (m_wake) {
            m_wake();
        }
        return {};
    }

    // The oldest message, or nothing. Take one per loop turn, so that control cannot starve I/O.
    [[nodiscard]] std::optional<T> pop()
    {
        const MutexLock lock(m_mutex);
        if (m_messages.empty()) {
            return std::nullopt;
        }
        std::optional<T> message(std::move(m_messages.front()));
        m_messages.pop_front();
        return message;
    }

    [[nodiscard]] bool isEmpty() const
    {
        const MutexLock lock(m_mutex);
        return m_messages.empty();
    }

private:
    const std::size_t m_capacity;
    const std::function<void()> m_wake;
    mutable Mutex m_mutex;
    std::deque<T> m_messages MESH_GUARDED_BY(m_mutex);
};

} // namespace mesh
