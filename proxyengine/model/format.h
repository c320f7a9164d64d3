#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The texts of addresses, as they stand in targets, workloads and hosts.
namespace mesh::model {

struct HostPort
{
    std::string host; // Without brackets.
    std::optional<std::uint16_t> port;
    friend bool operator==(const HostPort&, const HostPort&) = default;
};

// "a:80", "a", "[::1]:80", "[::1]", "::1". Absent when the port is no number from 0 to 65535.
[[nodiscard]] std::optional<HostPort> splitHostPort(std::string_view text);

// "a:80"; an IPv6 address gets its brackets.
[[nodiscard]] std::string joinHostPort(std::string_view host, std::uint16_t port);

// A target's address with its port written out: "a" -> "a:8000". What is no address stays.
[[nodiscard]] std::string withDefaultPort(std::string_view target);

[[nodiscard]] std::optional<std::uint16_t> parsePort(std::string_view text);

} // namespace mesh::model
