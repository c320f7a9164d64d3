#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/log.h"
#include "proxyengine/base/strong_id.h"
#include "proxyengine/base/time.h"
#include "proxyengine/model/document.h"

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

namespace mesh::api {

// Compile this document for the engine's node and run it; all or nothing. Done: Applied.
struct ApplyDocument
{
    std::shared_ptr<const model::Document> document;
};

enum class HealthOverride : std::uint8_t { None, Healthy, Unhealthy };

// An operator's word about one target; holds until the next ApplyDocument that drops the target.
struct SetTargetHealth
{
    std::string upstream;
    std::string target;
    HealthOverride health = HealthOverride::None;
};

// Stop accepting, finish what is in flight for at most `grace`, then close.
struct Drain
{
    Duration grace{};
};

struct SetLogLevel
{
    LogLevel level = LogLevel::Info;
};

// All that can be asked of an engine. A feature adds an alternative, never a virtual function.
using Command = std::variant<ApplyDocument, SetTargetHealth, Drain, SetLogLevel>;

} // namespace mesh::api
