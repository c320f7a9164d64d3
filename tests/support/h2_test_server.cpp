#include "tests/support/h2_test_server.h"

#include "proxyengine/http/octets.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace mesh::test {

std::string H2Call::field(std::string_view name) const
{
    const auto found = std::ranges::find(fields, name, &std::pair<std::string, std::string>::first);
    return found == fields.end() ? std::string() : found->second;
}

struct H2TestServer::Connection final : private net::FdHandler
{
    struct Stream
    {
        H2Call call;
        H2Answer answer;
        std::size_t sent = 0;
        bool isAnswered = false;
        bool isDecided = false;
        bool isKnown = false; // It was whole when it was decided.
    };

    Connection(H2TestServer& owner, FileDescriptor socket, std::size_t at)
        : server(owner)
        , transport(std::move(socket))
        , number(at)
    {
        if (server.m_options.tls != nullptr) {
            transport.setTls(*tls::TlsStream::server(*server.m_options.tls, transport.descriptor())
            );
        }
        static_cast<void>(server.m_loop.watch(transport.descriptor(), *this));
    }
    ~Connection()
    {
        server.m_loop.forget(*this);
        nghttp2_session_del(session);
    }

    void begin();
    void onReady(net::Ready ready) override;
    void flush();
    void decide(Stream& stream);
    void answer(Stream& stream);
    void end()
    {
        server.m_loop.forget(*this);
        transport.close();
        isOpen = false;
    }

    H2TestServer& server;
    proxy::Transport transport;
    std::size_t number;
    nghttp2_session* session = nullptr;
    std::map<std::int32_t, Stream> streams;
    std::string unsent;
    bool isOpen = true;
    bool isRetired = false;
    bool endsSoon = false;
};

namespace {

std::vector<nghttp2_nv> nativeOf(const H2Pairs& pairs)
{
    std::vector<nghttp2_nv> native;
    for (const auto& [name, value] : pairs) {
        native.push_back(
            {const_cast<std::uint8_t*>(http::octetsOf(name)),
             const_cast<std::uint8_t*>(http::octetsOf(value)),
             name.size(),
             value.size(),
             NGHTTP2_NV_FLAG_NONE}
        );
    }
    return native;
}

} // namespace

struct H2TestServer::Glue
{
    static Connection& of(void* user) { return *static_cast<Connection*>(user); }
    static int onHeader(
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
        H2Call& call = of(user).streams[frame->hd.stream_id].call;
        const std::string key(http::textOf(name, nameLength));
        const std::string text(http::textOf(value, valueLength));
        if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
            call.trailers.emplace_back(key, text);
            return 0;
        }
        call.fields.emplace_back(key, text);
        if (key == ":path") {
            call.path = text;
        } else if (key == ":method") {
            call.method = text;
        }
        return 0;
    }
    static int onFrame(nghttp2_session*, const nghttp2_frame* frame, void* user)
    {
        Connection& connection = of(user);
        const bool isMessage = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
        if (!isMessage) {
            return 0;
        }
        Connection::Stream& stream = connection.streams[frame->hd.stream_id];
        if (frame->hd.type == NGHTTP2_HEADERS && stream.call.id == 0) {
            stream.call.id = frame->hd.stream_id;
            stream.call.connection = connection.number;
            ++connection.server.m_calls;
            ++connection.server.m_byConnection[connection.number];
            H2TestServer& server = connection.server;
            server.m_atOnceMax = std::max(server.m_atOnceMax, ++server.m_atOnce);
        }
        stream.call.hasEnded =
            stream.call.hasEnded || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
        connection.decide(stream);
        return 0;
    }
    static int onData(
        nghttp2_session* session,
        std::uint8_t,
        std::int32_t id,
        const std::uint8_t* data,
        std::size_t length,
        void* user
    )
    {
        Connection& connection = of(user);
        connection.streams[id].call.body.append(http::textOf(data, length));
        connection.server.m_bodyHeard += length;
        if (connection.server.m_options.readsBodies) {
            nghttp2_session_consume(session, id, length);
        }
        return 0;
    }
    static int onClose(nghttp2_session*, std::int32_t id, std::uint32_t code, void* user)
    {
        Connection& connection = of(user);
        connection.server.m_resets += code != NGHTTP2_NO_ERROR ? 1U : 0U;
        --connection.server.m_atOnce;
        connection.streams.erase(id);
        return 0;
    }
    static ssize_t read(
        nghttp2_session* session,
        std::int32_t id,
        std::uint8_t* buffer,
        std::size_t length,
        std::uint32_t* flags,
        nghttp2_data_source*,
        void* user
    )
    {
        Connection& connection = of(user);
        Connection::Stream& stream = connection.streams[id];
        const H2Answer& answer = stream.answer;
        if (answer.kind == H2Answer::Kind::Endless) {
            std::memset(buffer, 'x', length);
            connection.server.m_bodySent += length;
            return static_cast<ssize_t>(length);
        }
        const std::size_t count = std::min(length, answer.body.size() - stream.sent);
        std::memcpy(buffer, answer.body.data() + stream.sent, count);
        stream.sent += count;
        connection.server.m_bodySent += count;
        connection.endsSoon = connection.endsSoon || answer.endsEarly;
        if (stream.sent == answer.body.size()) {
            *flags |= NGHTTP2_DATA_FLAG_EOF;
            if (!answer.trailers.empty()) {
                *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
                const auto native = nativeOf(answer.trailers);
                nghttp2_submit_trailer(session, id, native.data(), native.size());
            }
        }
        return static_cast<ssize_t>(count);
    }
};

