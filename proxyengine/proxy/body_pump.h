#pragma once

#include "proxyengine/http/chunked.h"
#include "proxyengine/http/head.h"

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace mesh::proxy {

// One body on its way through: cuts what may be forwarded out of the bytes that came, and
// remembers what of it has not been written yet.
//
//   take(bytes) -> pieces() -> written(n) ... -> when isFlushed(): the caller consumes taken()
//
// Lifetime: the pieces are views into the bytes given; those stay put until isFlushed().
class BodyPump
{
public:
    BodyPump()
        : m_decoder(http::ChunkedDecoder::Mode::Keep)
    {}
    void start(const http::BodyFraming& framing, http::ChunkedDecoder::Mode mode);

    // Cuts the next pieces; owed only while isFlushed(). False when the framing is broken.
    [[nodiscard]] bool take(std::string_view bytes);
    [[nodiscard]] std::span<const iovec> pieces() const
    {
        return {m_pieces.data() + m_first, m_count - m_first};
    }
    void written(std::size_t count);
    [[nodiscard]] bool isFlushed() const { return m_first == m_count; }
    // How many of the bytes given are cut, and not taken yet by takeConsumed().
    [[nodiscard]] std::size_t cut() const { return m_consumed; }
    // How many of the bytes given are used up; resets to 0.
    [[nodiscard]] std::size_t takeConsumed();
    // Everything was cut and written.
    [[nodiscard]] bool isDone() const { return m_isEnd && isFlushed(); }
    [[nodiscard]] bool isEndSeen() const { return m_isEnd; }
    // The sender closed. True when that is a proper end (a body until close).
    [[nodiscard]] bool endByClose();
    // Behind start(), of a chunked body: where its trailer lines are copied to.
    void collectTrailers(std::string& lines) { m_decoder.collectTrailers(lines); }
    // A chunked body of which all that was cut is written, and whose next chunk may be the last.
    [[nodiscard]] bool isBetweenChunks() const
    {
        return m_kind == http::BodyFraming::Kind::Chunked && isFlushed() && !m_isEnd
               && m_decoder.isBetweenChunks();
    }

private:
    static constexpr std::size_t kPiecesMax = 32; // Parts of one write; more wait a moment.

    std::array<iovec, kPiecesMax> m_pieces{};
    std::size_t m_first = 0;
    std::size_t m_count = 0;
    std::size_t m_consumed = 0;
    std::uint64_t m_left = 0;
    http::ChunkedDecoder m_decoder;
    http::BodyFraming::Kind m_kind = http::BodyFraming::Kind::None;
    bool m_isEnd = true;
};

} // namespace mesh::proxy
