#pragma once

#include "proxyengine/api/event.h"
#include "proxyengine/base/error.h"

#include <functional>
#include <string>
#include <string_view>

namespace mesh::ctl {

// Which requests a tap shows:
//
//     status >= 500 and route = cart        latency > 300ms or not (method = GET)
//     path contains /cart                   cart (a word alone: host, path, route or service has
//     it) failed   retried
//
// Texts (node, method, host, path, route, service, target, source, request_id, failure, policy)
// take = != contains; numbers (status, attempts, latency, upstream_latency, proxy_latency,
// bytes_in, bytes_out) take = != < <= > >=. Latencies are "300ms", "2s" or milliseconds. `and`
// binds tighter than `or`; `not`, parentheses and quotes as usual.
class TapFilter
{
public:
    TapFilter() = default; // Shows everything.

    // Errors: InvalidArgument with the offset of what is wrong and what may stand there;
    //         LimitExceeded for texts above 4 KiB and nesting above 32.
    [[nodiscard]] static Result<TapFilter> parse(std::string_view text);

    [[nodiscard]] bool matches(const api::AccessEvent& request) const;

private:
    std::function<bool(const api::AccessEvent&)> m_test; // Empty: everything.
};

} // namespace mesh::ctl
