#pragma once

#include "proxyengine/config/snapshot.h"
#include "proxyengine/model/document.h"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace mesh::config {

// Whether targets of this protocol are spoken to under TLS.
[[nodiscard]] bool speaksTls(model::Protocol protocol);

// Whether the sidecar in front of this workload speaks mutual TLS.
[[nodiscard]] bool takesMesh(const model::Document& document, const model::Workload& workload);

// The part of the compiler about certificates: who is shown which, and who is trusted.
class TlsCompiler
{
public:
    // Both outlive it.
    TlsCompiler(const model::Document& document, Snapshot& snapshot);

    void addCertificates();
    // Index into Snapshot::upstreamTls; nothing for services that are spoken to plainly.
    [[nodiscard]] std::optional<std::size_t> ofService(const model::Service& service);
    // Index into Snapshot::mtlsAuths, by the most specific plugin; `service`: null when the route
    // has none. Adds what its handshakes have to ask for.
    [[nodiscard]] std::optional<std::size_t> ofRoute(
        const model::Route& route, const model::Service* service
    );
    // Index into Snapshot::upstreamTls: how this workload (null: the node itself) speaks to
    // sidecars; nothing when the mesh has no mutual TLS or the caller no certificate.
    [[nodiscard]] std::optional<std::size_t> meshOf(const model::Workload* caller);
    // How its sidecar takes calls; nothing when plainly.
    [[nodiscard]] std::optional<MeshServerPlan> meshServerOf(const model::Workload& workload) const;

private:
    [[nodiscard]] const model::Certificate* identityOf(const model::Workload* workload) const;
    [[nodiscard]] std::string authorities(const std::vector<std::string>& ids) const;
    [[nodiscard]] std::size_t add(UpstreamTlsPlan plan);
    [[nodiscard]] const model::Certificate* certificate(const std::optional<std::string>& id) const;

    const model::Document& m_document;
    Snapshot& m_snapshot;
    std::unordered_map<std::string, std::size_t> m_byKey;
};

} // namespace mesh::config
