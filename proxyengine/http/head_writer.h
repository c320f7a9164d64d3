#pragma once

#include "proxyengine/base/time.h"
#include "proxyengine/http/header_id.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace mesh::http {

// Writes a head into memory that somebody else owns.
//
// What does not fit sets hasOverflowed() and writes nothing more; check once, at the end.
// It trusts its caller: names and values from outside have passed the parser or isFieldValue().
class HeadWriter
{
public:
    explicit HeadWriter(std::span<char> memory)
        : m_at(memory.data())
        , m_begin(memory.data())
        , m_end(memory.data() + memory.size())
    {}

    void requestLine(std::string_view method, std::string_view target); // HTTP/1.1
    void statusLine(int status); // HTTP/1.1 and the usual reason.
    void field(std::string_view name, std::string_view value);
    void field(std::string_view name, std::uint64_t value);
    void raw(std::string_view bytes)
    {
        if (!bytes.empty() && fits(bytes.size())) { // memcpy forbids the null of an empty view.
            put(bytes.data(), bytes.size());
        }
    }
    // A literal, whose length is known where it is written.
    template <std::size_t kSize>
    void raw(const char (&literal)[kSize])
    {
        if (fits(kSize - 1)) {
            put(literal, kSize - 1);
        }
    }
    template <std::size_t kSize>
    void field(const char (&name)[kSize], std::string_view value)
    {
        if (fits(kSize - 1 + kFieldExtra + value.size())) {
            put(name, kSize - 1);
            put(": ", 2);
            if (!value.empty()) {
                put(value.data(), value.size());
            }
            put("\r\n", 2);
        }
    }
    template <std::size_t kSize>
    void field(const char (&name)[kSize], std::uint64_t value)
    {
        if (value > 9) {
            field(std::string_view(name, kSize - 1), value);
            return;
        }
        const char digit = static_cast<char>('0' + value);
        field(name, std::string_view(&digit, 1));
    }
    void end() { raw("\r\n"); }

    [[nodiscard]] bool hasOverflowed() const { return m_hasOverflowed; }
    [[nodiscard]] std::string_view written() const
    {
        return {m_begin, static_cast<std::size_t>(m_at - m_begin)};
    }

private:
    static constexpr std::size_t kFieldExtra = 4; // ": " and the line's end.

    [[nodiscard]] bool fits(std::size_t count)
    {
        if (count <= static_cast<std::size_t>(m_end - m_at)) {
            return true;
        }
        m_end = m_at; // Nothing fits any more.
        m_hasOverflowed = true;
        return false;
    }
    void put(const char* bytes, std::size_t count)
    {
        std::memcpy(m_at, bytes, count);
        m_at += count;
    }

    char* m_at;
    char* m_begin;
    char* m_end;
    bool m_hasOverflowed = false;
};

// "Not Found". "Unknown" for a status without a usual reason.
[[nodiscard]] std::string_view reasonOf(int status);

// Whether the text may stand in a head: tokens for names; no control characters in values.
[[nodiscard]] bool isToken(std::string_view text);
[[nodiscard]] bool isFieldValue(std::string_view text);

// "Sun, 06 Nov 1994 08:49:37 GMT", formatted again only when the second changes.
class DateText
{
public:
    [[nodiscard]] std::string_view at(WallTime now);

private:
    std::int64_t m_second = -1;
    std::array<char, 29> m_text{};
};

} // namespace mesh::http
