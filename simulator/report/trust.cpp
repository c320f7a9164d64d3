#include "simulator/report/trust.h"

#include <algorithm>

namespace mesh::simulator {
namespace {

bool hasMirror(const model::Document& document)
{
    return std::ranges::any_of(document.services, [](const model::Service& service) {
        return service.resilience && service.resilience->mirror;
    });
}

} // namespace

Trust trustOf(const model::Document& document)
{
    Trust trust;
    trust.notModelled = {
        "kernel scheduling and TCP",
        "processor time of TLS and proxies, but for network.proxy",
        "flow control of HTTP/2",
        "garbage collection and other pauses of the processes",
        "what requests say: routes, plugins and payloads",
    };
    if (hasMirror(document)) {
        trust.notModelled.emplace_back("mirrored requests");
    }
    return trust;
}

} // namespace mesh::simulator
