#include "proxyengine/http/h2_server_codec.h"

#include "proxyengine/http/h2_server_session.h"
#include "proxyengine/http/octets.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace mesh::http {
namespace {

// With less room no frame is begun, so that one is never cut for want of it.
constexpr std::size_t kRoomMin = kH2FrameHeadBytes + kH2FrameBytesMax;

std::uint32_t codeOf(H2Error error) { return static_cast<std::uint32_t>(error); }

// base64url without padding (RFC 4648, 5), as HTTP2-Settings has it.
std::optional<std::vector<std::uint8_t>> decodeBase64Url(std::string_view text)
{
    constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    constexpr std::size_t kTextMax = 1024; // 128 settings.
    if (text.size() > kTextMax) {
        return std::nullopt;
    }
    std::vector<std::uint8_t> bytes;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char digit : text) {
        const std::size_t value = kDigits.find(digit);
        if (value == std::string_view::npos) {
            return std::nullopt;
        }
        bits = bits << 6U | static_cast<std::uint32_t>(value);
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes.push_back(static_cast<std::uint8_t>(bits >> static_cast<unsigned>(count) & 255U));
        }
    }
    return bytes;
}

} // namespace

std::string_view toText(H2Limit limit)
{
    switch (limit) {
    case H2Limit::Streams:
        return "concurrent_streams";
    case H2Limit::Resets:
        return "rapid_reset";
    case H2Limit::Settings:
        return "settings_flood";
    case H2Limit::Pings:
        return "ping_flood";
    case H2Limit::Priorities:
        return "priority_flood";
    case H2Limit::Continuations:
        return "continuation_flood";
    case H2Limit::EmptyData:
        return "empty_data_flood";
    case H2Limit::HeaderList:
        return "header_list_size";
    case H2Limit::StalledAnswers:
        return "stalled_answers";
    case H2Limit::Count:
        break;
    }
    return "";
}

namespace {

nghttp2_option* makeOptions()
{
    nghttp2_option* made = nullptr;
    if (nghttp2_option_new(&made) != 0) {
        return nullptr;
    }
    nghttp2_option_set_no_auto_window_update(made, 1);
    nghttp2_option_set_no_http_messaging(made, 1); // H2HeadReader and H1BodyWriter are stricter.
    // Whoever stays within our own limits may let as many answers wait.
    nghttp2_option_set_max_outbound_ack(made, 4 * static_cast<std::size_t>(kH2ControlBurst));
    nghttp2_option_set_max_continuations(made, kH2ContinuationsMax);
    nghttp2_option_set_stream_reset_rate_limit(made, 1'000'000, 1'000'000); // Ours comes first.
    return made;
}

template <typename T, void (*End)(T*)>
struct Ending
{
    void operator()(T* ended) const noexcept { End(ended); }
};

} // namespace

H2ServerCodec::H2ServerCodec(H2ServerHandler& handler)
    : m_handler(handler)
    , m_session(std::make_unique<Session>())
{
    m_allowances.fill({kH2ControlBurst, kH2ControlBurst, kH2ControlPerSecond});
    m_allowances[static_cast<std::size_t>(H2Limit::Resets)] = {
        kH2ResetsBurst, kH2ResetsBurst, kH2ResetsPerSecond};
}

H2ServerCodec::~H2ServerCodec() = default;

Result<std::unique_ptr<H2ServerCodec>> H2ServerCodec::make(H2ServerHandler& handler)
{
    std::unique_ptr<H2ServerCodec> codec(new H2ServerCodec(handler));
    const std::unique_ptr<
        nghttp2_session_callbacks,
        Ending<nghttp2_session_callbacks, nghttp2_session_callbacks_del>>
        callbacks(Callbacks::make());
    const std::unique_ptr<nghttp2_option, Ending<nghttp2_option, nghttp2_option_del>> options(
        makeOptions()
    );
    nghttp2_session* session = nullptr;
    if (callbacks == nullptr || options == nullptr
        || nghttp2_session_server_new2(&session, callbacks.get(), codec.get(), options.get())
               != 0) {
        return fail(ErrorCode::Overloaded, "no memory for an HTTP/2 session");
    }
    codec->m_session->native.reset(session);
    const std::array<nghttp2_settings_entry, 5> settings = {{
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kH2StreamsMax},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kH2StreamWindowBytes},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, kHeadBytesMax},
        {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    }};
    if (nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size()) != 0
        || nghttp2_session_set_local_window_size(
               session, NGHTTP2_FLAG_NONE, 0, kH2ConnectionWindowBytes
           ) != 0) {
        return fail(ErrorCode::Overloaded, "no memory for an HTTP/2 session");
    }
    return codec;
}

