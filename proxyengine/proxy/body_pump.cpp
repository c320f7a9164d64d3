#include "proxyengine/proxy/body_pump.h"

#include "proxyengine/net/sockets.h"

#include <algorithm>
#include <utility>

namespace mesh::proxy {

void BodyPump::start(const http::BodyFraming& framing, http::ChunkedDecoder::Mode mode)
{
    m_first = 0;
    m_count = 0;
    m_consumed = 0;
    m_left = framing.length;
    m_kind = framing.kind;
    m_isEnd = framing.kind == http::BodyFraming::Kind::None;
    m_decoder = http::ChunkedDecoder(mode);
}

bool BodyPump::take(std::string_view bytes)
{
    m_first = 0;
    m_count = 0;
    if (m_isEnd || bytes.empty()) {
        return true;
    }
    if (m_kind != http::BodyFraming::Kind::Chunked) {
        const std::size_t count =
            m_kind == http::BodyFraming::Kind::Length
                ? static_cast<std::size_t>(std::min<std::uint64_t>(m_left, bytes.size()))
                : bytes.size();
        m_pieces[m_count++] = net::partOf(bytes.substr(0, count));
        m_consumed = count;
        if (m_kind == http::BodyFraming::Kind::Length) {
            m_left -= count;
            m_isEnd = m_left == 0;
        }
        return true;
    }
    while (m_count < kPiecesMax) {
        const http::ChunkStep step = m_decoder.next(bytes.substr(m_consumed));
        m_consumed += step.consumed;
        switch (step.status) {
        case http::ChunkStatus::Piece:
            m_pieces[m_count++] = net::partOf(step.piece);
            break;
        case http::ChunkStatus::Trailer:
            break; // Only in Strip, for HTTP/1.0, which has none.
        case http::ChunkStatus::Done:
            m_isEnd = true;
            return true;
        case http::ChunkStatus::NeedMore:
            return true;
        case http::ChunkStatus::Refused:
            return false;
        }
    }
    return true;
}

void BodyPump::written(std::size_t count)
{
    while (count > 0 && m_first < m_count) {
        iovec& piece = m_pieces[m_first];
        if (count < piece.iov_len) {
            piece.iov_base = static_cast<char*>(piece.iov_base) + count;
            piece.iov_len -= count;
            return;
        }
        count -= piece.iov_len;
        ++m_first;
    }
}

std::size_t BodyPump::takeConsumed() { return std::exchange(m_consumed, 0); }

bool BodyPump::endByClose()
{
    if (m_kind == http::BodyFraming::Kind::UntilClose) {
        m_isEnd = true;
    }
    return m_isEnd;
}

} // namespace mesh::proxy
