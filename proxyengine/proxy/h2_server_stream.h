#pragma once

#include "proxyengine/http/h2_bridge.h"
#include "proxyengine/net/buffer.h"
#include "proxyengine/proxy/byte_stream.h"
#include "proxyengine/proxy/h2_server_session.h"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace mesh::proxy {

class H2ServerStream;

// The end of a stream that its driver holds.
class H2StreamEnd final : public ByteStream
{
public:
    explicit H2StreamEnd(H2ServerStream& stream)
        : m_stream(&stream)
    {}
    ~H2StreamEnd() override;

    [[nodiscard]] net::IoStep read(std::span<char> buffer) override;
    [[nodiscard]] net::IoStep write(std::span<const iovec> parts) override;
    void shutdownWrite() override;
    void close() override;
    [[nodiscard]] const tls::TlsStream* tls() const override;

    using ByteStream::wake;
    void letGo() { m_stream = nullptr; }

private:
    H2ServerStream* m_stream; // Null: the session let go.
};

// One stream after another of a session: the request towards the driver, the answer towards the
// frames. `id` is 0 between two requests.
class H2ServerStream
{
public:
    H2ServerStream(H2ServerSession& session, std::size_t place);
    H2ServerStream(const H2ServerStream&) = delete;
    H2ServerStream& operator=(const H2ServerStream&) = delete;
    ~H2ServerStream();

    [[nodiscard]] std::unique_ptr<ByteStream> makeEnd();
    void begin(std::int32_t id, http::H2HeadReader& head);
    void beginUpgraded(http::Method method, std::string_view headText);

    // By the session.
    void receive(std::string_view data);
    void receiveTrailers(std::string_view lines) { m_trailersIn = lines; }
    void receiveEnd();
    void onClosed(std::uint32_t code);
    [[nodiscard]] http::H2ServerHandler::Offer offer(std::size_t most);
    void copyBody(std::span<char> out);
    void onEndSent();
    void wake(std::uint32_t bits);
    void letGo();
    void trim(); // Between two requests: gives memory back beyond what usual ones take.
    // Nothing of an answer without a driver was sent since this was last asked.
    [[nodiscard]] bool isStalled();
    void reset(http::H2Error code);

    // By the driver.
    [[nodiscard]] net::IoStep read(std::span<char> buffer);
    [[nodiscard]] net::IoStep write(std::span<const iovec> parts);
    void shutdownWrite();
    void close();
    [[nodiscard]] const tls::TlsStream* tls() const { return m_session.m_owner.tls(); }

    std::size_t place; // In the session's list.
    std::uint32_t news = 0; // Bits of net::Ready to be told; 0: not in the list of news.

private:
    static constexpr std::size_t kViewsMax = 48; // Body pieces of one write.

    void spoil(std::string_view reason);
    [[nodiscard]] bool takeEvents(std::string_view bytes);
    [[nodiscard]] bool onHead();
    void keepTrailers();
    void submitTrailers();
    void keepRest();
    [[nodiscard]] bool isReusable() const;
    std::size_t readBody(std::span<char> room);
    std::size_t readStaged(std::span<char> room);

    H2ServerSession& m_session;
    H2StreamEnd* m_end = nullptr; // The driver's; null: it has closed.
    std::int32_t m_id = 0;

    // Towards the driver.
    std::string m_head;
    std::size_t m_headAt = 0;
    net::Buffer m_in; // Body as received, at most a window of it.
    http::H1BodyWriter m_bodyWriter;
    std::string m_trailersIn;
    std::string m_staged; // A small chunk or the last one, on its way.
    std::size_t m_stagedAt = 0;

    // From the driver.
    http::H1MessageReader m_reader;
    std::array<std::string_view, kViewsMax> m_views; // Of the write() that runs.
    std::size_t m_viewAt = 0;
    std::size_t m_viewCount = 0;
    std::size_t m_viewBytes = 0;
    net::Buffer m_rest; // What the client's window did not take.
    std::string m_trailersOut; // "name:value\n" each.

    bool m_isFresh = false; // The driver has not been told of it.
    bool m_isTunnel = false;
    bool m_hasEnded = false; // The client's END_STREAM.
    bool m_isTailMade = false;
    bool m_isBroken = false;
    bool m_isShut = false; // shutdownWrite() was called.
    bool m_isAnswered = false; // A final head was submitted.
    bool m_isAnswerDropped = false; // The client was told otherwise.
    bool m_isAnswerDone = false; // The whole answer is here.
    bool m_isEndSent = false;
    bool m_wantsWrite = false;
    bool m_isWaiting = false; // For windows: the answer is whole, and the driver has gone.
    bool m_hasMoved = false; // Since the session looked: some of the answer was sent.
};

} // namespace mesh::proxy
