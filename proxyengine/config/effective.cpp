#include "proxyengine/config/effective.h"

#include "proxyengine/base/hash.h"
#include "proxyengine/config/compile.h"
#include "proxyengine/config/plugin_scope.h"
#include "proxyengine/config/tree.h"
#include "proxyengine/model/canonical.h"
#include "proxyengine/model/gateway_rules.h"
#include "proxyengine/model/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

namespace mesh::config {
namespace {

using model::Defaults;
using model::Value;

constexpr std::array<std::string_view, 3> kOrigins = {"document", "default", "inherited"};
constexpr std::string_view kMasked = "\"***\"";

// What an object is called where it has no name: as model::ObjectRef says.
std::string nameOf(
    const std::optional<std::string>& name, const std::optional<std::string>& id, std::size_t at
)
{
    return name ? *name : id ? *id : fmt::format("#{}", at + 1);
}

// Where objects stand in the document as it was given; what is compiled is its canonical form,
// which has another order.
class PlaceIndex
{
public:
    explicit PlaceIndex(const model::Document& document)
    {
        for (std::size_t at = 0; at < document.services.size(); ++at) {
            const model::Service& service = document.services[at];
            const std::string place = fmt::format("services[{}]", at);
            add("services", nameOf(service.name, service.id, at), place);
            addRoutes(service.routes, place + ".");
        }
        addRoutes(document.routes, "");
        for (std::size_t at = 0; at < document.upstreams.size(); ++at) {
            const model::Upstream& upstream = document.upstreams[at];
            const std::string place = fmt::format("upstreams[{}]", at);
            add("upstreams", upstream.name, place);
            for (std::size_t each = 0; each < upstream.targets.size(); ++each) {
                add("targets",
                    upstream.name + "/" + upstream.targets[each].target,
                    fmt::format("{}.targets[{}]", place, each));
            }
        }
        for (std::size_t at = 0; at < document.certificates.size(); ++at) {
            add("certificates",
                nameOf({}, document.certificates[at].id, at),
                fmt::format("certificates[{}]", at));
        }
        for (std::size_t at = 0; at < document.caCertificates.size(); ++at) {
            add("ca_certificates",
                nameOf({}, document.caCertificates[at].id, at),
                fmt::format("ca_certificates[{}]", at));
        }
        for (std::size_t at = 0; at < document.nodes.size(); ++at) {
            add("nodes", document.nodes[at].name, fmt::format("nodes[{}]", at));
        }
        for (std::size_t at = 0; at < document.workloads.size(); ++at) {
            add("workloads", document.workloads[at].name, fmt::format("workloads[{}]", at));
        }
    }

    // Empty when the object has no name by which it could be found again.
    [[nodiscard]] std::string of(const std::string& kind, const std::string& name) const
    {
        const auto found = m_places.find({kind, name});
        return found == m_places.end() ? std::string() : found->second;
    }

private:
    void add(std::string kind, std::string name, std::string place)
    {
        m_places.emplace(std::pair(std::move(kind), std::move(name)), std::move(place));
    }

    void addRoutes(const std::vector<model::Route>& routes, const std::string& before)
    {
        for (std::size_t at = 0; at < routes.size(); ++at) {
            if (routes[at].name || routes[at].id) {
                add("routes",
                    nameOf(routes[at].name, routes[at].id, at),
                    fmt::format("{}routes[{}]", before, at));
            }
        }
    }

    std::map<std::pair<std::string, std::string>, std::string> m_places;
};

class Collector
{
public:
    Collector(
        const model::Document& given,
        const model::Document& settled,
        std::string_view node,
        SecretText secrets
    )
        : m_settled(settled)
        , m_secrets(secrets)
        , m_places(given)
    {
        const auto self = std::ranges::find_if(settled.nodes, [node](const model::Node& each) {
            return each.name == node;
        });
        m_self = self == settled.nodes.end() ? nullptr : &*self;
    }

    std::vector<EffectiveValue> run()
    {
        const bool isSidecar = m_self != nullptr && m_self->role == model::NodeRole::Sidecar;
        addServices(isSidecar);
        if (!isSidecar) {
            for (std::size_t at = 0; at < m_settled.routes.size(); ++at) {
                addRoute(m_settled.routes[at], nullptr, at);
            }
        }
        addUpstreams();
        addCertificates();
        if (m_settled.mesh) {
            addRecord(
                "mesh/mesh", "mesh", model::schemaOf<model::MeshSettings>(), &*m_settled.mesh
            );
        }
        addNode();
        std::ranges::sort(m_values, [](const EffectiveValue& a, const EffectiveValue& b) {
            return std::tie(a.object, a.field) < std::tie(b.object, b.field);
        });
        return std::move(m_values);
    }

private:
    void addServices(bool isSidecar)
    {
        for (std::size_t at = 0; at < m_settled.services.size(); ++at) {
            const model::Service& service = m_settled.services[at];
            if (!service.enabled) {
                continue;
            }
            const std::string name = nameOf(service.name, service.id, at);
            const std::string place = m_places.of("services", name);
            addRecord("services/" + name, place, model::schemaOf<model::Service>(), &service);
            for (std::size_t each = 0; !isSidecar && each < service.routes.size(); ++each) {
                addRoute(service.routes[each], &service, each);
            }
        }
    }

