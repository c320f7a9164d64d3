#include "proxyengine/config/node_certificates.h"

#include "proxyengine/tls/certificate.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace mesh::config {
namespace {

void addUse(
    std::vector<NodeCertificate>& found, const model::Certificate& certificate, std::string use
)
{
    const auto facts = tls::readAuthorities(certificate.cert);
    if (!facts) {
        return;
    }
    const tls::CertificateFacts& leaf = facts->front();
    found.push_back(
        {certificate.id.value_or(""),
         std::move(use),
         leaf.identity,
         leaf.subject,
         leaf.names,
         leaf.notBefore,
         leaf.notAfter}
    );
}

const model::Certificate* findById(
    const model::Document& document, const std::optional<std::string>& id
)
{
    const auto found = std::ranges::find_if(document.certificates, [&](const auto& certificate) {
        return id && certificate.id == id;
    });
    return found == document.certificates.end() ? nullptr : &*found;
}

} // namespace

std::vector<NodeCertificate> certificatesOf(const model::Document& document, std::string_view node)
{
    std::vector<NodeCertificate> found;
    const auto known = std::ranges::find(document.nodes, node, &model::Node::name);
    if (known == document.nodes.end()) {
        return found;
    }
    if (const auto* own = findById(document, known->certificate)) {
        addUse(found, *own, "node");
    }
    for (const model::Workload& workload : document.workloads) {
        const auto* shown = findById(document, workload.certificate);
        if (workload.node == node && shown != nullptr) {
            addUse(found, *shown, "workload " + workload.name);
        }
    }
    if (known->role == model::NodeRole::Gateway) {
        for (const model::Certificate& certificate : document.certificates) {
            // Those that sidecars or nodes name are identities within the mesh, not for clients.
            const auto isNamedBy = [&](const auto& owner) {
                return owner.certificate && owner.certificate == certificate.id;
            };
            const bool isIdentity = std::ranges::any_of(document.nodes, isNamedBy)
                                    || std::ranges::any_of(document.workloads, isNamedBy);
            if (!isIdentity) {
                addUse(found, certificate, "gateway");
            }
        }
    }
    std::ranges::stable_sort(found, {}, &NodeCertificate::notAfter);
    return found;
}

} // namespace mesh::config
