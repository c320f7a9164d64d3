#include "proxyengine/http/h2_client_codec.h"

#include "proxyengine/base/limits.h"
#include "proxyengine/http/h2_pair.h"
#include "proxyengine/http/octets.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

namespace mesh::http {
namespace {

constexpr std::size_t kStreamsBeforeSettings = 100; // What a server should take (RFC 9113, 6.5.2).
constexpr std::uint32_t kAnswerWindowBytes = 256U << 10U; // Of a stream; whole answers are large.
constexpr std::int32_t kAllAnswersWindowBytes = 4 << 20;

template <typename T, void (*End)(T*)>
struct EndOf
{
    void operator()(T* ended) const noexcept { End(ended); }
};

} // namespace

struct H2ClientCodec::Stream
{
    void* user = nullptr; // Null: nobody hears of it any more.
    std::int32_t id = 0;
    Method method = Method::Get;
    std::string_view body; // Not sent yet.
    H1BodyWriter length; // Holds the answer to its content-length.
    std::size_t interims = 0;
    bool hasHead = false;
    bool isWhole = false;
    bool isMalformed = false;
    bool wasNotSent = false;
};

// Nothing thrown leaves these: what is called does not throw but for memory.
struct H2ClientCodec::Callbacks
{
    static H2ClientCodec& codec(void* user) { return *static_cast<H2ClientCodec*>(user); }

    static Stream* streamOf(nghttp2_session* session, std::int32_t id)
    {
        auto* stream = static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, id));
        return stream == nullptr || stream->isMalformed || stream->isWhole ? nullptr : stream;
    }

    // Frames that cost something and bring nothing forward; nghttp2 bounds CONTINUATION.
    static int onBeginFrame(nghttp2_session*, const nghttp2_frame_hd* head, void* user)
    {
        const bool isEmptyData = head->type == NGHTTP2_DATA && head->length == 0
                                 && (head->flags & NGHTTP2_FLAG_END_STREAM) == 0;
        const bool isMessage = head->type == NGHTTP2_HEADERS || head->type == NGHTTP2_CONTINUATION
                               || head->type == NGHTTP2_DATA;
        H2ClientCodec& self = codec(user);
        if (head->type == NGHTTP2_PUSH_PROMISE) {
            // Also before the server has read that we want none.
            self.endFor(NGHTTP2_PROTOCOL_ERROR, "the server pushes answers to nothing");
        } else if (head->type == NGHTTP2_WINDOW_UPDATE && self.m_credit > 0) {
            --self.m_credit;
        } else if (isEmptyData || !isMessage) {
            self.countControl();
        }
        return self.m_isOver ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
    }

    static int onBeginHeaders(nghttp2_session* session, const nghttp2_frame* frame, void* user)
    {
        if (const Stream* stream = streamOf(session, frame->hd.stream_id)) {
            if (stream->hasHead) {
                codec(user).m_head.beginTrailers();
            } else {
                codec(user).m_head.beginResponse(stream->method);
            }
        }
        return 0;
    }

    static int onHeader(
        nghttp2_session* session,
        const nghttp2_frame* frame,
        const std::uint8_t* name,
        std::size_t nameLength,
        const std::uint8_t* value,
        std::size_t valueLength,
        std::uint8_t /*flags*/,
        void* user
    )
    {
        if (streamOf(session, frame->hd.stream_id) != nullptr) {
            // A fault is looked at when the list is complete: HPACK needs all of it in any case.
            codec(user).m_head.add(textOf(name, nameLength), textOf(value, valueLength));
        }
        return 0;
    }

    static int onFrame(nghttp2_session* session, const nghttp2_frame* frame, void* user)
    {
        H2ClientCodec& self = codec(user);
        const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
        Stream* stream = nullptr;
        switch (frame->hd.type) {
        case NGHTTP2_HEADERS:
            stream = streamOf(session, frame->hd.stream_id);
            if (stream != nullptr) {
                self.onHeadDone(*stream, ends ? StreamEnds::Yes : StreamEnds::No);
            }
            break;
        case NGHTTP2_DATA:
            stream = streamOf(session, frame->hd.stream_id);
            if (stream != nullptr && ends) {
                self.complete(*stream);
            }
            break;
        case NGHTTP2_SETTINGS:
            self.m_hasSettings = true;
            break;
        case NGHTTP2_GOAWAY: // Streams behind its number are closed right after this.
            self.m_isRetired = true;
            self.m_hasGoAway = true;
            break;
        default:
            break;
        }
        return 0;
    }

    static int onData(
        nghttp2_session* session,
        std::uint8_t /*flags*/,
        std::int32_t id,
        const std::uint8_t* data,
        std::size_t length,
        void* user
    )
    {
        Stream* stream = streamOf(session, id);
        if (stream == nullptr) {
            return 0;
        }
        if (!stream->hasHead || !stream->length.receive(length)) {
            codec(user).spoil(*stream);
        } else if (stream->user != nullptr) {
            codec(user).m_handler.onData(stream->user, textOf(data, length));
        }
        return 0;
    }

    static int onClose(nghttp2_session*, std::int32_t id, std::uint32_t code, void* user)
    {
        H2ClientCodec& self = codec(user);
        const auto found = self.m_streams.find(id);
        if (found == self.m_streams.end()) {
            return 0;
        }
        const std::unique_ptr<Stream> stream = std::move(found->second);
        self.m_streams.erase(found);
        H2Outcome outcome = H2Outcome::Reset;
        if (stream->isWhole) {
            outcome = H2Outcome::Whole;
        } else if (stream->isMalformed) {
            outcome = H2Outcome::Malformed;
        } else if (stream->wasNotSent || (code == NGHTTP2_REFUSED_STREAM && !stream->hasHead)) {
            outcome = H2Outcome::Unprocessed;
        }
        if (stream->user != nullptr) {
            self.m_handler.onClosed(stream->user, outcome);
        }
        return 0;
    }

    static int onNotSent(
        nghttp2_session* session, const nghttp2_frame* frame, int /*error*/, void* /*user*/
    )
    {
        if (frame->hd.type == NGHTTP2_HEADERS) {
            if (Stream* stream = streamOf(session, frame->hd.stream_id)) {
                stream->wasNotSent = true;
            }
        }
        return 0;
    }

    static ssize_t readBody(
        nghttp2_session* /*session*/,
        std::int32_t /*id*/,
        std::uint8_t* buffer,
        std::size_t length,
        std::uint32_t* flags,
        nghttp2_data_source* source,
        void* user
    )
    {
        Stream& stream = *static_cast<Stream*>(source->ptr);
        if (stream.user == nullptr) {
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; // Was given up: nothing to send it from.
        }
        const std::size_t count = std::min(length, stream.body.size());
        std::memcpy(buffer, stream.body.data(), count);
        stream.body.remove_prefix(count);
        if (stream.body.empty()) {
            *flags |= NGHTTP2_DATA_FLAG_EOF;
        }
        codec(user).m_credit += 2; // One for the stream, one for the connection.
        return static_cast<ssize_t>(count);
    }

    // Null: no memory.
    static nghttp2_session_callbacks* make()
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
        nghttp2_session_callbacks_set_on_frame_not_send_callback(made, onNotSent);
        return made;
    }
};

