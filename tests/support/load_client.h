#pragma once

#include "proxyengine/net/event_loop.h"
#include "proxyengine/net/socket_address.h"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

// Clients that send one request after the other over kept connections and look closely at what
// comes back. Nothing is repeated: what the server does wrong is seen.
namespace mesh::test {

struct LoadPlan
{
    net::SocketAddress address;
    std::size_t connections = 8;
    std::size_t requests = 2000; // Over all connections.
    std::string path = "/";
    // The bytes of the n-th request when set, instead of a GET of `path`.
    std::function<std::string(std::size_t at)> request;
    Duration patience = std::chrono::seconds(30); // For all of them; the rest counts as unanswered.
};

struct LoadAnswer
{
    int status = 0; // 0: no whole head came.
    std::string head;
    std::string body; // Decoded.
    bool isWhole = false; // Ended as its head said.
    Duration took{};

    [[nodiscard]] bool isGood() const { return isWhole && status >= 200 && status < 300; }
    // The first field of this name, or "".
    [[nodiscard]] std::string header(std::string_view name) const;
};

struct LoadReport
{
    std::vector<LoadAnswer> answers; // By number of the request.
    Duration took{};

    [[nodiscard]] std::size_t good() const;
    [[nodiscard]] double goodShare() const;
    [[nodiscard]] std::size_t count(int status) const; // Whole answers of this status.
    [[nodiscard]] std::size_t count(std::string_view header, std::string_view value) const;
    [[nodiscard]] Duration slowest() const;
    // "200: 1990, 502: 8, broken 200: 1, none: 1; slowest 31 ms": for a failing test.
    [[nodiscard]] std::string summary() const;
};

// Turns the loop until all requests are answered, or patience ends.
[[nodiscard]] LoadReport runLoad(net::EventLoop& loop, const LoadPlan& plan);

// One request on a connection of its own.
[[nodiscard]] LoadAnswer ask(
    net::EventLoop& loop,
    const net::SocketAddress& address,
    std::string_view path = "/",
    std::string_view moreFields = {},
    std::string_view body = {},
    std::string_view method = "GET"
);

} // namespace mesh::test
