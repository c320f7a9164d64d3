#include "proxyengine/net/timer_queue.h"

#include <algorithm>

namespace mesh::net {
namespace {
constexpr std::size_t kChildren = 4; // A node's children share a cache line.
}

Timer::~Timer() { m_queue.remove(*this); }

void Timer::arm(TimePoint deadline)
{
    m_deadline = deadline;
    if (m_place == kOutside) {
        m_queue.insert(*this, deadline);
        return;
    }
    TimerQueue::Entry& entry = m_queue.m_heap[m_place];
    if (deadline < entry.key) {
        entry.key = deadline;
        m_queue.siftUp(m_place);
    }
}

void TimerQueue::run(TimePoint now)
{
    while (!m_heap.empty() && m_heap.front().key <= now) {
        Timer& timer = *m_heap.front().timer;
        if (timer.m_deadline <= now) {
            remove(timer);
            m_due.push_back(&timer);
        } else if (timer.isArmed()) {
            m_heap.front().key = timer.m_deadline;
            siftDown(0);
        } else {
            remove(timer);
        }
    }
    for (std::size_t at = 0; at < m_due.size(); ++at) {
        Timer* const timer = m_due[at];
        // One that was armed again by an earlier handler is back in the heap.
        if (timer != nullptr && timer->isArmed() && timer->m_place == Timer::kOutside) {
            m_due[at] = nullptr;
            timer->m_deadline = Timer::kNever;
            timer->m_handler.onTimer(*timer);
        }
    }
    m_due.clear();
}

void TimerQueue::insert(Timer& timer, TimePoint key)
{
    m_heap.push_back({key, &timer});
    timer.m_place = static_cast<std::uint32_t>(m_heap.size() - 1);
    siftUp(m_heap.size() - 1);
}

void TimerQueue::remove(Timer& timer)
{
    if (!m_due.empty()) {
        std::ranges::replace(m_due, &timer, static_cast<Timer*>(nullptr));
    }
    if (timer.m_place == Timer::kOutside) {
        return;
    }
    const std::size_t place = timer.m_place;
    timer.m_place = Timer::kOutside;
    const Entry final = m_heap.back();
    m_heap.pop_back();
    if (place < m_heap.size()) {
        put(place, final);
        siftUp(place);
        siftDown(final.timer->m_place);
    }
}

void TimerQueue::siftUp(std::size_t place)
{
    const Entry moving = m_heap[place];
    while (place > 0) {
        const std::size_t parent = (place - 1) / kChildren;
        if (m_heap[parent].key <= moving.key) {
            break;
        }
        put(place, m_heap[parent]);
        place = parent;
    }
    put(place, moving);
}

void TimerQueue::siftDown(std::size_t place)
{
    const Entry moving = m_heap[place];
    for (;;) {
        const std::size_t begin = place * kChildren + 1;
        if (begin >= m_heap.size()) {
            break;
        }
        const std::size_t end = std::min(begin + kChildren, m_heap.size());
        std::size_t least = begin;
        for (std::size_t child = begin + 1; child < end; ++child) {
            if (m_heap[child].key < m_heap[least].key) {
                least = child;
            }
        }
        if (moving.key <= m_heap[least].key) {
            break;
        }
        put(place, m_heap[least]);
        place = least;
    }
    put(place, moving);
}

void TimerQueue::put(std::size_t place, Entry entry)
{
    m_heap[place] = entry;
    entry.timer->m_place = static_cast<std::uint32_t>(place);
}

} // namespace mesh::net
