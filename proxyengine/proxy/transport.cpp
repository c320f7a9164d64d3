#include "proxyengine/proxy/transport.h"

#include <algorithm>
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

// What to give to TLS next, `skipped` bytes having left, at most a record: as it lies when one part
// fills the record or is the last, otherwise put together in `record`.
std::span<const char> nextOf(
    std::span<const iovec> parts, std::size_t skipped, std::span<char> record
)
{
    auto part = parts.begin();
    for (; skipped >= part->iov_len; ++part) {
        skipped -= part->iov_len;
    }
    std::span<const char> piece(static_cast<const char*>(part->iov_base), part->iov_len);
    piece = piece.subspan(skipped);
    if (piece.size() >= record.size() || std::next(part) == parts.end()) {
        return piece.first(std::min(piece.size(), record.size()));
    }
    std::size_t count = 0;
    for (;;) {
        const std::size_t room = std::min(piece.size(), record.size() - count);
        std::ranges::copy(piece.first(room), record.subspan(count).begin());
        count += room;
        if (++part == parts.end() || count == record.size()) {
            return record.first(count);
        }
        piece = {static_cast<const char*>(part->iov_base), part->iov_len};
    }
}

} // namespace

void Transport::setTls(std::unique_ptr<tls::TlsStream> stream)
{
    m_tls = std::move(stream);
    m_kind = Kind::Tls;
    m_isHandshaking = true;
    if (m_hasPeerEnded) {
        m_tls->expectEnd();
    }
}

void Transport::notePeerEnded()
{
    m_hasPeerEnded = true;
    if (m_tls != nullptr) {
        m_tls->expectEnd();
    }
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
    if (m_kind != Kind::Plain) {
        return readOther(buffer);
    }
    const net::IoStep step = net::readSome(m_socket.get(), buffer);
    const bool mayHaveMore =
        step.status == net::IoStatus::Done && (step.count == buffer.size() || m_hasPeerEnded);
    return {step.status, step.count, mayHaveMore};
}

Transport::Step Transport::readOther(std::span<char> buffer)
{
    if (m_kind == Kind::Tls) {
        const tls::StreamStep step = m_tls->read(buffer);
        const bool mayHaveMore =
            step.status == tls::StreamStatus::Done && (m_tls->mayHaveMore() || m_hasPeerEnded);
        return {toIo(step.status), step.count, mayHaveMore};
    }
    const net::IoStep step = m_stream->read(buffer);
    return {step.status, step.count, step.status == net::IoStatus::Done};
}

Transport::Step Transport::write(std::span<const iovec> parts)
{
    std::size_t total = 0;
    for (const iovec& part : parts) {
        total += part.iov_len;
    }
    if (m_kind == Kind::Tls) {
        return writeTls(parts, total);
    }
    const net::IoStep step =
        m_kind == Kind::Plain ? net::writeParts(m_socket.get(), parts) : m_stream->write(parts);
    return {step.status, step.count, step.count == total};
}

Transport::Step Transport::writeTls(std::span<const iovec> parts, std::size_t total)
{
    const std::size_t ahead = std::min(m_aheadOfCaller, total);
    m_aheadOfCaller -= ahead;
    std::size_t written = ahead;
    std::array<char, kTlsRecordBytesMax> record; // Filled as far as it is used.
    while (written < total) {
        const std::span<const char> bytes =
            m_kept != nullptr ? m_kept->left() : nextOf(parts, written, record);
        const tls::StreamStep step = m_tls->write(bytes);
        if (step.status != tls::StreamStatus::Done) {
            const net::IoStatus status = toIo(step.status);
            if (status == net::IoStatus::WouldBlock && m_kept == nullptr) {
                m_kept = std::make_unique_for_overwrite<Kept>();
                std::ranges::copy(bytes, m_kept->bytes.begin());
                m_kept->end = bytes.size();
            }
            const bool isDone = written > 0 && status == net::IoStatus::WouldBlock;
            return {isDone ? net::IoStatus::Done : status, written, false};
        }
        if (m_kept != nullptr && (m_kept->begin += step.count) == m_kept->end) {
            m_kept.reset();
        }
        const std::size_t offered = std::min(step.count, total - written);
        m_aheadOfCaller += step.count - offered;
        written += offered;
    }
    return {net::IoStatus::Done, written, true};
}

void Transport::close()
{
    m_socket.reset();
    if (m_stream != nullptr) {
        m_stream->close();
    }
}

void Transport::shutdownWrite()
{
    if (m_stream != nullptr) {
        m_stream->shutdownWrite();
        return;
    }
    if (m_tls != nullptr) {
        m_tls->shutdown();
    }
    if (m_socket.isOpen()) {
        net::shutdownWrite(m_socket.get());
    }
}

} // namespace mesh::proxy
