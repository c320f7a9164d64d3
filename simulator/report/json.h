#pragma once

#include "simulator/report/rehearsal.h"

#include <string>

namespace mesh::simulator {

// The result for programs, indented JSON with a final newline:
//
//     {scenario, seed, replications, verdict, stopped_by, event_hash, events, hops, wall_seconds,
//      entries, faults: [{text, instances}],
//      variants: {NAME: {windows: {WINDOW: {SERVICE: {calls, rps, success, mean_ms, p50_ms, p90_ms,
//                        p99_ms, p999_ms, inflight, utilization, amplification, goodput}}},
//                        edges: {...the same; utilization is null...},
//                        asserts: [{text, window, value, interval, hit, holds}],
//                        reaction: {...}, worst_replication, event_hash, events}},
//      comparisons: [{text, candidate, reference, value, interval, hit, holds}],
//      ablation: {POLICY: {success, success_interval, p99_ms, p99_ms_interval, amplification}},
//      live: {...as a variant; in the modes live and both...}, trust: {...}}
//
// Hashes are 16 hexadecimal digits, as texts. What was not measured is null. Replications count
// from 0.
[[nodiscard]] std::string toJson(const Rehearsal& rehearsal);

} // namespace mesh::simulator
