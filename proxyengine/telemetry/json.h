#pragma once

#include "proxyengine/telemetry/frame.h"

#include <string>
#include <string_view>

// Frames as JSON, for event streams: one object, no line feed. Times are UTC text, latencies the
// histogram's pairs [bucket, count] and the quantiles p50, p95 and p99 in milliseconds.
namespace mesh::telemetry {

// {"kind":"stats","time":...,"node":...,"interval_ms":...,"sequence":...,"hash":...,
//  "policy":[...],"states":[...],"requests":[...],"attempts":[...],"health":[...],
//  "connections":...}
[[nodiscard]] std::string toJson(const StatsFrame& frame);

// {"upstream","target","workload","weight","health","reason","since","ejected","suppressed","zone",
//  "version"}
[[nodiscard]] std::string toJson(const TargetHealth& health);

} // namespace mesh::telemetry
