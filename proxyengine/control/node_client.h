#pragma once

#include "proxyengine/base/clock.h"
#include "proxyengine/base/error.h"
#include "proxyengine/base/time.h"
#include "proxyengine/control/listen_text.h"
#include "proxyengine/control/node_credentials.h"

#include <string>
#include <string_view>

namespace mesh::control {

struct NodeAnswer
{
    int status = 0;
    std::string body;
};

struct NodeRequest
{
    AdminAddress address;
    std::string method = "GET";
    std::string path; // With its query.
    std::string body;
    std::string onlyIfHash; // Of POST /config: refused with 412 unless the node runs this hash.
    NodeCredentials credentials; // Needed when the address is one with TLS.
    Duration timeout = std::chrono::seconds(30);
};

// One request to a node's admin API; waits for the whole answer.
//
// Threads: any, each call for itself; blocks for at most `timeout`.
// Errors: Unavailable, Refused, Timeout, Reset, Dns; Protocol for an answer that is not HTTP;
//         LimitExceeded for a body above kAdminBodyBytesMax; Tls when either side does not believe
//         the other, with the node, the certificate's subject and issuer and what was expected;
//         Io, NotFound or PermissionDenied for a credential file. A status of 400 and above is an
//         answer, not an error.
[[nodiscard]] Result<NodeAnswer> requestNode(const Clock& clock, const NodeRequest& request);

// The same without credentials.
[[nodiscard]] Result<NodeAnswer> requestNode(
    const Clock& clock,
    const AdminAddress& address,
    std::string_view method,
    std::string_view path,
    std::string_view body,
    Duration timeout
);

} // namespace mesh::control
