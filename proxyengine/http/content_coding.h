#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mesh::http {

// How much a client likes one coding, in thousandths; 0: not at all.
using Quality = std::uint16_t;
inline constexpr Quality kQualityMax = 1000;

// What an Accept-Encoding field says, for the codings that the proxy knows.
//
// Codings are tokens, case ignored, with an optional q of 0 to 1 and at most three decimals; x-gzip
// is gzip. `*` speaks for all that are not named. What is malformed says nothing about its coding,
// so that it counts as not named. Several fields say together what one would.
// Source: RFC 9110, 12.5.3.
class AcceptedCodings
{
public:
    // Of nothing else but identity, until told otherwise.
    AcceptedCodings() = default;
    void add(std::string_view fieldValue);

    [[nodiscard]] Quality gzip() const { return of(kGzip); }
    [[nodiscard]] Quality brotli() const { return of(kBrotli); }
    // Not named, and not refused by `*;q=0`, it is acceptable, though least of all.
    [[nodiscard]] Quality identity() const;

private:
    enum Coding : std::uint8_t { kGzip, kBrotli, kIdentity, kAny, kCodings };
    static constexpr Quality kNotNamed = 0xffff;

    [[nodiscard]] Quality of(Coding coding) const;

    std::array<Quality, kCodings> m_qualities = {kNotNamed, kNotNamed, kNotNamed, kNotNamed};
};

} // namespace mesh::http
