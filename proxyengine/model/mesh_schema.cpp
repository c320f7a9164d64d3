#include "proxyengine/model/document.h"
#include "proxyengine/model/field_build.h"
#include "proxyengine/model/schema.h"

#include <array>

// The mesh itself: its settings, nodes and workloads.
namespace mesh::model {
namespace build {

template <>
std::span<const std::string_view> wordsOf<MtlsMode>()
{
    static constexpr std::array<std::string_view, 3> kWords = {"off", "permissive", "strict"};
    return kWords;
}

template <>
std::span<const std::string_view> wordsOf<NodeRole>()
{
    static constexpr std::array<std::string_view, 2> kWords = {"gateway", "sidecar"};
    return kWords;
}

} // namespace build

using build::as;
using build::plain;
using build::RecordOf;
using build::tagsField;
using build::texts;
using build::Words;

template <>
const Schema& schemaOf<MeshSettings>()
{
    static const Schema kSchema(
        "mesh",
        {
            plain<&MeshSettings::name>("name")
                .named("Name", "Name of the mesh.")
                .in("General")
                .formed(Format::Name)
                .required(),
            plain<&MeshSettings::trustDomain>("trust_domain")
                .named("Trust domain", "Domain of the identities in its certificates.")
                .in("Security")
                .formed(Format::Host),
            as<&MeshSettings::mtls, Words<MtlsMode>>("mtls")
                .named("Mutual TLS", "Whether workloads must show certificates to each other.")
                .in("Security"),
            texts<&MeshSettings::caCertificates>("ca_certificates")
                .named("CA certificates", "Ids of the authorities behind its identities.")
                .in("Security")
                .formed(Format::Uuid)
                .unique(),
            as<&MeshSettings::overload, RecordOf<Overload>>("overload")
                .named("Overload", "When a node turns requests away to stay alive.")
                .in("Overload"),
        },
        {}
    );
    return kSchema;
}

template <>
const Schema& schemaOf<Node>()
{
    static const Schema kSchema(
        "node",
        {
            plain<&Node::name>("name")
                .named("Name", "Unique name of the machine.")
                .in("General")
                .formed(Format::Name)
                .required(),
            as<&Node::role, Words<NodeRole>>("role")
                .named("Role", "Gateway at the edge, or sidecar of workloads.")
                .in("General"),
            plain<&Node::zone>("zone")
                .named("Zone", "Place that fails as one.")
                .in("General")
                .formed(Format::Name),
            plain<&Node::admin>("admin")
                .named("Admin API", "URL of the node's admin API.")
                .in("General")
                .formed(Format::Url),
            plain<&Node::certificate>("certificate")
                .named("Certificate", "What the node shows to sidecars of the mesh.")
                .in("Security")
                .naming("certificates"),
            tagsField<Node>(),
        },
        {}
    );
    return kSchema;
}

template <>
const Schema& schemaOf<Workload>()
{
    static const Schema kSchema(
        "workload",
        {
            plain<&Workload::name>("name")
                .named("Name", "Unique name of the copy, as in cart-1.")
                .in("General")
                .formed(Format::Name)
                .required(),
            plain<&Workload::service>("service")
                .named("Service", "Service it is a copy of.")
                .in("General")
                .formed(Format::Name)
                .naming("services")
                .required(),
            plain<&Workload::node>("node")
                .named("Node", "Node whose sidecar it runs behind.")
                .in("General")
                .formed(Format::Name)
                .naming("nodes")
                .required(),
            plain<&Workload::zone>("zone")
                .named("Zone", "The node's zone when left out.")
                .in("General")
                .formed(Format::Name),
            plain<&Workload::version>("version")
                .named("Version", "Version of the service it runs.")
                .in("General")
                .formed(Format::Name),
            plain<&Workload::weight>("weight")
                .named("Weight", "Share of the service's traffic; 0: none.")
                .in("General")
                .between(0, 65535),
            plain<&Workload::address>("address")
                .named("Address", "Host and port its process listens on.")
                .in("Addresses")
                .formed(Format::Address)
                .required(),
            plain<&Workload::inbound>("inbound")
                .named("Inbound", "Host and port where its sidecar takes calls of others.")
                .in("Addresses")
                .formed(Format::Address),
            plain<&Workload::outbound>("outbound")
                .named("Outbound", "Host and port where its sidecar takes calls of its own.")
                .in("Addresses")
                .formed(Format::Address),
            plain<&Workload::certificate>("certificate")
                .named("Certificate", "Its identity in the mesh; the node's when left out.")
                .in("Security")
                .naming("certificates"),
            tagsField<Workload>(),
        },
        {}
    );
    return kSchema;
}

} // namespace mesh::model
