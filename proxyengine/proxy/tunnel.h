#pragma once

#include "proxyengine/net/buffer.h"
#include "proxyengine/proxy/transport.h"

#include <cstdint>
#include <span>

namespace mesh::proxy {

// Bytes both ways between two transports whose heads are done with: an upgraded connection.
//
// A side is read only while the other one takes bytes, and what it does not take is the only thing
// that is kept, so an idle tunnel holds no buffer. The end of one direction is passed on; the
// tunnel has ended when both have.
class Tunnel
{
public:
    // One end of it, with its readiness where its owner keeps that.
    struct Side
    {
        Transport& transport;
        bool& mayRead;
        bool& mayWrite;
    };
    enum class Step : std::uint8_t {
        Moved, // Call again.
        Stuck, // Until one side has news.
        Ended, // Both directions have ended and everything was passed on.
        Broken, // One side was reset; the other is to be ended.
    };

    // One step of both directions. `scratch`: at most net::Buffer::kCapacity is used.
    [[nodiscard]] Step step(
        Side client, Side upstream, std::span<char> scratch, net::BufferPool& buffers
    );
    // Bytes that came with the heads, to be passed on first. Only before the first step.
    void startWith(net::Buffer fromClient, net::Buffer fromUpstream);

    [[nodiscard]] std::uint64_t bytesUp() const { return m_up.bytes; } // Taken by the upstream.
    [[nodiscard]] std::uint64_t bytesDown() const { return m_down.bytes; } // By the client.

private:
    struct Flow
    {
        net::Buffer rest; // Read and not taken yet.
        std::uint64_t bytes = 0;
        bool hasEnded = false; // The source will send no more.
        bool isShut = false; // The other side was told.
    };
    static Step pass(
        Flow& flow, Side from, Side to, std::span<char> scratch, net::BufferPool& buffers
    );
    static Step passRest(Flow& flow, Side to);

    Flow m_up;
    Flow m_down;
};

} // namespace mesh::proxy
