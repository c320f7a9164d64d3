#include "proxyengine/net/event_loop.h"

#include "proxyengine/base/log.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace mesh::net {

static_assert(Ready::kRead == EPOLLIN && Ready::kWrite == EPOLLOUT);
static_assert(Ready::kBroken == (EPOLLERR | EPOLLHUP) && Ready::kPeerEnded == EPOLLRDHUP);

// The event descriptor is edge-triggered and never read: each push is an edge of its own.
class EventLoop::Waker final : public FdHandler
{
public:
    explicit Waker(EventLoop& loop)
        : m_loop(loop)
    {}
    void onReady(Ready) override { m_loop.m_hasMessages = true; }

private:
    EventLoop& m_loop;
};

namespace {

constexpr Duration kSlowTurnLogInterval = std::chrono::seconds(1);

void wakeUp(int eventDescriptor)
{
    const std::uint64_t one = 1;
    static_cast<void>(!::write(eventDescriptor, &one, sizeof(one)));
}

} // namespace

Result<std::unique_ptr<EventLoop>> EventLoop::make(const Clock& clock)
{
    FileDescriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll.isOpen()) {
        return failErrno("cannot make an epoll descriptor", errno);
    }
    FileDescriptor wake(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (!wake.isOpen()) {
        return failErrno("cannot make an event descriptor", errno);
    }
    std::unique_ptr<EventLoop> loop(new EventLoop(clock, std::move(epoll), std::move(wake)));
    MESH_TRY_VOID(
        loop->control(EPOLL_CTL_ADD, loop->m_wake.get(), *loop->m_waker, EPOLLIN | EPOLLET)
    );
    return loop;
}

EventLoop::EventLoop(const Clock& clock, FileDescriptor epoll, FileDescriptor wake)
    : m_clock(clock)
    , m_epoll(std::move(epoll))
    , m_wake(std::move(wake))
    , m_now(clock.now())
    , m_turnEndedAt(m_now)
    , m_events(kEventsPerTurnMax)
    , m_waker(std::make_unique<Waker>(*this))
    , m_mailbox(kMailboxMessagesMax, [descriptor = m_wake.get()] { wakeUp(descriptor); })
{}

EventLoop::~EventLoop()
{
    while (!m_doomed.empty()) { // Destroying one may doom another.
        std::vector<Doomed> doomed;
        doomed.swap(m_doomed);
    }
}

void EventLoop::run()
{
    m_affinity.moveHere();
    while (!m_isStopping.load(std::memory_order_acquire)) {
        runTurn(Duration::max());
    }
    m_isStopping.store(false, std::memory_order_release);
}

void EventLoop::runTurn(Duration waitMax)
{
    const int count = waitFor(waitMax);
    m_now = m_clock.now();
    m_againNow.swap(m_again); // What is asked for during this turn waits for the next one.
    m_timers.run(m_now);
    callReady(count);
    callRepeats();
    runMessage();
    endTurn();
}

void EventLoop::stop()
{
    m_isStopping.store(true, std::memory_order_release);
    wakeUp(m_wake.get());
}

WallTime EventLoop::wallNow() const
{
    if (m_wallReadAt != m_now || m_wallNow == WallTime{}) {
        m_wallNow = m_clock.wallNow();
        m_wallReadAt = m_now;
    }
    return m_wallNow;
}