void H2TestServer::Connection::begin()
{
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, &Glue::onHeader);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &Glue::onFrame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &Glue::onData);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &Glue::onClose);
    nghttp2_option* option = nullptr;
    nghttp2_option_new(&option);
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_max_send_header_block_length(option, 1U << 20U);
    nghttp2_session_server_new2(&session, callbacks, this, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    const std::array settings = {
        nghttp2_settings_entry{
            NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, server.m_options.streamsMax},
        nghttp2_settings_entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, server.m_options.window}};
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
}

void H2TestServer::Connection::decide(Stream& stream)
{
    if (stream.isDecided) {
        if (stream.call.hasEnded && stream.answer.waitsForEnd && !stream.isAnswered) {
            answer(stream);
        }
        return;
    }
    stream.isDecided = true;
    stream.isKnown = stream.call.hasEnded;
    stream.answer = server.m_function(stream.call);
    if (stream.call.hasEnded || !stream.answer.waitsForEnd) {
        answer(stream);
    }
}

void H2TestServer::Connection::answer(Stream& stream)
{
    using Kind = H2Answer::Kind;
    stream.isAnswered = true;
    if (!stream.isKnown && stream.answer.waitsForEnd) {
        stream.answer = server.m_function(stream.call); // It knows the body now.
    }
    const std::int32_t id = stream.call.id;
    switch (stream.answer.kind) {
    case Kind::Silence:
        stream.isAnswered = false;
        stream.answer.waitsForEnd = false;
        return;
    case Kind::Reset:
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, stream.answer.code);
        return;
    case Kind::Close:
        endsSoon = true;
        return;
    case Kind::GoAway:
        isRetired = true;
        nghttp2_submit_goaway(
            session, NGHTTP2_FLAG_NONE, std::max(id - 2, 0), stream.answer.code, nullptr, 0
        );
        return;
    case Kind::Whole:
    case Kind::Endless:
        break;
    }
    const auto native = nativeOf(stream.answer.head);
    nghttp2_data_provider body{};
    body.read_callback = &Glue::read;
    const bool isBare = stream.answer.kind == Kind::Whole && stream.answer.body.empty()
                        && stream.answer.trailers.empty();
    nghttp2_submit_response(session, id, native.data(), native.size(), isBare ? nullptr : &body);
}

