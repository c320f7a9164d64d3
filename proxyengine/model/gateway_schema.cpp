#include "proxyengine/model/field_build.h"
#include "proxyengine/model/gateway.h"
#include "proxyengine/model/gateway_rules.h"
#include "proxyengine/model/headers_codec.h"
#include "proxyengine/model/schema.h"

#include <array>

// Services, routes and certificates: keys, defaults and bounds of the declarative gateway format.
namespace mesh::model {
namespace build {

template <>
std::span<const std::string_view> wordsOf<Protocol>()
{
    static constexpr std::array<std::string_view, 8> kWords = {
        "http", "https", "grpc", "grpcs", "tcp", "tls", "tls_passthrough", "udp"};
    return kWords;
}

template <>
std::span<const std::string_view> wordsOf<HttpVersion>()
{
    static constexpr std::array<std::string_view, 3> kWords = {"http1", "http2", "auto"};
    return kWords;
}

template <>
std::span<const std::string_view> wordsOf<ProxyProtocol>()
{
    static constexpr std::array<std::string_view, 2> kWords = {"v1", "v2"};
    return kWords;
}

template <>
std::span<const std::string_view> wordsOf<PathHandling>()
{
    static constexpr std::array<std::string_view, 2> kWords = {"v0", "v1"};
    return kWords;
}

namespace {

constexpr double kTimeoutMax = 2'147'483'646; // The gateway format's bound, in milliseconds.
constexpr double kPortMax = 65535;

template <auto kMember>
FieldChain timeout(std::string_view key)
{
    return as<kMember, InMilliseconds>(key)
        .in("Timeouts and retries")
        .between(1, kTimeoutMax)
        .measuredIn("ms");
}

} // namespace
} // namespace build

using build::as;
using build::createdField;
using build::Headers;
using build::idField;
using build::kPortMax;
using build::ListOf;
using build::plain;
using build::RecordOf;
using build::rules;
using build::tagsField;
using build::texts;
using build::timeout;
using build::updatedField;
using build::Words;

template <>
const Schema& schemaOf<Service>()
{
    static const Schema kSchema(
        "service",
        {
            plain<&Service::name>("name")
                .named("Name", "Unique name of the service.")
                .in("General")
                .formed(Format::Name),
            idField<Service>(),
            plain<&Service::enabled>("enabled")
                .named("Enabled", "When off, its routes match nothing.")
                .in("General"),
            as<&Service::protocol, Words<Protocol>>("protocol")
                .named("Protocol", "How the service is spoken to.")
                .in("General"),
            plain<&Service::host>("host")
                .named("Host", "Name of an upstream, a DNS name or an address.")
                .in("General")
                .formed(Format::Host)
                .naming("upstreams")
                .required(),
            plain<&Service::port>("port")
                .named("Port", "Port of the host; an upstream's targets have their own.")
                .in("General")
                .between(0, kPortMax),
            plain<&Service::path>("path")
                .named("Path", "Put before the path of every request.")
                .in("General")
                .formed(Format::Path),
            as<&Service::httpVersion, Words<HttpVersion>>("http_version")
                .named("HTTP version", "What the service speaks; auto asks it under TLS.")
                .in("General"),
            as<&Service::proxyProtocol, Words<ProxyProtocol>>("proxy_protocol")
                .named("PROXY protocol", "Tells the service of each connection's client.")
                .in("General"),
            plain<&Service::retries>("retries")
                .named("Retries", "Additional tries after a connection that failed.")
                .in("Timeouts and retries")
                .between(0, 32767),
            timeout<&Service::connectTimeout>("connect_timeout")
                .named("Connect timeout", "Longest time to open a connection."),
            timeout<&Service::writeTimeout>("write_timeout")
                .named("Write timeout", "Longest pause between two writes to the service."),
            timeout<&Service::readTimeout>("read_timeout")
                .named("Read timeout", "Longest pause between two reads from the service."),
            plain<&Service::clientCertificate>("client_certificate")
                .named("Client certificate", "Certificate that is shown to the service.")
                .in("TLS")
                .naming("certificates"),
            plain<&Service::tlsVerify>("tls_verify")
                .named("Verify TLS", "Whether the service's certificate must be valid.")
                .in("TLS"),
            plain<&Service::tlsVerifyDepth>("tls_verify_depth")
                .named("Verify depth", "Longest chain of certificates that is followed.")
                .in("TLS")
                .between(0, 64),
            texts<&Service::caCertificates>("ca_certificates")
                .named("CA certificates", "Ids of the authorities that are trusted.")
                .in("TLS")
                .formed(Format::Uuid)
                .unique(),
            texts<&Service::upgrades>("upgrades")
                .named("Upgrades", "Protocols that clients may change to, as in websocket.")
                .in("Forwarding")
                .formed(Format::HeaderName)
                .unique(),
            as<&Service::compression, RecordOf<Compression>>("compression")
                .named("Compression", "Which answers gateways compress for clients that like it.")
                .in("Compression"),
            as<&Service::plugins, ListOf<RecordOf<Plugin>>>("plugins")
                .named("Plugins", "What is demanded of its requests.")
                .in("Plugins"),
            as<&Service::resilience, RecordOf<Resilience>>("resilience")
                .named("Resilience", "What happens when the service is slow, fails or is too busy.")
                .in("Resilience"),
            tagsField<Service>(),
            createdField<Service>(),
            updatedField<Service>(),
            as<&Service::routes, ListOf<RecordOf<Route>>>("routes")
                .named("Routes", "Which requests go to this service.")
                .children(),
        },
        rules<Service, checkService>()
    );
    return kSchema;
}

template <>
const Schema& schemaOf<AddressMatch>()
{
    static const Schema kSchema(
        "address",
        {
            plain<&AddressMatch::ip>("ip")
                .named("IP", "Address or range, as in 10.0.0.0/8.")
                .formed(Format::IpOrCidr),
            plain<&AddressMatch::port>("port")
                .named("Port", "Port of the connection.")
                .between(0, kPortMax),
        },
        rules<AddressMatch, checkAddressMatch>()
    );
    return kSchema;
}

template <>
const Schema& schemaOf<Route>()
{
    static const Schema kSchema(
        "route",
        {
            plain<&Route::name>("name")
                .named("Name", "Unique name of the route.")
                .in("General")
                .formed(Format::Name),
            idField<Route>(),
            as<&Route::protocols, ListOf<Words<Protocol>>>("protocols")
                .named("Protocols", "Protocols of the requests it takes.")
                .in("Match")
                .unique()
                .atLeast(1),
            texts<&Route::hosts>("hosts")
                .named("Hosts", "Host names, as in shop.example or *.example.")
                .in("Match")
                .formed(Format::WildcardHost),
            texts<&Route::paths>("paths")
                .named("Paths", "Beginnings of paths, or ~ and a regular expression.")
                .in("Match")
                .formed(Format::RouterPath),
            texts<&Route::methods>("methods")
                .named("Methods", "HTTP methods, as in GET.")
                .in("Match")
                .formed(Format::Method)
                .unique(),
            as<&Route::headers, Headers>("headers")
                .named("Headers", "Headers and the values one of which they have.")
                .in("Match"),
            texts<&Route::snis>("snis")
                .named("SNIs", "Server names of the TLS handshake.")
                .in("Match")
                .formed(Format::WildcardSni)
                .unique(),
            as<&Route::sources, ListOf<RecordOf<AddressMatch>>>("sources")
                .named("Sources", "Addresses that connections come from.")
                .in("Match"),
            as<&Route::destinations, ListOf<RecordOf<AddressMatch>>>("destinations")
                .named("Destinations", "Addresses that connections arrive at.")
                .in("Match"),
            plain<&Route::regexPriority>("regex_priority")
                .named(
                    "Regex priority", "Order among routes with regular expressions; higher first."
                )
                .in("Match")
                .between(0, 2147483647),
            plain<&Route::stripPath>("strip_path")
                .named("Strip path", "Removes the matched beginning before forwarding.")
                .in("Forwarding"),
            as<&Route::pathHandling, Words<PathHandling>>("path_handling")
                .named(
                    "Path handling",
                    "How service path and request path are joined; v1 is read but treated as v0."
                )
                .in("Forwarding"),
            plain<&Route::preserveHost>("preserve_host")
                .named("Preserve host", "Forwards the Host header of the request.")
                .in("Forwarding"),
            plain<&Route::httpsRedirectStatusCode>("https_redirect_status_code")
                .named("HTTPS redirect status", "Answer to plain HTTP when only https is allowed.")
                .in("Forwarding")
                .oneOf({426, 301, 302, 307, 308}),
            plain<&Route::requestBuffering>("request_buffering")
                .named("Request buffering", "Reads request bodies whole before forwarding.")
                .in("Forwarding"),
            plain<&Route::responseBuffering>("response_buffering")
                .named("Response buffering", "Reads response bodies whole before answering.")
                .in("Forwarding"),
            plain<&Route::service>("service")
                .named("Service", "Service that requests go to.")
                .in("General")
                .naming("services"),
            as<&Route::compression, RecordOf<Compression>>("compression")
                .named(
                    "Compression", "Which answers are compressed, instead of the service's word."
                )
                .in("Compression"),
            as<&Route::split, ListOf<RecordOf<SplitPart>>>("split")
                .named("Split", "Shares the requests out over several services, by weight.")
                .in("Split"),
            as<&Route::splitSticky, RecordOf<SplitSticky>>("split_sticky")
                .named("Sticky", "Keeps a caller on the same side of the split.")
                .in("Split"),
            as<&Route::plugins, ListOf<RecordOf<Plugin>>>("plugins")
                .named("Plugins", "What is demanded of its requests.")
                .in("Plugins"),
            as<&Route::resilience, RecordOf<Resilience>>("resilience")
                .named("Resilience", "What this route does otherwise than its service.")
                .in("Resilience"),
            tagsField<Route>(),
            createdField<Route>(),
            updatedField<Route>(),
        },
        rules<Route, checkRoute>()
    );
    return kSchema;
}

template <>
const Schema& schemaOf<Sni>()
{
    static const Schema kSchema(
        "sni",
        {
            plain<&Sni::name>("name")
                .named("Name", "Server name, as in shop.example or *.example.")
                .in("General")
                .formed(Format::WildcardSni)
                .required(),
            idField<Sni>(),
            tagsField<Sni>(),
        },
        {}
    );
    return kSchema;
}

template <>
const Schema& schemaOf<Certificate>()
{
    static const Schema kSchema(
        "certificate",
        {
            idField<Certificate>(),
            plain<&Certificate::cert>("cert")
                .named("Certificate", "Certificate and its chain, PEM.")
                .in("General")
                .formed(Format::Pem)
                .required(),
            plain<&Certificate::key>("key")
                .named("Private key", "Key of the certificate, PEM.")
                .in("General")
                .formed(Format::Pem)
                .required()
                .secret(),
            plain<&Certificate::certAlt>("cert_alt")
                .named(
                    "Alternative certificate", "A second certificate with another type of key, PEM."
                )
                .in("Alternative")
                .formed(Format::Pem),
            plain<&Certificate::keyAlt>("key_alt")
                .named("Alternative key", "Key of the alternative certificate, PEM.")
                .in("Alternative")
                .formed(Format::Pem)
                .secret(),
            tagsField<Certificate>(),
            createdField<Certificate>(),
            updatedField<Certificate>(),
            as<&Certificate::snis, ListOf<RecordOf<Sni>>>("snis")
                .named("SNIs", "Server names the certificate is used for.")
                .children(),
        },
        rules<Certificate, checkCertificate>()
    );
    return kSchema;
}

} // namespace mesh::model
