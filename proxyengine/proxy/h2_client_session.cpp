#include "proxyengine/proxy/h2_client_session.h"

#include "proxyengine/base/assert.h"
#include "proxyengine/http/octets.h"
#include "proxyengine/proxy/h2_client_glue.h"
#include "proxyengine/proxy/h2_client_stream.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <utility>

namespace mesh::proxy {
namespace {

// All streams together: each has its own window, and what it holds is bounded by that.
constexpr std::int32_t kConnectionWindow =
    static_cast<std::int32_t>(kUpstreamWindowBytes * (kUpstreamStreamsMax + 28));
constexpr std::size_t kSmallRoom = 1024; // Not worth a frame.
constexpr std::size_t kBeforeSettings = 1; // Streams, until the peer has said how many it takes.

struct EndOptions
{
    void operator()(nghttp2_option* options) const noexcept { nghttp2_option_del(options); }
};

} // namespace

void H2ClientSession::End::operator()(nghttp2_session* session) const noexcept
{
    nghttp2_session_del(session);
}

H2ClientSession::H2ClientSession(
    net::EventLoop& loop, H2ClientOwner& owner, std::string_view scheme
)
    : m_loop(loop)
    , m_owner(owner)
    , m_scheme(scheme)
    , m_heardAt(loop.now())
{}

H2ClientSession::~H2ClientSession()
{
    while (!m_streams.empty()) {
        H2ClientStream& stream = *m_streams.back();
        stream.m_session = nullptr;
        stream.m_end = H2End::Lost;
        m_streams.pop_back();
    }
}

Result<std::unique_ptr<H2ClientSession>> H2ClientSession::make(
    net::EventLoop& loop, H2ClientOwner& owner, std::string_view scheme
)
{
    std::unique_ptr<H2ClientSession> made(new H2ClientSession(loop, owner, scheme));
    if (!made->begin()) {
        return mesh::fail(ErrorCode::Overloaded, "no memory for an HTTP/2 connection");
    }
    return made;
}

bool H2ClientSession::begin()
{
    nghttp2_option* options = nullptr;
    if (H2ClientGlue::callbacks() == nullptr || nghttp2_option_new(&options) != 0) {
        return false;
    }
    const std::unique_ptr<nghttp2_option, EndOptions> owned(options);
    nghttp2_option_set_no_auto_window_update(options, 1);
    nghttp2_option_set_no_http_messaging(options, 1); // http/h2_bridge.h judges, and alone.
    nghttp2_option_set_no_closed_streams(options, 1);
    nghttp2_session* session = nullptr;
    if (nghttp2_session_client_new2(&session, H2ClientGlue::callbacks(), this, options) != 0) {
        return false;
    }
    m_session.reset(session);
    const std::array settings = {
        nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        nghttp2_settings_entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kUpstreamWindowBytes},
        nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, kHeadBytesMax}};
    return nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size())
               == 0
           && nghttp2_session_set_local_window_size(
                  session, NGHTTP2_FLAG_NONE, 0, kConnectionWindow
              ) == 0;
}

void H2ClientSession::receive(std::string_view bytes)
{
    if (m_hasEnded) {
        return;
    }
    m_heardAt = m_loop.now();
    m_isPingOpen = false;
    m_isInside = true;
    const ssize_t taken =
        nghttp2_session_mem_recv(m_session.get(), http::octetsOf(bytes), bytes.size());
    m_isInside = false;
    if (taken < 0) {
        ++m_counts.protocolErrors;
        end("the upstream broke the rules of HTTP/2", H2End::Broken);
    }
    lookForEnd();
    if (nghttp2_session_want_write(m_session.get()) != 0 || !m_news.empty()) {
        m_owner.onWantsWrite();
    }
}

// What breaks the rules makes nghttp2 say GOAWAY and read no more. After the peer's own GOAWAY it
// ends with the last stream.
void H2ClientSession::lookForEnd()
{
    if (m_hasEnded || nghttp2_session_want_read(m_session.get()) != 0) {
        return;
    }
    if (m_failure.empty() && m_hasGoAway) {
        m_failure = "the upstream is going away";
    } else if (m_failure.empty()) {
        ++m_counts.protocolErrors;
        m_failure = m_hasSettings ? "the upstream broke the rules of HTTP/2"
                                  : "the upstream does not speak HTTP/2";
    }
    end(m_failure, H2End::Broken);
}

void H2ClientSession::wake()
{
    // Drivers may leave, come and write meanwhile; what that brings waits for the next turn.
    for (std::size_t at = 0, count = m_news.size(); at < count; ++at) {
        H2ClientStream* stream = std::exchange(m_news[at], nullptr);
        if (stream != nullptr) {
            stream->wake(net::Ready(std::exchange(stream->m_news, 0)));
        }
    }
    std::erase(m_news, nullptr);
    for (std::size_t at = 0; at < m_news.size(); ++at) {
        m_news[at]->m_newsPlace = at;
    }
    if (!m_news.empty()) {
        m_owner.onWantsWrite();
    }
}

std::size_t H2ClientSession::roomForData() const
{
    if (!m_chunk.empty()) {
        return 0;
    }
    const std::size_t room =
        m_out.hasBlock() ? net::Buffer::kCapacity - m_out.size() : net::Buffer::kCapacity;
    const std::size_t heads = (room / http::kH2FrameBytesMax + 1) * http::kH2FrameHeadBytes;
    return room > heads + kSmallRoom ? room - heads : 0;
}

