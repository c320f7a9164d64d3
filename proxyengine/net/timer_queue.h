#pragma once

#include "proxyengine/base/time.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace mesh::net {

class Timer;
class TimerQueue;

// Is told when a deadline has passed.
class TimerHandler
{
public:
    TimerHandler() = default;
    TimerHandler(const TimerHandler&) = delete;
    TimerHandler& operator=(const TimerHandler&) = delete;
    // The timer is disarmed; it may be armed again or destroyed in here.
    virtual void onTimer(Timer& timer) = 0;

protected:
    ~TimerHandler() = default;
};

// One deadline, a member of whoever waits for it; destroying it cancels it.
//
// Cost: arming to a later deadline and cancelling store one number; the queue notices when the
// earlier deadline passes. So an idle timeout that every request pushes back is nearly free.
class Timer
{
public:
    Timer(TimerQueue& queue, TimerHandler& handler)
        : m_queue(queue)
        , m_handler(handler)
    {}
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    ~Timer();

    void arm(TimePoint deadline);
    void cancel() { m_deadline = kNever; }

    [[nodiscard]] bool isArmed() const { return m_deadline != kNever; }
    [[nodiscard]] TimePoint deadline() const { return m_deadline; } // kNever when not armed.

    static constexpr TimePoint kNever = TimePoint::max();

private:
    friend class TimerQueue;
    static constexpr std::uint32_t kOutside = 0xffffffff;

    TimerQueue& m_queue;
    TimerHandler& m_handler;
    TimePoint m_deadline = kNever;
    std::uint32_t m_place = kOutside; // In the heap; its key there is at most m_deadline.
};

// Timers in order of their deadlines: a heap of four children with lazy keys.
//
// Threads: the loop's. Lifetime: outlives its timers.
class TimerQueue
{
public:
    TimerQueue() = default;
    TimerQueue(const TimerQueue&) = delete;
    TimerQueue& operator=(const TimerQueue&) = delete;

    // When the loop must wake at the latest; Timer::kNever when nothing is armed. May be earlier
    // than the earliest deadline, never later.
    [[nodiscard]] TimePoint next() const
    {
        return m_heap.empty() ? Timer::kNever : m_heap.front().key;
    }

    // Calls the handlers of all deadlines that have passed, in their order. Timers that are armed
    // meanwhile fire in a later run, even when their deadline has passed already.
    void run(TimePoint now);

    [[nodiscard]] std::size_t size() const { return m_heap.size(); }

private:
    friend class Timer;
    struct Entry
    {
        TimePoint key;
        Timer* timer;
    };

    void insert(Timer& timer, TimePoint key);
    void remove(Timer& timer);
    void siftUp(std::size_t place);
    void siftDown(std::size_t place);
    void put(std::size_t place, Entry entry);

    std::vector<Entry> m_heap;
    std::vector<Timer*> m_due; // Taken out by run() and not called yet; nullptr once destroyed.
};

// A timer that calls a function; for everything but the request path.
class FunctionTimer final : private TimerHandler
{
public:
    FunctionTimer(TimerQueue& queue, std::function<void()> onPassed)
        : m_onPassed(std::move(onPassed))
        , m_timer(queue, *this)
    {}

    void arm(TimePoint deadline) { m_timer.arm(deadline); }
    void cancel() { m_timer.cancel(); }
    [[nodiscard]] bool isArmed() const { return m_timer.isArmed(); }

private:
    void onTimer(Timer&) override { m_onPassed(); }

    std::function<void()> m_onPassed;
    Timer m_timer;
};

} // namespace mesh::net
