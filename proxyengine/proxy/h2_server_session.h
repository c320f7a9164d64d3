#pragma once

#include "proxyengine/http/h2_server_codec.h"
#include "proxyengine/net/buffer.h"
#include "proxyengine/proxy/byte_stream.h"

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mesh::proxy {

class H2ServerStream;

// What carries a session: a client's connection, or a test.
class H2SessionOwner
{
public:
    H2SessionOwner() = default;
    H2SessionOwner(const H2SessionOwner&) = delete;
    H2SessionOwner& operator=(const H2SessionOwner&) = delete;

    // A driver for one stream after another; it sets itself as the handler. It is woken later.
    virtual void openDriver(std::unique_ptr<ByteStream> stream) = 0;
    // Sends what it can. False: nothing moved.
    virtual bool send(net::Buffer& frames) = 0;
    virtual void askTurnEnd() = 0; // deliver() and pump() are due at the end of this turn.
    virtual void onLimit(http::H2Limit limit) = 0;
    virtual void onProtocolError(std::string_view reason) = 0;
    virtual void onPingAcknowledged() = 0;
    [[nodiscard]] virtual const tls::TlsStream* tls() const = 0;

protected:
    ~H2SessionOwner() = default;
};

// The streams of one HTTP/2 connection of a client, each with its driver.
//
// A stream's request is told to its driver as HTTP/1.1 and the answer read from it. When both are
// through, driver and stream are kept, and the next request of the connection comes to the driver
// as the next of a kept-alive connection: nothing is made for it. Frames of all streams are put
// into one buffer and leave together.
// Back-pressure: a stream's window opens as its driver reads. What a driver writes beyond the
// client's window waits in one buffer of the stream, and nothing more is taken before it is empty.
class H2ServerSession final : private http::H2ServerHandler
{
public:
    // Errors: as H2ServerCodec.
    [[nodiscard]] static Result<std::unique_ptr<H2ServerSession>> make(
        H2SessionOwner& owner, net::BufferPool& buffers
    );
    ~H2ServerSession();

    // Stream 1 is this HTTP/1.1 request, which asked for h2c. False: HTTP2-Settings is malformed.
    [[nodiscard]] bool upgrade(
        std::string_view settings, http::Method method, std::string_view headText
    );

    // False: nothing more is to be read.
    [[nodiscard]] bool receive(std::string_view bytes, TimePoint now)
    {
        return m_codec->receive(bytes, now);
    }
    void deliver(); // Wakes the drivers that have news. With none of them on the stack.
    void pump(); // Puts frames into the buffer and has it sent when it is full.
    [[nodiscard]] net::Buffer& frames() { return m_frames; }

    // The connection is gone: drivers are told, streams let go.
    void letGoAll();

    void announceShutdown() { m_codec->announceShutdown(); }
    void goAway() { m_codec->goAway(); }
    [[nodiscard]] bool isOver() const { return m_codec->isOver(); }
    [[nodiscard]] std::size_t openStreams() const { return m_openStreams; }
    // Answers that are whole and wait for the client's windows, and whose drivers have gone.
    [[nodiscard]] std::size_t waitingAnswers() const { return m_waitingAnswers; }
    // Gives up those of which nothing was sent since the last call, or since they wait when none
    // waited before. Frames are to be sent afterwards.
    void endStalled();

private:
    friend class H2ServerStream;

    H2ServerSession(H2SessionOwner& owner, net::BufferPool& buffers);

    void* onRequest(std::int32_t stream, http::H2HeadReader& head, http::StreamEnds ends) override;
    void onData(void* user, std::string_view data) override;
    void onTrailers(void* user, std::string_view lines) override;
    void onEnd(void* user) override;
    void onClosed(void* user, std::uint32_t code) override;
    Offer offer(void* user, std::size_t most) override;
    void copyBody(void* user, std::span<char> out) override;
    void onEndSent(void* user) override;
    void onLimit(http::H2Limit limit) override { m_owner.onLimit(limit); }
    void onProtocolError(std::string_view reason) override { m_owner.onProtocolError(reason); }
    void onPingAcknowledged() override { m_owner.onPingAcknowledged(); }

    [[nodiscard]] H2ServerStream& takeStream();
    void noteNews(H2ServerStream& stream, std::uint32_t bits);
    void retire(H2ServerStream& stream); // Is destroyed by the next deliver().
    [[nodiscard]] bool keepSpare(H2ServerStream& stream); // False: there are enough.

    H2SessionOwner& m_owner;
    net::BufferPool& m_buffers;
    std::unique_ptr<http::H2ServerCodec> m_codec;
    http::H1HeadRoom m_room;
    net::Buffer m_frames;
    std::vector<std::unique_ptr<H2ServerStream>> m_streams;
    std::vector<H2ServerStream*> m_spare;
    std::vector<H2ServerStream*> m_news;
    std::vector<H2ServerStream*> m_newsNow;
    std::vector<H2ServerStream*> m_retired;
    std::size_t m_openStreams = 0;
    std::size_t m_waitingAnswers = 0;
};

} // namespace mesh::proxy
