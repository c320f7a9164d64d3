#pragma once

#include "proxyengine/base/clock.h"
#include "proxyengine/base/error.h"
#include "proxyengine/base/handles.h"
#include "proxyengine/base/mailbox.h"
#include "proxyengine/base/thread.h"
#include "proxyengine/net/buffer.h"
#include "proxyengine/net/timer_queue.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

struct epoll_event;

namespace mesh::net {

// What has happened on a descriptor since the last time.
class Ready
{
public:
    constexpr explicit Ready(std::uint32_t bits)
        : m_bits(bits)
    {}
    static constexpr std::uint32_t kRead = 1; // EPOLLIN
    static constexpr std::uint32_t kWrite = 4; // EPOLLOUT
    static constexpr std::uint32_t kBroken = 8 | 16; // EPOLLERR, EPOLLHUP
    static constexpr std::uint32_t kPeerEnded = 0x2000; // EPOLLRDHUP

    // A broken or ended connection counts as readable: reading tells the reason.
    [[nodiscard]] constexpr bool canRead() const
    {
        return (m_bits & (kRead | kBroken | kPeerEnded)) != 0;
    }
    [[nodiscard]] constexpr bool canWrite() const { return (m_bits & (kWrite | kBroken)) != 0; }
    [[nodiscard]] constexpr bool isBroken() const { return (m_bits & kBroken) != 0; }
    // The peer will send no more; what it sent before can still be read.
    [[nodiscard]] constexpr bool hasPeerEnded() const { return (m_bits & kPeerEnded) != 0; }
    [[nodiscard]] constexpr std::uint32_t bits() const { return m_bits; }

private:
    std::uint32_t m_bits;
};

// A handler's place among the watches of its loop.
class WatchPlace
{
    friend class EventLoop;
    std::uint32_t m_number = 0; // From 1; 0: not watched.
};

// Owns a descriptor's readiness: a connection, an acceptor.
class FdHandler
{
public:
    FdHandler() = default;
    FdHandler(const FdHandler&) = delete;
    FdHandler& operator=(const FdHandler&) = delete;
    // The handler may destroy itself and others in here, after forget() of each.
    virtual void onReady(Ready ready) = 0;

    WatchPlace watchPlace;

protected:
    ~FdHandler() = default;
};

// Is called at the end of a turn, after all handlers; asked for anew every time.
class TurnEndHandler
{
public:
    TurnEndHandler() = default;
    TurnEndHandler(const TurnEndHandler&) = delete;
    TurnEndHandler& operator=(const TurnEndHandler&) = delete;
    virtual void onTurnEnd() = 0;

protected:
    ~TurnEndHandler() = default;
};

enum class LevelInterest : std::uint8_t { Read, Write, Both };

// One thread's epoll loop: descriptors, timers, messages from other threads, buffers.
//
// A turn: wait, read the time once, timers, descriptors, at most one posted message, turn-end
// handlers, deferred destruction. Turns above kTurnLengthMax are logged.
// Threads: the one that calls run(); post() and stop() any.
// Lifetime: the clock outlives the loop. Watched handlers are forgotten before they go.
class EventLoop
{
public:
    // Errors: Io when the kernel has no epoll or event descriptor left.
    [[nodiscard]] static Result<std::unique_ptr<EventLoop>> make(const Clock& clock);
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;
    ~EventLoop();

    // Runs turns until stop(). Can be called again afterwards.
    void run();
    // One turn that waits at most this long. For tests, and for owners with a loop of their own.
    void runTurn(Duration waitMax);
    void stop();

    // Time of this turn.
    [[nodiscard]] TimePoint now() const { return m_now; }
    [[nodiscard]] WallTime wallNow() const; // Read once per turn, when first asked for.

