#pragma once

#include <cstdint>

namespace mesh::simulator {

// Kinds of events of a MeshRun. `subject` is a generator, a fault or a proxy; otherwise item and
// detail name something in a slab. Numbers are part of the fingerprints: append only.
enum MeshEvent : std::uint32_t {
    kArrive = 1,
    kFaultBegins = 2,
    kFaultEnds = 3,
    kSweep = 4, // Of the detector of a proxy (subject) for a callee (item).
    kCallRefused = 5,
    kDeadline = 6,
    kBackoffOver = 7,
    kConnectFailed = 8,
    kTryTimeout = 9,
    kAnswer = 10, // A visit that was rejected or refused says so.
    kWorked = 11,
    kHedge = 12,
};

} // namespace mesh::simulator
