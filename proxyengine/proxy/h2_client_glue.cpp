#include "proxyengine/proxy/h2_client_glue.h"

#include "proxyengine/http/h2_pair.h"
#include "proxyengine/proxy/h2_client_session.h"
#include "proxyengine/proxy/h2_client_stream.h"

#include <algorithm>
#include <array>
#include <memory>

namespace mesh::proxy {
namespace {

struct EndCallbacks
{
    void operator()(nghttp2_session_callbacks* made) const noexcept
    {
        nghttp2_session_callbacks_del(made);
    }
};
using CallbacksPtr = std::unique_ptr<nghttp2_session_callbacks, EndCallbacks>;

CallbacksPtr makeCallbacks()
{
    nghttp2_session_callbacks* made = nullptr;
    if (nghttp2_session_callbacks_new(&made) != 0) {
        return nullptr;
    }
    CallbacksPtr callbacks(made);
    nghttp2_session_callbacks_set_on_begin_frame_callback(made, &H2ClientGlue::onBeginFrame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, &H2ClientGlue::onBeginHeaders);
    nghttp2_session_callbacks_set_on_header_callback(made, &H2ClientGlue::onHeader);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, &H2ClientGlue::onFrame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, &H2ClientGlue::onData);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, &H2ClientGlue::onClose);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(made, &H2ClientGlue::onNotSent);
    nghttp2_session_callbacks_set_send_data_callback(made, &H2ClientGlue::sendBody);
    return callbacks;
}

H2ClientSession& sessionOf(void* user) { return *static_cast<H2ClientSession*>(user); }

// Frames that cost us something and bring nothing forward.
bool isControl(const nghttp2_frame_hd& head)
{
    switch (head.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_CONTINUATION: // nghttp2 bounds these.
        return false;
    case NGHTTP2_DATA:
        return head.length == 0 && (head.flags & NGHTTP2_FLAG_END_STREAM) == 0;
    default:
        return true;
    }
}

} // namespace

const nghttp2_session_callbacks* H2ClientGlue::callbacks()
{
    static const CallbacksPtr kCallbacks = makeCallbacks();
    return kCallbacks.get();
}

std::int32_t H2ClientGlue::submit(
    H2ClientSession& session,
    H2ClientStream& stream,
    std::span<const http::H2Field> fields,
    bool endsWithHead
)
{
    std::array<nghttp2_nv, kHeadersMax + 8> pairs; // NOLINT: filled as far as it is used.
    const std::size_t count = std::min(fields.size(), pairs.size());
    for (std::size_t at = 0; at < count; ++at) {
        pairs[at] = http::pairOf(fields[at].name, fields[at].value);
    }
    nghttp2_data_provider body{};
    body.read_callback = &H2ClientGlue::readBody;
    const std::int32_t id = nghttp2_submit_request(
        session.m_session.get(),
        nullptr,
        pairs.data(),
        count,
        endsWithHead ? nullptr : &body,
        &stream
    );
    if (id >= 0) {
        ++session.m_counts.streams;
        ++session.m_begun;
        session.m_isRetired = session.m_isRetired || session.m_begun >= kRequestsPerConnectionMax;
    }
    return id;
}

H2ClientStream* H2ClientGlue::streamOf(nghttp2_session* session, std::int32_t id)
{
    return static_cast<H2ClientStream*>(nghttp2_session_get_stream_user_data(session, id));
}

int H2ClientGlue::onBeginFrame(nghttp2_session* native, const nghttp2_frame_hd* head, void* user)
{
    H2ClientSession& session = sessionOf(user);
    if (!isControl(*head)) {
        return 0;
    }
    if (head->type == NGHTTP2_WINDOW_UPDATE && session.m_credit > 0) {
        --session.m_credit;
        return 0;
    }
    const TimePoint now = session.m_loop.now();
    if (now - session.m_second >= std::chrono::seconds(1)) {
        session.m_second = now;
        session.m_controlFrames = 0;
    }
    if (++session.m_controlFrames == kUpstreamControlFramesMax) {
        ++session.m_counts.controlFloods;
        session.m_failure = "the upstream floods the connection";
        nghttp2_session_terminate_session(native, NGHTTP2_ENHANCE_YOUR_CALM);
    }
    return 0;
}

int H2ClientGlue::onBeginHeaders(nghttp2_session* native, const nghttp2_frame* frame, void* user)
{
    H2ClientSession& session = sessionOf(user);
    if (const H2ClientStream* stream = streamOf(native, frame->hd.stream_id)) {
        if (stream->m_hasHead) {
            session.m_head.beginTrailers();
        } else {
            session.m_head.beginResponse(stream->m_method, stream->m_accept);
        }
    }
    return 0;
}

