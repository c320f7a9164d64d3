#include "proxyengine/proxy/h2_client_stream.h"

#include "proxyengine/base/assert.h"
#include "proxyengine/proxy/h2_client_glue.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <utility>

namespace mesh::proxy {
namespace {

constexpr std::size_t kFramingBytes = 64; // Taken though a window is closed: it may be the end.

std::string_view resetText(std::uint32_t code)
{
    constexpr std::array<std::string_view, 14> kTexts = {
        "the upstream reset the stream (NO_ERROR)",
        "the upstream reset the stream (PROTOCOL_ERROR)",
        "the upstream reset the stream (INTERNAL_ERROR)",
        "the upstream reset the stream (FLOW_CONTROL_ERROR)",
        "the upstream reset the stream (SETTINGS_TIMEOUT)",
        "the upstream reset the stream (STREAM_CLOSED)",
        "the upstream reset the stream (FRAME_SIZE_ERROR)",
        "the upstream refused the stream",
        "the upstream reset the stream (CANCEL)",
        "the upstream reset the stream (COMPRESSION_ERROR)",
        "the upstream reset the stream (CONNECT_ERROR)",
        "the upstream reset the stream (ENHANCE_YOUR_CALM)",
        "the upstream reset the stream (INADEQUATE_SECURITY)",
        "the upstream reset the stream (HTTP_1_1_REQUIRED)"};
    return code < kTexts.size() ? kTexts.at(code) : "the upstream reset the stream";
}

} // namespace

H2ClientStream::H2ClientStream(http::H1HeadRoom& room)
    : m_reader(http::MessageRole::Request, room)
{}

H2ClientStream::~H2ClientStream() { close(); }

const tls::TlsStream* H2ClientStream::tls() const
{
    return m_session == nullptr ? nullptr : m_session->tls();
}

std::string_view H2ClientStream::failure() const
{
    switch (m_end) {
    case H2End::None:
        break;
    case H2End::Refused:
        return "the upstream refused the stream";
    case H2End::Unprocessed:
        return m_session != nullptr && m_session->hasEnded() && !m_session->failure().empty()
                   ? m_session->failure()
                   : "the upstream is going away";
    case H2End::Reset:
        return resetText(m_code);
    case H2End::Broken:
        return m_session != nullptr && m_session->hasEnded() ? m_session->failure()
                                                             : "the answer is not proper HTTP";
    case H2End::Lost:
        return "the upstream closed the connection";
    case H2End::NoTunnel:
        return "the upstream takes no WebSockets over HTTP/2";
    }
    return {};
}

// As new, for the next request.
void H2ClientStream::clear()
{
    m_id = -1;
    m_end = H2End::None;
    m_code = 0;
    m_isPassedOver = false;
    m_reader.reset();
    m_offer = {};
    m_unsent.release();
    m_trailers.clear();
    m_accept.clear();
    m_held.clear();
    m_text.clear();
    m_tail.clear();
    http::trimText(m_text);
    http::trimText(m_tail);
    m_reader.trim();
    m_textAt = 0;
    m_body.release();
    m_news = 0;
    m_interims = 0;
    m_isSaid = m_isDeferred = m_isBlocked = false;
    m_hasHead = m_isLengthKnown = m_isTold = m_isClosed = false;
}

void H2ClientStream::fail(H2End end, std::uint32_t code)
{
    if (m_end != H2End::None) {
        return;
    }
    m_end = end;
    m_code = code;
    m_unsent.release();
    if (m_session != nullptr) {
        m_isPassedOver = end == H2End::Unprocessed && m_session->m_servesOthers;
        m_session->tell(*this, net::Ready::kBroken | net::Ready::kPeerEnded);
    }
}

// --- What the driver says.

// How many bytes of the request are looked at in one step: those that can be sent now.
std::size_t H2ClientStream::feedMax() const
{
    if (m_id < 0 || m_isClosed) {
        return ~std::size_t{0}; // A head comes in one piece; what nobody wants is dropped.
    }
    nghttp2_session* const session = m_session->m_session.get();
    const auto stream = nghttp2_session_get_stream_remote_window_size(session, m_id);
    const auto all = nghttp2_session_get_remote_window_size(session);
    const auto window = static_cast<std::size_t>(std::max(0, std::min(stream, all)));
    return std::max(std::min(window, m_session->roomForData()), kFramingBytes);
}

std::size_t H2ClientStream::take(std::string_view bytes)
{
    using Event = http::H1MessageReader::Event;
    std::size_t taken = 0;
    while (m_held.empty()) {
        if (!m_unsent.isEmpty()) {
            push();
            // When all is taken, the end of the request may be still to see, and nobody will ask.
            if (!m_unsent.isEmpty() && taken < bytes.size()) {
                return taken;
            }
        }
        const std::string_view rest = bytes.substr(taken);
        const auto step = m_reader.next(rest.substr(0, feedMax()));
        taken += step.consumed;
        switch (step.event) {
        case Event::Head:
            if (!submit()) {
                return taken;
            }
            break;
        case Event::Data:
            if (!m_offer.empty()) {
                push();
            }
            m_offer = step.data;
            break;
        case Event::Trailers:
            keepTrailers();
            break;
        case Event::End:
            m_isSaid = true;
            push();
            return taken;
        case Event::Refused:
            m_session->reset(*this, NGHTTP2_INTERNAL_ERROR, H2End::Broken);
            return taken;
        case Event::NeedMore:
            push();
            if (taken == bytes.size() || m_end != H2End::None) {
                return taken;
            }
            break;
        }
        if (m_end != H2End::None) {
            return taken;
        }
    }
    return taken;
}

bool H2ClientStream::submit()
{
    m_method = m_reader.method();
    if (m_session->m_hasGoAway) {
        fail(H2End::Unprocessed);
        return false;
    }
    return m_reader.isTunnel() ? submitTunnel() : begin(m_reader.fields());
}

// Whether the peer takes tunnels is known when its SETTINGS have come (RFC 8441, 3); the head waits
// until then, because the first stream of a connection is earlier.
bool H2ClientStream::submitTunnel()
{
    m_accept = http::webSocketAcceptOf(m_reader.webSocketKey());
    if (!m_session->m_hasSettings) {
        for (const http::H2Field& field : m_reader.fields()) {
            m_held.emplace_back(field.name, field.value);
        }
        m_session->m_owner.onWantsWrite(); // Ours, which the peer may wait for.
        return true;
    }
    if (!m_session->m_canTunnel) {
        fail(H2End::NoTunnel);
        return false;
    }
    return begin(m_reader.fields());
}

bool H2ClientStream::begin(std::span<const http::H2Field> fields)
{
    m_id = H2ClientGlue::submit(*m_session, *this, fields, m_reader.endsWithHead());
    if (m_id < 0) {
        fail(H2End::Lost);
        m_session->retire(); // Its numbers are used up, or memory is.
        return false;
    }
    return true;
}

void H2ClientStream::beginHeld()
{
    if (m_held.empty() || m_end != H2End::None) {
        return;
    }
    const auto held = std::exchange(m_held, {});
    if (!m_session->m_canTunnel) {
        fail(H2End::NoTunnel);
        return;
    }
    std::vector<http::H2Field> fields;
    fields.reserve(held.size());
    for (const auto& [name, value] : held) {
        fields.push_back({name, value});
    }
    if (begin(fields) && m_isBlocked) {
        m_session->tell(*this, net::Ready::kWrite);
    }
}

void H2ClientStream::keepTrailers()
{
    for (const http::H2Field& field : m_reader.fields()) {
        m_trailers.emplace_back(field.name, field.value);
    }
}

// Puts what was taken into frames, as far as windows and room allow; the rest is kept.
void H2ClientStream::push()
{
    if (m_id < 0 || m_isClosed || m_end != H2End::None) {
        m_offer = {};
        return;
    }
    if (m_isDeferred) {
        m_isDeferred = false;
        nghttp2_session_resume_data(m_session->m_session.get(), m_id);
    }
    m_session->pull();
    if (!m_offer.empty()) {
        m_unsent.acquire(m_session->m_loop.buffers());
        const std::size_t kept = m_unsent.append(m_offer);
        MESH_ASSERT(kept == m_offer.size());
        m_offer = {};
    }
}

net::IoStep H2ClientStream::write(std::span<const iovec> parts)
{
    if (m_session == nullptr || m_end != H2End::None || m_session->hasEnded()) {
        return {net::IoStatus::Failed, 0, 0};
    }
    m_isBlocked = false;
    std::size_t total = 0;
    std::size_t taken = 0;
    for (const iovec& part : parts) {
        total += part.iov_len;
        if (taken + part.iov_len == total) { // Nothing before it was left.
            taken += take({static_cast<const char*>(part.iov_base), part.iov_len});
        }
        if (m_end == H2End::NoTunnel) {
            break; // The driver is told by its event, as of one that waited for SETTINGS.
        }
        if (m_end != H2End::None || m_session == nullptr) {
            return {net::IoStatus::Failed, 0, 0};
        }
    }
    m_isBlocked = taken < total;
    m_session->m_isAwaited = m_session->m_isAwaited || m_isBlocked;
    return {taken == 0 ? net::IoStatus::WouldBlock : net::IoStatus::Done, taken, 0};
}

void H2ClientStream::shutdownWrite()
{
    if (m_session == nullptr || m_isSaid || m_end != H2End::None || m_id < 0) {
        return;
    }
    if (m_reader.endByClose()) {
        m_isSaid = true;
        push();
    }
}

// --- What the driver reads.

void H2ClientStream::onHead(http::H2HeadReader& head)
{
    m_text += head.text();
    if (head.isInterim()) {
        return;
    }
    m_hasHead = true;
    const http::BodyFraming& framing = head.framing();
    m_framing.start(framing, head.announced());
    m_isLengthKnown = framing.kind == http::BodyFraming::Kind::None
                      || framing.kind == http::BodyFraming::Kind::Length;
}

bool H2ClientStream::onData(std::string_view data)
{
    if (!m_hasHead || m_isTold || !m_framing.receive(data.size())) {
        return false;
    }
    m_body.acquire(m_session->m_loop.buffers());
    if (m_body.writable().size() < data.size()) {
        m_body.compact();
    }
    return m_body.append(data) == data.size(); // The window is smaller than the block.
}

bool H2ClientStream::onEnd(std::string_view trailers)
{
    if (!m_hasHead || !m_framing.isComplete()) {
        return false;
    }
    m_tail.clear();
    m_framing.end(trailers, m_tail);
    m_isTold = true;
    return true;
}

net::IoStep H2ClientStream::read(std::span<char> buffer)
{
    std::size_t count = 0;
    const auto copyText = [&] {
        const std::size_t bytes = std::min(m_text.size() - m_textAt, buffer.size() - count);
        std::ranges::copy_n(
            m_text.begin() + static_cast<std::ptrdiff_t>(m_textAt),
            static_cast<std::ptrdiff_t>(bytes),
            buffer.subspan(count).begin()
        );
        count += bytes;
        m_textAt += bytes;
        if (m_textAt == m_text.size()) {
            m_text.clear();
            m_textAt = 0;
        }
    };
    copyText();
    std::size_t eaten = 0;
    while (m_text.empty() && !m_body.isEmpty() && count < buffer.size()) {
        const auto step = m_framing.write(m_body.readable(), buffer.subspan(count));
        // A read that leaves something behind must fill the room: nobody would be woken for it.
        const std::size_t taken =
            step.taken > 0 ? step.taken : http::H1BodyWriter::stage(m_body.readable(), m_text);
        m_body.consume(taken);
        eaten += taken;
        count += step.written;
        copyText();
    }
    if (eaten > 0 && !m_isTold && !m_isClosed && m_session != nullptr) {
        nghttp2_session_consume_stream(m_session->m_session.get(), m_id, eaten);
        m_session->m_owner.onWantsWrite();
    }
    m_body.releaseIfEmpty();
    if (m_text.empty() && m_isTold && m_body.isEmpty() && !m_tail.empty()) {
        m_text.swap(m_tail);
        m_tail.clear();
        copyText();
    }
    if (count > 0) {
        return {net::IoStatus::Done, count, 0};
    }
    if (m_end != H2End::None || m_session == nullptr) {
        return {net::IoStatus::Failed, 0, 0};
    }
    return {m_isTold ? net::IoStatus::Closed : net::IoStatus::WouldBlock, 0, 0};
}

// What is missing of the answer is nothing that the driver would read.
bool H2ClientStream::hasWholeBody() const
{
    return m_isTold || (m_hasHead && m_isLengthKnown && m_framing.isComplete());
}

void H2ClientStream::close()
{
    if (m_session != nullptr) {
        m_session->detach(*this);
    }
    clear();
}

} // namespace mesh::proxy
