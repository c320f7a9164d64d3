#pragma once

#include "proxyengine/model/document.h"

#include <string>
#include <vector>

namespace mesh::simulator {

// One simulated copy of a service.
struct Instance
{
    std::string name; // "cart-1"
    std::string service;
    std::string zone; // Empty: the model names no zones.
    friend bool operator==(const Instance&, const Instance&) = default;
};

// The instances of a model: service-1, service-2, ..., dealt to its zones in turn. When the
// document has workloads of the service, they are the instances instead, in the document's order.
[[nodiscard]] std::vector<Instance> instancesOf(
    const model::ServiceModel& model, const std::vector<model::Workload>& workloads
);

} // namespace mesh::simulator