int H2ClientGlue::onHeader(
    nghttp2_session* native,
    const nghttp2_frame* frame,
    const std::uint8_t* name,
    std::size_t nameLength,
    const std::uint8_t* value,
    std::size_t valueLength,
    std::uint8_t,
    void* user
)
{
    H2ClientSession& session = sessionOf(user);
    const H2ClientStream* stream = streamOf(native, frame->hd.stream_id);
    if (stream != nullptr && stream->m_end == H2End::None) {
        // A fault is looked at when the list is complete: HPACK needs all of it in any case.
        static_cast<void>(
            session.m_head.add(http::textOf(name, nameLength), http::textOf(value, valueLength))
        );
    }
    return 0;
}

void H2ClientGlue::onHeadEnd(H2ClientSession& session, H2ClientStream& stream, bool ends)
{
    http::H2HeadReader& head = session.m_head;
    const bool isTrailers = stream.m_hasHead;
    const bool isFine = head.finish(ends ? http::StreamEnds::Yes : http::StreamEnds::No);
    if (!isFine || (isTrailers && !ends) || (head.isInterim() && ends && !isTrailers)) {
        ++session.m_counts.badMessages;
        const bool isTooLarge = head.fault() == http::H2Fault::TooLarge;
        session.m_counts.headsTooLarge += isTooLarge ? 1U : 0U;
        session.reset(stream, isTooLarge ? NGHTTP2_CANCEL : NGHTTP2_PROTOCOL_ERROR, H2End::Broken);
        return;
    }
    if (isTrailers) {
        onAllSaid(session, stream, head.text());
        return;
    }
    if (head.isInterim() && ++stream.m_interims > kUpstreamInterimHeadsMax) {
        ++session.m_counts.interimFloods;
        session.reset(stream, NGHTTP2_ENHANCE_YOUR_CALM, H2End::Broken);
        return;
    }
    stream.onHead(head);
    session.m_hasAnswered = session.m_hasAnswered || !head.isInterim();
    session.tell(stream, net::Ready::kRead);
    if (ends) {
        onAllSaid(session, stream, {});
    }
}

void H2ClientGlue::onAllSaid(
    H2ClientSession& session, H2ClientStream& stream, std::string_view trailers
)
{
    if (!stream.onEnd(trailers)) {
        ++session.m_counts.badMessages;
        session.reset(stream, NGHTTP2_PROTOCOL_ERROR, H2End::Broken);
        return;
    }
    session.tell(stream, net::Ready::kRead);
}

int H2ClientGlue::onFrame(nghttp2_session* native, const nghttp2_frame* frame, void* user)
{
    H2ClientSession& session = sessionOf(user);
    const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
        if (H2ClientStream* stream = streamOf(native, frame->hd.stream_id);
            stream != nullptr && stream->m_end == H2End::None) {
            if (frame->hd.type == NGHTTP2_HEADERS) {
                onHeadEnd(session, *stream, ends);
                session.m_head.trim();
            } else if (ends) {
                onAllSaid(session, *stream, {});
            }
        }
        break;
    case NGHTTP2_SETTINGS:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) {
            session.m_hasSettings = true;
            session.m_canTunnel = nghttp2_session_get_remote_settings(
                                      native, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL
                                  )
                                  == 1;
            for (H2ClientStream* stream : session.m_streams) {
                stream->beginHeld();
            }
            session.tellRoom(); // Windows may have grown.
        }
        break;
    case NGHTTP2_WINDOW_UPDATE:
        if (frame->hd.stream_id == 0) {
            session.tellRoom();
        } else if (H2ClientStream* stream = streamOf(native, frame->hd.stream_id)) {
            session.tellRoom(*stream);
        }
        break;
    case NGHTTP2_GOAWAY: // Streams behind its number are closed right after this.
        ++session.m_counts.goAways;
        session.m_hasGoAway = true;
        session.m_servesOthers =
            session.m_hasAnswered || (session.m_begun > 0 && frame->goaway.last_stream_id > 0);
        session.m_isRetired = true;
        break;
    default:
        break;
    }
    return 0;
}

int H2ClientGlue::onData(
    nghttp2_session* native,
    std::uint8_t,
    std::int32_t id,
    const std::uint8_t* data,
    std::size_t length,
    void* user
)
{
    H2ClientSession& session = sessionOf(user);
    H2ClientStream* stream = streamOf(native, id);
    if (stream == nullptr || stream->m_end != H2End::None) {
        nghttp2_session_consume(native, id, length);
        return 0;
    }
    nghttp2_session_consume_connection(native, length); // Slow readers hold up their own stream.
    if (!stream->onData(http::textOf(data, length))) {
        ++session.m_counts.badMessages;
        session.reset(*stream, NGHTTP2_PROTOCOL_ERROR, H2End::Broken);
        return 0;
    }
    session.tell(*stream, net::Ready::kRead);
    return 0;
}

