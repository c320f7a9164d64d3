#pragma once

#include "proxyengine/model/gateway.h"
#include "proxyengine/model/schema.h"

namespace mesh::model {

// Upgrades of a service: tokens, none of which would hand HTTP itself past the proxy.
void checkUpgrades(const Service& service, FieldProblems& problems);
// Compression: content types without parameters.
void checkCompression(const Compression& compression, FieldProblems& problems);

} // namespace mesh::model
