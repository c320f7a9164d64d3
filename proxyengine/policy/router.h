#pragma once

#include "proxyengine/model/gateway.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mesh::policy {

// One header of a request, as received.
struct HeaderView
{
    std::string_view name;
    std::string_view value;
};

// What the router looks at. `path` is already normalised (policy/path.h), without the query.
struct RequestView
{
    std::string_view method;
    std::string_view host; // Lower case, without port.
    std::uint16_t port = 0; // The listener's port.
    std::string_view path;
    std::string_view sni; // Empty on plain connections.
    bool isTls = false;
    const HeaderView* headers = nullptr;
    std::size_t headerCount = 0;
};

class Pattern; // route_rule.h

// A group of the route's regular expression and what it took of the path.
struct UriCapture
{
    std::string_view name; // Empty: only its number.
    std::string_view value;
};

struct RouteMatch
{
    std::size_t route; // Index as given to Router's constructor.
    std::size_t
        matchedPathBytes; // Length of the prefix of the path that strip_path removes; 0: none.
    const Pattern* pattern = nullptr; // The router's; null: the route was not found by one.
};

// Finds the route of a request, flavor traditional_compatible of the gateway format: routes compile
// to (priority word, predicate), the first match in descending priority wins; ties go to the older,
// then to the lower id, then to the earlier in the file.
//
// Threads: any, after construction (immutable).
// Cost: independent of the number of routes for exact and prefix paths; regular expressions in
// order.
class Router
{
public:
    Router();
    Router(Router&&) noexcept;
    Router& operator=(Router&&) noexcept;
    Router(const Router&) = delete;
    Router& operator=(const Router&) = delete;
    ~Router();

    // What could not be compiled: route index, field ("paths[1]") and the engine's words.
    struct Refusal
    {
        std::size_t route;
        std::string field;
        std::string message;
    };

    // Compiles all routes; those refused are left out and named.
    [[nodiscard]] static Router make(
        const std::vector<const model::Route*>& routes, std::vector<Refusal>& refusals
    );

    [[nodiscard]] std::optional<RouteMatch> match(const RequestView& request) const;

    struct Compiled; // The router's own.

private:
    explicit Router(std::unique_ptr<const Compiled> compiled);
    std::unique_ptr<const Compiled> m_compiled;
};

} // namespace mesh::policy
