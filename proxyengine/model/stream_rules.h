#pragma once

#include "proxyengine/model/gateway.h"
#include "proxyengine/model/schema.h"

namespace mesh::model {

// What a service says of its connections must suit its protocol.
void checkProxyProtocol(const Service& service, FieldProblems& problems);

} // namespace mesh::model
