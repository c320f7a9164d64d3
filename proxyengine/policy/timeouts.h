#pragma once

#include "proxyengine/base/time.h"

#include <cstdint>

namespace mesh::policy {

// A service's timeouts, each for one attempt: connect in all, write and read between two steps.
struct AttemptTimeouts
{
    Duration connect{};
    Duration write{};
    Duration read{};
};

enum class AttemptPhase : std::uint8_t {
    Connecting,
    Writing, // Bytes of the request wait for the upstream to take them.
    Reading, // Bytes of the answer are awaited.
    Done, // Nothing is awaited from the upstream.
};

// When an attempt has waited too long; TimePoint::max() in Done. `progressAt` is when the phase
// began or its last byte moved.
[[nodiscard]] constexpr TimePoint attemptDeadline(
    const AttemptTimeouts& timeouts, AttemptPhase phase, TimePoint progressAt
)
{
    switch (phase) {
    case AttemptPhase::Connecting:
        return progressAt + timeouts.connect;
    case AttemptPhase::Writing:
        return progressAt + timeouts.write;
    case AttemptPhase::Reading:
        return progressAt + timeouts.read;
    case AttemptPhase::Done:
        break;
    }
    return TimePoint::max();
}

} // namespace mesh::policy
