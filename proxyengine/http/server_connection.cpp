#include "proxyengine/http/server_connection.h"

#include "proxyengine/http/octets.h"
#include "proxyengine/net/sockets.h"

#include <utility>

namespace mesh::http {
namespace {

constexpr int kReadsPerTurnMax = 16; // Then others get their share.

} // namespace

ServerConnection::ServerConnection(Server::State& server, FileDescriptor socket)
    : m_server(&server)
    , m_socket(std::move(socket))
    , m_timer(server.loop.timers(), *this)
{}

bool ServerConnection::start()
{
    const ServerOptions& options = m_server->options;
    if (options.makeChannel) {
        auto channel = options.makeChannel(m_socket.get());
        if (!channel) {
            return false; // Its maker has said why.
        }
        m_channel = *std::move(channel);
        m_phase = Phase::Handshake;
        m_server->beginHandshake(*this);
    }
    const bool isPlain = m_channel == nullptr;
    m_timer.arm(m_server->loop.now() + (isPlain ? options.idleTimeout : options.headTimeout));
    return m_server->loop.watch(m_socket.get(), *this).has_value();
}

void ServerConnection::shakeHands()
{
    switch (m_channel->handshake()) {
    case Channel::Handshake::Waiting:
        return;
    case Channel::Handshake::Failed:
        close();
        return;
    case Channel::Handshake::Refused:
        m_server->endHandshake(*this);
        if (auto refusal = m_channel->refusal()) {
            m_isRefusedPeer = true;
            becomeHttp2(std::move(refusal));
        } else {
            linger();
        }
        return;
    case Channel::Handshake::Done:
        break;
    }
    m_server->endHandshake(*this);
    if (m_channel->protocol() == "h2") {
        becomeHttp2(std::nullopt);
        return;
    }
    m_phase = Phase::Head;
    m_timer.arm(m_server->loop.now() + m_server->options.idleTimeout);
    readSome(); // The request may have come with the last of the handshake.
}

Channel::Step ServerConnection::readInto(std::span<char> room)
{
    if (m_channel != nullptr) {
        return m_channel->read(room);
    }
    const net::IoStep step = net::readSome(m_socket.get(), room);
    return {step.status, step.count, step.count == room.size()};
}

void ServerConnection::close()
{
    if (m_phase == Phase::Closed) {
        return;
    }
    m_phase = Phase::Closed;
    Server::State& server = *std::exchange(m_server, nullptr);
    m_timer.cancel();
    m_in.release();
    server.loop.forget(*this);
    if (m_channel != nullptr) {
        server.endHandshake(*this);
        m_channel->shutdown();
        m_channel.reset();
    }
    m_socket.reset();
    loseClient();
    if (m_streams != nullptr) {
        m_streams->lose();
    }
    server.remove(*this);
}

void ServerConnection::reset()
{
    m_channel.reset();
    if (m_socket.isOpen()) {
        net::setResetOnClose(m_socket.get());
    }
    close();
}

void ServerConnection::closeWhenIdle()
{
    m_keepsAlive = false;
    if (m_phase == Phase::Http2) {
        m_streams->leave();
        exchangeFrames();
        return;
    }
    if (m_phase == Phase::Head && m_in.isEmpty() && pendingBytes() == 0) {
        close();
    }
}

void ServerConnection::loseClient()
{
    if (const auto link = std::exchange(m_link, nullptr)) {
        link->sink = nullptr;
        link->onDrained = nullptr;
        if (const auto onGone = std::exchange(link->onGone, nullptr)) {
            onGone();
        }
    }
}

void ServerConnection::onReady(net::Ready ready)
{
    if (m_channel != nullptr && ready.hasPeerEnded()) {
        m_channel->expectEnd();
    }
    if (m_phase == Phase::Handshake) {
        shakeHands();
        return;
    }
    if (m_phase == Phase::Http2) {
        if (ready.canRead()) {
            readSome();
        }
        exchangeFrames();
        return;
    }
    if (ready.canWrite()) {
        flush();
    }
    if (m_phase == Phase::Closed || !ready.canRead()) {
        return;
    }
    if (m_phase == Phase::Lingering) {
        drain();
        return;
    }
    if (m_phase == Phase::Handling || m_phase == Phase::Closing) {
        m_mayHaveInput = true;
        // A client that goes away from a stream is only seen here; one that merely ended its side
        // after a request still wants the answer.
        const bool isStream = m_link && m_link->hasBegun;
        if (ready.isBroken() || (ready.hasPeerEnded() && isStream)) {
            close();
        }
        return;
    }
    readSome();
}

void ServerConnection::onTimer(net::Timer& /*timer*/)
{
    if (m_phase == Phase::Http2) {
        onHttp2Timer();
        return;
    }
    if (m_phase == Phase::Handling) {
        return; // The handler may take as long as it wants.
    }
    const bool isIdle = m_phase == Phase::Head && m_in.isEmpty();
    if (isIdle || m_phase == Phase::Lingering || m_phase == Phase::Handshake) {
        close(); // Idle, or has had its time.
        return;
    }
    if (m_phase == Phase::Closing) {
        reset(); // Does not take its answer.
        return;
    }
    refuse(408, "Request timeout");
}

void ServerConnection::readSome()
{
    for (int reads = 0; reads < kReadsPerTurnMax; ++reads) {
        m_mayHaveInput = false;
        m_in.acquire(m_server->loop.buffers());
        if (m_in.writable().empty()) {
            m_in.compact();
        }
        const std::span<char> room = m_in.writable();
        const Channel::Step step = readInto(room);
        if (step.status == net::IoStatus::WouldBlock) {
            m_in.releaseIfEmpty();
            return;
        }
        if (step.status != net::IoStatus::Done) {
            close();
            return;
        }
        m_in.commit(step.count);
        if (m_phase == Phase::Http2) {
            takeFrames();
        } else {
            process();
        }
        if (m_phase == Phase::Closed || m_phase == Phase::Lingering) {
            return;
        }
        if (m_phase == Phase::Handling || m_phase == Phase::Closing) {
            m_mayHaveInput = step.mayHaveMore;
            return;
        }
        if (!step.mayHaveMore) {
            m_in.releaseIfEmpty();
            return;
        }
    }
    m_server->loop.callAgain(*this, net::Ready(net::Ready::kRead));
}

// Closing while bytes of the refused request are still coming would reset the connection, and the
// client might never see why. So they are read for a while and thrown away.
void ServerConnection::linger()
{
    m_phase = Phase::Lingering;
    m_timer.arm(m_server->loop.now() + kLingerTime);
    if (m_channel != nullptr) {
        m_channel->shutdown();
    }
    net::shutdownWrite(m_socket.get());
    drain();
}

void ServerConnection::drain()
{
    m_in.acquire(m_server->loop.buffers());
    m_in.consume(m_in.size());
    for (int reads = 0; reads < kReadsPerTurnMax; ++reads) {
        const net::IoStep step = net::readSome(m_socket.get(), m_in.writable());
        if (step.status == net::IoStatus::WouldBlock) {
            m_in.release();
            return;
        }
        if (step.status != net::IoStatus::Done) {
            close();
            return;
        }
    }
    m_server->loop.callAgain(*this, net::Ready(net::Ready::kRead));
}

// Takes requests from the buffer until it needs more bytes or an answer is outstanding.
void ServerConnection::process()
{
    m_isProcessing = true;
    for (;;) {
        if (m_phase == Phase::Head && !takeHead()) {
            break;
        }
        if (m_phase == Phase::Body && !takeBody()) {
            break;
        }
        if (m_phase != Phase::Head && m_phase != Phase::Body) {
            break;
        }
    }
    m_isProcessing = false;
    if (m_phase == Phase::Head || m_phase == Phase::Body) {
        const ServerOptions& options = m_server->options;
        const Duration limit = m_phase == Phase::Body ? options.bodyTimeout
                               : m_in.isEmpty()       ? options.idleTimeout
                                                      : options.headTimeout;
        m_timer.arm(m_server->loop.now() + limit);
    }
}

bool ServerConnection::takeHead()
{
    if (m_in.isEmpty()) {
        return false;
    }
    if (m_isFresh && beginsHttp2()) {
        if (m_in.size() >= kH2Preface.size()) {
            becomeHttp2(std::nullopt);
        }
        return false;
    }
    switch (m_parser.parse(m_in.readable(), m_head)) {
    case ParseStatus::NeedMore:
        return false;
    case ParseStatus::Refused:
        refuse(m_parser.refusal().status, m_parser.refusal().reason);
        return false;
    case ParseStatus::Done:
        break;
    }

    m_request = toRequest(m_head);
    m_isFresh = false;
    m_isHeadMethod = m_head.method == Method::Head;
    m_keepsAlive = m_head.keepsAlive && !m_server->isStopping;
    m_bodyLeft = m_head.body.length;
    m_chunks = ChunkedDecoder(ChunkedDecoder::Mode::Strip);
    m_in.consume(m_head.size);
    m_parser.reset();
    if (m_head.body.kind == BodyFraming::Kind::Length && isBodyTooLarge(m_bodyLeft)) {
        refuse(413, "Payload too large");
        return false;
    }
    if (m_head.expectsContinue && m_head.body.kind != BodyFraming::Kind::None) {
        queue("HTTP/1.1 100 Continue\r\n\r\n");
    }
    m_phase = Phase::Body;
    return true;
}

bool ServerConnection::isBodyTooLarge(std::size_t more) const
{
    return m_request.body.size() + more > m_server->options.bodyBytesMax;
}

bool ServerConnection::takeBody()
{
    if (m_head.body.kind == BodyFraming::Kind::Chunked) {
        if (!takeChunks()) {
            return false;
        }
    } else {
        const std::string_view bytes = m_in.readable().substr(0, m_bodyLeft);
        m_request.body.append(bytes);
        m_bodyLeft -= bytes.size();
        m_in.consume(bytes.size());
        if (m_bodyLeft > 0) {
            return false;
        }
    }
    dispatch();
    return true;
}

bool ServerConnection::takeChunks()
{
    for (;;) {
        const ChunkStep step = m_chunks.next(m_in.readable());
        if (step.status == ChunkStatus::Piece) {
            if (isBodyTooLarge(step.piece.size())) {
                refuse(413, "Payload too large");
                return false;
            }
            m_request.body.append(step.piece);
        }
        m_in.consume(step.consumed);
        switch (step.status) {
        case ChunkStatus::NeedMore:
            return false;
        case ChunkStatus::Refused:
            refuse(m_chunks.refusal().status, m_chunks.refusal().reason);
            return false;
        case ChunkStatus::Done:
            return true;
        case ChunkStatus::Piece:
        case ChunkStatus::Trailer:
            break;
        }
    }
}

void ServerConnection::dispatch()
{
    m_phase = Phase::Handling;
    m_timer.cancel();
    m_link = std::make_shared<Responder::Link>();
    m_link->sink = this;
    m_in.releaseIfEmpty();
    m_server->onRequest(std::move(m_request), Responder(m_link));
}

} // namespace mesh::http
