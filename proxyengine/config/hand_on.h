#pragma once

#include "proxyengine/config/check_document.h"
#include "proxyengine/model/document.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

// Mirrors and fallbacks: how one service hands requests on to another, and that none of them goes
// round in a circle.
namespace mesh::config {

enum class HandOn : std::uint8_t { Mirror, Fallback };

using ServicesByName = std::unordered_map<std::string_view, const model::Service*>;

// Where the other service is named, below `resilience`.
[[nodiscard]] std::string_view keyOf(HandOn way);

// Name of the other service; null when nothing is handed on.
[[nodiscard]] const std::string* nextOf(const model::Resilience& resilience, HandOn way);

// What is wrong with a route that hands on to where its requests go anyway, at once or by the
// services in between; empty when nothing is. `callees`: the services that the route calls.
[[nodiscard]] std::string circleOfRoute(
    const model::Resilience& resilience,
    const std::vector<const model::Service*>& callees,
    HandOn way,
    const ServicesByName& services
);

// Every circle of services, once, at its first service in the document.
void checkCircles(
    const model::Document& document, const ServicesByName& services, std::vector<Finding>& findings
);

} // namespace mesh::config
