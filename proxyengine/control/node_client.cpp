#include "proxyengine/control/node_client.h"

#include "proxyengine/control/node_address.h"
#include "proxyengine/control/node_tls.h"
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
    return requestNode(
        clock,
        NodeRequest{
            address, std::string(method), std::string(path), std::string(body), {}, {}, timeout}
    );
}

Result<NodeAnswer> requestNode(const Clock& clock, const NodeRequest& asked)
{
    const AdminAddress& address = asked.address;
    MESH_TRY(const auto loop, net::EventLoop::make(clock));
    MESH_TRY(const auto resolver, net::Resolver::make(*loop));
    http::ClientOptions options;
    options.protocols = http::ClientProtocols::Http1And2;
    if (address.isTls) {
        options.makeChannel = clientChannels(asked.credentials, address);
    }
    http::Client client(*loop, options);
    const TimePoint deadline = clock.now() + asked.timeout;

    http::Request request;
    request.method = asked.method;
    request.target = asked.path;
    request.body = asked.body;
    request.headers.push_back(
        {"Host", address.isUnix() ? std::string("localhost") : address.hostPort}
    );
    if (!asked.onlyIfHash.empty()) {
        request.headers.push_back({"If-Match", "\"" + asked.onlyIfHash + "\""});
    }
    std::optional<Result<NodeAnswer>> answer;
    findNode(*resolver, address, [&](Result<net::SocketAddress> found) {
        if (!found) {
            answer = tl::unexpected(std::move(found).error());
            return;
        }
        client.call(
            {*found, std::move(request), asked.timeout},
            [&](Result<http::Response> response) {
                if (!response) {
                    answer = tl::unexpected(std::move(response).error());
                } else if (auto error = refusalOf(address, *response)) {
                    answer = tl::unexpected(*std::move(error));
                } else {
                    answer = NodeAnswer{response->status, std::move(response->body)};
                }
            }
        );
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
