#pragma once

#include <optional>
#include <string>
#include <string_view>

// ClientHellos put together by hand, for readers of them.
namespace mesh::test {

inline std::string number(std::size_t value, int width)
{
    std::string bytes;
    for (int at = width - 1; at >= 0; --at) {
        bytes.push_back(static_cast<char>((value >> (8U * static_cast<unsigned>(at))) & 0xffU));
    }
    return bytes;
}

// Bytes behind their length.
inline std::string vector1(std::string_view bytes) { return number(bytes.size(), 1).append(bytes); }
inline std::string vector2(std::string_view bytes) { return number(bytes.size(), 2).append(bytes); }

inline std::string extension(std::size_t type, std::string_view content)
{
    return number(type, 2) + vector2(content);
}

inline std::string nameExtension(std::string_view name)
{
    return extension(0, vector2(std::string(1, '\0') + vector2(name)));
}

// The handshake message. Without a value there is no list of extensions at all, as in TLS 1.2.
inline std::string helloMessage(const std::optional<std::string>& extensions)
{
    const std::string body = "\x03\x03" + std::string(32, 'r') + vector1(std::string(32, 's'))
                             + vector2("\x13\x01\x13\x02") + vector1(std::string(1, '\0'))
                             + (extensions ? vector2(*extensions) : std::string());
    return "\x01" + number(body.size(), 3) + body;
}

inline std::string inRecord(std::string_view payload) { return "\x16\x03\x01" + vector2(payload); }

} // namespace mesh::test
