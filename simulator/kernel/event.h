#pragma once

#include "proxyengine/base/time.h"

#include <bit>
#include <cstdint>

// What happens in virtual time. Events are plain values that a model tells apart by `kind`; nothing
// is virtual and nothing is allocated for one.
namespace mesh::simulator {

// A place in the total order of a run: first by time, then by the order of scheduling.
struct EventKey
{
    std::uint64_t time = 0; // Nanoseconds since the start of the run.
    std::uint64_t sequence = 0;

    // One comparison of 128 bits instead of two branches.
    friend constexpr bool operator<(EventKey a, EventKey b)
    {
        __extension__ using Wide = unsigned __int128;
        return ((Wide{a.time} << 64U) | a.sequence) < ((Wide{b.time} << 64U) | b.sequence);
    }
};

// Who is to do what. The meaning of all fields is the model's.
struct Event
{
    std::uint32_t kind = 0; // Below kReservedKind.
    std::uint32_t subject = 0; // An instance, a proxy, a generator, ...
    std::uint32_t item = 0; // A request or an attempt, by its place in its slab.
    std::uint32_t detail = 0;

    friend constexpr bool operator==(const Event&, const Event&) = default;
};

inline constexpr std::uint32_t kReservedKind = 0xffff'ffffU; // A timer, inside the kernel.

// An event at its time; what a model is given.
struct TimedEvent
{
    TimePoint at;
    Event event;
};

// The fingerprint of a run: of all events in their order. Two runs that differ in one field of one
// event, or in the order of two, have different fingerprints but for one case in 2^64. Integers
// only, so it is the same in every build.
class EventHash
{
public:
    void add(std::uint64_t time, const Event& event)
    {
        mix(time, (std::uint64_t{event.kind} << 32U) | event.subject);
        mix((std::uint64_t{event.item} << 32U) | event.detail, 0);
    }

    // For what is not an event: an outcome, a verdict.
    void add(std::uint64_t word) { mix(word, 1); }

    [[nodiscard]] std::uint64_t value() const
    {
        std::uint64_t mixed = m_state;
        mixed = (mixed ^ (mixed >> 32U)) * 0xd6e8feb86659fd93U;
        return mixed ^ (mixed >> 32U);
    }

private:
    // Invertible in m_state, so that nothing that came before is ever lost.
    void mix(std::uint64_t first, std::uint64_t second)
    {
        m_state = (std::rotl(m_state, 27) ^ first) * 0x9e3779b97f4a7c15U + second;
    }

    std::uint64_t m_state = 0x243f6a8885a308d3U; // Of pi; any but zero.
};

} // namespace mesh::simulator
