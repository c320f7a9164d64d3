#pragma once

#include "proxyengine/base/thread.h"

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace mesh::test {

// Lets a number of threads go on only together: what one did before is seen by all after.
class Meeting
{
public:
    explicit Meeting(std::uint32_t threads)
        : m_threads(threads)
    {}

    void wait()
    {
        std::uint32_t arrived = m_arrived.fetch_add(1) + 1;
        m_arrived.notify_all();
        while (arrived < m_threads) {
            m_arrived.wait(arrived);
            arrived = m_arrived.load();
        }
    }

private:
    std::uint32_t m_threads;
    std::atomic<std::uint32_t> m_arrived{0};
};

// Runs work(0) to work(count - 1), each on a thread of its own, and waits for all.
template <typename Work>
void runThreads(std::uint32_t count, const Work& work)
{
    std::vector<Thread> threads;
    for (std::uint32_t i = 0; i < count; ++i) {
        threads.emplace_back("worker " + std::to_string(i), [&work, i] { work(i); });
    }
    for (Thread& thread : threads) {
        thread.join();
    }
}

} // namespace mesh::test
