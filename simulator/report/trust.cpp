#include "simulator/report/trust.h"

namespace mesh::simulator {

Trust trustOf()
{
    Trust trust;
    trust.notModelled = {
        "kernel scheduling and TCP",
        "processor time of TLS and proxies, but for network.proxy",
        "flow control of HTTP/2",
        "garbage collection and other pauses of the processes",
        "what requests say: routes, plugins and payloads",
    };
    return trust;
}

} // namespace mesh::simulator
