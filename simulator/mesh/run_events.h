#pragma once

#include <cstdint>

namespace mesh::simulator {

// Kinds of events of a MeshRun. `subject` is a generator, a fault or a proxy; otherwise item and
// detail name something in a slab. Numbers are part of the fingerprints: append only.
inline constexpr std::uint32_t kArrive = 1;
inline constexpr std::uint32_t kFaultBegins = 2;
inline constexpr std::uint32_t kFaultEnds = 3;
inline constexpr std::uint32_t kSweep = 4; // The detector of a proxy (subject), callee (item).
inline constexpr std::uint32_t kCallRefused = 5;
inline constexpr std::uint32_t kDeadline = 6;
inline constexpr std::uint32_t kBackoffOver = 7;
inline constexpr std::uint32_t kConnectFailed = 8;
inline constexpr std::uint32_t kTryTimeout = 9;
inline constexpr std::uint32_t kAnswer = 10; // A visit that was rejected or refused says so.
inline constexpr std::uint32_t kWorked = 11;
inline constexpr std::uint32_t kHedge = 12;

} // namespace mesh::simulator
