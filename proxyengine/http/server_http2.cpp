// The half of a ServerConnection that speaks HTTP/2.
#include "proxyengine/http/octets.h"
#include "proxyengine/http/server_connection.h"

#include <algorithm>
#include <utility>

namespace mesh::http {
namespace {

constexpr std::size_t kWriteBytes = 64U << 10U; // Frames that are put together for one write.

} // namespace

bool ServerConnection::beginsHttp2() const
{
    return m_server->options.protocols == ServerProtocols::Http1And2
           && kH2Preface.starts_with(m_in.readable().substr(0, kH2Preface.size()));
}

// What has come already belongs to it.
void ServerConnection::becomeHttp2(std::optional<Response> refusal)
{
    auto made = ServerStreams::make(
        *this, m_server->options.bodyBytesMax, m_server->loop.now(), std::move(refusal)
    );
    if (!made) {
        close();
        return;
    }
    m_streams = *std::move(made);
    m_phase = Phase::Http2;
    if (!m_keepsAlive || m_server->isStopping) {
        m_streams->leave();
    }
    if (!m_in.isEmpty()) {
        takeFrames();
    }
    if (m_phase == Phase::Http2) {
        watchProgress();
        // More may stand in the socket without an event to come, and SETTINGS are to be said.
        m_server->loop.callAgain(*this, net::Ready(net::Ready::kRead));
    }
}

void ServerConnection::onRequest(Request request, Responder responder)
{
    m_server->onRequest(std::move(request), std::move(responder));
}

void ServerConnection::takeFrames()
{
    const bool goesOn = m_streams->receive(m_in.readable(), m_server->loop.now());
    m_in.consume(m_in.size());
    m_isRefused = m_isRefused || !goesOn;
    exchangeFrames();
}

// Delivers and writes until both have nothing to do. Answers given meanwhile come back here, and
// are written by the call that is under way.
void ServerConnection::exchangeFrames()
{
    if (m_isExchanging || m_phase != Phase::Http2) {
        return;
    }
    m_isExchanging = true;
    do {
        m_streams->deliver();
        if (m_phase == Phase::Http2) {
            writeFrames();
        }
    } while (m_phase == Phase::Http2 && m_streams->hasNews());
    m_isExchanging = false;
    if (m_phase != Phase::Http2) {
        return;
    }
    if (pendingBytes() == 0 && (m_isRefused || m_streams->isOver())) {
        linger(); // Its GOAWAY is to arrive, whatever the client still sends.
        return;
    }
    watchProgress();
}

void ServerConnection::writeFrames()
{
    for (;;) {
        if (pendingBytes() == 0) {
            m_out.resize(kWriteBytes);
            m_outAt = 0;
            m_out.resize(m_streams->fill(m_out, m_server->loop.now()));
            if (m_out.empty()) {
                m_out.shrink_to_fit();
                return;
            }
        }
        const std::string_view left = std::string_view(m_out).substr(m_outAt);
        const net::IoStep step =
            m_channel != nullptr ? m_channel->write(left) : net::writeSome(m_socket.get(), left);
        if (step.status == net::IoStatus::WouldBlock) {
            return;
        }
        if (step.status != net::IoStatus::Done) {
            close();
            return;
        }
        m_outAt += step.count;
    }
}

void ServerConnection::watchProgress()
{
    const ServerOptions& options = m_server->options;
    const Duration limit = m_isRefusedPeer       ? kLingerTime
                           : m_streams->isIdle() ? options.idleTimeout
                                                 : options.bodyTimeout;
    m_timer.arm(std::max(m_streams->progressAt() + limit, m_server->loop.now()));
}

void ServerConnection::onHttp2Timer()
{
    const TimePoint now = m_server->loop.now();
    if (m_streams->isIdle() && !m_isRefusedPeer) {
        m_streams->leave();
        exchangeFrames();
        if (m_phase == Phase::Http2) {
            close();
        }
    } else if (m_isRefusedPeer || m_streams->waitsForClient()) {
        m_streams->stop(H2Error::EnhanceYourCalm);
        writeFrames();
        reset();
    } else { // The handler may take as long as it wants.
        m_timer.arm(now + m_server->options.bodyTimeout);
    }
}

} // namespace mesh::http
