#include "proxyengine/control/entity_list.h"

#include "proxyengine/base/hash.h"
#include "proxyengine/config/tree.h"
#include "proxyengine/model/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mesh::control {
namespace {

using model::Value;
using Entities = std::vector<Entity>;

// Shaped like a UUID of version 8 (RFC 9562: our own bits), so that tools accept it.
std::string idOf(std::string_view kind, std::string_view parent, std::string_view name)
{
    std::string hex = sha256Hex(fmt::format("{}\n{}\n{}", kind, parent, name));
    hex[12] = '8';
    hex[16] = '8';
    const std::string_view digits = hex;
    return fmt::format(
        "{}-{}-{}-{}-{}",
        digits.substr(0, 8),
        digits.substr(8, 4),
        digits.substr(12, 4),
        digits.substr(16, 4),
        digits.substr(20, 12)
    );
}

Value parentReference(const Entity& entity)
{
    Value reference{Value::Map{}};
    reference.set("id", entity.parentId);
    if (!entity.parent.empty()) {
        reference.set("name", entity.parent);
    }
    return reference;
}

struct Identity
{
    std::string_view kind;
    std::optional<std::string> id;
    std::string name;
    std::size_t position; // Among its siblings; names what has no name.
};

template <typename Struct>
Entity entityOf(
    const Struct& object, const Identity& identity, std::string_view parentKey, const Entity* parent
)
{
    Entity entity;
    entity.name = identity.name;
    if (parent != nullptr) {
        entity.parent = parent->name;
        entity.parentId = parent->id;
    }
    const std::string key =
        identity.name.empty() ? fmt::format("#{}", identity.position) : identity.name;
    entity.id = identity.id ? *identity.id : idOf(identity.kind, entity.parentId, key);

    Value fields = model::toValue(object, model::Defaults::Left);
    for (const model::Field& field : model::schemaOf<Struct>().fields()) {
        if (field.isChild) {
            fields.remove(field.key);
        } else if (field.isSecret && fields.find(field.key) != nullptr) {
            fields.set(field.key, Value("***"));
        }
    }
    entity.record = Value(Value::Map{});
    entity.record.set("id", entity.id);
    for (Value::Member& member : fields.map()) {
        if (member.key != "id") {
            entity.record.set(member.key, std::move(member.value));
        }
    }
    if (parent != nullptr) {
        entity.record.set(parentKey, parentReference(entity));
    }
    return entity;
}

Entities services(const model::Document& document)
{
    Entities entities;
    for (const model::Service& service : document.services) {
        const Identity identity{"services", service.id, service.name.value_or(""), entities.size()};
        entities.push_back(entityOf(service, identity, {}, nullptr));
    }
    return entities;
}

Entities routes(const model::Document& document)
{
    Entities entities;
    const Entities parents = services(document);
    const auto add = [&](const model::Route& route, const Entity* parent) {
        const Identity identity{"routes", route.id, route.name.value_or(""), entities.size()};
        entities.push_back(entityOf(route, identity, "service", parent));
    };
    for (std::size_t i = 0; i < document.services.size(); ++i) {
        for (const model::Route& route : document.services[i].routes) {
            add(route, &parents[i]);
        }
    }
    for (const model::Route& route : document.routes) {
        add(route, route.service ? findEntity(parents, *route.service) : nullptr);
    }
    return entities;
}

Entities upstreams(const model::Document& document)
{
    Entities entities;
    for (const model::Upstream& upstream : document.upstreams) {
        const Identity identity{"upstreams", upstream.id, upstream.name, entities.size()};
        entities.push_back(entityOf(upstream, identity, {}, nullptr));
    }
    return entities;
}

Entities targets(const model::Document& document)
{
    Entities entities;
    const Entities parents = upstreams(document);
    for (std::size_t i = 0; i < document.upstreams.size(); ++i) {
        for (const model::Target& target : document.upstreams[i].targets) {
            const Identity identity{"targets", target.id, target.target, entities.size()};
            entities.push_back(entityOf(target, identity, "upstream", &parents[i]));
        }
    }
    return entities;
}

Entities certificates(const model::Document& document)
{
    Entities entities;
    for (const model::Certificate& certificate : document.certificates) {
        const Identity identity{"certificates", certificate.id, {}, entities.size()};
        entities.push_back(entityOf(certificate, identity, {}, nullptr));
    }
    return entities;
}

Entities snis(const model::Document& document)
{
    Entities entities;
    const Entities parents = certificates(document);
    for (std::size_t i = 0; i < document.certificates.size(); ++i) {
        for (const model::Sni& sni : document.certificates[i].snis) {
            const Identity identity{"snis", sni.id, sni.name, entities.size()};
            entities.push_back(entityOf(sni, identity, "certificate", &parents[i]));
        }
    }
    return entities;
}

template <typename Struct>
Entities named(std::string_view kind, const std::vector<Struct>& objects, std::string Struct::*name)
{
    Entities entities;
    for (const Struct& object : objects) {
        const Identity identity{kind, std::nullopt, object.*name, entities.size()};
        entities.push_back(entityOf(object, identity, {}, nullptr));
    }
    return entities;
}

} // namespace

std::optional<Entities> entitiesOf(const model::Document& document, std::string_view kind)
{
    using Reader = Entities (*)(const model::Document&);
    static constexpr std::pair<std::string_view, Reader> kReaders[] = {
        {"services", services},
        {"routes", routes},
        {"upstreams", upstreams},
        {"targets", targets},
        {"certificates", certificates},
        {"snis", snis},
        {"nodes",
         [](const model::Document& d) { return named("nodes", d.nodes, &model::Node::name); }},
        {"workloads",
         [](const model::Document& d) {
             return named("workloads", d.workloads, &model::Workload::name);
         }},
        {"models",
         [](const model::Document& d) {
             return named("models", d.models, &model::ServiceModel::service);
         }},
    };
    for (const auto& [name, reader] : kReaders) {
        if (name == kind) {
            return reader(document);
        }
    }
    return std::nullopt;
}

const Entity* findEntity(const Entities& entities, std::string_view key)
{
    const auto found = std::ranges::find_if(entities, [&](const Entity& entity) {
        return entity.id == key || (!key.empty() && entity.name == key);
    });
    return found == entities.end() ? nullptr : &*found;
}

std::string toBody(const Entity& entity) { return config::toJson(entity.record); }

std::string toListBody(const Entities& entities)
{
    Value::List data;
    data.reserve(entities.size());
    for (const Entity& entity : entities) {
        data.push_back(entity.record);
    }
    Value body{Value::Map{}};
    body.set("data", Value(std::move(data)));
    body.set("next", Value());
    return config::toJson(body);
}

} // namespace mesh::control
