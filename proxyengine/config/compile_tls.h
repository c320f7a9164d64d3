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

// The part of the compiler about certificates: who is shown which, and who is trusted.
class TlsCompiler
{
public:
    // Both outlive it.
    TlsCompiler(const model::Document& document, Snapshot& snapshot);

    void addCertificates();
    // Index into Snapshot::upstreamTls; nothing for services that are spoken to plainly.
    [[nodiscard]] std::optional<std::size_t> ofService(const model::Service& service);

private:
    [[nodiscard]] std::size_t add(UpstreamTlsPlan plan);
    [[nodiscard]] const model::Certificate* certificate(const std::optional<std::string>& id) const;

    const model::Document& m_document;
    Snapshot& m_snapshot;
    std::unordered_map<std::string, std::size_t> m_byKey;
};

} // namespace mesh::config
