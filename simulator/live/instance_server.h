#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/http/server.h"
#include "proxyengine/net/event_loop.h"
#include "simulator/live/service_instance.h"

#include <memory>

namespace mesh::simulator {

// One simulated instance as a real server: its port, its connections, its behaviour.
//
// Threads: the loop's; behaviour().answered() any.
class InstanceServer
{
public:
    // Port 0 picks a free one. Errors: those of net::listenOn().
    [[nodiscard]] static Result<std::unique_ptr<InstanceServer>> listen(
        net::EventLoop& loop,
        Caller& caller,
        const net::SocketAddress& address,
        ServiceInstance::Setup setup
    );

    [[nodiscard]] const net::SocketAddress& address() const { return m_server->address(); }
    [[nodiscard]] ServiceInstance& behaviour() { return m_behaviour; }
    [[nodiscard]] const ServiceInstance& behaviour() const { return m_behaviour; }

    // A kill closes the port and resets all connections; the end of it opens the same port again.
    void setFaults(const InstanceFaults& faults);

private:
    InstanceServer(net::EventLoop& loop, Caller& caller, ServiceInstance::Setup setup);
    void onRequest(const http::Request& request, http::Responder responder);
    void reopen();

    net::EventLoop& m_loop;
    const std::size_t m_answerBytes;
    ServiceInstance m_behaviour;
    net::FunctionTimer m_reopenAgain;
    std::unique_ptr<http::Server> m_server;
    bool m_isOpen = true;
};

} // namespace mesh::simulator
