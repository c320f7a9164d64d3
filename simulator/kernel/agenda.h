#pragma once

#include "proxyengine/base/assert.h"
#include "simulator/kernel/event_heap.h"
#include "simulator/kernel/timer_wheel.h"

#include <cstddef>
#include <limits>

namespace mesh::simulator {

// All that is still to happen in one run, its clock, and the fingerprint of what has happened.
//
// Events come in the order (time, sequence): at equal times, what was scheduled first comes first,
// timers included. Time never goes back.
// Cost: a near event is one push and one pop of a heap; a timer that is cancelled never meets it.
class Agenda
{
public:
    // Room for this many near events without allocation.
    explicit Agenda(std::size_t nearEvents = 1024) { m_heap.reserve(nearEvents); }

    [[nodiscard]] TimePoint now() const { return TimePoint(Duration(toSigned(m_now))); }

    // For what is near and will surely happen: an arrival, the end of a service. `wait` >= 0.
    void schedule(Duration wait, const Event& event) { m_heap.push(nextKey(wait), event); }

    // For what is far away or will probably be cancelled: a timeout. `wait` >= 0.
    TimerHandle startTimer(Duration wait, const Event& event)
    {
        return m_wheel.start(nextKey(wait), event, m_heap);
    }

    // False when it has fired already, was cancelled, or never was.
    bool cancel(TimerHandle timer) { return m_wheel.cancel(timer); }

    // Takes out the next event that is due at or before `last`, and moves the clock to it. False:
    // there is none, and the clock stands where it stood.
    bool next(TimePoint last, TimedEvent& event)
    {
        const auto end = static_cast<std::uint64_t>(last.time_since_epoch().count());
        while (bringUp()) {
            if (m_heap.top().key.time > end) {
                return false;
            }
            const EventHeap::Node node = m_heap.pop();
            event.event = node.event;
            if (node.event.kind == kReservedKind && !m_wheel.take(node.event, event.event)) {
                continue; // Cancelled: neither an event nor in the fingerprint.
            }
            m_now = node.key.time;
            event.at = now();
            ++m_happened;
            m_hash.add(m_now, event.event);
            return true;
        }
        return false;
    }

    // What will probably be next, so that its model can fetch what it will need; null: unknown.
    [[nodiscard]] const Event* probablyNext() const
    {
        return m_heap.isEmpty() ? nullptr : &m_heap.top().event;
    }

    // Mixes a verdict or an outcome into the fingerprint.
    void note(std::uint64_t word) { m_hash.add(word); }

    [[nodiscard]] std::uint64_t fingerprint() const { return m_hash.value(); }
    [[nodiscard]] std::uint64_t happened() const { return m_happened; } // Events so far.
    [[nodiscard]] std::size_t timersWaiting() const { return m_wheel.waiting(); }
    // Near events, and timers that are near, cancelled ones included.
    [[nodiscard]] std::size_t nearCount() const { return m_heap.size(); }

private:
    static std::int64_t toSigned(std::uint64_t time) { return static_cast<std::int64_t>(time); }

    EventKey nextKey(Duration wait)
    {
        MESH_ASSERT(wait >= Duration::zero());
        return {m_now + static_cast<std::uint64_t>(wait.count()), m_sequence++};
    }

    // Makes the heap's first node the first of all; false when nothing is left.
    bool bringUp()
    {
        if (!m_heap.isEmpty()) {
            if (m_heap.top().key.time >= m_wheel.horizon()) {
                m_wheel.pourUntil(m_heap.top().key.time, m_heap);
            }
            return true;
        }
        return m_wheel.pourNext(m_heap);
    }

    EventHeap m_heap;
    TimerWheel m_wheel;
    std::uint64_t m_now = 0;
    std::uint64_t m_sequence = 0;
    std::uint64_t m_happened = 0;
    EventHash m_hash;
};

// The run loop: gives `model.handle(const TimedEvent&)` everything that is due until `last`, which
// may schedule more. Ends when nothing is left or what is left is later. Returns how many events
// were handled.
template <typename Model>
std::uint64_t runUntil(Agenda& agenda, TimePoint last, Model& model)
{
    const std::uint64_t before = agenda.happened();
    TimedEvent event{};
    while (agenda.next(last, event)) {
        model.handle(event);
    }
    return agenda.happened() - before;
}

} // namespace mesh::simulator
