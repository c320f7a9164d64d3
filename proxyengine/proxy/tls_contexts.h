#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/config/snapshot.h"
#include "proxyengine/tls/context.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace mesh::proxy {

// The TLS contexts of upstreams. One whose plan did not change is the same object in the next
// configuration, so that connections and sessions under it go on being used.
class UpstreamContexts
{
public:
    // In the order of the plans. Errors: Tls with the reason; nothing is changed then.
    [[nodiscard]] Result<std::vector<std::shared_ptr<const tls::ClientContext>>> makeAll(
        const std::vector<config::UpstreamTlsPlan>& plans
    );

private:
    std::map<std::string, std::shared_ptr<const tls::ClientContext>> m_byKey; // Those in use.
};

} // namespace mesh::proxy
