#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

// Classes of bytes in a head and the loops that look for them.
namespace mesh::http {

inline constexpr std::uint8_t kTokenBit = 1; // RFC 9110, 5.6.2.
inline constexpr std::uint8_t kHostBit = 2; // Of a host with port: unreserved, sub-delims, [:]%

constexpr std::array<std::uint8_t, 256> makeCharacterBits()
{
    std::array<std::uint8_t, 256> bits{};
    const auto mark = [&bits](std::string_view characters, std::uint8_t bit) {
        for (const char character : characters) {
            auto& entry = bits[static_cast<unsigned char>(character)];
            entry = static_cast<std::uint8_t>(entry | bit);
        }
    };
    constexpr std::string_view letters =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    mark(letters, kTokenBit | kHostBit);
    mark("!#$%&'*+-.^_`|~", kTokenBit);
    mark("-._~!$&'()*+,;=[]:%", kHostBit);
    return bits;
}

inline constexpr std::array<std::uint8_t, 256> kCharacterBits = makeCharacterBits();

constexpr bool isTokenCharacter(char character)
{
    return (kCharacterBits[static_cast<unsigned char>(character)] & kTokenBit) != 0;
}

constexpr bool isHostCharacter(char character)
{
    return (kCharacterBits[static_cast<unsigned char>(character)] & kHostBit) != 0;
}

constexpr char lowerOf(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 0x20) : letter;
}

constexpr bool isControl(char character)
{
    const auto code = static_cast<unsigned char>(character);
    return code < 0x20 || code == 0x7f;
}

#if defined(__SSE2__)
// A bit for each of 16 bytes that is a letter, a digit, '-', or one of two others.
inline unsigned plainBytes(const char* at, char other, char another)
{
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const auto isWithin = [](__m128i value, char first, char span) {
        const __m128i above = _mm_sub_epi8(value, _mm_set1_epi8(first));
        return _mm_cmpeq_epi8(_mm_min_epu8(above, _mm_set1_epi8(span)), above);
    };
    const __m128i isLetter = isWithin(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 25);
    const __m128i isDigit = isWithin(bytes, '0', 9);
    const __m128i isOther = _mm_or_si128(
        _mm_cmpeq_epi8(bytes, _mm_set1_epi8('-')),
        _mm_or_si128(
            _mm_cmpeq_epi8(bytes, _mm_set1_epi8(other)),
            _mm_cmpeq_epi8(bytes, _mm_set1_epi8(another))
        )
    );
    const __m128i isPlain = _mm_or_si128(_mm_or_si128(isLetter, isDigit), isOther);
    return static_cast<unsigned>(_mm_movemask_epi8(isPlain));
}
#endif

// The first byte from `at` on that cannot stand in a token; `end` when all can.
inline const char* findTokenEnd(const char* at, const char* end)
{
#if defined(__SSE2__)
    for (; end - at >= 16; at += 16) { // The usual letters by sixteen, rare ones by the table.
        if (const unsigned plain = plainBytes(at, '-', '_'); plain != 0xffff) {
            at += __builtin_ctz(~plain);
            break;
        }
    }
#endif
    while (at != end && isTokenCharacter(*at)) {
        ++at;
    }
    return at;
}

// The first byte from `at` on that cannot stand in a host with port; `end` when all can.
inline const char* findHostEnd(const char* at, const char* end)
{
#if defined(__SSE2__)
    for (; end - at >= 16; at += 16) {
        if (const unsigned plain = plainBytes(at, '.', ':'); plain != 0xffff) {
            at += __builtin_ctz(~plain);
            break;
        }
    }
#endif
    while (at != end && isHostCharacter(*at)) {
        ++at;
    }
    return at;
}

// A host with or without a port, as far as its characters tell.
inline bool isHostText(std::string_view text)
{
    const char* const end = text.data() + text.size();
    return !text.empty() && findHostEnd(text.data(), end) == end;
}

// Eight bytes at once, capital letters made small; everything else as it is.
inline std::uint64_t loweredEight(const char* at)
{
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, at, sizeof(bytes));
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    const std::uint64_t low = bytes & (kOnes * 0x7f);
    const std::uint64_t fromA = low + kOnes * (0x80 - 'A');
    const std::uint64_t aboveZ = low + kOnes * (0x80 - 'Z' - 1);
    const std::uint64_t isCapital = (fromA & ~aboveZ & ~bytes) & (kOnes * 0x80);
    return bytes | isCapital >> 2U;
}

// The first byte from `at` on that is a control character other than a tab; `end` when none is.
inline const char* findControl(const char* at, const char* end)
{
#if defined(__SSE2__)
    const __m128i highest = _mm_set1_epi8(0x1f);
    const __m128i tab = _mm_set1_epi8('\t');
    const __m128i rubout = _mm_set1_epi8(0x7f);
    for (; end - at >= 16; at += 16) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
        const __m128i isLow = _mm_cmpeq_epi8(_mm_min_epu8(bytes, highest), bytes);
        const __m128i found = _mm_or_si128(
            _mm_andnot_si128(_mm_cmpeq_epi8(bytes, tab), isLow), _mm_cmpeq_epi8(bytes, rubout)
        );
        if (const int mask = _mm_movemask_epi8(found); mask != 0) {
            return at + __builtin_ctz(static_cast<unsigned>(mask));
        }
    }
#endif
    while (at != end && (!isControl(*at) || *at == '\t')) {
        ++at;
    }
    return at;
}

// The first byte from `at` on that is a control character (tabs too) or a space.
inline const char* findControlOrSpace(const char* at, const char* end)
{
#if defined(__SSE2__)
    const __m128i highest = _mm_set1_epi8(0x20);
    const __m128i rubout = _mm_set1_epi8(0x7f);
    for (; end - at >= 16; at += 16) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
        const __m128i found = _mm_or_si128(
            _mm_cmpeq_epi8(_mm_min_epu8(bytes, highest), bytes), _mm_cmpeq_epi8(bytes, rubout)
        );
        if (const int mask = _mm_movemask_epi8(found); mask != 0) {
            return at + __builtin_ctz(static_cast<unsigned>(mask));
        }
    }
#endif
    while (at != end && !isControl(*at) && *at != ' ') {
        ++at;
    }
    return at;
}

// Without spaces and tabs at both ends.
inline std::string_view trimmed(std::string_view text)
{
    const auto isBlank = [](char character) { return character == ' ' || character == '\t'; };
    while (!text.empty() && isBlank(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && isBlank(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

// Takes the first element off a comma-separated list, trimmed; empty elements are skipped (RFC
// 9110, 5.6.1.2). False when none is left.
inline bool takeElement(std::string_view& list, std::string_view& element)
{
    while (!list.empty()) {
        const std::size_t comma = list.find(',');
        element = trimmed(list.substr(0, comma));
        list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
        if (!element.empty()) {
            return true;
        }
    }
    return false;
}

} // namespace mesh::http
