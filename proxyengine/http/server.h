#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/http/channel.h"
#include "proxyengine/http/message.h"
#include "proxyengine/net/event_loop.h"
#include "proxyengine/net/socket_address.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

namespace mesh::http {

class ServerConnection;
class ServerStreams;

// Answers one request, now or later, on the server's loop. Movable. Destroyed without an answer it
// sends 500. All calls are without effect once the client has gone.
class Responder
{
public:
    Responder() = default; // Answers nothing.
    Responder(const Responder&) = delete;
    Responder& operator=(const Responder&) = delete;
    Responder(Responder&& other) noexcept;
    Responder& operator=(Responder&& other) noexcept;
    ~Responder();

    // The whole response; Content-Length is added. Ends this responder.
    void send(const Response& response);

    // A response without a known length: begin(), write() as often as wanted, end().
    void begin(int status, const Headers& headers);
    // Errors: Reset when the client has gone. Bytes that the client does not take are kept, so
    // look at pendingBytes() and stop, or drop, above a limit of your own.
    [[nodiscard]] Result<void> write(std::string_view bytes);
    void end();
    [[nodiscard]] std::size_t pendingBytes() const;

    // Ends the request without an answer: closes the connection by RST, or resets the stream.
    void reset();

    [[nodiscard]] bool isGone() const; // The client went, or the answer is complete.
    // Is called once if the client goes before the answer is complete. Not from inside a call here.
    void onGone(std::function<void()> function);
    // Is called each time pendingBytes() has fallen to 0 after a write().
    void onDrained(std::function<void()> function);

private:
    friend class ServerConnection;
    friend class ServerStreams;
    struct Link;
    explicit Responder(std::shared_ptr<Link> link);
    void drop();
    std::shared_ptr<Link> m_link;
};

// HTTP/2 where a client begins with its preface or TLS has agreed on it.
enum class ServerProtocols : std::uint8_t { Http1, Http1And2 };

using RequestFunction = std::function<void(Request, Responder)>;

struct ServerOptions
{
    std::size_t bodyBytesMax = kAdminBodyBytesMax; // Larger: 413.
    std::size_t connectionsMax = kAdminConnectionsMax; // Above it connections wait in the backlog.
    Duration headTimeout = kClientHeadTimeout;
    Duration idleTimeout = kClientIdleTimeout;
    Duration bodyTimeout = kClientBodyTimeout; // Between two reads.
    ChannelFunction makeChannel = {}; // Empty: connections are plain.
    ServerProtocols protocols = ServerProtocols::Http1;
    // With a channel: above it the oldest that has not finished its handshake goes.
    std::size_t handshakesMax = kAdminHandshakesMax;
};

// A small server of HTTP/1.1, and HTTP/2 if asked for, for the admin API and simulated services.
//
// Requests of one connection of HTTP/1.1 are handled one after the other, so answers are in order;
// those of HTTP/2 beside each other (server_streams.h). Bodies are read whole. HEAD is answered
// without body; Expect: 100-continue is answered by itself. Threads: the loop's. Lifetime: the loop
// outlives it; responders may outlive it.
class Server
{
public:
    // Port 0 picks a free one. Errors: those of net::listenOn().
    [[nodiscard]] static Result<std::unique_ptr<Server>> listen(
        net::EventLoop& loop,
        const net::SocketAddress& address,
        const ServerOptions& options,
        RequestFunction onRequest
    );
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server(); // closeAll()

    [[nodiscard]] const net::SocketAddress& address() const;
    [[nodiscard]] std::size_t connections() const;

    // New connections are refused; those that exist are served, the last answer closes them.
    void stopAccepting();
    // New connections wait in the backlog and are not answered, until resume().
    void pauseAccepting();
    void resumeAccepting();
    // Listens again on the same address after stopAccepting(). Errors: those of net::listenOn().
    [[nodiscard]] Result<void> restartAccepting();
    void closeAll(); // Ends all connections at once.
    void resetAll(); // The same by RST.

private:
    struct State;
    friend class ServerConnection;
    explicit Server(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace mesh::http
