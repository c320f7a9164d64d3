#pragma once

#include "proxyengine/net/event_loop.h"

#include <deque>
#include <memory>
#include <utility>

namespace mesh::proxy {

// Messages to another loop that must arrive, in order: what a full mailbox refuses is kept and
// offered again a moment later.
//
// Threads: the sender's loop. Lifetime: the receiver's loop outlives it.
class Outbox final : private net::TimerHandler
{
public:
    static constexpr Duration kRepeatAfter = std::chrono::milliseconds(1);

    Outbox(net::EventLoop& own, net::EventLoop& receiver)
        : m_own(own)
        , m_receiver(receiver)
        , m_repeat(own.timers(), *this)
    {}

    template <typename Function>
    void post(Function function)
    {
        m_waiting.push_back(std::make_shared<TaskOf<Function>>(std::move(function)));
        flush();
    }
    [[nodiscard]] std::size_t waiting() const { return m_waiting.size(); }

private:
    struct Task
    {
        Task() = default;
        Task(const Task&) = delete;
        Task& operator=(const Task&) = delete;
        virtual ~Task() = default;
        virtual void run() = 0;
    };
    template <typename Function>
    struct TaskOf final : Task
    {
        explicit TaskOf(Function toRun)
            : function(std::move(toRun))
        {}
        void run() override { function(); }
        Function function;
    };

    void flush()
    {
        while (!m_waiting.empty()) {
            if (!m_receiver.post([task = m_waiting.front()] { task->run(); })) {
                m_repeat.arm(m_own.clock().now() + kRepeatAfter);
                return;
            }
            m_waiting.pop_front();
        }
    }
    void onTimer(net::Timer&) override { flush(); }

    net::EventLoop& m_own;
    net::EventLoop& m_receiver;
    net::Timer m_repeat;
    std::deque<std::shared_ptr<Task>> m_waiting;
};

} // namespace mesh::proxy
