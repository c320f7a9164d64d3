#pragma once

#include "proxyengine/net/event_loop.h"
#include "proxyengine/net/sockets.h"
#include "proxyengine/proxy/transport.h"
#include "proxyengine/telemetry/counters.h"

#include <memory>
#include <optional>
#include <string>

namespace mesh::proxy {

// Whose connection to a target it is.
class StreamTargetUser
{
public:
    StreamTargetUser() = default;
    StreamTargetUser(const StreamTargetUser&) = delete;
    StreamTargetUser& operator=(const StreamTargetUser&) = delete;
    virtual void onTargetReady(net::Ready ready) = 0;
    virtual void onTargetTimeout() = 0;

protected:
    ~StreamTargetUser() = default;
};

// A relay's connection to its target. Never shared and never used again, so that no pool needs to
// know it.
class StreamTarget final
    : private net::FdHandler
    , private net::TimerHandler
{
public:
    // Begins to connect. Errors: those of net::connectTo() and EventLoop::watch().
    [[nodiscard]] static Result<std::unique_ptr<StreamTarget>> connect(
        net::EventLoop& loop,
        const net::SocketAddress& address,
        telemetry::AttemptRow& row,
        StreamTargetUser& user
    );
    ~StreamTarget();

    Transport transport;
    net::Timer timer;
    bool mayRead = false; // An edge said so and nobody has drained it since.
    bool mayWrite = false;

    // Closes the socket at once and destroys the object at the end of the turn.
    static void end(std::unique_ptr<StreamTarget> target);

private:
    StreamTarget(
        net::EventLoop& loop,
        FileDescriptor socket,
        telemetry::AttemptRow& row,
        StreamTargetUser& user
    );
    void onReady(net::Ready ready) override;
    void onTimer(net::Timer& timer) override;

    net::EventLoop& m_loop;
    telemetry::AttemptRow& m_row;
    StreamTargetUser* m_user;
};

// The address of a target that needs no name to be asked for; "localhost" is 127.0.0.1.
[[nodiscard]] std::optional<net::SocketAddress> literalOf(
    const std::string& host, std::uint16_t port
);

} // namespace mesh::proxy
