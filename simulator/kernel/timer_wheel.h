#pragma once

#include "simulator/kernel/event.h"
#include "simulator/kernel/event_heap.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

namespace mesh::simulator {

// Names a timer. One that has fired or was cancelled names nothing any more, even when its place is
// used again.
struct TimerHandle
{
    std::uint32_t index = 0;
    std::uint32_t generation = 0; // 0: never a timer.

    [[nodiscard]] bool isNone() const { return generation == 0; }
    friend constexpr bool operator==(const TimerHandle&, const TimerHandle&) = default;
};

// Timers that wait, apart from the events that are near: most are cancelled long before they are
// due, which is cheap here and dear in a heap.
//
// Wheels of 64 slots over one another, a slot of the lowest being one tick of 2^14 ns (16 us). The
// wheel knows timers by ticks only; when their tick comes they are poured into the heap with their
// exact keys, and so take part in the one total order.
// Cost: O(1) to start and to cancel; each timer moves at most eight times. Allocates only when more
//       timers wait than ever before.
// Source: Varghese and Lauck, "Hashed and hierarchical timing wheels", 1987; the choice of a level
//         by the highest differing bit follows tokio.
class TimerWheel
{
public:
    static constexpr unsigned kTickBits = 14;

    // The next moment that is not poured yet; a timer before it must go through the heap.
    [[nodiscard]] std::uint64_t horizon() const { return (m_tick + 1) << kTickBits; }

    // `heap` takes the timer at once when it is due before the horizon.
    TimerHandle start(EventKey key, const Event& event, EventHeap& heap);

    // False when the handle names no timer. A timer already in the heap is only forgotten here;
    // its node is dropped when it comes up.
    bool cancel(TimerHandle timer);

    // Pours all timers that are due up to and including `time`, and moves the horizon beyond it.
    void pourUntil(std::uint64_t time, EventHeap& heap)
    {
        if (m_hanging == 0) {
            m_tick = std::max(m_tick, time >> kTickBits);
        } else {
            pourHanging(time, heap);
        }
    }

    // Pours the timers of the next tick that has any; false when no timer waits in the wheel.
    bool pourNext(EventHeap& heap);

    // The event of a node of kReservedKind that came out of the heap; false: it was cancelled.
    bool take(const Event& marker, Event& event);

    [[nodiscard]] std::size_t waiting() const { return m_waiting; } // Neither fired nor cancelled.

private:
    static constexpr unsigned kSlotBits = 6;
    static constexpr std::size_t kSlots = 1U << kSlotBits;
    static constexpr std::size_t kLevels = 9; // 9 * 6 + 14 bits: more than all of time.
    static constexpr std::uint32_t kNobody = 0xffff'ffffU;
    static constexpr std::uint32_t kNowhere = 0xffff'ffffU; // In the heap.

    struct Timer
    {
        EventKey key;
        Event event;
        std::uint32_t next = kNobody; // In its slot, or among the free ones.
        std::uint32_t previous = kNobody;
        std::uint32_t slot = kNowhere;
        std::uint32_t generation = 1;
    };

    void pourHanging(std::uint64_t time, EventHeap& heap);
    void hang(std::uint32_t index);
    void unhang(std::uint32_t index);
    void pour(std::uint32_t index, EventHeap& heap);
    void release(std::uint32_t index);
    bool openNextSlot(std::uint64_t lastTick, EventHeap& heap);

    std::vector<Timer> m_timers;
    std::uint32_t m_free = kNobody;
    std::size_t m_waiting = 0;
    std::size_t m_hanging = 0; // In slots: those that wait and are not in the heap.
    std::uint64_t m_tick = 0; // All timers up to this tick are in the heap.
    std::array<std::uint64_t, kLevels> m_occupied{}; // Bit s: slot s has timers.
    std::array<std::uint32_t, kLevels* kSlots> m_heads = [] {
        std::array<std::uint32_t, kLevels * kSlots> heads{};
        heads.fill(kNobody);
        return heads;
    }();
};

} // namespace mesh::simulator
