#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/config/snapshot.h"
#include "proxyengine/model/document.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mesh::config {

// A request that is asked about, as a client would send it.
struct RouteQuestion
{
    std::string method = "GET";
    std::string scheme = "http"; // Or "https".
    std::string host; // With or without port.
    std::string path = "/"; // As sent: escapes and query included.
    std::vector<std::pair<std::string, std::string>> headers;
    std::string sourceIp; // Of the client; matters to plugins, routes do not look at it.
    std::string sni; // With https; empty: the host.
    std::uint16_t port = 0; // Of the listener; 0: that of the host, else 80 or 443.
    std::string listener; // A name of Snapshot::listeners; empty: the first with routes.
};

// A route that did not take the request, and the first thing of it that did not hold.
struct LostRoute
{
    std::string route;
    std::string service; // Empty: it has none.
    std::string criterion; // "method", "host", "path", "header", "sni", "protocol", "priority".
    std::string reason; // "asks for method POST, the request has GET"
};

// A service that may get the request, with its share.
struct RouteGoal
{
    std::string service;
    std::uint32_t weight = 0; // Of all weights of the route; 1 when there is no split.
    std::string upstream;
    std::vector<std::string> targets; // host:port
    std::string sentPath; // What the target is asked for.
};

// Which route takes a request, what of it held, and why no other did.
struct RouteExplanation
{
    // Of an answer that the node gives itself: 404 no route, 400 a bad path, 426 or a redirect
    // where the route wants https, 503 a route without a service. 0: the request goes to a target.
    int ownStatus = 0;
    std::string listener;
    std::string normalPath; // What routes are compared with.
    std::string route; // Empty: none.
    std::string routePlace; // "services[0].routes[1]" in the document.
    std::vector<std::string> criteria; // "host shop.test", "path prefix /cart": all that held.
    std::vector<RouteGoal> goals;
    std::vector<std::string> plugins; // That act on it: "key-auth (route cart)".
    std::vector<std::string> policies; // "timeout 2s", "retry 2": what applies of resilience.
    std::vector<LostRoute> losers; // In the order in which they are tried, those near first.
    std::size_t losersLeftOut = 0; // Above kRouteCandidatesMax.
};

// `snapshot` is compile(document, node). Pure; asks the node's own router and then every route for
// itself, so what is told and what happens cannot differ.
// Cost: every criterion of every route of the listener.
// Errors: InvalidArgument with the member that is wrong: "host", "path", "scheme", "listener".
[[nodiscard]] Result<RouteExplanation> explainRoute(
    const model::Document& document, const Snapshot& snapshot, const RouteQuestion& question
);

// Reads "GET http://shop.test/cart?x=1", the method may be missing; headers are the caller's.
// Errors: InvalidArgument.
[[nodiscard]] Result<RouteQuestion> parseRouteQuestion(std::string_view text);

} // namespace mesh::config
