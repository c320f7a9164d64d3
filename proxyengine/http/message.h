#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Whole messages for the control plane and simulated services. The proxy's own path uses head.h.
namespace mesh::http {

struct Header
{
    std::string name;
    std::string value;
    friend bool operator==(const Header&, const Header&) = default;
};

using Headers = std::vector<Header>; // In order; names may repeat.

// The first value of this name, case ignored.
[[nodiscard]] std::optional<std::string_view> findHeader(
    const Headers& headers, std::string_view name
);

struct Request
{
    std::string method = "GET";
    std::string target = "/"; // Path and query.
    Headers headers;
    std::string body;

    [[nodiscard]] std::string_view path() const; // Without the query.
    // The decoded value of a query parameter; the first of its name. Absent or broken: nullopt.
    [[nodiscard]] std::optional<std::string> queryValue(std::string_view name) const;
};

struct RequestHead;
// Everything but the body.
[[nodiscard]] Request toRequest(const RequestHead& head);

struct Response
{
    int status = 200;
    Headers headers;
    std::string body;
};

// %41 and '+' decoded. nullopt when a % is not followed by two hexadecimal digits.
[[nodiscard]] std::optional<std::string> decodePercent(std::string_view text);

} // namespace mesh::http
