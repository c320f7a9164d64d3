#include "proxyengine/http/chunked.h"

#include "proxyengine/http/characters.h"

#include <algorithm>
#include <charconv>

namespace mesh::http {
namespace {

constexpr std::size_t kSizeDigitsMax = 16;
constexpr std::uint64_t kSizeMax = 0x7fffffffffffffff;

int hexValue(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    const char lower = lowerOf(digit);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Trailers that would change what was decided when the head was read.
bool isForbiddenTrailer(HeaderId id)
{
    return id == HeaderId::ContentLength || id == HeaderId::TransferEncoding || id == HeaderId::Host
           || id == HeaderId::Trailer || id == HeaderId::Connection;
}

} // namespace

ChunkStep ChunkedDecoder::next(std::string_view bytes)
{
    if (m_state == State::Done) {
        return {ChunkStatus::Done, 0, {}};
    }
    if (m_state == State::Bad) {
        return {ChunkStatus::Refused, 0, {}};
    }
    return m_mode == Mode::Strip ? strip(bytes) : keep(bytes);
}

ChunkStep ChunkedDecoder::strip(std::string_view bytes)
{
    std::size_t at = 0;
    for (;;) {
        const std::string_view rest = bytes.substr(at);
        ParseStatus status = ParseStatus::Done;
        if (m_state == State::Size) {
            SizeLine line;
            status = readSizeLine(rest, line);
            if (status == ParseStatus::Done) {
                at += line.length;
                m_left = line.size;
                m_state = line.size == 0 ? State::Trailers : State::Content;
            }
        } else if (m_state == State::Content) {
            const std::size_t count = takeContent(rest.size());
            if (count > 0) {
                return {ChunkStatus::Piece, at + count, rest.substr(0, count)};
            }
            status = ParseStatus::NeedMore;
        } else if (m_state == State::ContentEnd) {
            status = readLineEnd(rest);
            if (status == ParseStatus::Done) {
                at += kChunkEnd.size();
                m_state = State::Size;
            }
        } else {
            std::size_t length = 0;
            status = readTrailerLine(rest, length);
            if (status == ParseStatus::Done) {
                at += length + kChunkEnd.size();
                if (length > 0) {
                    return {ChunkStatus::Trailer, at, rest.substr(0, length)};
                }
                m_state = State::Done;
                return {ChunkStatus::Done, at, {}};
            }
        }
        if (status != ParseStatus::Done) {
            const bool isRefused = status == ParseStatus::Refused;
            return {isRefused ? ChunkStatus::Refused : ChunkStatus::NeedMore, at, {}};
        }
    }
}

ChunkStep ChunkedDecoder::keep(std::string_view bytes)
{
    std::size_t at = 0;
    ParseStatus status = ParseStatus::Done;
    while (status == ParseStatus::Done && m_state != State::Done) {
        const std::string_view rest = bytes.substr(at);
        if (m_state == State::Size) {
            SizeLine line;
            status = readSizeLine(rest, line);
            if (status == ParseStatus::Done) {
                m_left = line.size;
                m_state = State::LineEnd;
                const std::size_t digitsEnd = at + line.digits;
                at += line.length - kChunkEnd.size();
                if (at != digitsEnd) { // Leaves out the extension.
                    return {ChunkStatus::Piece, at, bytes.substr(0, digitsEnd)};
                }
            }
        } else if (m_state == State::Content) {
            const std::size_t count = takeContent(rest.size());
            at += count;
            status = count > 0 ? ParseStatus::Done : ParseStatus::NeedMore;
        } else if (m_state == State::Trailers) {
            std::size_t length = 0;
            status = readTrailerLine(rest, length);
            if (status == ParseStatus::Done) {
                at += length + kChunkEnd.size();
                m_state = length == 0 ? State::Done : State::Trailers;
                if (m_trailers != nullptr && length > 0) {
                    m_trailers->append(rest.substr(0, length + kChunkEnd.size()));
                }
            }
        } else {
            status = readLineEnd(rest);
            if (status == ParseStatus::Done) {
                at += kChunkEnd.size();
                const State afterSize = m_left == 0 ? State::Trailers : State::Content;
                m_state = m_state == State::LineEnd ? afterSize : State::Size;
            }
        }
    }
    if (status == ParseStatus::Refused) {
        return {ChunkStatus::Refused, at, {}};
    }
    if (at > 0) {
        return {ChunkStatus::Piece, at, bytes.substr(0, at)};
    }
    return {ChunkStatus::NeedMore, 0, {}};
}

ParseStatus ChunkedDecoder::refuse(const char* reason)
{
    m_refusal = {400, reason};
    m_state = State::Bad;
    return ParseStatus::Refused;
}

ParseStatus ChunkedDecoder::readSizeLine(std::string_view bytes, SizeLine& line)
{
    std::size_t at = 0;
    for (; at < bytes.size(); ++at) {
        const int digit = hexValue(bytes[at]);
        if (digit < 0) {
            break;
        }
        if (at == kSizeDigitsMax || line.size > kSizeMax >> 4U) {
            return refuse("chunk size too large");
        }
        line.size = line.size << 4U | static_cast<std::uint64_t>(digit);
    }
    line.digits = at;
    if (at == bytes.size()) {
        return ParseStatus::NeedMore;
    }
    if (at == 0 || (bytes[at] != '\r' && bytes[at] != ';')) {
        return refuse("malformed chunk size");
    }
    const char* const begin = bytes.data();
    const char* const lineEnd = findControl(begin + at, begin + bytes.size());
    line.length = static_cast<std::size_t>(lineEnd - begin) + kChunkEnd.size();
    if (line.length - line.digits > kChunkExtensionBytesMax + kChunkEnd.size()) {
        return refuse("chunk extension too long");
    }
    return readLineEnd(bytes.substr(line.length - kChunkEnd.size()));
}

ParseStatus ChunkedDecoder::readLineEnd(std::string_view bytes)
{
    if (!bytes.empty() && bytes[0] != '\r') {
        return refuse("no CRLF where a chunk's line or content ends");
    }
    if (bytes.size() < kChunkEnd.size()) {
        return ParseStatus::NeedMore;
    }
    return bytes[1] == '\n' ? ParseStatus::Done : refuse("bare CR in a chunk");
}

ParseStatus ChunkedDecoder::readTrailerLine(std::string_view bytes, std::size_t& length)
{
    const char* const begin = bytes.data();
    const char* const end = begin + bytes.size();
    const char* nameEnd = begin;
    while (nameEnd != end && isTokenCharacter(*nameEnd)) {
        ++nameEnd;
    }
    const char* lineEnd = nameEnd;
    if (nameEnd != end && *nameEnd == ':' && nameEnd != begin) {
        const std::string_view name(begin, static_cast<std::size_t>(nameEnd - begin));
        if (isForbiddenTrailer(headerIdOf(name))) {
            return refuse("forbidden trailer");
        }
        lineEnd = findControl(nameEnd, end);
    } else if (nameEnd != end && (nameEnd != begin || *nameEnd != '\r')) {
        return refuse("malformed trailer");
    }
    length = static_cast<std::size_t>(lineEnd - begin);
    if (m_trailerBytes + length > kTrailerBytesMax) {
        return refuse("trailers too large");
    }
    const ParseStatus status = readLineEnd(bytes.substr(length));
    if (status == ParseStatus::Done) {
        m_trailerBytes += static_cast<std::uint32_t>(length + kChunkEnd.size());
    }
    return status;
}

std::size_t ChunkedDecoder::takeContent(std::size_t available)
{
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(m_left, available));
    m_left -= count;
    if (m_left == 0) {
        m_state = State::ContentEnd;
    }
    return count;
}

std::size_t writeChunkHead(std::uint64_t size, char* out)
{
    const auto [end, status] = std::to_chars(out, out + kSizeDigitsMax, size, 16);
    static_cast<void>(status); // 16 digits hold every size.
    end[0] = '\r';
    end[1] = '\n';
    return static_cast<std::size_t>(end - out) + 2;
}

} // namespace mesh::http
