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
#include <vector>

namespace mesh::api {

// Compile this document for the engine's node and run it; all or nothing. Done: Applied.
struct ApplyDocument
{
    std::shared_ptr<const model::Document> document;
    // Not empty: only if this is what the engine runs when the command's turn comes; else nothing
    // changes and it is done with Conflict, whose text and `problems` name what runs instead.
    std::string onlyIfHash = {};
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

enum class Maintenance : std::uint8_t { Off, On };

// On: the gateway's listeners take no new connection and those that stand are asked to leave; the
// rest of the node goes on. Off: it listens again, on the same addresses. Asking for what is so
// already is done at once. Done: Applied. Errors: Unavailable when an address cannot be bound
// again.
struct SetMaintenance
{
    Maintenance maintenance = Maintenance::Off;
};

// Which headers access events carry from now on, by lower-case name; empty: none. Secrets are
// masked. At most kTapHeadersMax; more is LimitExceeded.
struct SetTapHeaders
{
    std::vector<std::string> names;
};

// What checks and ejection find out about targets of this upstream (empty: of all) reaches
// balancing this much later from now on; zero: at once. For rehearsals: news of endpoints that are
// late. Engines of this process only. Done: Applied.
struct DelayVerdicts
{
    std::string upstream;
    Duration by{};
};

// All that can be asked of an engine. A feature adds an alternative, never a virtual function.
using Command = std::variant<
    ApplyDocument,
    SetTargetHealth,
    Drain,
    SetLogLevel,
    SetMaintenance,
    SetTapHeaders,
    DelayVerdicts>;

} // namespace mesh::api
