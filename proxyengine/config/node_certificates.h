#pragma once

#include "proxyengine/base/time.h"
#include "proxyengine/model/document.h"

#include <string>
#include <string_view>
#include <vector>

namespace mesh::config {

// A certificate that a node of the document shows, and until when it may.
struct NodeCertificate
{
    std::string id; // Of the certificate in the document; empty when it has none.
    std::string use; // "node", "workload cart-1", "gateway"
    std::string identity; // "spiffe://shop.local/cart"; empty: it has none.
    std::string subject; // RFC 2253 text.
    std::vector<std::string> names; // DNS and URI names.
    WallTime notBefore{};
    WallTime notAfter{};
};

// What this node shows: to sidecars as itself, to sidecars in the name of each of its workloads,
// and, of a gateway, to clients. Sorted by the end of validity, the soonest first; a certificate
// with several uses stands once for each. Those whose text cannot be read are left out: validation
// tells of them.
[[nodiscard]] std::vector<NodeCertificate> certificatesOf(
    const model::Document& document, std::string_view node
);

} // namespace mesh::config
