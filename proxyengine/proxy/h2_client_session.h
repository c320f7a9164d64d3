#pragma once

#include "proxyengine/http/h2_bridge.h"
#include "proxyengine/net/buffer.h"
#include "proxyengine/net/event_loop.h"
#include "proxyengine/tls/stream.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct nghttp2_session;

namespace mesh::proxy {

class H2ClientStream;
struct H2ClientGlue; // What nghttp2 calls.

// How a stream ended when not by its whole answer.
enum class H2End : std::uint8_t {
    None,
    Refused, // REFUSED_STREAM: the peer has not begun.
    Unprocessed, // The peer's GOAWAY stands before it: not begun either, and never will be here.
    Reset, // RST_STREAM with another code.
    Broken, // What came is no HTTP message.
    Lost, // The connection ended.
    NoTunnel, // The peer takes no WebSockets over HTTP/2 (RFC 8441).
};

// What peers did that a session does not put up with; since the last look.
struct H2ClientCounts
{
    std::uint64_t streams = 0; // Begun.
    std::uint64_t refused = 0;
    std::uint64_t resets = 0; // By the peer.
    std::uint64_t badMessages = 0; // Ended with PROTOCOL_ERROR by us.
    std::uint64_t headsTooLarge = 0;
    std::uint64_t interimFloods = 0;
    std::uint64_t controlFloods = 0; // Sessions ended for SETTINGS, PING and the like.
    std::uint64_t protocolErrors = 0; // Sessions ended for what is no HTTP/2, pushes included.
    std::uint64_t goAways = 0; // Received.
};

// Whoever moves the session's bytes.
class H2ClientOwner
{
public:
    H2ClientOwner() = default;
    H2ClientOwner(const H2ClientOwner&) = delete;
    H2ClientOwner& operator=(const H2ClientOwner&) = delete;
    // There is something to send, at the end of the turn.
    virtual void onWantsWrite() = 0;
    // unsent() is full: send what can be sent now. Wakes nobody.
    virtual void makeRoom() = 0;

protected:
    ~H2ClientOwner() = default;
};

// The client's side of one HTTP/2 connection, without its socket: bytes go in and out, streams are
// ByteStreams that speak HTTP/1.1 (http/h2_bridge.h).
//
// Body bytes of a request are put into frames as they are offered, in the one buffer that leaves
// with one write; what the windows or that buffer do not take is not taken from the driver. Body
// bytes of an answer wait in the stream, at most a window; the window opens as the driver reads.
// Limits: kH2WindowBytes per stream, kH2ControlFramesPerSecondMax, heads as in http/.
// Threads: the loop's. Lifetime: outlives its streams, or fail() detaches them.
// Source: RFC 9113, 8441.
class H2ClientSession
{
public:
    // Errors: Overloaded when memory is short.
    [[nodiscard]] static Result<std::unique_ptr<H2ClientSession>> make(
        net::EventLoop& loop, H2ClientOwner& owner, std::string_view scheme
    );
    H2ClientSession(const H2ClientSession&) = delete;
    H2ClientSession& operator=(const H2ClientSession&) = delete;
    ~H2ClientSession();

    // Bytes from the peer. hasEnded() may be true then, with a last word in unsent(); news of
    // streams wait for wake().
    void receive(std::string_view bytes);
    // Tells drivers what receive() and sent() brought. They may do anything to their streams.
    void wake();

    // What is to be sent; filled as far as there is room.
    [[nodiscard]] std::string_view unsent();
    [[nodiscard]] std::string_view ready() const { return m_out.readable(); } // Without filling.
    void sent(std::size_t count);

    // The connection is lost or is ended: every stream fails.
    void fail(H2End end);
    // Nothing new is begun; the peer is told why.
    void goAway(std::uint32_t code);
    void ping();

    // A stream of this session from now on; the session must have room.
    void attach(H2ClientStream& stream);

    // Streams that may still be begun here.
    [[nodiscard]] std::size_t room() const;
    [[nodiscard]] std::size_t active() const { return m_streams.size() + m_left.size(); }
    [[nodiscard]] bool isRetired() const { return m_isRetired || m_hasEnded; }
    void retire() { m_isRetired = true; }
    [[nodiscard]] bool hasEnded() const { return m_hasEnded; }
    // Why it ended; a literal.
    [[nodiscard]] std::string_view failure() const { return m_failure; }
    [[nodiscard]] bool hasSettings() const { return m_hasSettings; }
    [[nodiscard]] bool hasAnswered() const { return m_hasAnswered; } // A head of any stream came.
    [[nodiscard]] bool isPingOpen() const { return m_isPingOpen; }
    [[nodiscard]] std::size_t peerMax() const; // Streams at a time, as far as is known.
    [[nodiscard]] TimePoint heardAt() const { return m_heardAt; }
    [[nodiscard]] const H2ClientCounts& counts() const { return m_counts; }
    void setTls(const tls::TlsStream* stream) { m_tls = stream; }
    [[nodiscard]] const tls::TlsStream* tls() const { return m_tls; }

private:
    friend class H2ClientStream;
    friend struct H2ClientGlue;
    struct End
    {
        void operator()(nghttp2_session* session) const noexcept;
    };

    H2ClientSession(net::EventLoop& loop, H2ClientOwner& owner, std::string_view scheme);
    [[nodiscard]] bool begin();
    void detach(H2ClientStream& stream);
    void pull();
    void end(std::string_view failure, H2End how);
    void lookForEnd();
    void tell(H2ClientStream& stream, std::uint32_t bits);
    void tellRoom(H2ClientStream& stream);
    void tellRoom();
    void reset(H2ClientStream& stream, std::uint32_t code, H2End end);
    [[nodiscard]] std::size_t roomForData() const;

    net::EventLoop& m_loop;
    H2ClientOwner& m_owner;
    std::unique_ptr<nghttp2_session, End> m_session;
    std::string_view m_scheme;
    const tls::TlsStream* m_tls = nullptr;
    net::Buffer m_out;
    std::string_view m_chunk; // Of nghttp2's memory; did not fit into m_out yet.
    http::H2HeadReader m_head; // A list of fields comes in one piece, so one reader serves all.
    std::vector<H2ClientStream*> m_streams; // Attached.
    std::vector<H2ClientStream*> m_news; // Null: has left meanwhile.
    std::vector<std::int32_t> m_left; // Streams that the peer has not ended, without a driver.
    bool m_isAwaited = false; // Streams wait for room in m_out.
    H2ClientCounts m_counts;
    std::string_view m_failure;
    TimePoint m_heardAt{};
    TimePoint m_second{};
    std::size_t m_controlFrames = 0; // In the present second.
    std::size_t m_credit = 0; // WINDOW_UPDATEs that data we sent explains.
    std::uint64_t m_begun = 0;
    bool m_isInside = false; // Of nghttp2: no call into it.
    bool m_isRetired = false;
    bool m_hasEnded = false;
    bool m_hasSettings = false;
    bool m_hasAnswered = false;
    bool m_hasGoAway = false;
    bool m_servesOthers = false; // At its GOAWAY: it has answered, or will, at least one stream.
    bool m_isPingOpen = false;
    bool m_canTunnel = false;
};

} // namespace mesh::proxy
