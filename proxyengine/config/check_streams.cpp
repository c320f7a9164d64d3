#include "proxyengine/config/check_document.h"

#include <algorithm>
#include <utility>

namespace mesh::config {
namespace {

using model::Protocol;

bool endsTls(Protocol protocol)
{
    return protocol == Protocol::Tls || protocol == Protocol::Https || protocol == Protocol::Grpcs;
}

} // namespace

void checkStreamRoute(
    const model::Route& route,
    const model::Service* service,
    const std::string& path,
    std::vector<Finding>& findings
)
{
    const auto warn = [&](std::string where, std::string message) {
        findings.push_back(Finding{
            Problem{
                std::move(where),
                {},
                ErrorCode::InvalidArgument,
                Severity::Warning,
                std::move(message)},
            {}});
    };
    if (service == nullptr) {
        return;
    }
    if (takes(route, Protocol::TlsPassthrough) && endsTls(service->protocol)) {
        warn(
            path + ".protocols",
            "the service's protocol puts TLS around the client's own TLS; say 'tcp' there to pass "
            "it through"
        );
    }
    if (takes(route, Protocol::Udp) && service->proxyProtocol) {
        warn(
            path + ".protocols",
            "UDP sessions carry no PROXY header; the service gets them without the client's "
            "address"
        );
    }
}

} // namespace mesh::config
