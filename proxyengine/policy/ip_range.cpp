#include "proxyengine/policy/ip_range.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace mesh::policy {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr int kMappedBits = 96;

} // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text)
{
    const std::string literal(text);
    std::array<std::uint8_t, 4> four{};
    if (::inet_pton(AF_INET, literal.c_str(), four.data()) == 1) {
        return fromIp4(four);
    }
    IpAddress address;
    if (::inet_pton(AF_INET6, literal.c_str(), address.bytes.data()) == 1) {
        return address;
    }
    return std::nullopt;
}

IpAddress IpAddress::fromIp4(std::array<std::uint8_t, 4> bytes)
{
    IpAddress address;
    std::ranges::copy(kMappedPrefix, address.bytes.begin());
    std::ranges::copy(bytes, address.bytes.begin() + kMappedPrefix.size());
    return address;
}

bool IpAddress::isIp4() const
{
    return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin());
}

std::optional<IpRange> IpRange::parse(std::string_view text)
{
    const std::size_t slash = text.find('/');
    const auto base = IpAddress::parse(text.substr(0, slash));
    if (!base) {
        return std::nullopt;
    }
    const int width = base->isIp4() ? 32 : 128;
    int bits = width;
    if (slash != std::string_view::npos) {
        const std::string_view digits = text.substr(slash + 1);
        const char* const end = digits.data() + digits.size();
        const auto [rest, status] = std::from_chars(digits.data(), end, bits);
        if (status != std::errc{} || rest != end || bits < 0 || bits > width) {
            return std::nullopt;
        }
    }
    IpRange range;
    range.m_base = *base;
    range.m_bits = base->isIp4() ? kMappedBits + bits : bits;
    return range;
}

bool IpRange::contains(const IpAddress& address) const
{
    if (address.isIp4() != m_base.isIp4()) {
        return false;
    }
    const auto whole = static_cast<std::size_t>(m_bits / 8);
    if (!std::equal(
            m_base.bytes.begin(),
            m_base.bytes.begin() + static_cast<std::ptrdiff_t>(whole),
            address.bytes.begin()
        )) {
        return false;
    }
    const int left = m_bits % 8;
    if (left == 0) {
        return true;
    }
    const auto mask = static_cast<std::uint8_t>(0xffU << (8U - static_cast<unsigned>(left)));
    return ((m_base.bytes[whole] ^ address.bytes[whole]) & mask) == 0;
}

} // namespace mesh::policy
