#pragma once

#include "proxyengine/http/head.h"
#include "proxyengine/http/parser.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mesh::http {

// What both parsers share: lines, fields, and the rules for framing. Internal to this folder.
//
// Each step reads one whole line from `at`; NeedMore leaves everything as it was.
class HeadReader
{
public:
    HeadReader(std::string_view bytes, std::uint32_t at, Refusal& refusal)
        : m_begin(bytes.data())
        , m_at(bytes.data() + at)
        , m_end(bytes.data() + bytes.size())
        , m_refusal(refusal)
    {}

    static void clear(FieldTable& fields);

    [[nodiscard]] ParseStatus readRequestLine(RequestHead& head);
    [[nodiscard]] ParseStatus readStatusLine(ResponseHead& head);
    // Reads field lines up to and with the empty line.
    [[nodiscard]] ParseStatus readFields(FieldTable& fields);

    [[nodiscard]] ParseStatus finish(RequestHead& head);
    [[nodiscard]] ParseStatus finish(ResponseHead& head, Method request);

    // Where the line that is not complete begins.
    [[nodiscard]] std::uint32_t lineAt() const { return placeOf(m_at); }

private:
    // What the fields of a head say about its body and connection, before the rules are applied.
    struct Claims
    {
        std::uint64_t length = 0;
        bool hasLength = false;
        bool isChunked = false;
        bool saysClose = false;
        bool saysKeepAlive = false;
        bool saysUpgrade = false;
    };

    [[nodiscard]] std::uint32_t placeOf(const char* at) const
    {
        return static_cast<std::uint32_t>(at - m_begin);
    }
    ParseStatus refuse(const char* reason, int status = 400);
    [[nodiscard]] ParseStatus readField(FieldTable& fields);
    [[nodiscard]] bool isLimitPassed(std::size_t bytes) const;
    [[nodiscard]] ParseStatus placeTarget(RequestHead& head);
    [[nodiscard]] ParseStatus checkHost(RequestHead& head);
    [[nodiscard]] ParseStatus readClaims(
        FieldTable& fields, std::uint8_t minorVersion, Claims& claims
    );
    void readConnection(FieldTable& fields, std::string_view value, Claims& claims);

    const char* m_begin;
    const char* m_at;
    const char* m_end;
    Refusal& m_refusal;
};

} // namespace mesh::http
