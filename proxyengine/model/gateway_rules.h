#pragma once

#include "proxyengine/model/gateway.h"
#include "proxyengine/model/schema.h"

// Rules over several fields of one object of the gateway format, in the gateway's words.
namespace mesh::model {

void checkService(const Service& service, FieldProblems& problems);
void checkRoute(const Route& route, FieldProblems& problems);
void checkAddressMatch(const AddressMatch& match, FieldProblems& problems);
void checkUpstream(const Upstream& upstream, FieldProblems& problems);
void checkCertificate(const Certificate& certificate, FieldProblems& problems);

// Whether requests are routed and not connections or datagrams. A route's protocols are of one kind
// (checkRoute()).
[[nodiscard]] bool isHttpRoute(const Route& route);

} // namespace mesh::model
