#pragma once

#include <functional>
#include <string>
#include <thread>

namespace mesh {

// A named thread that is joined when its owner goes.
class Thread
{
public:
    Thread() = default;
    // The name is cut to 15 bytes, which is what the kernel keeps.
    Thread(std::string name, std::function<void()> run);

    void join();
    [[nodiscard]] bool isRunning() const { return m_thread.joinable(); }

private:
    std::jthread m_thread;
};

// Remembers the thread that made it; public functions of loop-owned classes call assertHere().
class Affinity
{
public:
    // Throws the assertion when called from another thread than the owner's.
    void assertHere() const;
    // For objects that are built on one thread and handed to another before use.
    void moveHere() { m_owner = std::this_thread::get_id(); }

private:
    std::thread::id m_owner = std::this_thread::get_id();
};

} // namespace mesh
