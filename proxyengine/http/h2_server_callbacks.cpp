#include "proxyengine/http/h2_server_session.h"

#include <algorithm>

namespace mesh::http {

H2ServerCodec& H2ServerCodec::Callbacks::codec(void* user)
{
    return *static_cast<H2ServerCodec*>(user);
}

int H2ServerCodec::Callbacks::onBeginFrame(
    nghttp2_session* session, const nghttp2_frame_hd* frame, void* user
)
{
    H2ServerCodec& self = codec(user);
    const bool isAck = (frame->flags & NGHTTP2_FLAG_ACK) != 0;
    switch (frame->type) {
    case NGHTTP2_HEADERS:
        if (frame->stream_id > self.m_highest) {
            self.m_highest = frame->stream_id;
        } else if (nghttp2_session_get_stream_user_data(session, frame->stream_id) == nullptr) {
            self.strike(H2Limit::Resets); // Of a stream that is no more: read for nothing.
        }
        break;
    case NGHTTP2_RST_STREAM:
        self.strike(H2Limit::Resets);
        break;
    case NGHTTP2_SETTINGS:
        if (!isAck) {
            self.strike(H2Limit::Settings);
        }
        break;
    case NGHTTP2_PING:
        if (!isAck) {
            self.strike(H2Limit::Pings);
        }
        break;
    case NGHTTP2_PRIORITY:
        self.strike(H2Limit::Priorities);
        break;
    case NGHTTP2_DATA:
        if (frame->length == 0 && (frame->flags & NGHTTP2_FLAG_END_STREAM) == 0) {
            self.strike(H2Limit::EmptyData);
        }
        break;
    default:
        break;
    }
    return self.m_isEnding ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

int H2ServerCodec::Callbacks::onBeginHeaders(
    nghttp2_session*, const nghttp2_frame* frame, void* user
)
{
    H2HeadReader& head = codec(user).m_head;
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        ++codec(user).m_openStreams;
        head.beginRequest();
    } else {
        head.beginTrailers();
    }
    return 0;
}

int H2ServerCodec::Callbacks::onHeader(
    nghttp2_session*,
    const nghttp2_frame*,
    const std::uint8_t* name,
    std::size_t nameLength,
    const std::uint8_t* value,
    std::size_t valueLength,
    std::uint8_t,
    void* user
)
{
    // What is malformed is dealt with at the end: HPACK has to see all of it.
    codec(user).m_head.add(textOf(name, nameLength), textOf(value, valueLength));
    return 0;
}

int H2ServerCodec::Callbacks::onFrame(
    nghttp2_session* session, const nghttp2_frame* frame, void* user
)
{
    H2ServerCodec& self = codec(user);
    const std::int32_t stream = frame->hd.stream_id;
    const bool isEnd = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (frame->hd.type == NGHTTP2_HEADERS) {
        const StreamEnds ends = isEnd ? StreamEnds::Yes : StreamEnds::No;
        if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
            self.onHeadDone(stream, ends);
        } else {
            self.onTrailersDone(stream, ends);
        }
    } else if (frame->hd.type == NGHTTP2_DATA && isEnd) {
        if (void* opened = nghttp2_session_get_stream_user_data(session, stream)) {
            self.m_handler.onEnd(opened);
        }
    } else if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) {
        self.m_handler.onPingAcknowledged();
    }
    return self.m_isEnding ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

int H2ServerCodec::Callbacks::onData(
    nghttp2_session* session,
    std::uint8_t,
    std::int32_t stream,
    const std::uint8_t* data,
    std::size_t length,
    void* user
)
{
    H2ServerCodec& self = codec(user);
    if (void* opened = nghttp2_session_get_stream_user_data(session, stream)) {
        self.m_handler.onData(opened, textOf(data, length));
    } else {
        self.consumeOfClosed(length);
    }
    return 0;
}