void H2ClientCodec::End::operator()(nghttp2_session* session) const noexcept
{
    nghttp2_session_del(session);
}

H2ClientCodec::H2ClientCodec(H2ClientHandler& handler)
    : m_handler(handler)
{}

H2ClientCodec::~H2ClientCodec() = default;

Result<std::unique_ptr<H2ClientCodec>> H2ClientCodec::make(H2ClientHandler& handler)
{
    std::unique_ptr<H2ClientCodec> made(new H2ClientCodec(handler));
    if (!made->begin()) {
        return fail(ErrorCode::Overloaded, "no memory for an HTTP/2 connection");
    }
    return made;
}

bool H2ClientCodec::begin()
{
    const std::unique_ptr<
        nghttp2_session_callbacks,
        EndOf<nghttp2_session_callbacks, nghttp2_session_callbacks_del>>
        callbacks(Callbacks::make());
    nghttp2_option* options = nullptr;
    if (callbacks == nullptr || nghttp2_option_new(&options) != 0) {
        return false;
    }
    const std::unique_ptr<nghttp2_option, EndOf<nghttp2_option, nghttp2_option_del>> owned(options);
    nghttp2_option_set_no_http_messaging(options, 1); // H2HeadReader and H1BodyWriter judge.
    nghttp2_option_set_no_closed_streams(options, 1);
    nghttp2_option_set_max_continuations(options, kH2ContinuationsMax);
    nghttp2_session* session = nullptr;
    if (nghttp2_session_client_new2(&session, callbacks.get(), this, options) != 0) {
        return false;
    }
    m_session.reset(session);
    const std::array settings = {
        nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        nghttp2_settings_entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kAnswerWindowBytes},
        nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, kHeadBytesMax}};
    return nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size())
               == 0
           && nghttp2_session_set_local_window_size(
                  session, NGHTTP2_FLAG_NONE, 0, kAllAnswersWindowBytes
              ) == 0;
}

Result<std::int32_t> H2ClientCodec::submit(
    std::span<const H2Field> fields, Method method, std::string_view body, void* user
)
{
    std::vector<nghttp2_nv> pairs;
    pairs.reserve(fields.size());
    for (const H2Field& field : fields) {
        pairs.push_back(pairOf(field.name, field.value));
    }
    auto stream = std::make_unique<Stream>();
    stream->user = user;
    stream->method = method;
    stream->body = body;
    nghttp2_data_provider provider{};
    provider.source.ptr = stream.get();
    provider.read_callback = Callbacks::readBody;
    const std::int32_t id = nghttp2_submit_request(
        m_session.get(),
        nullptr,
        pairs.data(),
        pairs.size(),
        body.empty() ? nullptr : &provider,
        stream.get()
    );
    if (id < 0) {
        m_isRetired = true; // Out of numbers or memory; another connection has both.
        return fail(ErrorCode::Overloaded, nghttp2_strerror(id));
    }
    stream->id = id;
    m_streams.emplace(id, std::move(stream));
    return id;
}

