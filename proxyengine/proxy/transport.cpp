#include "proxyengine/proxy/transport.h"

#include <utility>

namespace mesh::proxy {
namespace {

net::IoStatus toIo(tls::StreamStatus status)
{
    switch (status) {
    case tls::StreamStatus::Done:
        return net::IoStatus::Done;
    case tls::StreamStatus::WantRead:
    case tls::StreamStatus::WantWrite:
        return net::IoStatus::WouldBlock;
    case tls::StreamStatus::Closed:
        return net::IoStatus::Closed;
    case tls::StreamStatus::Failed:
        break;
    }
    return net::IoStatus::Failed;
}

} // namespace

void Transport::setTls(std::unique_ptr<tls::TlsStream> stream)
{
    m_tls = std::move(stream);
    m_isHandshaking = true;
}

Transport::Handshake Transport::handshake()
{
    if (m_tls == nullptr || !m_isHandshaking) {
        return Handshake::Done;
    }
    const tls::StreamStep step = m_tls->handshake();
    switch (step.status) {
    case tls::StreamStatus::Done:
        m_isHandshaking = false;
        return Handshake::Done;
    case tls::StreamStatus::WantRead:
    case tls::StreamStatus::WantWrite:
        return Handshake::Waiting;
    case tls::StreamStatus::Closed:
    case tls::StreamStatus::Failed:
        break;
    }
    return Handshake::Failed;
}

Transport::Step Transport::read(std::span<char> buffer)
{
    if (m_tls != nullptr) {
        const tls::StreamStep step = m_tls->read(buffer);
        return {toIo(step.status), step.count, step.status == tls::StreamStatus::Done};
    }
    const net::IoStep step = net::readSome(m_socket.get(), buffer);
    const bool mayHaveMore =
        step.status == net::IoStatus::Done && (step.count == buffer.size() || m_hasPeerEnded);
    return {step.status, step.count, mayHaveMore};
}

Transport::Step Transport::write(std::span<const iovec> parts)
{
    std::size_t total = 0;
    for (const iovec& part : parts) {
        total += part.iov_len;
    }
    if (m_tls == nullptr) {
        const net::IoStep step = net::writeParts(m_socket.get(), parts);
        return {step.status, step.count, step.count == total};
    }
    std::size_t written = 0;
    for (const iovec& part : parts) {
        std::span<const char> left(static_cast<const char*>(part.iov_base), part.iov_len);
        while (!left.empty()) {
            const tls::StreamStep step = m_tls->write(left);
            if (step.status != tls::StreamStatus::Done) {
                const auto status = written > 0 && toIo(step.status) == net::IoStatus::WouldBlock
                                        ? net::IoStatus::Done
                                        : toIo(step.status);
                return {status, written, false};
            }
            written += step.count;
            left = left.subspan(step.count);
        }
    }
    return {net::IoStatus::Done, written, true};
}

void Transport::shutdownWrite()
{
    if (m_tls != nullptr) {
        m_tls->shutdown();
    }
    if (m_socket.isOpen()) {
        net::shutdownWrite(m_socket.get());
    }
}

} // namespace mesh::proxy
