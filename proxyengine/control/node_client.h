#pragma once

#include "proxyengine/base/clock.h"
#include "proxyengine/base/error.h"
#include "proxyengine/base/time.h"
#include "proxyengine/control/listen_text.h"

#include <string>
#include <string_view>

namespace mesh::control {

struct NodeAnswer
{
    int status = 0;
    std::string body;
};

// One request to a node's admin API; waits for the whole answer.
//
// Threads: any, each call for itself; blocks for at most `timeout`.
// Errors: Unavailable, Refused, Timeout, Reset, Dns; Protocol for an answer that is not HTTP;
//         LimitExceeded for a body above kAdminBodyBytesMax. A status of 400 and above is an
//         answer, not an error.
[[nodiscard]] Result<NodeAnswer> requestNode(
    const Clock& clock,
    const AdminAddress& address,
    std::string_view method,
    std::string_view path,
    std::string_view body,
    Duration timeout
);

} // namespace mesh::control