    void addRoute(const model::Route& route, const model::Service* service, std::size_t at)
    {
        std::string name = nameOf(route.name, route.id, at);
        if (!route.name && !route.id) {
            const std::string owner =
                service == nullptr ? "route" : service->name.value_or(service->host);
            name = fmt::format("{}#{}", owner, at + 1);
        }
        const std::string object = "routes/" + name;
        addRecord(object, m_places.of("routes", name), model::schemaOf<model::Route>(), &route);
        if (service != nullptr && model::isHttpRoute(route)) {
            inherit(object, route, *service);
        }
        addPlugin(object, route, service);
    }

    // What a route has of its service: resilience key by key, compression as a whole.
    void inherit(
        const std::string& object, const model::Route& route, const model::Service& service
    )
    {
        const std::string place = m_places.of("services", service.name.value_or(""));
        if (service.resilience) {
            const model::Schema& schema = model::schemaOf<model::Resilience>();
            const Value said = schema.toValue(&*service.resilience, Defaults::Omitted);
            const Value own = route.resilience
                                  ? schema.toValue(&*route.resilience, Defaults::Omitted)
                                  : Value(Value::Map{});
            for (const Value::Member& member : said.map()) {
                if (own.find(member.key) == nullptr) {
                    addInherited(object, "resilience." + member.key, toJson(member.value), place);
                }
            }
        }
        if (service.compression && !route.compression) {
            addInherited(
                object,
                "compression",
                toJson(model::schemaOf<model::Compression>().toValue(
                    &*service.compression, Defaults::Left
                )),
                place
            );
        }
    }

    void addInherited(
        const std::string& object, std::string field, std::string value, const std::string& place
    )
    {
        std::string from = place.empty() ? std::string() : place + "." + field;
        m_values.push_back(
            {object, std::move(field), std::move(value), Origin::Inherited, std::move(from)}
        );
    }

    // mtls-auth that holds for a route without standing at it.
    void addPlugin(
        const std::string& object, const model::Route& route, const model::Service* service
    )
    {
        const model::Plugin* plugin = mtlsAuthOf(m_settled, route, service);
        const auto isIt = [plugin](const model::Plugin& each) { return &each == plugin; };
        if (plugin == nullptr || std::ranges::any_of(route.plugins, isIt)) {
            return;
        }
        const bool isOfService = service != nullptr && std::ranges::any_of(service->plugins, isIt);
        std::string from = "plugins";
        if (isOfService) {
            from = m_places.of("services", service->name.value_or("")) + ".plugins";
        }
        m_values.push_back(
            {object,
             "plugins.mtls-auth",
             toJson(model::schemaOf<model::MtlsAuth>().toValue(&plugin->config, Defaults::Left)),
             Origin::Inherited,
             std::move(from)}
        );
    }

    void addUpstreams()
    {
        for (const model::Upstream& upstream : m_settled.upstreams) {
            const std::string object = "upstreams/" + upstream.name;
            addRecord(
                object,
                m_places.of("upstreams", upstream.name),
                model::schemaOf<model::Upstream>(),
                &upstream
            );
            for (const model::Target& target : upstream.targets) {
                addRecord(
                    object + "/targets/" + target.target,
                    m_places.of("targets", upstream.name + "/" + target.target),
                    model::schemaOf<model::Target>(),
                    &target
                );
            }
        }
    }

    void addCertificates()
    {
        for (std::size_t at = 0; at < m_settled.certificates.size(); ++at) {
            const model::Certificate& certificate = m_settled.certificates[at];
            const std::string name = nameOf({}, certificate.id, at);
            const std::string place = m_places.of("certificates", name);
            addRecord(
                "certificates/" + name, place, model::schemaOf<model::Certificate>(), &certificate
            );
            std::string snis = "[";
            for (const model::Sni& sni : certificate.snis) {
                snis += (snis.size() > 1 ? "," : "") + toJson(Value(sni.name));
            }
            m_values.push_back(
                {"certificates/" + name, "snis", snis + "]", Origin::Document, place + ".snis"}
            );
        }
        for (std::size_t at = 0; at < m_settled.caCertificates.size(); ++at) {
            const model::CaCertificate& authority = m_settled.caCertificates[at];
            const std::string name = nameOf({}, authority.id, at);
            addRecord(
                "ca_certificates/" + name,
                m_places.of("ca_certificates", name),
                model::schemaOf<model::CaCertificate>(),
                &authority
            );
        }
    }

