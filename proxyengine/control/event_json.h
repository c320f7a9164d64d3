#pragma once

#include "proxyengine/api/event.h"
#include "proxyengine/base/error.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Events as lines of JSON: what GET /v1/events streams and RemoteEngine reads.
namespace mesh::control {

// Which events a subscriber asked for, one bit each. CommandDone never leaves the node.
struct EventKinds
{
    bool state = true;
    bool stats = true;
    bool health = true;
    bool policy = true;
    bool access = true;
    // Of requests, in lower case: those that access events carry; empty: none.
    std::vector<std::string> headers = {};

    [[nodiscard]] bool includes(const api::Event& event) const;
    friend bool operator==(const EventKinds&, const EventKinds&) = default;
};

// Reads "stats,access"; empty means all. Errors: InvalidArgument that lists the kinds.
[[nodiscard]] Result<EventKinds> parseEventKinds(std::string_view text);

// Reads "user-agent, x-version". Errors: InvalidArgument for what is no header's name;
//         LimitExceeded above kTapHeadersMax.
[[nodiscard]] Result<std::vector<std::string>> parseTapHeaders(std::string_view text);

// {"kind":"health","time":"2026-03-14T09:14:03.128Z","node":"edge-1",...} without a line end.
// Never called with CommandDone. `time` stands where the event itself has none.
[[nodiscard]] std::string toJsonLine(const api::Event& event, WallTime time);

// The event of one line. Histograms and counters come back exactly.
// Errors: Syntax, MissingField or InvalidArgument; Unsupported for a kind this version does not
//         know, which a reader skips.
[[nodiscard]] Result<api::Event> fromJsonLine(std::string_view line);

// "starting", "running", "draining", "stopped", "unreachable".
std::string_view toText(api::EngineState state);

} // namespace mesh::control
