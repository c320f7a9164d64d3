#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
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