bool H2ServerCodec::upgrade(std::string_view settings, Method method, void* user)
{
    const auto payload = decodeBase64Url(settings);
    nghttp2_session* session = m_session->native.get();
    const int isHead = method == Method::Head ? 1 : 0;
    if (!payload
        || nghttp2_session_upgrade2(session, payload->data(), payload->size(), isHead, nullptr)
               != 0) {
        return false;
    }
    ++m_openStreams;
    // A server's upgrade2() does not keep the user's pointer that it is given.
    return nghttp2_session_set_stream_user_data(session, 1, user) == 0;
}

bool H2ServerCodec::Allowance::take(TimePoint now)
{
    const double passed = std::chrono::duration<double>(now - at).count();
    left = std::min(most, left + std::max(passed, 0.0) * perSecond);
    at = now;
    if (left < 1) {
        return false;
    }
    left -= 1;
    return true;
}

void H2ServerCodec::strike(H2Limit limit)
{
    if (!m_isEnding && !m_allowances[static_cast<std::size_t>(limit)].take(m_now)) {
        end(limit);
    }
}

void H2ServerCodec::end(H2Limit limit)
{
    m_handler.onLimit(limit);
    terminate(H2Error::EnhanceYourCalm);
    m_isEnding = true;
}

bool H2ServerCodec::receive(std::string_view bytes, TimePoint now)
{
    m_now = now;
    if (m_isEnding || m_hasFailed) {
        return false;
    }
    const ssize_t taken =
        nghttp2_session_mem_recv(m_session->native.get(), octetsOf(bytes), bytes.size());
    if (m_isEnding) {
        return false;
    }
    if (taken >= 0) {
        return nghttp2_session_want_read(m_session->native.get()) != 0;
    }
    if (taken == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS) {
        end(H2Limit::Continuations);
    } else if (taken == NGHTTP2_ERR_FLOODED) {
        end(H2Limit::Pings); // Acknowledgements that it does not read.
    } else {
        m_handler.onProtocolError(nghttp2_strerror(static_cast<int>(taken)));
        terminate(H2Error::Protocol);
        m_isEnding = true;
    }
    return false;
}

std::size_t H2ServerCodec::fill(std::span<char> room)
{
    m_room = room;
    m_filled = 0;
    for (;;) {
        const std::size_t count = std::min(m_frame.size(), room.size() - m_filled);
        std::ranges::copy(m_frame.substr(0, count), room.subspan(m_filled).begin());
        m_frame.remove_prefix(count);
        m_filled += count;
        if (!m_frame.empty() || room.size() - m_filled < kRoomMin || m_hasFailed) {
            break;
        }
        const std::size_t before = m_filled;
        const std::uint8_t* bytes = nullptr;
        const ssize_t length = nghttp2_session_mem_send(m_session->native.get(), &bytes);
        if (length < 0) {
            m_hasFailed = true;
            break;
        }
        if (length == 0 && m_filled == before) {
            break;
        }
        m_frame = textOf(bytes, static_cast<std::size_t>(length));
    }
    return m_filled;
}

bool H2ServerCodec::wantsToSend() const
{
    return !m_frame.empty() || nghttp2_session_want_write(m_session->native.get()) != 0;
}

bool H2ServerCodec::isOver() const
{
    if (m_hasFailed) {
        return true;
    }
    const bool reads = !m_isEnding && nghttp2_session_want_read(m_session->native.get()) != 0;
    return !reads && !wantsToSend();
}