// Moves frames into m_out until nothing waits or there is no room.
void H2ClientSession::pull()
{
    if (m_isInside) {
        return; // onWantsWrite() follows.
    }
    for (;;) {
        m_out.acquire(m_loop.buffers());
        if (m_chunk.empty()) {
            m_out.compact();
            m_isInside = true;
            const std::uint8_t* bytes = nullptr;
            const ssize_t count = nghttp2_session_mem_send(m_session.get(), &bytes);
            m_isInside = false;
            if (count < 0) {
                end("no memory for the connection", H2End::Lost);
                break;
            }
            if (count == 0) {
                if (roomForData() > 0 || m_out.isEmpty()) {
                    break;
                }
                m_owner.makeRoom();
                if (roomForData() == 0) {
                    break;
                }
                continue;
            }
            m_chunk = http::textOf(bytes, static_cast<std::size_t>(count));
        }
        m_chunk.remove_prefix(m_out.append(m_chunk));
        if (!m_chunk.empty()) {
            m_owner.makeRoom();
            m_out.acquire(m_loop.buffers());
            m_out.compact();
            m_chunk.remove_prefix(m_out.append(m_chunk));
            if (!m_chunk.empty()) {
                break;
            }
        }
    }
    m_out.releaseIfEmpty();
    lookForEnd();
    if (!m_out.isEmpty()) {
        m_owner.onWantsWrite();
    }
}

std::string_view H2ClientSession::unsent()
{
    if (!m_hasEnded) {
        pull();
    }
    return m_out.readable();
}

void H2ClientSession::sent(std::size_t count)
{
    m_out.consume(count);
    if (m_out.isEmpty()) {
        m_out.release();
    }
    if (m_isAwaited && !m_isInside && roomForData() > 0) {
        m_isAwaited = false;
        tellRoom();
    }
}

// There may be room for what the stream has to say.
void H2ClientSession::tellRoom(H2ClientStream& stream)
{
    // What a driver offers in this moment is not in m_unsent yet, and nobody else would resume it.
    if (stream.m_isDeferred && (!stream.m_unsent.isEmpty() || !stream.m_offer.empty())) {
        stream.m_isDeferred = false;
        nghttp2_session_resume_data(m_session.get(), stream.m_id);
        m_owner.onWantsWrite();
    } else if (stream.m_isBlocked && stream.m_unsent.isEmpty()) {
        tell(stream, net::Ready::kWrite);
    }
}

void H2ClientSession::tellRoom()
{
    for (H2ClientStream* stream : m_streams) {
        tellRoom(*stream);
    }
}

void H2ClientSession::tell(H2ClientStream& stream, std::uint32_t bits)
{
    if (stream.m_news == 0) {
        stream.m_newsPlace = m_news.size();
        m_news.push_back(&stream);
    }
    stream.m_news |= bits;
    m_owner.onWantsWrite();
}

void H2ClientSession::end(std::string_view failure, H2End how)
{
    if (m_hasEnded) {
        return;
    }
    m_hasEnded = true;
    m_failure = failure;
    for (H2ClientStream* stream : m_streams) {
        if (!stream->m_isTold || !stream->m_isSaid) {
            stream->fail(stream->m_id < 0 ? H2End::Unprocessed : how);
        }
    }
}

void H2ClientSession::fail(H2End how) { end("the upstream closed the connection", how); }

void H2ClientSession::goAway(std::uint32_t code)
{
    m_isRetired = true;
    nghttp2_session_terminate_session(m_session.get(), code);
}

void H2ClientSession::ping()
{
    m_isPingOpen = true;
    nghttp2_submit_ping(m_session.get(), NGHTTP2_FLAG_NONE, nullptr);
    m_owner.onWantsWrite();
}

void H2ClientSession::reset(H2ClientStream& stream, std::uint32_t code, H2End end)
{
    if (stream.m_id >= 0 && !stream.m_isClosed) {
        nghttp2_submit_rst_stream(m_session.get(), NGHTTP2_FLAG_NONE, stream.m_id, code);
    }
    stream.fail(end);
    m_owner.onWantsWrite();
}

void H2ClientSession::attach(H2ClientStream& stream)
{
    MESH_ASSERT(stream.m_session == nullptr && !m_hasEnded);
    stream.m_session = this;
    stream.m_reader.setScheme(m_scheme);
    stream.m_begunAt = m_loop.now();
    stream.m_place = m_streams.size();
    m_streams.push_back(&stream);
}

void H2ClientSession::detach(H2ClientStream& stream)
{
    MESH_ASSERT(m_streams[stream.m_place] == &stream);
    m_streams[stream.m_place] = m_streams.back();
    m_streams[stream.m_place]->m_place = stream.m_place;
    m_streams.pop_back();
    if (stream.m_news != 0) {
        m_news[stream.m_newsPlace] = nullptr;
        stream.m_news = 0;
    }
    stream.m_session = nullptr;
    if (m_hasEnded || stream.m_id < 0 || stream.m_isClosed) {
        return;
    }
    nghttp2_session_set_stream_user_data(m_session.get(), stream.m_id, nullptr);
    m_left.push_back(stream.m_id);
    // After the whole answer the peer's last word may still be on its way, and is waited for.
    const bool isComplete = stream.m_isSaid && stream.m_unsent.isEmpty() && stream.hasWholeBody();
    if (stream.m_end == H2End::None && !isComplete) {
        nghttp2_submit_rst_stream(m_session.get(), NGHTTP2_FLAG_NONE, stream.m_id, NGHTTP2_CANCEL);
    }
    m_owner.onWantsWrite();
}

std::size_t H2ClientSession::peerMax() const
{
    return std::min<std::size_t>(
        kUpstreamStreamsMax,
        nghttp2_session_get_remote_settings(
            m_session.get(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS
        )
    );
}

std::size_t H2ClientSession::room() const
{
    if (isRetired()) {
        return 0;
    }
    const std::size_t most = m_hasSettings ? peerMax() : kBeforeSettings;
    return most > active() ? most - active() : 0;
}

} // namespace mesh::proxy
