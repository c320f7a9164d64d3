#include "proxyengine/config/check_document.h"
#include "proxyengine/config/compile_tls.h"
#include "proxyengine/config/plugin_scope.h"
#include "proxyengine/tls/certificate.h"
#include "proxyengine/tls/identity.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

namespace mesh::config {
namespace {

using model::Certificate;
using model::Plugin;

std::string dayOf(WallTime time)
{
    const std::time_t seconds =
        std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
    return fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(seconds));
}

class SecurityChecker
{
public:
    SecurityChecker(
        const model::Document& document,
        WallTime now,
        Severity expired,
        std::vector<Finding>& findings
    )
        : m_document(document)
        , m_now(now)
        , m_expired(expired)
        , m_findings(findings)
    {}

    void run()
    {
        for (std::size_t at = 0; at < m_document.certificates.size(); ++at) {
            certificate(m_document.certificates[at], fmt::format("certificates[{}]", at));
        }
        for (std::size_t at = 0; at < m_document.caCertificates.size(); ++at) {
            authority(m_document.caCertificates[at], fmt::format("ca_certificates[{}]", at));
        }
        for (std::size_t at = 0; at < m_document.services.size(); ++at) {
            service(m_document.services[at], fmt::format("services[{}]", at));
        }
        for (std::size_t at = 0; at < m_document.routes.size(); ++at) {
            route(m_document.routes[at], fmt::format("routes[{}]", at));
        }
        for (std::size_t at = 0; at < m_document.plugins.size(); ++at) {
            topPlugin(m_document.plugins[at], fmt::format("plugins[{}]", at));
        }
        for (std::size_t at = 0; at < m_document.nodes.size(); ++at) {
            reference(m_document.nodes[at].certificate, fmt::format("nodes[{}].certificate", at));
        }
        for (std::size_t at = 0; at < m_document.workloads.size(); ++at) {
            reference(
                m_document.workloads[at].certificate, fmt::format("workloads[{}].certificate", at)
            );
        }
        if (m_document.mesh) {
            mesh(*m_document.mesh);
        }
    }

private:
    void add(
        std::string path,
        std::string message,
        ErrorCode code = ErrorCode::InvalidArgument,
        Severity severity = Severity::Error
    )
    {
        m_findings.push_back(Finding{
            Problem{std::move(path), {}, code, severity, std::move(message)}, {}});
    }

    void validity(const tls::CertificateFacts& facts, const std::string& path)
    {
        if (facts.notAfter <= m_now) {
            add(path,
                fmt::format("the certificate expired on {}; renew it", dayOf(facts.notAfter)),
                ErrorCode::InvalidArgument,
                m_expired);
        } else if (facts.notBefore > m_now) {
            add(path,
                fmt::format("the certificate is not valid before {}", dayOf(facts.notBefore)),
                ErrorCode::InvalidArgument,
                Severity::Warning);
        }
    }

    // Everyone who may read the configuration sees certificates; keys are masked at their place.
    bool isPublic(const std::string& text, const std::string& path)
    {
        if (text.find("PRIVATE KEY-----") == std::string::npos) {
            return true;
        }
        add(path, "holds a private key, which would be shown; put it into 'key' alone");
        return false;
    }

    // Facts of a pair that is fit for use; nothing after telling what is wrong with it.
    std::optional<tls::CertificateFacts> pair(
        const std::string& cert, const std::string& key, const std::string& path, bool isAlternative
    )
    {
        const std::string certPath = path + (isAlternative ? ".cert_alt" : ".cert");
        if (!isPublic(cert, certPath)) {
            return std::nullopt;
        }
        const auto facts = tls::checkCertificate({cert, key, {}, {}, {}});
        if (!facts) {
            const bool isOfKey = facts.error().message.find("key") != std::string::npos;
            add(isOfKey ? path + (isAlternative ? ".key_alt" : ".key") : certPath,
                facts.error().message);
            return std::nullopt;
        }
        validity(*facts, certPath);
        return *facts;
    }

