#include "proxyengine/config/compile_streams.h"

#include <algorithm>
#include <utility>

namespace mesh::config {

void StreamDraft::add(
    const model::Route& route, std::string name, std::optional<std::size_t> service
)
{
    StreamRoutePlan plan;
    plan.name = std::move(name);
    plan.service = service;
    plan.passesTls = takes(route, model::Protocol::TlsPassthrough);
    for (const model::AddressMatch& match : route.destinations) {
        if (!match.port) { // Its address is taken at any port.
            plan.ports.clear();
            break;
        }
        if (std::ranges::find(plan.ports, *match.port) == plan.ports.end()) {
            plan.ports.push_back(*match.port);
        }
    }
    m_routes.push_back(&route);
    m_plans.push_back(std::move(plan));
}

void StreamDraft::addTo(Snapshot& snapshot)
{
    snapshot.streamRouter = policy::StreamRouter::make(m_routes);
    snapshot.streamRoutes = std::move(m_plans);
}

} // namespace mesh::config
