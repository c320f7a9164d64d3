#pragma once

#include "proxyengine/http/h2_bridge.h"
#include "proxyengine/net/buffer.h"
#include "proxyengine/proxy/byte_stream.h"
#include "proxyengine/proxy/h2_client_session.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mesh::proxy {

// One request to an upstream and its answer, as a stream of an H2ClientSession. Used again for
// other requests and sessions; its strings keep their room.
class H2ClientStream final : public ByteStream
{
public:
    // `room`: where heads are read; outlives it, shared with others.
    explicit H2ClientStream(http::H1HeadRoom& room);
    ~H2ClientStream() override;

    [[nodiscard]] net::IoStep read(std::span<char> buffer) override;
    [[nodiscard]] net::IoStep write(std::span<const iovec> parts) override;
    void shutdownWrite() override;
    // What the peer has not ended is reset, unless the answer has come whole.
    void close() override;
    [[nodiscard]] const tls::TlsStream* tls() const override;

    [[nodiscard]] bool isAttached() const { return m_session != nullptr; }
    [[nodiscard]] H2End end() const { return m_end; }
    // "the upstream refused the stream"; empty while it has not failed.
    [[nodiscard]] std::string_view failure() const;
    // Unprocessed by a connection that served others until it went away: asking again elsewhere
    // makes progress, and says nothing about the target.
    [[nodiscard]] bool isPassedOver() const { return m_isPassedOver; }
    [[nodiscard]] TimePoint begunAt() const { return m_begunAt; }

private:
    friend class H2ClientSession;
    friend struct H2ClientGlue;

    // Request.
    [[nodiscard]] std::size_t take(std::string_view bytes);
    [[nodiscard]] std::size_t feedMax() const;
    [[nodiscard]] bool submit();
    [[nodiscard]] bool submitTunnel();
    [[nodiscard]] bool begin(std::span<const http::H2Field> fields);
    void beginHeld(); // The peer's SETTINGS have come.
    void keepTrailers();
    void push();
    void fail(H2End end, std::uint32_t code = 0);
    // Answer.
    void onHead(http::H2HeadReader& head);
    [[nodiscard]] bool onData(std::string_view data);
    [[nodiscard]] bool onEnd(std::string_view trailers);
    [[nodiscard]] bool hasWholeBody() const;
    void clear();

    H2ClientSession* m_session = nullptr;
    std::size_t m_place = 0; // In the session's list.
    std::size_t m_newsPlace = 0;
    std::int32_t m_id = -1; // Of nghttp2; -1: not begun.
    H2End m_end = H2End::None;
    std::uint32_t m_code = 0; // Of Reset.
    bool m_isPassedOver = false;
    TimePoint m_begunAt{};

    // What the driver says.
    http::H1MessageReader m_reader;
    std::string_view m_offer; // In the driver's memory, only during write().
    net::Buffer m_unsent; // Taken, and not in a frame yet.
    std::vector<std::pair<std::string, std::string>> m_trailers;
    http::Method m_method = http::Method::Get;
    std::string m_accept; // Of a tunnel: what its client expects as Sec-WebSocket-Accept.
    std::vector<std::pair<std::string, std::string>> m_held; // Head of a tunnel that waits.

    // What the driver reads.
    std::string m_text; // Heads; at the end what stands behind the body.
    std::size_t m_textAt = 0;
    net::Buffer m_body;
    http::H1BodyWriter m_framing;
    std::string m_tail; // Behind the body.
    std::uint32_t m_news = 0; // Bits of Ready not told yet.
    std::uint16_t m_interims = 0;

    bool m_isSaid = false; // The request is whole.
    bool m_isDeferred = false; // nghttp2 waits to be told of more.
    bool m_isBlocked = false; // write() was short.
    bool m_hasHead = false; // The final one.
    bool m_isLengthKnown = false; // Of its body.
    bool m_isTold = false; // The answer is whole: m_tail stands.
    bool m_isClosed = false; // nghttp2 has forgotten it.
};

} // namespace mesh::proxy
