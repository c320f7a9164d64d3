#include "proxyengine/model/stream_rules.h"

#include "proxyengine/model/field_build.h"

namespace mesh::model {

void checkProxyProtocol(const Service& service, FieldProblems& problems)
{
    const bool isStream = service.protocol == Protocol::Tcp || service.protocol == Protocol::Tls;
    if (service.proxyProtocol && !isStream) {
        build::report(
            problems,
            "proxy_protocol",
            "can only be set when 'protocol' is 'tcp' or 'tls'; services behind http get the "
            "client's address in X-Forwarded-For"
        );
    }
}

} // namespace mesh::model
