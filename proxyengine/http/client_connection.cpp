#include "proxyengine/http/client_connection.h"

#include "proxyengine/http/client_streams.h"
#include "proxyengine/http/head_writer.h"
#include "proxyengine/net/sockets.h"

#include <fmt/format.h>

#include <utility>

namespace mesh::http {
namespace {

constexpr int kReadsPerTurnMax = 16; // Then others get their share.

std::string headOf(const Call& call)
{
    const Request& request = call.request;
    std::string head = fmt::format("{} {} HTTP/1.1\r\n", request.method, request.target);
    if (!findHeader(request.headers, "host")) {
        const bool isUnix = call.address.family() == net::SocketAddress::Family::Unix;
        head += fmt::format("Host: {}\r\n", isUnix ? "localhost" : call.address.toText());
    }
    for (const Header& header : request.headers) {
        if (isToken(header.name) && isFieldValue(header.value)) {
            head += fmt::format("{}: {}\r\n", header.name, header.value);
        }
    }
    const Method method = methodOf(request.method);
    const bool usuallyHasBody =
        method == Method::Post || method == Method::Put || method == Method::Patch;
    if (!request.body.empty() || usuallyHasBody) {
        head += fmt::format("Content-Length: {}\r\n", request.body.size());
    }
    return head + "\r\n";
}

Error errorOf(ErrorCode code, std::string message)
{
    return Error{code, std::move(message), {}, 0};
}

} // namespace

bool isIdempotent(Method method)
{
    return method != Method::Post && method != Method::Patch && method != Method::Connect
           && method != Method::Other;
}

ClientConnection::ClientConnection(Client::State& client, const net::SocketAddress& address)
    : m_client(&client)
    , m_address(address)
    , m_idleTimer(client.loop.timers(), *this)
{}

ClientConnection::~ClientConnection() = default;

Result<void> ClientConnection::connect()
{
    MESH_TRY(m_socket, net::connectTo(m_address));
    return m_client->loop.watch(m_socket.get(), *this);
}

void ClientConnection::send(PendingCall& call)
{
    m_isReused = m_phase == Phase::Idle;
    m_idleTimer.cancel();
    m_call = call.id;
    call.connection = this;
    m_method = methodOf(call.call.request.method);
    m_out = headOf(call.call) + call.call.request.body;
    m_outAt = 0;
    m_parser.reset();
    m_response = Response{};
    m_hasHead = false;
    m_hasInput = false;
    if (m_phase == Phase::Idle) {
        m_phase = Phase::Active;
        flush();
    }
}

void ClientConnection::close()
{
    if (m_phase == Phase::Closed) {
        return;
    }
    m_phase = Phase::Closed;
    Client::State& client = *std::exchange(m_client, nullptr);
    m_idleTimer.cancel();
    if (!m_isInside) { // Otherwise it is being read, and goes with this object.
        m_in.release();
    }
    client.loop.forget(*this);
    if (m_channel != nullptr) {
        m_channel->shutdown();
        m_channel.reset();
    }
    m_socket.reset();
    if (m_streams != nullptr) {
        static_cast<void>(m_streams->abandon());
    }
    client.remove(*this);
}

void ClientConnection::onTimer(net::Timer& /*timer*/) { close(); }

void ClientConnection::onReady(net::Ready ready)
{
    if (m_channel != nullptr && ready.hasPeerEnded()) {
        m_channel->expectEnd();
    }
    if (m_phase == Phase::Handshake) {
        shakeHands();
        return;
    }
    if (m_phase == Phase::Connecting) {
        if (ready.canWrite() || ready.isBroken()) {
            onConnected();
        }
        return;
    }
    if (m_phase == Phase::Http2) {
        onHttp2Ready(ready);
        return;
    }
    if (m_phase == Phase::Idle) {
        if (ready.canRead()) {
            close(); // The server ended it, or speaks out of turn.
        }
        return;
    }
    if (ready.canWrite()) {
        flush();
    }
    if (m_phase == Phase::Active && ready.canRead()) {
        readSome();
    }
}

void ClientConnection::onConnected()
{
    if (auto outcome = net::connectOutcome(m_socket.get()); !outcome) {
        failCall(std::move(outcome).error());
        return;
    }
    if (m_client->options.makeChannel) {
        auto channel = m_client->options.makeChannel(m_socket.get());
        if (!channel) {
            failCall(std::move(channel).error());
            return;
        }
        m_channel = *std::move(channel);
        m_phase = Phase::Handshake;
        shakeHands();
        return;
    }
    beginProtocol();
}

void ClientConnection::shakeHands()
{
    switch (m_channel->handshake()) {
    case Channel::Handshake::Waiting:
        return;
    case Channel::Handshake::Failed:
    case Channel::Handshake::Refused:
        failCall(m_channel->failure());
        return;
    case Channel::Handshake::Done:
        break;
    }
    beginProtocol();
}

Channel::Step ClientConnection::readInto(std::span<char> room)
{
    if (m_channel != nullptr) {
        return m_channel->read(room);
    }
    const net::IoStep step = net::readSome(m_socket.get(), room);
    return {step.status, step.count, step.count == room.size()};
}

void ClientConnection::flush()
{
    while (m_outAt < m_out.size()) {
        const std::string_view left = std::string_view(m_out).substr(m_outAt);
        const net::IoStep step =
            m_channel != nullptr ? m_channel->write(left) : net::writeSome(m_socket.get(), left);
        if (step.status == net::IoStatus::WouldBlock) {
            return;
        }
        if (step.status != net::IoStatus::Done) {
            readSome(); // A server that refuses a body has often answered first.
            return;
        }
        m_outAt += step.count;
    }
    m_out.clear();
    m_outAt = 0;
}

void ClientConnection::readSome()
{
    for (int reads = 0; reads < kReadsPerTurnMax; ++reads) {
        m_in.acquire(m_client->loop.buffers());
        if (m_in.writable().empty()) {
            m_in.compact();
        }
        const std::span<char> room = m_in.writable();
        const Channel::Step step = readInto(room);
        if (step.status == net::IoStatus::WouldBlock) {
            m_in.releaseIfEmpty();
            return;
        }
        if (step.status == net::IoStatus::Closed) {
            endOfInput();
            return;
        }
        if (step.status == net::IoStatus::Failed) {
            failCall(
                m_channel != nullptr ? m_channel->failure()
                                     : errorOf(ErrorCode::Reset, "the connection was reset")
            );
            return;
        }
        m_in.commit(step.count);
        m_hasInput = true;
        process();
        if (m_phase != Phase::Active) {
            return;
        }
        if (!step.mayHaveMore) {
            m_in.releaseIfEmpty();
            return;
        }
    }
    m_client->loop.callAgain(*this, net::Ready(net::Ready::kRead));
}

void ClientConnection::process()
{
    while (m_phase == Phase::Active && m_call) {
        if (!m_hasHead && !takeHead()) {
            return;
        }
        if (m_hasHead) {
            if (takeBody()) {
                complete();
            }
            return;
        }
    }
}

// True when a final head was taken or an interim one was passed over.
bool ClientConnection::takeHead()
{
    switch (m_parser.parse(m_in.readable(), m_method, m_head)) {
    case ParseStatus::NeedMore:
        return false;
    case ParseStatus::Refused:
        failCall(errorOf(ErrorCode::Protocol, m_parser.refusal().reason));
        return false;
    case ParseStatus::Done:
        break;
    }
    const bool isInterim = m_head.isInterim();
    m_response.status = m_head.status;
    m_response.headers.clear();
    for (const FieldPlace& field : m_head.fields) {
        m_response.headers.push_back(
            {std::string(m_head.fields.name(field)), std::string(m_head.fields.value(field))}
        );
    }
    m_bodyLeft = m_head.body.length;
    m_chunks = ChunkedDecoder(ChunkedDecoder::Mode::Strip);
    m_in.consume(m_head.size);
    m_parser.reset();
    if (isInterim) {
        return !m_in.isEmpty();
    }
    m_hasHead = true;
    PendingCall* call = m_client->find(*m_call);
    if (!call->onResponse) {
        call->deadline->cancel();
        if (call->stream.onHead) {
            const auto onHead = call->stream.onHead;
            onHead(m_response.status, m_response.headers);
        }
    }
    return m_phase == Phase::Active;
}

// True when the body is complete.
bool ClientConnection::takeBody()
{
    switch (m_head.body.kind) {
    case BodyFraming::Kind::None:
        return true;
    case BodyFraming::Kind::Chunked:
        return takeChunks();
    case BodyFraming::Kind::UntilClose: {
        const std::size_t count = m_in.size();
        if (deliver(m_in.readable())) {
            m_in.consume(count);
        }
        return false;
    }
    case BodyFraming::Kind::Length:
        break;
    }
    const std::string_view bytes = m_in.readable().substr(0, m_bodyLeft);
    if (!deliver(bytes)) {
        return false;
    }
    m_bodyLeft -= bytes.size();
    m_in.consume(bytes.size());
    return m_bodyLeft == 0;
}

bool ClientConnection::takeChunks()
{
    for (;;) {
        const ChunkStep step = m_chunks.next(m_in.readable());
        if (step.status == ChunkStatus::Piece && !deliver(step.piece)) {
            return false;
        }
        m_in.consume(step.consumed);
        switch (step.status) {
        case ChunkStatus::NeedMore:
            return false;
        case ChunkStatus::Refused:
            failCall(errorOf(ErrorCode::Protocol, m_chunks.refusal().reason));
            return false;
        case ChunkStatus::Done:
            return true;
        case ChunkStatus::Piece:
        case ChunkStatus::Trailer:
            break;
        }
    }
}

// False when the call has ended meanwhile.
bool ClientConnection::deliver(std::string_view bytes)
{
    PendingCall* call = m_client->find(*m_call);
    if (!call->onResponse) {
        if (call->stream.onBytes && !bytes.empty()) {
            const auto onBytes = call->stream.onBytes;
            onBytes(bytes);
        }
        return m_phase == Phase::Active && m_call.has_value();
    }
    if (m_response.body.size() + bytes.size() > m_client->options.bodyBytesMax) {
        failCall(errorOf(ErrorCode::LimitExceeded, "the answer is larger than its limit"));
        return false;
    }
    m_response.body.append(bytes);
    return true;
}

void ClientConnection::endOfInput()
{
    if (m_hasHead && m_head.body.kind == BodyFraming::Kind::UntilClose) {
        complete();
        return;
    }
    failCall(
        errorOf(ErrorCode::Reset, "the server closed the connection before its answer was complete")
    );
}

void ClientConnection::complete()
{
    Client::State& client = *m_client;
    const CallId id = *std::exchange(m_call, std::nullopt);
    Response response = std::move(m_response);
    const bool canBeReused = m_head.keepsAlive && m_in.isEmpty() && m_out.empty()
                             && m_head.body.kind != BodyFraming::Kind::UntilClose;
    if (canBeReused) {
        m_in.release();
        m_phase = Phase::Idle;
        m_idleTimer.arm(client.loop.now() + client.options.idleTimeout);
        client.release(*this);
    } else {
        close();
    }
    client.finish(id, std::move(response));
}

void ClientConnection::failCall(Error error)
{
    if (m_isShared) {
        failShared(std::move(error));
        return;
    }
    Client::State& client = *m_client;
    const auto id = std::exchange(m_call, std::nullopt);
    const bool canBeSentAgain = m_isReused && !m_hasInput && isIdempotent(m_method);
    close();
    if (!id) {
        return;
    }
    PendingCall* call = client.find(*id);
    if (canBeSentAgain && !call->wasSentAgain) {
        call->wasSentAgain = true;
        call->connection = nullptr;
        client.begin(*id);
        return;
    }
    client.finish(*id, tl::unexpected(std::move(error)));
}

} // namespace mesh::http
