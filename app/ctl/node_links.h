#pragma once

#include "app/ctl/node_access.h"
#include "app/fleet/node_link.h"
#include "proxyengine/base/mailbox.h"
#include "proxyengine/base/thread.h"

#include <atomic>
#include <functional>
#include <memory>
#include <semaphore>
#include <vector>

namespace mesh::ctl {

// Threads that wait for answers of nodes, shared by all links of a push.
//
// Lifetime: outlives the links; the destructor finishes what was asked.
class AskPool
{
public:
    AskPool(std::size_t threads, std::size_t jobsMax);
    AskPool(const AskPool&) = delete;
    AskPool& operator=(const AskPool&) = delete;
    ~AskPool();

    // Errors: Overloaded.
    [[nodiscard]] Result<void> post(std::function<void()> job);

private:
    void run();

    std::counting_semaphore<> m_waiting{0};
    std::atomic<bool> m_isEnding{false};
    Mailbox<std::function<void()>> m_jobs;
    std::vector<Thread> m_threads;
};

// The way to a node through its admin API.
[[nodiscard]] std::unique_ptr<fleet::NodeLink> makeNodeLink(
    AskPool& pool, const Clock& clock, NodeTarget node, CredentialFiles credentials
);

} // namespace mesh::ctl
