#include "simulator/kernel/timer_wheel.h"

#include "proxyengine/base/assert.h"

#include <bit>

namespace mesh::simulator {

TimerHandle TimerWheel::start(EventKey key, const Event& event, EventHeap& heap)
{
    std::uint32_t index = m_free;
    if (index == kNobody) {
        MESH_ASSERT(m_timers.size() < kNobody);
        index = static_cast<std::uint32_t>(m_timers.size());
        m_timers.emplace_back();
    } else {
        m_free = m_timers[index].next;
    }
    Timer& timer = m_timers[index];
    timer.key = key;
    timer.event = event;
    ++m_waiting;
    if (key.time < horizon()) {
        pour(index, heap);
    } else {
        hang(index);
    }
    return {index, timer.generation};
}

bool TimerWheel::cancel(TimerHandle timer)
{
    if (timer.isNone() || timer.index >= m_timers.size()
        || m_timers[timer.index].generation != timer.generation) {
        return false;
    }
    if (m_timers[timer.index].slot != kNowhere) {
        unhang(timer.index);
    }
    release(timer.index);
    return true;
}

void TimerWheel::pourHanging(std::uint64_t time, EventHeap& heap)
{
    const std::uint64_t lastTick = time >> kTickBits;
    if (lastTick <= m_tick) {
        return;
    }
    while (openNextSlot(lastTick, heap)) {
    }
    m_tick = lastTick;
}

bool TimerWheel::pourNext(EventHeap& heap)
{
    const std::size_t before = heap.size();
    while (heap.size() == before) {
        if (!openNextSlot(~std::uint64_t{0}, heap)) {
            return false;
        }
    }
    return true;
}

bool TimerWheel::take(const Event& marker, Event& event)
{
    const Timer& timer = m_timers[marker.subject];
    if (timer.generation != marker.item) {
        return false;
    }
    event = timer.event;
    release(marker.subject);
    return true;
}

void TimerWheel::hang(std::uint32_t index)
{
    Timer& timer = m_timers[index];
    const std::uint64_t tick = timer.key.time >> kTickBits;
    MESH_ASSERT(tick > m_tick);
    const auto highest = static_cast<unsigned>(std::bit_width(tick ^ m_tick)) - 1U;
    const unsigned level = highest / kSlotBits;
    const auto slot = static_cast<std::uint32_t>((tick >> (level * kSlotBits)) & (kSlots - 1));
    timer.slot = level * static_cast<std::uint32_t>(kSlots) + slot;
    timer.previous = kNobody;
    timer.next = m_heads[timer.slot];
    if (timer.next != kNobody) {
        m_timers[timer.next].previous = index;
    }
    m_heads[timer.slot] = index;
    m_occupied[level] |= std::uint64_t{1} << slot;
    ++m_hanging;
}

void TimerWheel::unhang(std::uint32_t index)
{
    const Timer& timer = m_timers[index];
    --m_hanging;
    if (timer.next != kNobody) {
        m_timers[timer.next].previous = timer.previous;
    }
    if (timer.previous != kNobody) {
        m_timers[timer.previous].next = timer.next;
        return;
    }
    m_heads[timer.slot] = timer.next;
    if (timer.next == kNobody) {
        m_occupied[timer.slot / kSlots] &= ~(std::uint64_t{1} << (timer.slot % kSlots));
    }
}

void TimerWheel::pour(std::uint32_t index, EventHeap& heap)
{
    Timer& timer = m_timers[index];
    timer.slot = kNowhere;
    heap.push(timer.key, {kReservedKind, index, timer.generation, 0});
}

void TimerWheel::release(std::uint32_t index)
{
    Timer& timer = m_timers[index];
    // A generation of 0 would look like no timer at all.
    timer.generation = timer.generation == kNobody ? 1 : timer.generation + 1;
    timer.slot = kNowhere;
    timer.next = m_free;
    m_free = index;
    --m_waiting;
}

// The timers of a level lie in slots after the present one, and all of a lower level come before
// all of a higher one: the lowest bit of the lowest level is the earliest slot.
bool TimerWheel::openNextSlot(std::uint64_t lastTick, EventHeap& heap)
{
    unsigned level = 0;
    while (level < kLevels && m_occupied[level] == 0) {
        ++level;
    }
    if (level == kLevels) {
        return false;
    }
    const auto slot = static_cast<std::uint64_t>(std::countr_zero(m_occupied[level]));
    const unsigned shift = level * kSlotBits;
    const unsigned above = shift + kSlotBits;
    const std::uint64_t prefix = above >= 64 ? 0 : (m_tick >> above) << above;
    const std::uint64_t begin = prefix | (slot << shift);
    if (begin > lastTick) {
        return false;
    }
    m_tick = begin;
    std::uint32_t& head = m_heads[level * kSlots + slot];
    std::uint32_t index = head;
    head = kNobody;
    m_occupied[level] &= m_occupied[level] - 1;
    while (index != kNobody) {
        const std::uint32_t next = m_timers[index].next;
        --m_hanging;
        if (m_timers[index].key.time < horizon()) {
            pour(index, heap);
        } else {
            hang(index);
        }
        index = next;
    }
    return true;
}

} // namespace mesh::simulator
