#pragma once

#include "proxyengine/config/snapshot.h"
#include "proxyengine/model/document.h"

#include <optional>
#include <string>
#include <vector>

namespace mesh::config {

// Stream routes on their way into a snapshot. Only for compile().
class StreamDraft
{
public:
    // `route` lives until addTo(). `service`: index into the snapshot's.
    void add(const model::Route& route, std::string name, std::optional<std::size_t> service);
    void addTo(Snapshot& snapshot);

private:
    std::vector<const model::Route*> m_routes;
    std::vector<StreamRoutePlan> m_plans;
};

} // namespace mesh::config
