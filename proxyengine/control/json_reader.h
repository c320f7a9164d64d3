#pragma once

#include "proxyengine/base/time.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>

// Typed access to JSON of unknown shape: what is absent or of another type reads as empty or zero.
// Only for the .cpp files of control.
namespace mesh::control {

// Null when there is no such member.
[[nodiscard]] const nlohmann::ordered_json& memberOf(
    const nlohmann::ordered_json& json, const char* key
);
[[nodiscard]] std::string textOf(const nlohmann::ordered_json& json, const char* key);
[[nodiscard]] std::int64_t integerOf(const nlohmann::ordered_json& json, const char* key);
[[nodiscard]] std::uint64_t countOf(const nlohmann::ordered_json& json, const char* key);
[[nodiscard]] double numberOf(const nlohmann::ordered_json& json, const char* key);
// Microseconds since the epoch.
[[nodiscard]] WallTime wallTimeOf(const nlohmann::ordered_json& json, const char* key);
// An empty array when it is none.
[[nodiscard]] const nlohmann::ordered_json& listOf(
    const nlohmann::ordered_json& json, const char* key
);

} // namespace mesh::control
