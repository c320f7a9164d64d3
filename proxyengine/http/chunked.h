#pragma once

#include "proxyengine/http/parser.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mesh::http {

enum class ChunkStatus : std::uint8_t {
    NeedMore, // `consumed` bytes are used; keep the rest and come back with more behind it.
    Piece, // `piece` is body (or body with its framing), at least one byte.
    Trailer, // `piece` is one trailer line without its CRLF. Mode::Strip only.
    Done, // `consumed` ends the body; what follows is the next message.
    Refused,
};

struct ChunkStep
{
    ChunkStatus status;
    std::size_t consumed = 0; // Of the bytes given, `piece` included.
    std::string_view piece;
};

// Reads a chunked body, strictly, in pieces that are views into the bytes given.
//
// Strip yields the content. Keep yields bytes to forward as they are, framing and trailers
// included, without chunk extensions, which are checked and dropped. After Keep has yielded the
// last piece the forwarded body is complete: no last chunk needs to be added.
// Limits: kChunkExtensionBytesMax per chunk, kTrailerBytesMax; sizes below 2^63.
// Source: RFC 9112, 7.1. Trailers that name Content-Length, Transfer-Encoding, Host, Trailer or
// Connection are refused.
class ChunkedDecoder
{
public:
    enum class Mode : std::uint8_t { Strip, Keep };

    explicit ChunkedDecoder(Mode mode)
        : m_mode(mode)
    {}

    // Call until NeedMore, Done or Refused; pass what was not consumed again.
    [[nodiscard]] ChunkStep next(std::string_view bytes);
    [[nodiscard]] const Refusal& refusal() const { return m_refusal; }
    [[nodiscard]] bool isDone() const { return m_state == State::Done; }
    // What was yielded ends with a whole chunk, and the last one has not begun.
    [[nodiscard]] bool isBetweenChunks() const { return m_state == State::Size; }
    // Mode::Keep: where trailer lines are copied to, with their CRLF; it outlives the body.
    void collectTrailers(std::string& lines) { m_trailers = &lines; }

private:
    enum class State : std::uint8_t { Size, LineEnd, Content, ContentEnd, Trailers, Done, Bad };

    struct SizeLine
    {
        std::uint64_t size = 0;
        std::size_t digits = 0;
        std::size_t length = 0; // With extension and CRLF.
    };
    [[nodiscard]] ChunkStep strip(std::string_view bytes);
    [[nodiscard]] ChunkStep keep(std::string_view bytes);
    ParseStatus refuse(const char* reason);
    [[nodiscard]] ParseStatus readSizeLine(std::string_view bytes, SizeLine& line);
    [[nodiscard]] ParseStatus readLineEnd(std::string_view bytes);
    // `length`: of the line without its CRLF; 0 ends the trailers.
    [[nodiscard]] ParseStatus readTrailerLine(std::string_view bytes, std::size_t& length);
    [[nodiscard]] std::size_t takeContent(std::size_t available);

    Refusal m_refusal;
    std::string* m_trailers = nullptr;
    std::uint64_t m_left = 0; // Content bytes of this chunk.
    std::uint32_t m_trailerBytes = 0;
    Mode m_mode;
    State m_state = State::Size;
};

// "1f4\r\n" into `out`, which has room for kChunkHeadMax bytes. Returns the length.
inline constexpr std::size_t kChunkHeadMax = 18;
[[nodiscard]] std::size_t writeChunkHead(std::uint64_t size, char* out);
inline constexpr std::string_view kChunkEnd = "\r\n";
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

} // namespace mesh::http
