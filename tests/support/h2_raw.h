#pragma once

#include "tests/support/loopback.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// HTTP/2 frame by frame, as wrong as a test wants them.
namespace mesh::test {

enum class Frame : std::uint8_t {
    Data,
    Headers,
    Priority,
    Reset,
    Settings,
    Push,
    Ping,
    GoAway,
    Window,
    Continuation
};

inline constexpr std::uint8_t kEndStream = 1; // Also ACK.
inline constexpr std::uint8_t kEndHeaders = 4;
inline constexpr std::string_view kH2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

inline std::string number(std::uint32_t value, int bytes)
{
    std::string text;
    for (int at = bytes - 1; at >= 0; --at) {
        text += static_cast<char>(value >> (8U * static_cast<unsigned>(at)) & 255U);
    }
    return text;
}

inline std::string frame(
    Frame type, std::uint8_t flags, std::uint32_t stream, std::string_view payload = {}
)
{
    std::string bytes = number(static_cast<std::uint32_t>(payload.size()), 3);
    bytes += static_cast<char>(type);
    bytes += static_cast<char>(flags);
    bytes += number(stream, 4);
    bytes += payload;
    return bytes;
}

using FieldList = std::vector<std::pair<std::string, std::string>>;

// Literal fields without indexing; names and values up to 126 bytes, or longer ones by one step.
inline std::string encoded(const FieldList& fields)
{
    const auto text = [](const std::string& value) {
        if (value.size() < 127) {
            return static_cast<char>(value.size()) + value;
        }
        std::string length(1, '\x7f');
        std::size_t rest = value.size() - 127;
        for (; rest >= 128; rest /= 128) {
            length += static_cast<char>(rest % 128 + 128);
        }
        return length + static_cast<char>(rest) + value;
    };
    std::string block;
    for (const auto& [name, value] : fields) {
        block += '\0' + text(name) + text(value);
    }
    return block;
}

inline FieldList getOf(const std::string& path)
{
    return {{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", path}};
}

inline std::string request(std::uint32_t stream, const std::string& path)
{
    return frame(Frame::Headers, kEndHeaders | kEndStream, stream, encoded(getOf(path)));
}

struct HeardFrame
{
    Frame type{};
    std::uint8_t flags = 0;
    std::uint32_t stream = 0;
    std::string payload;

    [[nodiscard]] std::uint32_t word(std::size_t at) const
    {
        std::uint32_t value = 0;
        for (std::size_t byte = at; byte < at + 4 && byte < payload.size(); ++byte) {
            value = value << 8U | static_cast<unsigned char>(payload[byte]);
        }
        return value;
    }
};

// A client that begins with the preface and SETTINGS, and keeps the frames that come back.
class H2Raw
{
public:
    H2Raw(net::EventLoop& loop, const net::SocketAddress& address, std::string_view settings = {})
        : m_loop(loop)
        , m_socket(address)
    {
        send(std::string(kH2Preface) + frame(Frame::Settings, 0, 0, settings));
    }

    bool send(std::string_view bytes) { return m_socket.send(m_loop, bytes); }

    template <typename Condition>
    std::optional<HeardFrame> waitFor(const Condition& condition)
    {
        std::optional<HeardFrame> found;
        runUntil(m_loop, [&] {
            m_socket.receive();
            parse();
            for (const HeardFrame& heard : m_frames) {
                if (condition(heard)) {
                    found = heard;
                    return true;
                }
            }
            return m_socket.hasEnded() || m_socket.wasReset();
        });
        return found;
    }
    std::optional<HeardFrame> waitFor(Frame type, std::uint32_t stream)
    {
        return waitFor([type, stream](const HeardFrame& heard) {
            return heard.type == type && heard.stream == stream;
        });
    }
    bool waitForEndOf(std::uint32_t stream)
    {
        return waitFor([stream](const HeardFrame& heard) {
                   return heard.stream == stream
                          && (heard.type == Frame::Data || heard.type == Frame::Headers)
                          && (heard.flags & kEndStream) != 0;
               }
        ).has_value();
    }
    bool waitForEnd() { return m_socket.waitForEnd(m_loop); }
    [[nodiscard]] std::string body(std::uint32_t stream) const
    {
        std::string all;
        for (const HeardFrame& heard : m_frames) {
            if (heard.type == Frame::Data && heard.stream == stream) {
                all += heard.payload;
            }
        }
        return all;
    }
    [[nodiscard]] const std::vector<HeardFrame>& frames() const { return m_frames; }
    RawSocket& socket() { return m_socket; }

private:
    void parse()
    {
        const std::string& heard = m_socket.heard();
        while (heard.size() - m_at >= 9) {
            HeardFrame next;
            next.payload = heard.substr(m_at, 9);
            const std::size_t length = next.word(0) >> 8U;
            if (heard.size() - m_at < 9 + length) {
                return;
            }
            next.type = static_cast<Frame>(heard[m_at + 3]);
            next.flags = static_cast<std::uint8_t>(heard[m_at + 4]);
            next.stream = next.word(5) & 0x7fffffffU;
            next.payload = heard.substr(m_at + 9, length);
            m_frames.push_back(std::move(next));
            m_at += 9 + length;
        }
    }

    net::EventLoop& m_loop;
    RawSocket m_socket;
    std::vector<HeardFrame> m_frames;
    std::size_t m_at = 0;
};

} // namespace mesh::test
