#pragma once

#include "proxyengine/net/event_loop.h"
#include "proxyengine/net/sockets.h"

#include <span>

namespace mesh::tls {
class TlsStream;
}

namespace mesh::proxy {

// A connected stream of bytes that is no socket of its own: one stream of an HTTP/2 connection,
// told as HTTP/1.1. The driver owns it through its Transport; the session behind it outlives it or
// has detached it.
//
// Who calls whom: the driver calls everything here but wake(); the session calls wake(). What the
// driver does never leads back into the driver: neither read(), write(), shutdownWrite() nor
// close() wakes anybody before it returned. wake() is for the session's own turn (its socket had
// news, the peer's window opened, the turn ended), when no driver of this session is on the stack:
// it calls FdHandler::onReady directly. Where that cannot be known, wakeLater() goes through
// EventLoop::callAgain, which calls in the next turn.
//
// When the handler is woken, as an edge-triggered socket would be:
//   kRead       after read() was short or WouldBlock: bytes came, or the proper end.
//   kWrite      after write() was short or WouldBlock: there is room again.
//   kBroken     the stream is gone (reset by the peer, connection lost): read() and write() fail.
//   kPeerEnded  only together with kBroken: the end of a message is told by its framing, and a peer
//               that has said all may still want to hear.
//
// Words of the results, as of a socket:
//   Done        `count` bytes moved; fewer than offered means none move until the next wake.
//   WouldBlock  nothing moved; wait for the next wake.
//   Closed      read() only: the peer ended its direction, after everything before it was read.
//   Failed      the stream is dead. `native` is 0.
class ByteStream
{
public:
    ByteStream() = default;
    ByteStream(const ByteStream&) = delete;
    ByteStream& operator=(const ByteStream&) = delete;
    virtual ~ByteStream() = default;

    [[nodiscard]] virtual net::IoStep read(std::span<char> buffer) = 0;
    [[nodiscard]] virtual net::IoStep write(std::span<const iovec> parts) = 0;
    // We have said everything: what was written is a whole message.
    virtual void shutdownWrite() = 0;
    // The driver is through with it. Not after shutdownWrite() nor between two messages: a reset.
    // Nobody is woken any more.
    virtual void close() = 0;
    // Of the connection that carries it; null: it is not encrypted.
    [[nodiscard]] virtual const tls::TlsStream* tls() const = 0;

    // Who is woken; null: nobody. The handler forgets itself at the loop before it goes.
    void setHandler(net::FdHandler* handler) { m_handler = handler; }

protected:
    [[nodiscard]] bool hasHandler() const { return m_handler != nullptr; }
    void wake(net::Ready ready)
    {
        if (m_handler != nullptr) {
            m_handler->onReady(ready);
        }
    }
    void wakeLater(net::EventLoop& loop, net::Ready ready)
    {
        if (m_handler != nullptr) {
            loop.callAgain(*m_handler, ready);
        }
    }

private:
    net::FdHandler* m_handler = nullptr;
};

} // namespace mesh::proxy
