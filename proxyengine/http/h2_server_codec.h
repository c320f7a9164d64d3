#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/time.h"
#include "proxyengine/http/h2_bridge.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace mesh::http {

// Error codes of RFC 9113, 7 that we send.
enum class H2Error : std::uint32_t {
    NoError = 0,
    Protocol = 1,
    Internal = 2,
    RefusedStream = 7,
    Cancel = 8,
    EnhanceYourCalm = 11,
};

// What a client does too much of. Each has its bound in base/limits.h.
enum class H2Limit : std::uint8_t {
    Streams, // More at once than offered: each beyond is refused.
    Resets, // Rapid reset. This and what follows to EmptyData end the connection.
    Settings,
    Pings,
    Priorities,
    Continuations,
    EmptyData,
    HeaderList, // A head too large: answered with 431.
    StalledAnswers, // Whole, but the client opens no window for it: reset.
    Count,
};
[[nodiscard]] std::string_view toText(H2Limit limit); // "rapid_reset"

// What a server's side of a connection is told. Called from receive() (and, where it says so, from
// fill()); must not call the codec's receive() or fill().
class H2ServerHandler
{
public:
    H2ServerHandler() = default;
    H2ServerHandler(const H2ServerHandler&) = delete;
    H2ServerHandler& operator=(const H2ServerHandler&) = delete;

    // A request's head is whole and well formed: head.text() and framing(). The result is what all
    // further calls about the stream name; null refuses the stream.
    virtual void* onRequest(std::int32_t stream, H2HeadReader& head, StreamEnds ends) = 0;
    virtual void onData(void* user, std::string_view data) = 0;
    virtual void onTrailers(void* user, std::string_view lines) = 0; // onEnd() follows.
    virtual void onEnd(void* user) = 0;
    // The stream is no more; a `code` other than NoError: reset by either side. From fill() too.
    virtual void onClosed(void* user, std::uint32_t code) = 0;

    struct Offer
    {
        std::size_t count = 0; // Body bytes to send now, at most what was asked for.
        bool isLast = false; // Nothing behind them; with 0 bytes: an empty end.
        bool hasTrailers = false; // With isLast: submitTrailers() was called in here.
    };
    // From fill(): how much there is to send; nothing and not last: call resume() later.
    virtual Offer offer(void* user, std::size_t most) = 0;
    // From fill(): that many bytes of what was offered, which are sent then.
    virtual void copyBody(void* user, std::span<char> out) = 0;
    // From fill(): our END_STREAM is written.
    virtual void onEndSent(void* user) = 0;

    virtual void onLimit(H2Limit limit) = 0;
    virtual void onProtocolError(std::string_view reason) = 0; // Of a stream or the connection.
    virtual void onPingAcknowledged() = 0;

protected:
    ~H2ServerHandler() = default;
};

// The server's side of one HTTP/2 connection: bytes in, events out; answers in, bytes out.
//
// Over nghttp2, which keeps HPACK, windows, states and the frames' rules; what it does not limit is
// limited here. Windows open again only by consume(). Malformed messages end their stream with
// PROTOCOL_ERROR, wrong frames the connection with GOAWAY and the code of RFC 9113.
// Threads: the loop's. Cost: about 6 KiB per connection and 0.5 KiB per open stream, nghttp2's own.
class H2ServerCodec
{
public:
    // Errors: ResourceExhausted.
    [[nodiscard]] static Result<std::unique_ptr<H2ServerCodec>> make(H2ServerHandler& handler);
    H2ServerCodec(const H2ServerCodec&) = delete;
    H2ServerCodec& operator=(const H2ServerCodec&) = delete;
    ~H2ServerCodec();

    // The connection began as HTTP/1.1 with `Upgrade: h2c`: stream 1 is its request, told by the
    // caller itself. `settings`: the value of HTTP2-Settings. False: malformed.
    [[nodiscard]] bool upgrade(std::string_view settings, Method method, void* user);

    // False: the connection is over; what fill() still gives is to be sent before it is closed.
    [[nodiscard]] bool receive(std::string_view bytes, TimePoint now);
    // Frames that wait to be sent, as many as fit; 0: none, or the room is too small for the next.
    [[nodiscard]] std::size_t fill(std::span<char> room);
    [[nodiscard]] bool wantsToSend() const;
    [[nodiscard]] bool isOver() const; // Neither reads nor sends any more.

    // Answers. Fields are copied. False: the stream takes none any more.
    bool submitInterim(std::int32_t stream, std::span<const H2Field> fields);
    enum class Body : std::uint8_t { None, Follows };
    bool submitResponse(std::int32_t stream, std::span<const H2Field> fields, Body body);
    bool submitTrailers(std::int32_t stream, std::span<const H2Field> fields);
    void resume(std::int32_t stream);
    void reset(std::int32_t stream, H2Error code);

    // The driver used up this much of a stream's data: its windows open again.
    void consume(std::int32_t stream, std::size_t count);
    void consumeOfClosed(std::size_t count); // The stream is gone: the connection's window alone.

    void announceShutdown(); // No more streams, please; and a ping, to know that it was heard.
    void goAway(); // Streams above the last one seen are not served.
    void terminate(H2Error code); // Now.
    // A malformed message: ends its stream, and too many of them the connection.
    void spoil(std::int32_t stream, std::string_view reason);

private:
    struct Session;
    struct Callbacks;
    // A number of things that may happen at once, and how many more per second.
    struct Allowance
    {
        double left;
        double most;
        double perSecond;
        TimePoint at{};

        bool take(TimePoint now);
    };

    explicit H2ServerCodec(H2ServerHandler& handler);
    void strike(H2Limit limit);
    void end(H2Limit limit);
    void onHeadDone(std::int32_t stream, StreamEnds ends);
    void onTrailersDone(std::int32_t stream, StreamEnds ends);
    void refuseHead(std::int32_t stream, H2Fault fault);

    H2ServerHandler& m_handler;
    std::unique_ptr<Session> m_session;
    H2HeadReader m_head;
    std::string_view m_frame; // Of nghttp2's memory: serialised and not yet given out.
    std::span<char> m_room; // Of the fill() that runs.
    std::size_t m_filled = 0;
    TimePoint m_now{};
    std::size_t m_openStreams = 0; // As nghttp2 counts them: until closed on both sides.
    std::int32_t m_highest = 0; // Stream that HEADERS came for.
    std::array<Allowance, static_cast<std::size_t>(H2Limit::Count)> m_allowances;
    bool m_isEnding = false; // By a limit; nothing more is read.
    bool m_hasFailed = false;
};

} // namespace mesh::http
