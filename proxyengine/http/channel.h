#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/http/message.h"
#include "proxyengine/net/sockets.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace mesh::http {

// What stands between a connection of the small server or client and its socket: TLS, made by a
// layer that may see it. The connection owns the socket and outlives its channel.
class Channel
{
public:
    Channel() = default;
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;
    virtual ~Channel() = default;

    enum class Handshake : std::uint8_t {
        Done,
        Waiting,
        Failed,
        Refused, // The peer was told why; what it still sends is thrown away.
    };

    struct Step
    {
        net::IoStatus status = net::IoStatus::WouldBlock;
        std::size_t count = 0;
        bool mayHaveMore = false; // Reads: calling again without a new event can bring something.
    };

    // By ALPN, "h2" or "http/1.1", after the handshake; empty: not agreed on.
    [[nodiscard]] virtual std::string_view protocol() const { return {}; }
    // After Refused: what to answer to each request. Nothing: the channel has said it itself.
    [[nodiscard]] virtual std::optional<Response> refusal() const { return std::nullopt; }
    // Called with every event of the socket while it is Waiting.
    [[nodiscard]] virtual Handshake handshake() = 0;
    [[nodiscard]] virtual Step read(std::span<char> buffer) = 0;
    // What was offered and not taken is offered again first, with or without more behind it.
    [[nodiscard]] virtual net::IoStep write(std::string_view bytes) = 0;
    // The peer has ended; no event of the socket will tell it again.
    virtual void expectEnd() = 0;
    // Says goodbye once; never waits.
    virtual void shutdown() = 0;
    // Why a handshake or a step failed, for people; `code` Tls unless the peer merely went away.
    [[nodiscard]] virtual Error failure() const = 0;
};

// Makes the channel of a connected socket. Errors: those of its maker; the connection ends.
using ChannelFunction = std::function<Result<std::unique_ptr<Channel>>(int socket)>;

} // namespace mesh::http
