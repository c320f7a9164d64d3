#pragma once

#include "proxyengine/base/clock.h"
#include "proxyengine/base/handles.h"
#include "proxyengine/net/event_loop.h"
#include "proxyengine/net/socket_address.h"
#include "proxyengine/net/sockets.h"

#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>

// Real sockets on loopback without sleeping: conditions with a deadline.
namespace mesh::test {

inline constexpr Duration kPatience = std::chrono::seconds(5); // Reached by failing tests only.

// Turns the loop until the condition holds; whether it did before the deadline.
inline bool runUntil(
    net::EventLoop& loop, const std::function<bool()>& condition, Duration patience = kPatience
)
{
    const TimePoint end = loop.clock().now() + patience;
    while (!condition()) {
        if (loop.clock().now() >= end) {
            return false;
        }
        loop.runTurn(std::chrono::milliseconds(5));
    }
    return true;
}

// A client's socket that says exactly what it is told, and keeps all it hears.
class RawSocket
{
public:
    explicit RawSocket(const net::SocketAddress& address)
        : m_socket(*net::connectTo(address))
    {}

    // Sends all of it, turning the loop while the kernel's buffer is full.
    bool send(net::EventLoop& loop, std::string_view bytes)
    {
        return runUntil(
                   loop,
                   [this, &bytes] {
                       const net::IoStep step = net::writeSome(m_socket.get(), bytes);
                       bytes.remove_prefix(step.count);
                       return bytes.empty() || step.status == net::IoStatus::Failed;
                   }
               )
               && bytes.empty();
    }

    // Takes in what has arrived.
    void receive()
    {
        std::array<char, 65536> buffer;
        for (;;) {
            const net::IoStep step = net::readSome(m_socket.get(), buffer);
            m_hasEnded = m_hasEnded || step.status == net::IoStatus::Closed;
            m_wasReset = m_wasReset || step.status == net::IoStatus::Failed;
            if (step.status != net::IoStatus::Done) {
                return;
            }
            m_heard.append(buffer.data(), step.count);
        }
    }

    // Turns the loop until the peer has said this, or has ended the connection.
    bool waitFor(net::EventLoop& loop, std::string_view text)
    {
        const bool ended = runUntil(loop, [this, text] {
            receive();
            return m_heard.find(text) != std::string::npos || m_hasEnded || m_wasReset;
        });
        return ended && m_heard.find(text) != std::string::npos;
    }

    bool waitForEnd(net::EventLoop& loop)
    {
        return runUntil(loop, [this] {
            receive();
            return m_hasEnded || m_wasReset;
        });
    }

    [[nodiscard]] const std::string& heard() const { return m_heard; }
    [[nodiscard]] bool hasEnded() const { return m_hasEnded; }
    [[nodiscard]] bool wasReset() const { return m_wasReset; }
    [[nodiscard]] int descriptor() const { return m_socket.get(); }
    void endSending() { net::shutdownWrite(m_socket.get()); }
    void close() { m_socket.reset(); }

private:
    FileDescriptor m_socket;
    std::string m_heard;
    bool m_hasEnded = false;
    bool m_wasReset = false;
};

} // namespace mesh::test