Result<void> EventLoop::watch(int descriptor, FdHandler& handler)
{
    return control(EPOLL_CTL_ADD, descriptor, handler, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

Result<void> EventLoop::watchLevel(int descriptor, FdHandler& handler, LevelInterest what)
{
    const std::uint32_t bits = (what != LevelInterest::Write ? EPOLLIN : 0U)
                               | (what != LevelInterest::Read ? EPOLLOUT : 0U);
    auto changed = control(EPOLL_CTL_MOD, descriptor, handler, bits);
    if (!changed && changed.error().native == ENOENT) {
        return control(EPOLL_CTL_ADD, descriptor, handler, bits);
    }
    return changed;
}

Result<void> EventLoop::control(
    int operation, int descriptor, FdHandler& handler, std::uint32_t bits
)
{
    std::uint32_t& place = handler.watchPlace.m_number;
    const bool isNew = place == 0;
    if (isNew) {
        if (m_freeWatches.empty()) {
            m_watches.emplace_back();
            place = static_cast<std::uint32_t>(m_watches.size());
        } else {
            place = m_freeWatches.back();
            m_freeWatches.pop_back();
        }
        m_watches[place - 1].handler = &handler;
    }
    epoll_event event{};
    event.events = bits;
    event.data.u64 = std::uint64_t{m_watches[place - 1].generation} << 32U | (place - 1);
    if (::epoll_ctl(m_epoll.get(), operation, descriptor, &event) == 0) {
        return {};
    }
    const int reason = errno;
    if (isNew) {
        release(handler);
    }
    return failErrno("cannot watch a descriptor", reason);
}

void EventLoop::release(FdHandler& handler)
{
    std::uint32_t& place = handler.watchPlace.m_number;
    if (place != 0) {
        Watch& watch = m_watches[place - 1];
        watch.handler = nullptr;
        ++watch.generation;
        m_freeWatches.push_back(std::exchange(place, 0));
    }
}

void EventLoop::forget(FdHandler& handler)
{
    release(handler);
    const auto forgetIn = [&handler](std::vector<Again>& list) {
        for (Again& again : list) {
            if (again.handler == &handler) {
                again.handler = nullptr;
            }
        }
    };
    forgetIn(m_again);
    forgetIn(m_againNow);
}

void EventLoop::unwatch(int descriptor, FdHandler& handler)
{
    epoll_event unused{};
    static_cast<void>(::epoll_ctl(m_epoll.get(), EPOLL_CTL_DEL, descriptor, &unused));
    forget(handler);
}

void EventLoop::callAgain(FdHandler& handler, Ready ready)
{
    m_again.push_back({&handler, ready.bits()});
}

void EventLoop::callAtTurnEnd(TurnEndHandler& handler) { m_turnEnds.push_back(&handler); }

void EventLoop::forgetTurnEnd(TurnEndHandler& handler)
{
    std::ranges::replace(m_turnEnds, &handler, static_cast<TurnEndHandler*>(nullptr));
    std::ranges::replace(m_turnEndsNow, &handler, static_cast<TurnEndHandler*>(nullptr));
}

int EventLoop::waitFor(Duration waitMax)
{
    Duration wait = waitMax;
    if (m_hasMessages || !m_again.empty() || !m_turnEnds.empty()) {
        wait = Duration::zero();
    } else if (const TimePoint next = m_timers.next(); next != Timer::kNever) {
        wait = std::clamp(next - m_turnEndedAt, Duration::zero(), waitMax);
    }

    int count = -1;
    if (wait == Duration::zero()) {
        count = ::epoll_wait(m_epoll.get(), m_events.data(), kEventsPerTurnMax, 0);
    } else if (wait >= std::chrono::hours(24)) {
        count = ::epoll_wait(m_epoll.get(), m_events.data(), kEventsPerTurnMax, -1);
    } else {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(wait);
        const timespec limit{seconds.count(), (wait - seconds).count()};
        if (m_canWaitExactly) {
            count =
                ::epoll_pwait2(m_epoll.get(), m_events.data(), kEventsPerTurnMax, &limit, nullptr);
            m_canWaitExactly = count >= 0 || errno != ENOSYS;
        }
        if (!m_canWaitExactly) {
            const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(wait);
            count = ::epoll_wait(
                m_epoll.get(), m_events.data(), kEventsPerTurnMax, static_cast<int>(rounded.count())
            );
        }
    }
    return std::max(count, 0); // EINTR is a turn without events.
}

void EventLoop::callReady(int count)
{
    for (std::size_t at = 0; at < static_cast<std::size_t>(count); ++at) {
        const epoll_event event = m_events[at];
        const Watch& watch = m_watches[static_cast<std::uint32_t>(event.data.u64)];
        if (watch.handler != nullptr && watch.generation == event.data.u64 >> 32U) {
            watch.handler->onReady(Ready(event.events)); // May add watches.
        }
    }
}

void EventLoop::callRepeats()
{
    for (std::size_t at = 0; at < m_againNow.size(); ++at) {
        const Again again = m_againNow[at];
        if (again.handler != nullptr) {
            again.handler->onReady(Ready(again.bits));
        }
    }
    m_againNow.clear();
}

void EventLoop::runMessage()
{
    if (!m_hasMessages) {
        return;
    }
    if (const auto message = m_mailbox.pop()) {
        (*message)->run();
    } else {
        m_hasMessages = false;
    }
}

void EventLoop::endTurn()
{
    if (!m_turnEnds.empty()) {
        m_turnEndsNow.swap(m_turnEnds);
        for (std::size_t at = 0; at < m_turnEndsNow.size(); ++at) {
            if (m_turnEndsNow[at] != nullptr) {
                m_turnEndsNow[at]->onTurnEnd();
            }
        }
        m_turnEndsNow.clear();
    }
    while (!m_doomed.empty()) { // Destroying one may doom another.
        std::vector<Doomed> doomed;
        doomed.swap(m_doomed);
    }

    m_turnEndedAt = m_clock.now();
    const Duration length = m_turnEndedAt - m_now;
    if (length > kTurnLengthMax && m_turnEndedAt - m_slowTurnLoggedAt >= kSlowTurnLogInterval) {
        m_slowTurnLoggedAt = m_turnEndedAt;
        MESH_LOG(Warn, "loop.turn_exceeded", kv("length", length));
    }
}

} // namespace mesh::net