int H2ServerCodec::Callbacks::onClose(
    nghttp2_session* session, std::int32_t stream, std::uint32_t code, void* user
)
{
    H2ServerCodec& self = codec(user);
    self.m_openStreams -= std::min<std::size_t>(self.m_openStreams, 1);
    if (void* opened = nghttp2_session_get_stream_user_data(session, stream)) {
        self.m_handler.onClosed(opened, code);
    }
    return 0;
}

int H2ServerCodec::Callbacks::onInvalid(
    nghttp2_session*, const nghttp2_frame* frame, int error, void* user
)
{
    H2ServerCodec& self = codec(user);
    // Who exceeds what it has acknowledged loses the connection: nghttp2 is strict here.
    const bool isTooMany =
        error == NGHTTP2_ERR_REFUSED_STREAM
        || (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST
            && self.m_openStreams >= kH2StreamsMax);
    if (isTooMany) {
        self.m_handler.onLimit(H2Limit::Streams);
        self.strike(H2Limit::Resets); // It made us reset one.
    } else {
        self.m_handler.onProtocolError(nghttp2_strerror(error));
        self.strike(H2Limit::Resets);
    }
    return self.m_isEnding ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

int H2ServerCodec::Callbacks::onSent(
    nghttp2_session* session, const nghttp2_frame* frame, void* user
)
{
    const bool isMessage = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    if (!isMessage || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) {
        return 0;
    }
    const std::int32_t stream = frame->hd.stream_id;
    if (void* opened = nghttp2_session_get_stream_user_data(session, stream)) {
        codec(user).m_handler.onEndSent(opened);
    } else { // An answer of the codec's own to a request that may go on.
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_NO_ERROR);
    }
    return 0;
}

ssize_t H2ServerCodec::Callbacks::readBody(
    nghttp2_session*,
    std::int32_t,
    std::uint8_t*,
    std::size_t length,
    std::uint32_t* flags,
    nghttp2_data_source* source,
    void* user
)
{
    H2ServerCodec& self = codec(user);
    const H2ServerHandler::Offer offer =
        self.m_handler.offer(source->ptr, std::min(length, kH2FrameBytesMax));
    if (offer.count == 0 && !offer.isLast) {
        return NGHTTP2_ERR_DEFERRED;
    }
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (offer.isLast) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (offer.hasTrailers) {
            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        }
    }
    return static_cast<ssize_t>(offer.count);
}

int H2ServerCodec::Callbacks::sendBody(
    nghttp2_session*,
    nghttp2_frame*,
    const std::uint8_t* frameHead,
    std::size_t length,
    nghttp2_data_source* source,
    void* user
)
{
    H2ServerCodec& self = codec(user);
    const std::span<char> room = self.m_room.subspan(self.m_filled);
    if (room.size() < kH2FrameHeadBytes + length) {
        return NGHTTP2_ERR_WOULDBLOCK; // nghttp2 goes from frame to frame without asking us.
    }
    std::ranges::copy(textOf(frameHead, kH2FrameHeadBytes), room.begin());
    self.m_handler.copyBody(source->ptr, room.subspan(kH2FrameHeadBytes, length));
    self.m_filled += kH2FrameHeadBytes + length;
    return 0;
}

nghttp2_session_callbacks* H2ServerCodec::Callbacks::make()
{
    nghttp2_session_callbacks* made = nullptr;
    if (nghttp2_session_callbacks_new(&made) != 0) {
        return nullptr;
    }
    nghttp2_session_callbacks_set_on_begin_frame_callback(made, onBeginFrame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, onBeginHeaders);
    nghttp2_session_callbacks_set_on_header_callback(made, onHeader);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, onFrame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, onData);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, onClose);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(made, onInvalid);
    nghttp2_session_callbacks_set_on_frame_send_callback(made, onSent);
    nghttp2_session_callbacks_set_send_data_callback(made, sendBody);
    return made;
}

} // namespace mesh::http
