#include "proxyengine/proxy/h2_server_session.h"

#include "proxyengine/proxy/h2_server_stream.h"

#include <algorithm>
#include <utility>

namespace mesh::proxy {
namespace {

H2ServerStream& streamOf(void* user) { return *static_cast<H2ServerStream*>(user); }

} // namespace

H2ServerSession::H2ServerSession(H2SessionOwner& owner, net::BufferPool& buffers)
    : m_owner(owner)
    , m_buffers(buffers)
{}

H2ServerSession::~H2ServerSession() { letGoAll(); }

Result<std::unique_ptr<H2ServerSession>> H2ServerSession::make(
    H2SessionOwner& owner, net::BufferPool& buffers
)
{
    std::unique_ptr<H2ServerSession> session(new H2ServerSession(owner, buffers));
    MESH_TRY(session->m_codec, http::H2ServerCodec::make(*session));
    return session;
}

bool H2ServerSession::upgrade(
    std::string_view settings, http::Method method, std::string_view headText
)
{
    H2ServerStream& stream = takeStream();
    if (!m_codec->upgrade(settings, method, &stream)) {
        retire(stream);
        return false;
    }
    ++m_openStreams;
    stream.beginUpgraded(method, headText);
    return true;
}

H2ServerStream& H2ServerSession::takeStream()
{
    if (!m_spare.empty()) {
        H2ServerStream& stream = *m_spare.back();
        m_spare.pop_back();
        return stream;
    }
    m_streams.push_back(std::make_unique<H2ServerStream>(*this, m_streams.size()));
    H2ServerStream& stream = *m_streams.back();
    m_owner.openDriver(stream.makeEnd());
    return stream;
}

void* H2ServerSession::onRequest(std::int32_t id, http::H2HeadReader& head, http::StreamEnds)
{
    H2ServerStream& stream = takeStream();
    ++m_openStreams;
    stream.begin(id, head);
    return &stream;
}

void H2ServerSession::onData(void* user, std::string_view data) { streamOf(user).receive(data); }

void H2ServerSession::onTrailers(void* user, std::string_view lines)
{
    streamOf(user).receiveTrailers(lines);
}

void H2ServerSession::onEnd(void* user) { streamOf(user).receiveEnd(); }

void H2ServerSession::onClosed(void* user, std::uint32_t code)
{
    --m_openStreams;
    streamOf(user).onClosed(code);
    m_owner.askTurnEnd();
}

H2ServerSession::Offer H2ServerSession::offer(void* user, std::size_t most)
{
    return streamOf(user).offer(most);
}

void H2ServerSession::copyBody(void* user, std::span<char> out) { streamOf(user).copyBody(out); }

void H2ServerSession::onEndSent(void* user) { streamOf(user).onEndSent(); }

void H2ServerSession::noteNews(H2ServerStream& stream, std::uint32_t bits)
{
    if (stream.news == 0) {
        m_news.push_back(&stream);
        m_owner.askTurnEnd();
    }
    stream.news |= bits;
}

void H2ServerSession::retire(H2ServerStream& stream)
{
    std::erase(m_spare, &stream); // The next request must not get it.
    m_retired.push_back(&stream);
    m_owner.askTurnEnd();
}

bool H2ServerSession::keepSpare(H2ServerStream& stream)
{
    if (m_spare.size() >= kH2SpareStreamsMax) {
        return false;
    }
    stream.trim();
    m_spare.push_back(&stream);
    return true;
}

void H2ServerSession::deliver()
{
    m_newsNow.swap(m_news);
    for (H2ServerStream* stream : m_newsNow) {
        stream->wake(std::exchange(stream->news, 0));
    }
    m_newsNow.clear();
    for (H2ServerStream* stream : std::exchange(m_retired, {})) {
        std::erase(m_news, stream);
        const std::size_t place = stream->place;
        m_streams[place].swap(m_streams.back());
        m_streams[place]->place = place;
        m_streams.pop_back();
    }
}

void H2ServerSession::pump()
{
    while (m_codec->wantsToSend()) {
        m_frames.acquire(m_buffers);
        m_frames.compact();
        const std::size_t count = m_codec->fill(m_frames.writable());
        m_frames.commit(count);
        if (count == 0 && (m_frames.isEmpty() || !m_owner.send(m_frames))) {
            break;
        }
    }
    m_frames.releaseIfEmpty();
}

void H2ServerSession::endStalled()
{
    for (const auto& stream : m_streams) {
        if (stream->isStalled()) {
            m_owner.onLimit(http::H2Limit::StalledAnswers);
            stream->reset(http::H2Error::Cancel);
        }
    }
}

void H2ServerSession::letGoAll()
{
    for (std::size_t at = 0; at < m_streams.size(); ++at) { // Drivers close their own ends.
        m_streams[at]->letGo();
    }
    m_news.clear();
    m_retired.clear();
    m_spare.clear();
    m_openStreams = 0;
    m_waitingAnswers = 0;
}

} // namespace mesh::proxy
