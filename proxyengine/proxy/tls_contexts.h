#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/config/snapshot.h"
#include "proxyengine/tls/context.h"
#include "proxyengine/tls/verifier.h"

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

// What judges clients' certificates, by Snapshot::mtlsAuths. Errors: Tls with the reason.
[[nodiscard]] Result<std::vector<std::shared_ptr<const tls::PeerVerifier>>> makeVerifiers(
    const config::Snapshot& snapshot
);

// What sidecars' inbound listeners shake hands with, by Snapshot::listeners; null: plainly.
// Errors: Tls with the reason.
[[nodiscard]] Result<std::vector<std::shared_ptr<const tls::ServerContext>>> makeMeshServers(
    const config::Snapshot& snapshot
);

// With what this node probes sidecars: as it calls them, but in HTTP/1.1; null: plainly.
// Errors: Tls with the reason.
[[nodiscard]] Result<std::shared_ptr<const tls::ClientContext>> makeMeshProbe(
    const config::Snapshot& snapshot
);

// What gateway listeners shake hands with; `own` when the snapshot has no certificate.
// Errors: Tls with the reason.
[[nodiscard]] Result<std::shared_ptr<const tls::ServerContext>> makeGatewayServer(
    const config::Snapshot& snapshot, const tls::CertificateText& own
);

} // namespace mesh::proxy
