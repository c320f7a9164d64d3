#pragma once

#include "proxyengine/http/head.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mesh::http {

enum class ParseStatus : std::uint8_t {
    NeedMore, // Call again with the same bytes and more behind them.
    Done, // The head is complete; its `size` says where the body begins.
    Refused, // refusal() says why; the connection is answered and closed.
};

// Why a head or body is not accepted, and the status to answer a client with.
struct Refusal
{
    int status = 400; // 400, 414, 417 or 505.
    const char* reason = ""; // A literal: "space before colon".
};

// Reads a request head, strictly, from bytes that grow at their end.
//
// Nothing is repaired: bare CR or LF, control characters, folded lines, a space before the colon,
// two Content-Length, Content-Length beside Transfer-Encoding, a coding other than exactly
// "chunked", Transfer-Encoding in HTTP/1.0, no or two Host in HTTP/1.1 are refused.
// One empty line before the request line is skipped. The result does not depend on how the bytes
// were split. Bytes behind the head belong to the body or the next request and are not looked at.
// Source: RFC 9112; reference security.md, 5 item 1.
// Cost: finished lines are not read again; no allocation.
class RequestParser
{
public:
    [[nodiscard]] ParseStatus parse(std::string_view bytes, RequestHead& head);
    [[nodiscard]] const Refusal& refusal() const { return m_refusal; }
    void reset() { *this = RequestParser(); }

private:
    Refusal m_refusal;
    std::uint32_t m_lineAt = 0; // Where the unfinished line begins.
    bool m_hasFirstLine = false;
    bool m_isRefused = false;
};

// The same for response heads. What it refuses is a fault of the upstream: 502 to the client.
class ResponseParser
{
public:
    // `request`: the method answered; responses to HEAD have no body.
    [[nodiscard]] ParseStatus parse(std::string_view bytes, Method request, ResponseHead& head);
    [[nodiscard]] const Refusal& refusal() const { return m_refusal; }
    void reset() { *this = ResponseParser(); }

private:
    Refusal m_refusal;
    std::uint32_t m_lineAt = 0;
    bool m_hasFirstLine = false;
    bool m_isRefused = false;
};

} // namespace mesh::http
