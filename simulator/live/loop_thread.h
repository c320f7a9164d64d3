#pragma once

#include "proxyengine/base/clock.h"
#include "proxyengine/base/error.h"
#include "proxyengine/base/thread.h"
#include "proxyengine/net/event_loop.h"

#include <future>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace mesh::simulator {

// An event loop on a thread of its own. What lives on the loop is made and destroyed by ask().
class LoopThread
{
public:
    // Errors: those of EventLoop::make().
    [[nodiscard]] static Result<std::unique_ptr<LoopThread>> start(
        std::string name, const Clock& clock
    )
    {
        MESH_TRY(auto loop, net::EventLoop::make(clock));
        return std::unique_ptr<LoopThread>(new LoopThread(std::move(name), std::move(loop)));
    }
    LoopThread(const LoopThread&) = delete;
    LoopThread& operator=(const LoopThread&) = delete;
    ~LoopThread()
    {
        m_loop->stop();
        m_thread.join();
        m_loop->moveHere();
    }

    [[nodiscard]] net::EventLoop& loop() { return *m_loop; }

    // Runs the function on the loop and waits for what it returns. Not from the loop itself.
    // The queue has room for thousands; when it is full the loop is stuck, and so is the answer.
    template <typename Function>
    auto ask(Function function) -> std::invoke_result_t<Function>
    {
        std::packaged_task<std::invoke_result_t<Function>()> task(std::move(function));
        auto answer = task.get_future();
        while (!m_loop->post([&task] { task(); })) {
            std::this_thread::yield();
        }
        return answer.get();
    }

private:
    LoopThread(std::string name, std::unique_ptr<net::EventLoop> loop)
        : m_loop(std::move(loop))
        , m_thread(std::move(name), [at = m_loop.get()] {
            at->moveHere();
            at->run();
        })
    {}

    std::unique_ptr<net::EventLoop> m_loop;
    Thread m_thread;
};

} // namespace mesh::simulator