void H2ClientCodec::cancel(std::int32_t stream)
{
    const auto found = m_streams.find(stream);
    if (found != m_streams.end()) {
        found->second->user = nullptr;
        found->second->body = {};
        nghttp2_submit_rst_stream(m_session.get(), NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
    }
}

bool H2ClientCodec::isRetired() const
{
    return m_isRetired || m_isOver || nghttp2_session_check_request_allowed(m_session.get()) == 0;
}

bool H2ClientCodec::takesMore() const
{
    const std::size_t offered = nghttp2_session_get_remote_settings(
        m_session.get(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS
    );
    const std::size_t most =
        m_hasSettings ? std::min<std::size_t>(offered, kH2StreamsMax) : kStreamsBeforeSettings;
    return !isRetired() && m_streams.size() < most;
}

bool H2ClientCodec::receive(std::string_view bytes, TimePoint now)
{
    m_now = now;
    if (m_isOver) {
        return false;
    }
    const ssize_t taken = nghttp2_session_mem_recv(m_session.get(), octetsOf(bytes), bytes.size());
    if (taken < 0 && !m_isOver) {
        m_failure = nghttp2_strerror(static_cast<int>(taken));
        nghttp2_session_terminate_session(m_session.get(), NGHTTP2_PROTOCOL_ERROR);
    }
    if (taken < 0) {
        m_isOver = true;
    }
    lookForEnd();
    return !m_isOver;
}

// After a frame that breaks the rules nghttp2 says GOAWAY and reads no more; after the server's own
// GOAWAY it ends with the last stream.
void H2ClientCodec::lookForEnd()
{
    if (!m_isOver && nghttp2_session_want_read(m_session.get()) == 0) {
        m_isOver = true;
        m_failure = m_hasGoAway ? "" : "the server breaks the rules of HTTP/2";
    }
}

void H2ClientCodec::fill(std::string& out, std::size_t most)
{
    while (out.size() < most) {
        const std::uint8_t* bytes = nullptr;
        const ssize_t length = nghttp2_session_mem_send(m_session.get(), &bytes);
        if (length <= 0) {
            m_isOver = m_isOver || length < 0;
            break;
        }
        out.append(textOf(bytes, static_cast<std::size_t>(length)));
    }
    lookForEnd();
}

void H2ClientCodec::countControl()
{
    if (m_now - m_second >= std::chrono::seconds(1)) {
        m_second = m_now;
        m_controlFrames = 0;
    }
    if (++m_controlFrames > kUpstreamControlFramesMax) {
        endFor(NGHTTP2_ENHANCE_YOUR_CALM, "the server floods the connection");
    }
}

void H2ClientCodec::endFor(std::uint32_t code, std::string_view failure)
{
    m_failure = failure;
    nghttp2_session_terminate_session(m_session.get(), code);
    m_isOver = true;
}

void H2ClientCodec::onHeadDone(Stream& stream, StreamEnds ends)
{
    const bool isFine = m_head.finish(ends);
    const bool isEnd = ends == StreamEnds::Yes;
    if (!isFine || (stream.hasHead && !isEnd)
        || (!stream.hasHead && m_head.isInterim()
            && (isEnd || ++stream.interims > kUpstreamInterimHeadsMax))) {
        m_head.trim();
        spoil(stream);
        return;
    }
    if (!stream.hasHead && !m_head.isInterim()) {
        stream.hasHead = true;
        stream.length.start(m_head.framing(), m_head.announced());
        if (stream.user != nullptr) {
            m_handler.onHead(stream.user, m_head);
        }
    }
    m_head.trim();
    if (isEnd) {
        complete(stream);
    }
}

void H2ClientCodec::complete(Stream& stream)
{
    if (!stream.hasHead || !stream.length.isComplete()) {
        spoil(stream);
        return;
    }
    stream.isWhole = true;
    if (nghttp2_session_get_stream_local_close(m_session.get(), stream.id) == 0) {
        // Answered before all was said: the rest is not wanted.
        nghttp2_submit_rst_stream(m_session.get(), NGHTTP2_FLAG_NONE, stream.id, NGHTTP2_CANCEL);
    }
}

void H2ClientCodec::spoil(Stream& stream)
{
    stream.isMalformed = true;
    nghttp2_submit_rst_stream(
        m_session.get(), NGHTTP2_FLAG_NONE, stream.id, NGHTTP2_PROTOCOL_ERROR
    );
}

} // namespace mesh::http
