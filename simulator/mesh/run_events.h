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
inline constexpr std::uint32_t kFaultSteps = 13; // A flap or a swizzle (subject).
inline constexpr std::uint32_t kArrived = 14; // A visit.
inline constexpr std::uint32_t kGoesOn = 15; // A visit whose script was stopped.
inline constexpr std::uint32_t kConnected = 16; // An attempt.
inline constexpr std::uint32_t kAnswerArrives = 17; // An attempt; its status (subject).
inline constexpr std::uint32_t kReset = 18; // An attempt.
inline constexpr std::uint32_t kConnectionFreed = 19; // Of a proxy (subject) to a callee (item).
inline constexpr std::uint32_t kProbesDue = 20; // Likewise.
inline constexpr std::uint32_t kProbeEnds = 21; // Likewise; the host (detail).
inline constexpr std::uint32_t kChangeSeen = 22; // Likewise; host and availability (detail).
inline constexpr std::uint32_t kInjectedDelayOver = 23; // A call.
inline constexpr std::uint32_t kDeploySeen = 24; // Of a proxy (subject) to a callee (item).
inline constexpr std::uint32_t kLingerOver = 25; // A fault (subject) at an instance (item).

} // namespace mesh::simulator