// A stream is over for nghttp2: ended by both, reset by one, or never begun.
void H2ClientGlue::onGone(H2ClientSession& session, std::int32_t id, std::uint32_t code)
{
    if (const auto left = std::ranges::find(session.m_left, id); left != session.m_left.end()) {
        *left = session.m_left.back();
        session.m_left.pop_back();
        session.m_owner.onWantsWrite(); // It may have waited for this to close.
        return;
    }
    // nghttp2 does not know those that it could not begin.
    const auto found = std::ranges::find(session.m_streams, id, &H2ClientStream::m_id);
    if (found == session.m_streams.end()) {
        return;
    }
    H2ClientStream* stream = *found;
    stream->m_isClosed = true;
    if (stream->m_end != H2End::None || (stream->m_isTold && stream->m_isSaid)) {
        return;
    }
    if (stream->m_isTold) {
        session.tell(*stream, net::Ready::kWrite); // Nothing more of the request is wanted.
    } else if (code == NGHTTP2_REFUSED_STREAM) {
        ++session.m_counts.refused;
        stream->fail(session.m_hasGoAway ? H2End::Unprocessed : H2End::Refused);
    } else {
        ++session.m_counts.resets;
        stream->fail(H2End::Reset, code);
    }
}

int H2ClientGlue::onClose(nghttp2_session*, std::int32_t id, std::uint32_t code, void* user)
{
    onGone(sessionOf(user), id, code);
    return 0;
}

int H2ClientGlue::onNotSent(nghttp2_session*, const nghttp2_frame* frame, int, void* user)
{
    const bool isRequest =
        frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
    if (isRequest) {
        H2ClientSession& session = sessionOf(user);
        const auto found =
            std::ranges::find(session.m_streams, frame->hd.stream_id, &H2ClientStream::m_id);
        if (found != session.m_streams.end()) {
            (*found)->fail(H2End::Unprocessed); // Not the peer refused it: it never heard of it.
        }
        onGone(session, frame->hd.stream_id, NGHTTP2_REFUSED_STREAM);
    }
    return 0;
}

void H2ClientGlue::submitTrailers(H2ClientSession& session, H2ClientStream& stream)
{
    std::array<nghttp2_nv, kHeadersMax> pairs; // NOLINT: filled as far as it is used.
    const std::size_t count = std::min(stream.m_trailers.size(), pairs.size());
    for (std::size_t at = 0; at < count; ++at) {
        pairs[at] = http::pairOf(stream.m_trailers[at].first, stream.m_trailers[at].second);
    }
    if (nghttp2_submit_trailer(session.m_session.get(), stream.m_id, pairs.data(), count) != 0) {
        session.reset(stream, NGHTTP2_INTERNAL_ERROR, H2End::Lost);
    }
}

ssize_t H2ClientGlue::readBody(
    nghttp2_session* native,
    std::int32_t id,
    std::uint8_t*,
    std::size_t length,
    std::uint32_t* flags,
    nghttp2_data_source*,
    void* user
)
{
    H2ClientSession& session = sessionOf(user);
    H2ClientStream* stream = streamOf(native, id);
    if (stream == nullptr || stream->m_end != H2End::None) {
        return NGHTTP2_ERR_DEFERRED; // A reset is on its way.
    }
    const std::size_t available =
        stream->m_unsent.isEmpty() ? stream->m_offer.size() : stream->m_unsent.size();
    const std::size_t room = session.roomForData();
    if (available > 0 ? room == 0 : !stream->m_isSaid) {
        stream->m_isDeferred = true;
        session.m_isAwaited = session.m_isAwaited || available > 0;
        return NGHTTP2_ERR_DEFERRED;
    }
    const std::size_t count = std::min({length, available, room});
    if (count > 0) {
        *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    }
    if (count == available && stream->m_isSaid) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (!stream->m_trailers.empty()) {
            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
            submitTrailers(session, *stream);
        }
    }
    return static_cast<ssize_t>(count);
}

int H2ClientGlue::sendBody(
    nghttp2_session*,
    nghttp2_frame* frame,
    const std::uint8_t* frameHead,
    std::size_t length,
    nghttp2_data_source*,
    void* user
)
{
    H2ClientSession& session = sessionOf(user);
    H2ClientStream* stream = streamOf(session.m_session.get(), frame->hd.stream_id);
    if (stream == nullptr) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    session.m_out.append(http::textOf(frameHead, http::kH2FrameHeadBytes));
    if (stream->m_unsent.isEmpty()) {
        session.m_out.append(stream->m_offer.substr(0, length));
        stream->m_offer.remove_prefix(length);
    } else {
        session.m_out.append(stream->m_unsent.readable().substr(0, length));
        stream->m_unsent.consume(length);
        stream->m_unsent.releaseIfEmpty();
        if (stream->m_unsent.isEmpty() && stream->m_isBlocked) {
            session.tell(*stream, net::Ready::kWrite);
        }
    }
    constexpr std::size_t kCreditPerFrame = 4;
    constexpr std::size_t kCreditMax = 1000;
    session.m_credit = std::min(session.m_credit + kCreditPerFrame, kCreditMax);
    return 0;
}

} // namespace mesh::proxy