    void certificate(const Certificate& certificate, const std::string& path)
    {
        const auto facts = pair(certificate.cert, certificate.key, path, false);
        if (certificate.certAlt && certificate.keyAlt) {
            const auto other = pair(*certificate.certAlt, *certificate.keyAlt, path, true);
            if (facts && other && facts->keyType == other->keyType) {
                add(path + ".cert_alt",
                    "certificate and alternative certificate need to have different type (e.g. RSA "
                    "and ECDSA), the provided certificates were both of the same type");
            }
        }
        if (facts && certificate.id) {
            m_facts.emplace(*certificate.id, *facts);
        }
    }

    void authority(const model::CaCertificate& authority, const std::string& path)
    {
        if (!isPublic(authority.cert, path + ".cert")
            || (authority.crl && !isPublic(*authority.crl, path + ".crl"))) {
            return;
        }
        const auto read = tls::readAuthorities(authority.cert);
        if (!read) {
            add(path + ".cert", read.error().message);
        } else if (read->size() > 1) {
            add(path + ".cert", "holds more than one certificate; give each its own entry");
        } else {
            validity(read->front(), path + ".cert");
            if (!read->front().isAuthority) {
                add(path + ".cert",
                    "certificate does not appear to be a CA because it is missing the \"CA\" basic "
                    "constraint");
            }
        }
        if (authority.crl) {
            if (const auto list = tls::checkRevocationList(*authority.crl); !list) {
                add(path + ".crl", list.error().message);
            }
        }
    }

    void reference(const std::optional<std::string>& id, const std::string& path)
    {
        const bool isKnown =
            !id || std::ranges::any_of(m_document.certificates, [&id](const auto& each) {
                return each.id == id;
            });
        if (!isKnown) {
            dangling(path, "certificate", *id);
        }
    }

    void dangling(const std::string& path, std::string_view what, std::string_view name)
    {
        add(path,
            fmt::format("there is no {} '{}' in this document", what, name),
            ErrorCode::DanglingReference);
    }

    void authorities(const std::vector<std::string>& ids, const std::string& path)
    {
        for (std::size_t at = 0; at < ids.size(); ++at) {
            const bool isKnown =
                std::ranges::any_of(m_document.caCertificates, [&](const auto& each) {
                    return each.id == ids[at];
                });
            if (!isKnown) {
                dangling(fmt::format("{}[{}]", path, at), "CA certificate", ids[at]);
            }
        }
    }

    void service(const model::Service& service, const std::string& path)
    {
        authorities(service.caCertificates, path + ".ca_certificates");
        nested(service.plugins, path);
        for (std::size_t at = 0; at < service.routes.size(); ++at) {
            route(service.routes[at], fmt::format("{}.routes[{}]", path, at));
        }
    }

    void route(const model::Route& route, const std::string& path) { nested(route.plugins, path); }

    void nested(const std::vector<Plugin>& plugins, const std::string& owner)
    {
        for (std::size_t at = 0; at < plugins.size(); ++at) {
            const std::string path = fmt::format("{}.plugins[{}]", owner, at);
            if (plugins[at].service || plugins[at].route) {
                add(path + (plugins[at].service ? ".service" : ".route"),
                    "a plugin inside an object belongs to it; remove this field",
                    ErrorCode::Conflict);
            }
            if (at > 0) {
                add(path, "the plugin stands twice; one of a name runs", ErrorCode::Duplicate);
            }
            plugin(plugins[at], path);
        }
    }

    void topPlugin(const Plugin& each, const std::string& path)
    {
        const auto called = [](const std::optional<std::string>& name) {
            return [&name](const auto& entity) { return isCalled(entity, *name); };
        };
        if (each.service && std::ranges::none_of(m_document.services, called(each.service))) {
            dangling(path + ".service", "service", *each.service);
        }
        const bool hasRoute =
            !each.route || std::ranges::any_of(m_document.routes, called(each.route))
            || std::ranges::any_of(m_document.services, [&](const model::Service& service) {
                   return std::ranges::any_of(service.routes, called(each.route));
               });
        if (!hasRoute) {
            dangling(path + ".route", "route", *each.route);
        }
        plugin(each, path);
    }

