#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mesh::policy {

// An IPv4 or IPv6 address in network order; IPv4 as its IPv4-mapped IPv6 address, so that a client
// of a dual-stack socket is the same as one of an IPv4 socket.
struct IpAddress
{
    std::array<std::uint8_t, 16> bytes{};

    // Reads a literal without brackets, port or zone; nothing when it is none.
    [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);
    [[nodiscard]] static IpAddress fromIp4(std::array<std::uint8_t, 4> bytes);
    [[nodiscard]] bool isIp4() const;
    friend bool operator==(const IpAddress&, const IpAddress&) = default;
};

// Addresses that begin with the same bits: "10.0.0.0/8", "fd00::/8", or one address alone.
class IpRange
{
public:
    // Bits beyond the prefix are ignored, as routers do. Nothing when the text is no range.
    [[nodiscard]] static std::optional<IpRange> parse(std::string_view text);

    // An IPv6 range holds no IPv4 address, not even ::/0.
    [[nodiscard]] bool contains(const IpAddress& address) const;

private:
    IpAddress m_base;
    int m_bits = 0; // Of the mapped form, 0..128.
};

} // namespace mesh::policy