void H2ServerCodec::onHeadDone(std::int32_t stream, StreamEnds ends)
{
    if (!m_head.finish(ends)) {
        refuseHead(stream, m_head.fault());
        m_head.trim();
        return;
    }
    void* user = m_handler.onRequest(stream, m_head, ends);
    m_head.trim();
    if (user == nullptr) {
        reset(stream, H2Error::RefusedStream);
        return;
    }
    nghttp2_session_set_stream_user_data(m_session->native.get(), stream, user);
    if (ends == StreamEnds::Yes) {
        m_handler.onEnd(user);
    }
}

void H2ServerCodec::onTrailersDone(std::int32_t stream, StreamEnds ends)
{
    void* user = nghttp2_session_get_stream_user_data(m_session->native.get(), stream);
    if (user == nullptr) {
        return;
    }
    if (!m_head.finish(ends) || ends == StreamEnds::No) {
        spoil(
            stream,
            m_head.fault() == H2Fault::None ? "trailers that do not end the stream"
                                            : toText(m_head.fault())
        );
        return;
    }
    m_handler.onTrailers(user, m_head.text());
    m_head.trim();
    m_handler.onEnd(user);
}

void H2ServerCodec::refuseHead(std::int32_t stream, H2Fault fault)
{
    if (fault != H2Fault::TooLarge) {
        spoil(stream, toText(fault));
        return;
    }
    m_handler.onLimit(H2Limit::HeaderList);
    const std::array<H2Field, 2> answer = {{{":status", "431"}, {"content-length", "0"}}};
    submitResponse(stream, answer, Body::None);
    strike(H2Limit::Resets);
}

void H2ServerCodec::spoil(std::int32_t stream, std::string_view reason)
{
    m_handler.onProtocolError(reason);
    reset(stream, H2Error::Protocol);
    strike(H2Limit::Resets);
}

bool H2ServerCodec::submitInterim(std::int32_t stream, std::span<const H2Field> fields)
{
    m_session->setFields(fields);
    return nghttp2_submit_headers(
               m_session->native.get(),
               NGHTTP2_FLAG_NONE,
               stream,
               nullptr,
               m_session->fields.data(),
               m_session->fields.size(),
               nullptr
           )
           == 0;
}

bool H2ServerCodec::submitResponse(std::int32_t stream, std::span<const H2Field> fields, Body body)
{
    m_session->setFields(fields);
    nghttp2_data_provider provider{};
    provider.source.ptr = nghttp2_session_get_stream_user_data(m_session->native.get(), stream);
    provider.read_callback = Callbacks::readBody;
    return nghttp2_submit_response(
               m_session->native.get(),
               stream,
               m_session->fields.data(),
               m_session->fields.size(),
               body == Body::Follows ? &provider : nullptr
           )
           == 0;
}

bool H2ServerCodec::submitTrailers(std::int32_t stream, std::span<const H2Field> fields)
{
    m_session->setFields(fields);
    return nghttp2_submit_trailer(
               m_session->native.get(), stream, m_session->fields.data(), m_session->fields.size()
           )
           == 0;
}

void H2ServerCodec::resume(std::int32_t stream)
{
    nghttp2_session_resume_data(m_session->native.get(), stream); // Fails when nothing waits.
}

void H2ServerCodec::reset(std::int32_t stream, H2Error code)
{
    nghttp2_submit_rst_stream(m_session->native.get(), NGHTTP2_FLAG_NONE, stream, codeOf(code));
}

void H2ServerCodec::consume(std::int32_t stream, std::size_t count)
{
    nghttp2_session_consume(m_session->native.get(), stream, count);
}

void H2ServerCodec::consumeOfClosed(std::size_t count)
{
    nghttp2_session_consume_connection(m_session->native.get(), count);
}

void H2ServerCodec::announceShutdown()
{
    nghttp2_submit_shutdown_notice(m_session->native.get());
    nghttp2_submit_ping(m_session->native.get(), NGHTTP2_FLAG_NONE, nullptr);
}

void H2ServerCodec::goAway()
{
    nghttp2_session* session = m_session->native.get();
    nghttp2_submit_goaway(
        session,
        NGHTTP2_FLAG_NONE,
        nghttp2_session_get_last_proc_stream_id(session),
        NGHTTP2_NO_ERROR,
        nullptr,
        0
    );
}

void H2ServerCodec::terminate(H2Error code)
{
    nghttp2_session_terminate_session(m_session->native.get(), codeOf(code));
}

} // namespace mesh::http
