#include "proxyengine/config/codec.h"

#include "proxyengine/base/hash.h"
#include "proxyengine/config/document_value.h"
#include "proxyengine/config/tree.h"
#include "proxyengine/model/canonical.h"
#include "proxyengine/model/schema.h"

namespace mesh::config {
namespace {

using model::Defaults;
using model::Value;

template <typename Entity>
void addList(Value& root, std::string_view key, const std::vector<Entity>& entities)
{
    if (entities.empty()) {
        return;
    }
    Value::List list;
    list.reserve(entities.size());
    for (const Entity& entity : entities) {
        list.push_back(model::toValue(entity, Defaults::Omitted));
    }
    root.set(key, std::move(list));
}

// Only certificates have secrets; a schema test holds that true.
void maskSecrets(Value& certificates)
{
    for (Value& certificate : certificates.list()) {
        for (const model::Field& field : model::schemaOf<model::Certificate>().fields()) {
            if (Value* const value = certificate.find(field.key);
                field.isSecret && value != nullptr) {
                *value = Value("***");
            }
        }
    }
}

} // namespace

Value toValue(const model::Document& document, Secrets secrets)
{
    Value root;
    root.set("_format_version", "3.0");
    addList(root, "services", document.services);
    addList(root, "routes", document.routes);
    addList(root, "upstreams", document.upstreams);
    addList(root, "certificates", document.certificates);
    if (secrets == Secrets::Masked && root.find("certificates") != nullptr) {
        maskSecrets(*root.find("certificates"));
    }
    addList(root, "ca_certificates", document.caCertificates);
    addList(root, "plugins", document.plugins);
    if (document.mesh) {
        root.set("mesh", model::toValue(*document.mesh, Defaults::Omitted));
    }
    addList(root, "nodes", document.nodes);
    addList(root, "workloads", document.workloads);
    addList(root, "models", document.models);
    return root;
}

std::string toYaml(const model::Document& document, Secrets secrets)
{
    return toYaml(toValue(model::canonical(document), secrets));
}

std::string toJson(const model::Document& document, Secrets secrets)
{
    return toJson(toValue(model::canonical(document), secrets));
}

std::string hashOfCanonical(const model::Document& document)
{
    return sha256Hex(toJson(toValue(document, Secrets::Shown)));
}

std::string hashOf(const model::Document& document)
{
    return hashOfCanonical(model::canonical(document));
}

} // namespace mesh::config
