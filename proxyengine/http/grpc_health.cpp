#include "proxyengine/http/grpc_health.h"

#include "proxyengine/http/h2_pair.h"

#include <fmt/format.h>
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <utility>

namespace mesh::http {
namespace {

constexpr std::size_t kMessageBytesMax = 256; // A status is two bytes and a prefix of five.
constexpr std::size_t kTextBytesMax = 128; // Of grpc-message.
// No compression, length 0: a HealthCheckRequest whose service is empty.
constexpr std::array<std::uint8_t, 5> kRequest = {0, 0, 0, 0, 0};

std::optional<int> numberOf(std::string_view text)
{
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(value)
                                                                    : std::nullopt;
}

// The field 1 of a HealthCheckResponse; 0 (UNKNOWN) when it is absent, nothing when the bytes are
// no such message. Source: protobuf wire format.
std::optional<std::uint64_t> servingStatusOf(std::string_view message)
{
    std::uint64_t status = 0;
    std::size_t at = 0;
    const auto readNumber = [&]() -> std::optional<std::uint64_t> {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64 && at < message.size(); shift += 7) {
            const auto byte = static_cast<std::uint8_t>(message[at++]);
            value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
            if ((byte & 0x80U) == 0) {
                return value;
            }
        }
        return std::nullopt;
    };
    while (at < message.size()) {
        const auto tag = readNumber();
        if (!tag) {
            return std::nullopt;
        }
        const auto value = readNumber(); // Of a number, or the length of bytes to skip.
        if (!value || ((*tag & 7U) != 0 && (*tag & 7U) != 2)) {
            return std::nullopt;
        }
        if ((*tag & 7U) == 2) {
            if (*value > message.size() - at) {
                return std::nullopt;
            }
            at += *value;
        } else if ((*tag >> 3U) == 1) {
            status = *value;
        }
    }
    return status;
}

std::string_view servingWord(std::uint64_t status)
{
    constexpr std::array<std::string_view, 4> kWords = {
        "UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};
    return status < kWords.size() ? kWords.at(status) : std::string_view("an unknown status");
}

} // namespace

struct GrpcHealthCall::State
{
    struct EndSession
    {
        void operator()(nghttp2_session* ended) const noexcept { nghttp2_session_del(ended); }
    };

    std::unique_ptr<nghttp2_session, EndSession> session;
    std::string_view unsent; // Of nghttp2's own memory.
    std::int32_t stream = -1;
    std::size_t requestSent = 0;
    int httpStatus = 0;
    std::optional<int> grpcStatus;
    std::string grpcMessage;
    std::string body;
    std::string failure;
    bool isClosed = false;
    std::uint32_t closeReason = 0;

    void begin(Scheme scheme, const std::string& authority);
    [[nodiscard]] GrpcHealthAnswer answer() const;

    static State& of(void* user) { return *static_cast<State*>(user); }
    static int onHeader(
        nghttp2_session* session,
        const nghttp2_frame* frame,
        const std::uint8_t* name,
        std::size_t nameLength,
        const std::uint8_t* value,
        std::size_t valueLength,
        std::uint8_t flags,
        void* user
    );
    static int onData(
        nghttp2_session* session,
        std::uint8_t flags,
        std::int32_t stream,
        const std::uint8_t* data,
        std::size_t length,
        void* user
    );
    static int onClose(
        nghttp2_session* session, std::int32_t stream, std::uint32_t reason, void* user
    );
    static ssize_t readRequest(
        nghttp2_session* session,
        std::int32_t stream,
        std::uint8_t* buffer,
        std::size_t length,
        std::uint32_t* flags,
        nghttp2_data_source* source,
        void* user
    );
};

int GrpcHealthCall::State::onHeader(
    nghttp2_session*,
    const nghttp2_frame* frame,
    const std::uint8_t* name,
    std::size_t nameLength,
    const std::uint8_t* value,
    std::size_t valueLength,
    std::uint8_t,
    void* user
)
{
    State& state = of(user);
    if (frame->hd.stream_id != state.stream) {
        return 0;
    }
    const std::string_view word = textOf(name, nameLength);
    const std::string_view text = textOf(value, valueLength);
    if (word == ":status") {
        state.httpStatus = numberOf(text).value_or(0);
    } else if (word == "grpc-status") {
        state.grpcStatus = numberOf(text).value_or(2); // UNKNOWN
    } else if (word == "grpc-message") {
        state.grpcMessage = text.substr(0, kTextBytesMax);
    }
    return 0;
}

int GrpcHealthCall::State::onData(
    nghttp2_session*,
    std::uint8_t,
    std::int32_t stream,
    const std::uint8_t* data,
    std::size_t length,
    void* user
)
{
    State& state = of(user);
    if (stream == state.stream) {
        const std::size_t room = kMessageBytesMax - state.body.size();
        state.body.append(textOf(data, std::min(length, room)));
    }
    return 0;
}

int GrpcHealthCall::State::onClose(
    nghttp2_session*, std::int32_t stream, std::uint32_t reason, void* user
)
{
    State& state = of(user);
    if (stream == state.stream) {
        state.isClosed = true;
        state.closeReason = reason;
    }
    return 0;
}

ssize_t GrpcHealthCall::State::readRequest(
    nghttp2_session*,
    std::int32_t,
    std::uint8_t* buffer,
    std::size_t length,
    std::uint32_t* flags,
    nghttp2_data_source*,
    void* user
)
{
    State& state = of(user);
    const std::size_t count = std::min(length, kRequest.size() - state.requestSent);
    std::memcpy(buffer, kRequest.data() + state.requestSent, count);
    state.requestSent += count;
    if (state.requestSent == kRequest.size()) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return static_cast<ssize_t>(count);
}

void GrpcHealthCall::State::begin(Scheme scheme, const std::string& authority)
{
    struct EndCallbacks
    {
        void operator()(nghttp2_session_callbacks* made) const noexcept
        {
            nghttp2_session_callbacks_del(made);
        }
    };
    nghttp2_session_callbacks* made = nullptr;
    if (nghttp2_session_callbacks_new(&made) != 0) {
        isClosed = true;
        return;
    }
    const std::unique_ptr<nghttp2_session_callbacks, EndCallbacks> callbacks(made);
    nghttp2_session_callbacks_set_on_header_callback(made, &State::onHeader);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, &State::onData);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, &State::onClose);
    nghttp2_session* opened = nullptr;
    if (nghttp2_session_client_new(&opened, made, this) != 0) {
        isClosed = true;
        return;
    }
    session.reset(opened);
    const std::array settings = {nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
    const std::array fields = {
        pairOf(":method", "POST"),
        pairOf(":scheme", scheme == Scheme::Https ? "https" : "http"),
        pairOf(":path", "/grpc.health.v1.Health/Check"),
        pairOf(":authority", authority),
        pairOf("content-type", "application/grpc"),
        pairOf("te", "trailers"),
        pairOf("user-agent", "meshwright-probe")};
    nghttp2_data_provider request{};
    request.read_callback = &State::readRequest;
    if (nghttp2_submit_settings(opened, NGHTTP2_FLAG_NONE, settings.data(), settings.size()) == 0) {
        stream = nghttp2_submit_request(
            opened, nullptr, fields.data(), fields.size(), &request, nullptr
        );
    }
    isClosed = stream < 0;
}

