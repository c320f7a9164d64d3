#include "proxyengine/proxy/h2_server_stream.h"

#include <algorithm>
#include <utility>

namespace mesh::proxy {
namespace {

constexpr int kFirstRedirect = 300; // Below it stand successes, behind interim heads.

std::string_view viewOf(const iovec& part)
{
    return {static_cast<const char*>(part.iov_base), part.iov_len};
}

} // namespace

H2StreamEnd::~H2StreamEnd() { close(); }

net::IoStep H2StreamEnd::read(std::span<char> buffer)
{
    return m_stream == nullptr ? net::IoStep{net::IoStatus::Failed} : m_stream->read(buffer);
}

net::IoStep H2StreamEnd::write(std::span<const iovec> parts)
{
    return m_stream == nullptr ? net::IoStep{net::IoStatus::Failed} : m_stream->write(parts);
}

void H2StreamEnd::shutdownWrite()
{
    if (m_stream != nullptr) {
        m_stream->shutdownWrite();
    }
}

void H2StreamEnd::close()
{
    setHandler(nullptr);
    if (m_stream != nullptr) {
        std::exchange(m_stream, nullptr)->close();
    }
}

const tls::TlsStream* H2StreamEnd::tls() const
{
    return m_stream == nullptr ? nullptr : m_stream->tls();
}

H2ServerStream::H2ServerStream(H2ServerSession& session, std::size_t placeInList)
    : place(placeInList)
    , m_session(session)
    , m_reader(http::MessageRole::Response, session.m_room)
{}

H2ServerStream::~H2ServerStream() { letGo(); }

std::unique_ptr<ByteStream> H2ServerStream::makeEnd()
{
    auto end = std::make_unique<H2StreamEnd>(*this);
    m_end = end.get();
    return end;
}

// The session ends: the driver hears of it and closes its end.
void H2ServerStream::letGo()
{
    if (m_end != nullptr) {
        H2StreamEnd& end = *std::exchange(m_end, nullptr);
        end.letGo();
        end.wake(net::Ready(net::Ready::kBroken | net::Ready::kPeerEnded));
    }
}

void H2ServerStream::begin(std::int32_t id, http::H2HeadReader& head)
{
    m_id = id;
    head.swapText(m_head);
    m_headAt = 0;
    m_bodyWriter.start(head.framing(), head.announced());
    m_isTunnel = head.isTunnel();
    m_trailersIn.clear();
    m_staged.clear();
    m_stagedAt = 0;
    m_reader.reset();
    m_reader.expect(m_isTunnel ? http::Method::Connect : head.method());
    m_trailersOut.clear();
    m_isFresh = true;
    m_hasEnded = false;
    m_isTailMade = false;
    m_isBroken = false;
    m_isAnswered = false;
    m_isAnswerDropped = false;
    m_isAnswerDone = false;
    m_isEndSent = false;
    m_wantsWrite = false;
    m_session.noteNews(*this, net::Ready::kRead);
}

void H2ServerStream::beginUpgraded(http::Method method, std::string_view headText)
{
    m_id = 1;
    m_head = headText;
    m_reader.expect(method);
    m_hasEnded = true;
    m_isFresh = true;
    m_session.noteNews(*this, net::Ready::kRead);
}

void H2ServerStream::receive(std::string_view data)
{
    if (!m_bodyWriter.receive(data.size())) {
        m_session.m_codec->consumeOfClosed(data.size());
        spoil(http::toText(http::H2Fault::BodyDisagrees));
        return;
    }
    if (m_end == nullptr || m_isShut || m_isBroken) {
        m_session.m_codec->consume(m_id, data.size()); // Nobody wants it any more.
        return;
    }
    m_in.acquire(m_session.m_buffers);
    if (m_in.writable().size() < data.size()) {
        m_in.compact();
    }
    m_in.append(data); // Fits: the window is no larger.
    m_session.noteNews(*this, net::Ready::kRead);
}

void H2ServerStream::receiveEnd()
{
    m_hasEnded = true;
    if (!m_bodyWriter.isComplete()) {
        spoil(http::toText(http::H2Fault::BodyDisagrees));
        return;
    }
    m_session.noteNews(*this, net::Ready::kRead);
}

void H2ServerStream::reset(http::H2Error code)
{
    m_isBroken = true;
    if (m_id != 0) {
        m_session.m_codec->reset(m_id, code);
        m_session.m_owner.askTurnEnd();
    }
}

void H2ServerStream::spoil(std::string_view reason)
{
    m_isBroken = true;
    m_session.m_codec->spoil(m_id, reason);
    m_session.m_owner.askTurnEnd();
    m_session.noteNews(*this, net::Ready::kBroken | net::Ready::kPeerEnded);
}

void H2ServerStream::trim()
{
    for (std::string* text : {&m_head, &m_trailersIn, &m_staged, &m_trailersOut}) {
        http::trimText(*text);
    }
    m_reader.trim();
}

bool H2ServerStream::isReusable() const
{
    const bool isRead = !m_bodyWriter.hasEnd() || (m_isTailMade && m_staged.empty());
    return !m_isShut && !m_isBroken && m_head.empty() && isRead;
}

void H2ServerStream::onClosed(std::uint32_t code)
{
    if (!m_in.isEmpty()) {
        m_session.m_codec->consumeOfClosed(m_in.size());
        m_in.release();
        m_isBroken = true; // The driver would have read on.
    }
    m_rest.release();
    m_id = 0;
    if (std::exchange(m_isWaiting, false)) {
        --m_session.m_waitingAnswers;
    }
    if (m_end == nullptr) {
        m_session.retire(*this);
        return;
    }
    if (m_isFresh && !m_isBroken) { // Reset before its driver heard of it.
        m_head.clear();
        if (m_session.keepSpare(*this)) {
            return;
        }
    }
    const bool isWhole =
        m_isAnswerDone && m_isEndSent && code == static_cast<std::uint32_t>(http::H2Error::NoError);
    if (isWhole && isReusable() && m_session.keepSpare(*this)) {
        return;
    }
    m_isBroken = true;
    m_session.noteNews(*this, net::Ready::kBroken | net::Ready::kPeerEnded);
}

void H2ServerStream::wake(std::uint32_t bits)
{
    m_isFresh = false;
    const bool isSpare = m_id == 0 && (bits & net::Ready::kBroken) == 0;
    if (m_end != nullptr && !isSpare) {
        m_end->wake(net::Ready(bits));
    }
}

net::IoStep H2ServerStream::read(std::span<char> buffer)
{
    if (m_isBroken) {
        return {net::IoStatus::Failed};
    }
    std::size_t count = 0;
    if (!m_head.empty()) {
        count = std::min(m_head.size() - m_headAt, buffer.size());
        std::ranges::copy(std::string_view(m_head).substr(m_headAt, count), buffer.begin());
        m_headAt += count;
        if (m_headAt == m_head.size()) {
            m_head.clear();
            m_headAt = 0;
            http::trimText(m_head); // A tunnel may last for days.
        }
    }
    if (m_head.empty()) {
        count += readBody(buffer.subspan(count));
    }
    if (count > 0) {
        return {net::IoStatus::Done, count};
    }
    const bool isEnd = m_isShut || (m_isTunnel && m_hasEnded && m_in.isEmpty());
    return {isEnd ? net::IoStatus::Closed : net::IoStatus::WouldBlock};
}

std::size_t H2ServerStream::readBody(std::span<char> room)
{
    std::size_t count = 0;
    if (m_isTunnel && !m_reader.isTunnel()) {
        return 0; // What comes before the upgrade is granted must not be taken for a request.
    }
    for (;;) {
        count += readStaged(room.subspan(count));
        if (count == room.size() || (m_in.isEmpty() && (!m_hasEnded || m_isTailMade))) {
            break;
        }
        if (m_in.isEmpty()) {
            m_isTailMade = true;
            m_bodyWriter.end(m_trailersIn, m_staged);
            continue;
        }
        const auto step = m_bodyWriter.write(m_in.readable(), room.subspan(count));
        // A read that leaves something behind must fill the room: nobody would be woken for it.
        const std::size_t taken =
            step.taken > 0 ? step.taken : http::H1BodyWriter::stage(m_in.readable(), m_staged);
        count += step.written;
        m_in.consume(taken);
        m_session.m_codec->consume(m_id, taken);
        m_session.m_owner.askTurnEnd(); // A WINDOW_UPDATE may be due.
    }
    m_in.releaseIfEmpty();
    return count;
}

std::size_t H2ServerStream::readStaged(std::span<char> room)
{
    const std::string_view left = std::string_view(m_staged).substr(m_stagedAt, room.size());
    std::ranges::copy(left, room.begin());
    m_stagedAt += left.size();
    if (m_stagedAt == m_staged.size()) {
        m_staged.clear();
        m_stagedAt = 0;
    }
    return left.size();
}

net::IoStep H2ServerStream::write(std::span<const iovec> parts)
{
    if (m_isBroken || m_id == 0) {
        return {net::IoStatus::Failed};
    }
    if (!m_rest.isEmpty()) {
        m_wantsWrite = true;
        return {net::IoStatus::WouldBlock};
    }
    std::size_t count = 0;
    bool isShort = false;
    m_viewAt = 0;
    m_viewCount = 0;
    m_viewBytes = 0;
    for (const iovec& part : parts) {
        const std::size_t room = net::Buffer::kCapacity - m_rest.size() - m_viewBytes;
        const std::string_view bytes = viewOf(part).substr(0, room);
        if (!takeEvents(bytes)) {
            reset(http::H2Error::Internal);
            return {net::IoStatus::Failed};
        }
        count += bytes.size();
        isShort = bytes.size() < part.iov_len;
        if (isShort) {
            break;
        }
    }
    m_session.m_codec->resume(m_id);
    m_session.pump();
    keepRest();
    if (isShort && m_rest.isEmpty()) {
        m_session.noteNews(*this, net::Ready::kWrite); // The driver waits to be told.
    }
    m_wantsWrite = isShort && !m_rest.isEmpty();
    m_session.m_owner.askTurnEnd();
    return {count > 0 ? net::IoStatus::Done : net::IoStatus::WouldBlock, count};
}

bool H2ServerStream::takeEvents(std::string_view bytes)
{
    using Event = http::H1MessageReader::Event;
    for (;;) {
        const http::H1MessageReader::Step step = m_reader.next(bytes);
        bytes.remove_prefix(step.consumed);
        switch (step.event) {
        case Event::NeedMore:
            return true;
        case Event::Head:
            if (!onHead()) {
                return false;
            }
            break;
        case Event::Data:
            if (m_isAnswerDropped) {
                break;
            }
            if (m_viewCount == kViewsMax) { // Many chunks in one part.
                m_session.m_codec->resume(m_id);
                m_session.pump();
                keepRest();
            }
            m_views[m_viewCount++] = step.data;
            m_viewBytes += step.data.size();
            break;
        case Event::Trailers:
            keepTrailers();
            break;
        case Event::End:
            m_isAnswerDone = true;
            return true;
        case Event::Refused:
            return false;
        }
    }
}

bool H2ServerStream::onHead()
{
    http::H2ServerCodec& codec = *m_session.m_codec;
    if (m_isAnswerDone) {
        return false;
    }
    if (m_reader.isInterim()) {
        return codec.submitInterim(m_id, m_reader.fields());
    }
    m_isAnswered = true;
    if (m_reader.isTunnel()) {
        m_session.noteNews(*this, net::Ready::kRead);
    } else if (m_isTunnel && m_reader.status() < kFirstRedirect) {
        // The client would take it for its tunnel (RFC 8441, 5), and the page behind it for frames.
        static constexpr std::array<http::H2Field, 2> kAnswer = {
            {{":status", "502"}, {"content-length", "0"}}};
        m_isAnswerDropped = true;
        return codec.submitResponse(m_id, kAnswer, http::H2ServerCodec::Body::None);
    }
    const auto body = m_reader.endsWithHead() ? http::H2ServerCodec::Body::None
                                              : http::H2ServerCodec::Body::Follows;
    return codec.submitResponse(m_id, m_reader.fields(), body);
}

void H2ServerStream::keepTrailers()
{
    for (const http::H2Field& field : m_reader.fields()) {
        m_trailersOut += field.name;
        m_trailersOut += ':';
        m_trailersOut += field.value;
        m_trailersOut += '\n';
    }
}

void H2ServerStream::submitTrailers()
{
    std::vector<http::H2Field> fields;
    std::string_view rest = m_trailersOut;
    while (!rest.empty()) {
        const std::size_t colon = rest.find(':');
        const std::size_t end = rest.find('\n');
        fields.push_back({rest.substr(0, colon), rest.substr(colon + 1, end - colon - 1)});
        rest.remove_prefix(end + 1);
    }
    m_session.m_codec->submitTrailers(m_id, fields);
}

// What nghttp2 did not take of the views of this write.
void H2ServerStream::keepRest()
{
    if (m_viewBytes > 0 && m_id != 0) {
        m_rest.acquire(m_session.m_buffers);
        m_rest.compact();
        for (; m_viewAt < m_viewCount; ++m_viewAt) {
            m_rest.append(m_views[m_viewAt]);
        }
    }
    m_viewAt = 0;
    m_viewCount = 0;
    m_viewBytes = 0;
}

http::H2ServerHandler::Offer H2ServerStream::offer(std::size_t most)
{
    const std::size_t waiting = m_rest.size() + m_viewBytes;
    http::H2ServerHandler::Offer offered;
    offered.count = std::min(waiting, most);
    offered.isLast = m_isAnswerDone && offered.count == waiting;
    if (offered.isLast && !m_trailersOut.empty()) {
        offered.hasTrailers = true;
        submitTrailers();
        m_trailersOut.clear();
    }
    return offered;
}

void H2ServerStream::copyBody(std::span<char> out)
{
    m_hasMoved = true;
    const std::size_t first = std::min(m_rest.size(), out.size());
    std::ranges::copy(m_rest.readable().substr(0, first), out.begin());
    if (first > 0) {
        m_rest.consume(first);
        m_rest.releaseIfEmpty();
        if (m_rest.isEmpty() && std::exchange(m_wantsWrite, false)) {
            m_session.noteNews(*this, net::Ready::kWrite);
        }
    }
    for (out = out.subspan(first); !out.empty();) {
        std::string_view& view = m_views[m_viewAt];
        const std::size_t count = std::min(view.size(), out.size());
        std::ranges::copy(view.substr(0, count), out.begin());
        view.remove_prefix(count);
        m_viewBytes -= count;
        m_viewAt += view.empty() ? 1U : 0U;
        out = out.subspan(count);
    }
}

void H2ServerStream::onEndSent()
{
    m_isEndSent = true;
    if (!m_hasEnded && (m_isShut || m_isTunnel || m_end == nullptr)) {
        m_session.m_codec->reset(m_id, http::H2Error::NoError); // We want no more of the request.
    }
}

void H2ServerStream::shutdownWrite()
{
    m_isShut = true;
    if (m_id == 0) {
        return;
    }
    if (!m_isAnswerDone && m_isAnswered && m_reader.endByClose()) {
        m_isAnswerDone = true;
        m_session.m_codec->resume(m_id);
    }
    if (!m_isAnswerDone) {
        reset(http::H2Error::Internal);
    } else if (m_isEndSent && !m_hasEnded) {
        m_session.m_codec->reset(m_id, http::H2Error::NoError);
    }
    m_session.m_owner.askTurnEnd();
}

void H2ServerStream::close()
{
    m_end = nullptr;
    if (m_id == 0) {
        m_session.retire(*this);
        return;
    }
    if (!m_in.isEmpty()) {
        m_session.m_codec->consume(m_id, m_in.size());
        m_in.release();
    }
    if (!m_isAnswerDone) {
        const bool isUntouched = !m_isAnswered && !m_head.empty() && m_headAt == 0;
        reset(isUntouched ? http::H2Error::RefusedStream : http::H2Error::Internal);
    } else if (!m_isEndSent) {
        // Where others wait already, their time is half over.
        m_hasMoved = m_session.m_waitingAnswers > 0;
        m_isWaiting = true;
        ++m_session.m_waitingAnswers;
    } else if (!m_hasEnded) {
        reset(http::H2Error::NoError);
    }
    m_session.m_owner.askTurnEnd();
}

bool H2ServerStream::isStalled()
{
    return m_isWaiting && !m_isBroken && !std::exchange(m_hasMoved, false);
}

} // namespace mesh::proxy
