#include "proxyengine/model/field_build.h"
#include "proxyengine/model/schema.h"
#include "proxyengine/model/security.h"

#include <array>

// Authorities and plugins.
namespace mesh::model {
namespace build {

template <>
std::span<const std::string_view> wordsOf<PluginName>()
{
    static constexpr std::array<std::string_view, 1> kWords = {"mtls-auth"};
    return kWords;
}

template <>
std::span<const std::string_view> wordsOf<RevocationMode>()
{
    static constexpr std::array<std::string_view, 3> kWords = {"SKIP", "IGNORE_CA_ERROR", "STRICT"};
    return kWords;
}

} // namespace build

using build::as;
using build::createdField;
using build::idField;
using build::plain;
using build::RecordOf;
using build::tagsField;
using build::texts;
using build::updatedField;
using build::Words;

template <>
const Schema& schemaOf<CaCertificate>()
{
    static const Schema kSchema(
        "ca_certificate",
        {
            idField<CaCertificate>(),
            plain<&CaCertificate::cert>("cert")
                .named("Certificate", "Certificate of the authority, PEM.")
                .in("General")
                .formed(Format::Pem)
                .required(),
            plain<&CaCertificate::crl>("crl")
                .named("Revocation list", "What the authority has taken back, PEM.")
                .in("General")
                .formed(Format::Pem),
            plain<&CaCertificate::certDigest>("cert_digest")
                .named("Digest", "SHA-256 of the certificate, as other tools write it.")
                .in("Other")
                .automatic(),
            tagsField<CaCertificate>(),
            createdField<CaCertificate>(),
            updatedField<CaCertificate>(),
        },
        {}
    );
    return kSchema;
}

template <>
const Schema& schemaOf<MtlsAuth>()
{
    static const Schema kSchema(
        "mtls_auth",
        {
            texts<&MtlsAuth::caCertificates>("ca_certificates")
                .named("CA certificates", "Ids of the authorities whose clients may come in.")
                .formed(Format::Uuid)
                .unique()
                .atLeast(1)
                .required(),
            plain<&MtlsAuth::skipConsumerLookup>("skip_consumer_lookup")
                .named("Skip consumer lookup", "A valid certificate is enough."),
            plain<&MtlsAuth::sendCaDn>("send_ca_dn")
                .named("Send CA names", "Tells clients which authorities are believed."),
            plain<&MtlsAuth::allowPartialChain>("allow_partial_chain")
                .named("Allow partial chain", "An intermediate authority is enough."),
            as<&MtlsAuth::revocationCheckMode, Words<RevocationMode>>("revocation_check_mode")
                .named(
                    "Revocation check", "Whether revocation lists are asked, and must be in force."
                ),
        },
        {}
    );
    return kSchema;
}

template <>
const Schema& schemaOf<Plugin>()
{
    static const Schema kSchema(
        "plugin",
        {
            as<&Plugin::name, Words<PluginName>>("name")
                .named("Plugin", "What it does.")
                .in("General")
                .required(),
            plain<&Plugin::instanceName>("instance_name")
                .named("Instance name", "Unique name of this instance.")
                .in("General")
                .formed(Format::Name),
            idField<Plugin>(),
            plain<&Plugin::enabled>("enabled")
                .named("Enabled", "When off, it is as if it were not there.")
                .in("General"),
            plain<&Plugin::service>("service")
                .named("Service", "Whose requests it is for; only in the list at the top.")
                .in("General")
                .naming("services"),
            plain<&Plugin::route>("route")
                .named("Route", "Whose requests it is for; only in the list at the top.")
                .in("General")
                .naming("routes"),
            as<&Plugin::config, RecordOf<MtlsAuth>>("config")
                .named("Settings", "How it does it.")
                .in("Settings")
                .required(),
            tagsField<Plugin>(),
            createdField<Plugin>(),
            updatedField<Plugin>(),
        },
        {}
    );
    return kSchema;
}

} // namespace mesh::model
