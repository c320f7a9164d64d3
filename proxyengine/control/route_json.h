#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/config/explain_route.h"

#include <string>
#include <string_view>

// A route test as it goes over the wire: what POST /v1/route-test takes and gives.
namespace mesh::control {

// {"method","scheme","host","path","headers":{"name":"value" or ["v1","v2"]},"source_ip","sni",
//  "port","listener"}; all but the host may be missing.
// Errors: Syntax; UnknownField, InvalidArgument with the member; LimitExceeded.
[[nodiscard]] Result<config::RouteQuestion> routeQuestionFromJson(std::string_view body);

// The body with which a node is asked.
[[nodiscard]] std::string toJson(const config::RouteQuestion& question);

// {"matched","status","listener","path","route","place","criteria":[..],"goals":[{"service",
//  "weight","upstream","targets":[..],"sent_path"}],"plugins":[..],"policies":[..],
//  "losers":[{"route","service","criterion","reason"}],"losers_left_out"}
// `status` is that of an answer of the node's own, 0 when the request goes to a target.
[[nodiscard]] std::string toJson(const config::RouteExplanation& told);

// What a node said. Errors: Syntax when it is no JSON object.
[[nodiscard]] Result<config::RouteExplanation> routeExplanationFromJson(std::string_view body);

} // namespace mesh::control