    // Watches for readability, writability and the peer's end, edge-triggered, until the descriptor
    // is closed: register once, then read and write until WouldBlock or a short count.
    // Errors: Io.
    [[nodiscard]] Result<void> watch(int descriptor, FdHandler& handler);
    // Level-triggered; calling it again changes the interest. For listeners and foreign libraries.
    [[nodiscard]] Result<void> watchLevel(int descriptor, FdHandler& handler, LevelInterest what);
    // Nothing of what was watched for this handler reaches it any more. Before a handler goes; its
    // descriptor must be closed too (or unwatched), in either order.
    void forget(FdHandler& handler);
    // Stops watching a descriptor that stays open, and forgets its handler.
    void unwatch(int descriptor, FdHandler& handler);

    // Calls onReady with these bits in the next turn, which then does not wait: for handlers that
    // stop before their socket is drained, so that others get their share.
    void callAgain(FdHandler& handler, Ready ready);
    void callAtTurnEnd(TurnEndHandler& handler);
    void forgetTurnEnd(TurnEndHandler& handler);

    // Runs the function on the loop's thread, one per turn, in order. Threads: any.
    // Errors: Overloaded when kMailboxMessagesMax wait; the function is dropped.
    template <typename Function>
    [[nodiscard]] Result<void> post(Function function)
    {
        return m_mailbox.push(std::make_unique<TaskOf<Function>>(std::move(function)));
    }

    // Destroys the object at the end of this turn, so that it may be inside a call now.
    template <typename T>
    void destroyLater(std::unique_ptr<T> object)
    {
        m_doomed.push_back(Doomed(object.release(), [](void* doomed) noexcept {
            const std::unique_ptr<T> owned(static_cast<T*>(doomed));
        }));
    }

    [[nodiscard]] TimerQueue& timers() { return m_timers; }
    [[nodiscard]] BufferPool& buffers() { return m_buffers; }
    [[nodiscard]] const Clock& clock() const { return m_clock; }
    // Makes the calling thread the owner: for a loop built on one thread and run on another.
    void moveHere() { m_affinity.moveHere(); }

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
    using Doomed = std::unique_ptr<void, void (*)(void*) noexcept>;
    // What the kernel knows instead of a handler's address: a process that was forked meanwhile
    // keeps a closed descriptor, and with it the kernel's interest, alive until it runs its own
    // program.
    struct Watch
    {
        FdHandler* handler = nullptr;
        std::uint32_t generation = 0; // Of the handlers that had this place.
    };
    struct Again
    {
        FdHandler* handler;
        std::uint32_t bits;
    };
    class Waker;
    static constexpr std::size_t kEventsPerTurnMax = 256;

    EventLoop(const Clock& clock, FileDescriptor epoll, FileDescriptor wake);
    Result<void> control(int operation, int descriptor, FdHandler& handler, std::uint32_t bits);
    void release(FdHandler& handler);
    int waitFor(Duration waitMax);
    void callReady(int count);
    void callRepeats();
    void runMessage();
    void endTurn();

    const Clock& m_clock;
    FileDescriptor m_epoll;
    FileDescriptor m_wake;
    TimePoint m_now;
    TimePoint m_turnEndedAt;
    TimePoint m_slowTurnLoggedAt{};
    mutable WallTime m_wallNow{};
    mutable TimePoint m_wallReadAt{};
    BufferPool m_buffers;
    TimerQueue m_timers;
    std::vector<epoll_event> m_events;
    std::vector<Watch> m_watches;
    std::vector<std::uint32_t> m_freeWatches;
    std::vector<Again> m_again;
    std::vector<Again> m_againNow;
    std::vector<TurnEndHandler*> m_turnEnds;
    std::vector<TurnEndHandler*> m_turnEndsNow;
    std::vector<Doomed> m_doomed;
    std::atomic<bool> m_isStopping{false};
    bool m_hasMessages = false;
    bool m_canWaitExactly = true; // epoll_pwait2() exists.
    std::unique_ptr<Waker> m_waker;
    Mailbox<std::unique_ptr<Task>> m_mailbox;
    Affinity m_affinity;
};

} // namespace mesh::net
