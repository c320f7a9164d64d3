#include "proxyengine/control/node_client.h"

#include "proxyengine/control/node_address.h"
#include "proxyengine/http/client.h"
#include "proxyengine/net/event_loop.h"

#include <optional>
#include <utility>

namespace mesh::control {
namespace {

constexpr Duration kTurnWaitMax = std::chrono::milliseconds(100);

} // namespace

Result<NodeAnswer> requestNode(
    const Clock& clock,
    const AdminAddress& address,
    std::string_view method,
    std::string_view path,
    std::string_view body,
    Duration timeout
)
{
    MESH_TRY(const auto loop, net::EventLoop::make(clock));
    MESH_TRY(const auto resolver, net::Resolver::make(*loop));
    http::Client client(*loop);
    const TimePoint deadline = clock.now() + timeout;

    http::Request request;
    request.method = method;
    request.target = path;
    request.body = body;
    request.headers.push_back(
        {"Host", address.isUnix() ? std::string("localhost") : address.hostPort}
    );
    std::optional<Result<NodeAnswer>> answer;
    findNode(*resolver, address, [&](Result<net::SocketAddress> found) {
        if (!found) {
            answer = tl::unexpected(std::move(found).error());
            return;
        }
        client.call({*found, std::move(request), timeout}, [&](Result<http::Response> response) {
            if (!response) {
                answer = tl::unexpected(std::move(response).error());
            } else {
                answer = NodeAnswer{response->status, std::move(response->body)};
            }
        });
    });
    while (!answer) {
        if (clock.now() > deadline + kTurnWaitMax) {
            return fail(ErrorCode::Timeout, toText(address) + " did not answer in time");
        }
        loop->runTurn(kTurnWaitMax);
    }
    return *std::move(answer);
}

} // namespace mesh::control
