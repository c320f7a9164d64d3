#include "proxyengine/config/plugin_scope.h"

#include <algorithm>

namespace mesh::config {

const model::Plugin* mtlsAuthOf(
    const model::Document& document, const model::Route& route, const model::Service* service
)
{
    constexpr int kOfRoute = 2;
    constexpr int kOfService = 1;
    const model::Plugin* best = nullptr;
    int bestRank = -1;
    const auto consider = [&](const model::Plugin& plugin, int rank) {
        const bool isForService =
            !plugin.service || (service != nullptr && isCalled(*service, *plugin.service));
        const bool isForRoute = !plugin.route || isCalled(route, *plugin.route);
        rank += (plugin.service ? kOfService : 0) + (plugin.route ? kOfRoute : 0);
        if (plugin.enabled && isForService && isForRoute && rank > bestRank) {
            best = &plugin;
            bestRank = rank;
        }
    };
    std::ranges::for_each(document.plugins, [&](const auto& each) { consider(each, 0); });
    if (service != nullptr) {
        std::ranges::for_each(service->plugins, [&](const auto& each) {
            consider(each, kOfService);
        });
    }
    std::ranges::for_each(route.plugins, [&](const auto& each) { consider(each, kOfRoute); });
    return best;
}

} // namespace mesh::config
