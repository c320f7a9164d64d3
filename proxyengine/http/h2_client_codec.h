#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/time.h"
#include "proxyengine/http/h2_bridge.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct nghttp2_session;

namespace mesh::http {

// How a stream of a client ended.
enum class H2Outcome : std::uint8_t {
    Whole, // The answer is complete.
    Unprocessed, // The server has not begun with it: it may be sent again, whatever it asks.
    Reset, // By the server.
    Malformed, // What came is no answer; the stream was reset.
};

// What a client's side of a connection is told, from receive() and fill(). It may call submit() and
// cancel(), not receive() and fill().
class H2ClientHandler
{
public:
    H2ClientHandler() = default;
    H2ClientHandler(const H2ClientHandler&) = delete;
    H2ClientHandler& operator=(const H2ClientHandler&) = delete;

    virtual void onHead(void* user, const H2HeadReader& head) = 0; // The final one.
    virtual void onData(void* user, std::string_view data) = 0;
    virtual void onClosed(void* user, H2Outcome outcome) = 0; // Once; nothing follows.

protected:
    ~H2ClientHandler() = default;
};

// The client's side of one HTTP/2 connection for whole requests: bytes in, events out.
//
// Over nghttp2, as H2ServerCodec. Limits: heads as in H2HeadReader; kH2StreamsMax at a time, or
// what the server takes; kUpstreamControlFramesMax a second and kUpstreamInterimHeadsMax a stream,
// then the connection, or the stream, is ended; pushes are refused. Data is taken as it comes: the
// handler bounds what it keeps. Trailers are left out.
// Threads: the loop's. Lifetime: the handler outlives it.
class H2ClientCodec
{
public:
    // Errors: Overloaded when memory is short.
    [[nodiscard]] static Result<std::unique_ptr<H2ClientCodec>> make(H2ClientHandler& handler);
    H2ClientCodec(const H2ClientCodec&) = delete;
    H2ClientCodec& operator=(const H2ClientCodec&) = delete;
    ~H2ClientCodec();

    // Begins a stream; `body` lives until onClosed() or cancel(). The stream's number.
    // Errors: Overloaded; ask takesMore() first.
    [[nodiscard]] Result<std::int32_t> submit(
        std::span<const H2Field> fields, Method method, std::string_view body, void* user
    );
    void cancel(std::int32_t stream); // The handler hears no more of it.

    // False: the connection is over; what fill() still gives is to be sent before it is closed.
    [[nodiscard]] bool receive(std::string_view bytes, TimePoint now);
    // Appends frames that wait to be sent, until `out` has at least `most` bytes.
    void fill(std::string& out, std::size_t most);

    [[nodiscard]] bool isOver() const { return m_isOver; } // Reads no more.
    [[nodiscard]] bool isRetired() const; // Takes no new streams, ever.
    [[nodiscard]] bool takesMore() const;
    [[nodiscard]] std::size_t streams() const { return m_streams.size(); }
    [[nodiscard]] std::string_view failure() const { return m_failure; } // Why it is over.

private:
    struct Stream;
    struct Callbacks;
    struct End
    {
        void operator()(nghttp2_session* session) const noexcept;
    };

    explicit H2ClientCodec(H2ClientHandler& handler);
    [[nodiscard]] bool begin();
    void onHeadDone(Stream& stream, StreamEnds ends);
    void complete(Stream& stream);
    void spoil(Stream& stream);
    void countControl();
    void lookForEnd();
    void endFor(std::uint32_t code, std::string_view failure);

    H2ClientHandler& m_handler;
    std::unique_ptr<nghttp2_session, End> m_session;
    std::map<std::int32_t, std::unique_ptr<Stream>> m_streams; // Until closed on both sides.
    H2HeadReader m_head; // A list of fields comes in one piece, so one serves all.
    std::string m_failure;
    TimePoint m_now{};
    TimePoint m_second{};
    std::size_t m_controlFrames = 0; // In the present second.
    std::size_t m_credit = 0; // WINDOW_UPDATEs that data we sent explains.
    bool m_hasSettings = false;
    bool m_isRetired = false;
    bool m_hasGoAway = false;
    bool m_isOver = false;
};

} // namespace mesh::http
