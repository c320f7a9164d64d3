#pragma once

#include "proxyengine/model/document.h"
#include "simulator/report/rehearsal.h"

#include <optional>
#include <string>
#include <vector>

namespace mesh::simulator {

// How much more a service can carry, from what it was seen to carry.
//
// Source: utilisation law, U = X S: what carried X attempts per second at utilisation U carries X/U
// at most. Attempts that were refused before they met a worker count as work, so that the capacity
// may be more than it should by their share; with none refused it is exact.
struct ServiceMargin
{
    std::string service;
    double utilization = 0.0; // Before the faults; of the whole run when nothing was before.
    double load = 0.0; // Calls per second, then.
    double capacity = 0.0; // Attempts per second.
    double attempts = 1.0; // Per call, the most of any window.
    double hidden = 0.0; // Calls per second that fit into the capacity with that many attempts.
    double peakAttempts = 1.0; // Per call, the most of any ten seconds.
    // How many times its load fits when all calls need that many attempts. Below 1, an overload
    // that brings such attempts about keeps itself alive after its cause has gone.
    double collapseFactor = 0.0;
    std::optional<double> utilizationWithoutInstance; // Same work, one instance less; of documents
    std::optional<double> utilizationWithoutZone; // with models. Without the largest zone.
    std::string zone; // That zone; empty: all are in one.
};

// Of all services with known utilisation, least collapseFactor first. `document` may be null.
[[nodiscard]] std::vector<ServiceMargin> marginsOf(
    const VariantResult& variant, const model::Document* document
);

// The most attempts per call in any ten seconds, of those with at least 20 ended calls; 1 when
// there are none.
[[nodiscard]] double peakAttemptsOf(const RunSeries& series);

} // namespace mesh::simulator
