#pragma once

#include <compare>
#include <cstdint>

namespace mesh {

// A number of bytes. Adds and compares with its like only.
class ByteCount
{
public:
    constexpr ByteCount() = default;
    constexpr explicit ByteCount(std::uint64_t value)
        : m_value(value)
    {}

    [[nodiscard]] constexpr std::uint64_t value() const { return m_value; }

    constexpr ByteCount& operator+=(ByteCount other)
    {
        m_value += other.m_value;
        return *this;
    }

    friend constexpr ByteCount operator+(ByteCount a, ByteCount b) { return a += b; }
    friend constexpr auto operator<=>(const ByteCount&, const ByteCount&) = default;

private:
    std::uint64_t m_value = 0;
};

constexpr ByteCount kibibytes(std::uint64_t count) { return ByteCount(count * 1024); }
constexpr ByteCount mebibytes(std::uint64_t count) { return ByteCount(count * 1024 * 1024); }

} // namespace mesh
