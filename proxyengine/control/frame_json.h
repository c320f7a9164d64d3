#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/telemetry/frame.h"

#include <nlohmann/json_fwd.hpp>

// Frames and health as JSON values. Only for the .cpp files of control.
namespace mesh::control {

[[nodiscard]] nlohmann::ordered_json healthToJson(const telemetry::TargetHealth& health);
// What is missing reads as empty, an unknown state as HEALTHCHECKS_OFF.
[[nodiscard]] telemetry::TargetHealth healthFromJson(const nlohmann::ordered_json& json);

[[nodiscard]] nlohmann::ordered_json frameToJson(const telemetry::StatsFrame& frame);
// Errors: InvalidArgument when it is no object; LimitExceeded above kSeriesPerNodeMax series.
[[nodiscard]] Result<telemetry::StatsFrame> frameFromJson(const nlohmann::ordered_json& json);

} // namespace mesh::control