    void plugin(const Plugin& plugin, const std::string& path)
    {
        authorities(plugin.config.caCertificates, path + ".config.ca_certificates");
        if (!plugin.config.skipConsumerLookup) {
            add(path + ".config.skip_consumer_lookup",
                "consumers are not supported by this version, so that no certificate would find "
                "one; set skip_consumer_lookup to true",
                ErrorCode::Unsupported);
        }
    }

    void mesh(const model::MeshSettings& mesh)
    {
        authorities(mesh.caCertificates, "mesh.ca_certificates");
        if (mesh.mtls == model::MtlsMode::Off) {
            return;
        }
        const auto isSidecar = [](const model::Workload& each) { return each.inbound.has_value(); };
        if (std::ranges::none_of(m_document.workloads, isSidecar)) {
            return; // Nobody to speak to.
        }
        const bool isStrict = mesh.mtls == model::MtlsMode::Strict;
        const Severity severity = isStrict ? Severity::Error : Severity::Warning;
        const std::string_view else_ =
            isStrict ? "or set mesh.mtls to permissive or off" : "until then calls are plain";
        if (!mesh.trustDomain) {
            add("mesh.trust_domain",
                "mutual TLS needs a trust domain, as in shop.local",
                ErrorCode::MissingField);
        }
        if (mesh.caCertificates.empty()) {
            add("mesh.ca_certificates",
                fmt::format(
                    "mutual TLS needs the authorities behind the mesh's certificates: name ids of "
                    "ca_certificates, {}",
                    else_
                ),
                ErrorCode::MissingField,
                severity);
            return;
        }
        identities(mesh, severity, else_);
    }

    void identities(const model::MeshSettings& mesh, Severity severity, std::string_view else_)
    {
        const auto demand = [&](const std::optional<std::string>& id, const std::string& path) {
            if (!id) {
                add(path,
                    fmt::format("mutual TLS needs a certificate here: name one, {}", else_),
                    ErrorCode::MissingField,
                    severity);
                return;
            }
            const auto facts = m_facts.find(*id);
            if (facts == m_facts.end()) {
                return; // Reported before.
            }
            const auto identity = tls::parseSpiffeId(facts->second.identity);
            if (!identity || identity->trustDomain != mesh.trustDomain.value_or("")) {
                add(path,
                    fmt::format(
                        "certificate '{}' has no identity of this mesh: it needs exactly one URI "
                        "name spiffe://{}/... and CA:FALSE",
                        *id,
                        mesh.trustDomain.value_or("TRUST_DOMAIN")
                    ));
            }
        };
        for (std::size_t at = 0; at < m_document.nodes.size(); ++at) {
            const model::Node& node = m_document.nodes[at];
            if (node.certificate || node.role == model::NodeRole::Gateway) {
                demand(node.certificate, fmt::format("nodes[{}].certificate", at));
            }
        }
        for (std::size_t at = 0; at < m_document.workloads.size(); ++at) {
            const model::Workload& workload = m_document.workloads[at];
            const auto node =
                std::ranges::find(m_document.nodes, workload.node, &model::Node::name);
            const bool isCovered = node != m_document.nodes.end() && node->certificate;
            const bool isMember = workload.inbound || workload.outbound;
            if (workload.certificate || (isMember && !isCovered)) {
                demand(workload.certificate, fmt::format("workloads[{}].certificate", at));
            }
        }
    }

    const model::Document& m_document;
    WallTime m_now;
    Severity m_expired;
    std::vector<Finding>& m_findings;
    std::map<std::string, tls::CertificateFacts> m_facts; // Of certificates with an id.
};

} // namespace

void checkSecurity(
    const model::Document& document, WallTime now, Severity expired, std::vector<Finding>& findings
)
{
    SecurityChecker(document, now, expired, findings).run();
}

} // namespace mesh::config