GrpcHealthAnswer GrpcHealthCall::State::answer() const
{
    using Kind = GrpcHealthAnswer::Kind;
    if (httpStatus != 0 && httpStatus != 200) {
        return {Kind::CallFailed, fmt::format("HTTP {}", httpStatus)};
    }
    if (httpStatus == 0 || !grpcStatus) {
        return {Kind::Broken, fmt::format("no gRPC answer (HTTP/2 error {})", closeReason)};
    }
    if (*grpcStatus != 0) {
        const std::string note =
            grpcMessage.empty() ? std::string() : fmt::format(" ({})", grpcMessage);
        return {Kind::CallFailed, fmt::format("grpc-status {}{}", *grpcStatus, note)};
    }
    constexpr std::size_t kPrefix = 5; // Compressed or not, four bytes of length.
    std::optional<std::uint64_t> status;
    if (body.size() >= kPrefix && body[0] == 0) {
        status = servingStatusOf(std::string_view(body).substr(kPrefix));
    }
    if (!status) {
        return {Kind::Broken, "no health message"};
    }
    if (*status == 1) {
        return {Kind::Serving, {}};
    }
    return {Kind::NotServing, std::string(servingWord(*status))};
}

GrpcHealthCall::GrpcHealthCall(Scheme scheme, const std::string& authority)
    : m_state(std::make_unique<State>())
{
    m_state->begin(scheme, authority);
}

GrpcHealthCall::~GrpcHealthCall() = default;

std::string_view GrpcHealthCall::toSend()
{
    if (m_state->unsent.empty() && m_state->session != nullptr) {
        const std::uint8_t* bytes = nullptr;
        const ssize_t count = nghttp2_session_mem_send(m_state->session.get(), &bytes);
        if (count > 0) {
            m_state->unsent = textOf(bytes, static_cast<std::size_t>(count));
        }
    }
    return m_state->unsent;
}

void GrpcHealthCall::onSent(std::size_t count) { m_state->unsent.remove_prefix(count); }

void GrpcHealthCall::onBytes(std::string_view bytes)
{
    if (m_state->session == nullptr || m_state->isClosed) {
        return;
    }
    const ssize_t taken =
        nghttp2_session_mem_recv(m_state->session.get(), octetsOf(bytes), bytes.size());
    if (taken < 0) {
        m_state->failure = fmt::format("not HTTP/2: {}", nghttp2_strerror(static_cast<int>(taken)));
    }
}

std::optional<GrpcHealthAnswer> GrpcHealthCall::answer() const
{
    using Kind = GrpcHealthAnswer::Kind;
    if (!m_state->failure.empty()) {
        return GrpcHealthAnswer{Kind::Broken, m_state->failure};
    }
    if (m_state->session == nullptr) {
        return GrpcHealthAnswer{Kind::Broken, "no memory"};
    }
    if (m_state->isClosed) {
        return m_state->answer();
    }
    // A peer that breaks HTTP/2 ends the session from our side: nothing will come any more.
    if (nghttp2_session_want_read(m_state->session.get()) == 0) {
        return GrpcHealthAnswer{Kind::Broken, "the peer does not speak HTTP/2"};
    }
    return std::nullopt;
}

} // namespace mesh::http