    // The node itself, and the workloads behind it.
    void addNode()
    {
        if (m_self == nullptr) {
            return;
        }
        const std::string place = m_places.of("nodes", m_self->name);
        addRecord("nodes/" + m_self->name, place, model::schemaOf<model::Node>(), m_self);
        for (const model::Workload& workload : m_settled.workloads) {
            if (workload.node != m_self->name) {
                continue;
            }
            const std::string object = "workloads/" + workload.name;
            addRecord(
                object,
                m_places.of("workloads", workload.name),
                model::schemaOf<model::Workload>(),
                &workload
            );
            if (!workload.zone && m_self->zone) {
                addInherited(object, "zone", toJson(Value(*m_self->zone)), place);
            }
            if (!workload.certificate && m_self->certificate) {
                addInherited(object, "certificate", toJson(Value(*m_self->certificate)), place);
            }
        }
    }

    void addRecord(
        const std::string& object,
        const std::string& place,
        const model::Schema& schema,
        const void* record
    )
    {
        const Value whole = schema.toValue(record, Defaults::Left, model::Children::Omitted);
        const Value said = schema.toValue(record, Defaults::Omitted, model::Children::Omitted);
        addFields(object, {}, place, schema, whole, &said);
    }

    // `said`: what stands in the document; null: nothing of it does.
    void addFields(
        const std::string& object,
        const std::string& before,
        const std::string& place,
        const model::Schema& schema,
        const Value& whole,
        const Value* said
    )
    {
        for (const model::Field& field : schema.fields()) {
            const Value* value = whole.find(field.key);
            if (value == nullptr || value->isNull() || field.isChild) {
                continue;
            }
            const Value* own = said == nullptr ? nullptr : said->find(field.key);
            std::string path = before + std::string(field.key);
            if (field.kind == model::Kind::Record && value->isMap()) {
                addFields(object, path + ".", place, *field.record, *value, own);
                continue;
            }
            EffectiveValue effective;
            effective.object = object;
            effective.value = field.isSecret ? secretText(*value) : toJson(*value);
            effective.origin = own == nullptr ? Origin::Default : Origin::Document;
            if (own != nullptr && !place.empty()) {
                effective.from = place + "." + path;
            }
            effective.field = std::move(path);
            m_values.push_back(std::move(effective));
        }
    }

    [[nodiscard]] std::string secretText(const Value& value) const
    {
        return m_secrets == SecretText::Masked
                   ? std::string(kMasked)
                   : fmt::format("\"*** ({:08x})\"", xxh3(toJson(value), 1) >> 32U);
    }

    const model::Document& m_settled;
    const SecretText m_secrets;
    PlaceIndex m_places;
    const model::Node* m_self = nullptr; // Null: a gateway of no name.
    std::vector<EffectiveValue> m_values;
};

} // namespace

std::string_view toText(Origin origin) { return kOrigins[static_cast<std::size_t>(origin)]; }

Result<EffectiveConfig> effective(
    const model::Document& document, std::string_view node, SecretText secrets
)
{
    const CompileResult compiled = compile(document, node);
    if (compiled.snapshot == nullptr) {
        const Problem& first = compiled.problems.front();
        return fail(ErrorCode::InvalidArgument, fmt::format("{}: {}", first.path, first.message));
    }
    const model::Document settled = model::canonical(document);
    EffectiveConfig config;
    config.node = node;
    config.hash = compiled.snapshot->hash;
    config.values = Collector(document, settled, node, secrets).run();
    return config;
}

std::string toJson(const EffectiveConfig& config)
{
    std::string json = fmt::format(
        "{{\"node\":{},\"hash\":{},\"values\":[",
        toJson(Value(config.node)),
        toJson(Value(config.hash))
    );
    for (const EffectiveValue& value : config.values) {
        json += fmt::format(
            "{}{{\"object\":{},\"field\":{},\"value\":{},\"origin\":\"{}\",\"from\":{}}}",
            json.ends_with('[') ? "" : ",",
            toJson(Value(value.object)),
            toJson(Value(value.field)),
            value.value,
            toText(value.origin),
            toJson(Value(value.from))
        );
    }
    return json + "]}";
}

} // namespace mesh::config
