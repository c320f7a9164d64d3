#pragma once

#include "proxyengine/model/document.h"

#include <string>

namespace mesh::config {

// Whether an object is called this: by its name or its id.
[[nodiscard]] bool isCalled(const auto& entity, const std::string& nameOrId)
{
    return entity.name == nameOrId || entity.id == nameOrId;
}

// The mtls-auth that runs for a route in front of this service (null: it has none): the most
// specific one. Null: nobody is asked for a certificate.
// Source: the gateway's precedence: route and service, route, service, everything.
[[nodiscard]] const model::Plugin* mtlsAuthOf(
    const model::Document& document, const model::Route& route, const model::Service* service
);

} // namespace mesh::config
