#pragma once

#include "proxyengine/base/time.h"
#include "proxyengine/http/header_id.h"

#include <array>
#include <cstddef>
#include <cstdint>
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
    void raw(std::string_view bytes);
    void end() { raw("\r\n"); }

    [[nodiscard]] bool hasOverflowed() const { return m_hasOverflowed; }
    [[nodiscard]] std::string_view written() const
    {
        return {m_begin, static_cast<std::size_t>(m_at - m_begin)};
    }

private:
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