void H2TestServer::Connection::onReady(net::Ready ready)
{
    transport.noteReady(ready);
    if (!isOpen || transport.handshake() != proxy::Transport::Handshake::Done) {
        return;
    }
    if (session == nullptr) {
        begin();
        unsent = server.m_options.firstBytes;
    }
    std::array<char, 65536> buffer;
    for (;;) {
        const proxy::Transport::Step step = transport.read(buffer);
        if (step.status == net::IoStatus::Closed || step.status == net::IoStatus::Failed) {
            end();
            return;
        }
        if (step.status != net::IoStatus::Done) {
            break;
        }
        if (server.m_options.firstBytes.empty()) {
            nghttp2_session_mem_recv(
                session, http::octetsOf({buffer.data(), step.count}), step.count
            );
        }
    }
    flush();
}

void H2TestServer::Connection::flush()
{
    for (;;) {
        if (unsent.empty() && server.m_options.firstBytes.empty()) {
            const std::uint8_t* bytes = nullptr;
            const ssize_t count = nghttp2_session_mem_send(session, &bytes);
            if (count > 0) {
                unsent = http::textOf(bytes, static_cast<std::size_t>(count));
            }
        }
        if (unsent.empty()) {
            break;
        }
        const std::array<iovec, 1> parts = {net::partOf(unsent)};
        const proxy::Transport::Step step = transport.write(parts);
        if (step.status != net::IoStatus::Done) {
            break;
        }
        unsent.erase(0, step.count);
    }
    if (endsSoon) {
        end();
    }
}

H2TestServer::H2TestServer(net::EventLoop& loop, Options options, Function function)
    : m_loop(loop)
    , m_options(std::move(options))
    , m_function(std::move(function))
    , m_acceptor(
          *net::Acceptor::listen(loop, net::SocketAddress::loopback(0), net::PortSharing::No, *this)
      )
{}

H2TestServer::~H2TestServer() = default;

void H2TestServer::onAccepted(FileDescriptor socket, const net::SocketAddress&)
{
    m_byConnection.push_back(0);
    m_connections.push_back(
        std::make_unique<Connection>(*this, std::move(socket), m_connections.size())
    );
}

std::size_t H2TestServer::open() const
{
    return static_cast<std::size_t>(std::ranges::count_if(m_connections, [](const auto& each) {
        return each->isOpen;
    }));
}

std::size_t H2TestServer::openRetired() const
{
    return static_cast<std::size_t>(std::ranges::count_if(m_connections, [](const auto& each) {
        return each->isOpen && each->isRetired;
    }));
}

void H2TestServer::answerSilent()
{
    for (const auto& connection : m_connections) {
        for (auto& [id, stream] : connection->streams) {
            if (stream.answer.kind == H2Answer::Kind::Silence) {
                stream.answer = H2Answer();
                stream.answer.waitsForEnd = false;
                connection->answer(stream);
            }
        }
        if (connection->isOpen) {
            connection->flush();
        }
    }
}

void H2TestServer::sayGoAway()
{
    for (const auto& connection : m_connections) {
        if (connection->isOpen) {
            connection->isRetired = true;
            nghttp2_submit_goaway(
                connection->session,
                NGHTTP2_FLAG_NONE,
                nghttp2_session_get_last_proc_stream_id(connection->session),
                NGHTTP2_NO_ERROR,
                nullptr,
                0
            );
            connection->flush();
        }
    }
}

void H2TestServer::sendRaw(std::string_view bytes)
{
    for (const auto& connection : m_connections) {
        connection->unsent += bytes;
        connection->flush();
    }
}

void H2TestServer::flood(std::size_t pings)
{
    // Type 6, no flags, stream 0, eight octets.
    static constexpr std::string_view kPing("\0\0\10\6\0\0\0\0\0pingping", 17);
    std::string bytes;
    for (std::size_t at = 0; at < pings; ++at) {
        bytes += kPing;
    }
    sendRaw(bytes);
}

} // namespace mesh::test
