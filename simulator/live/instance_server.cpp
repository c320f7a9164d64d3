#include "simulator/live/instance_server.h"

#include "proxyengine/base/log.h"
#include "simulator/live/http_caller.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mesh::simulator {

namespace {

// Somebody's outgoing connection may have the port for a moment after a kill.
constexpr Duration kReopenAgainAfter = std::chrono::milliseconds(100);

http::ServerOptions serverOptions()
{
    http::ServerOptions options;
    options.connectionsMax = 4096; // A frozen instance collects connections.
    options.bodyBytesMax = 1U << 20U;
    return options;
}

} // namespace

InstanceServer::InstanceServer(net::EventLoop& loop, Caller& caller, ServiceInstance::Setup setup)
    : m_loop(loop)
    , m_answerBytes(setup.answerBytes)
    , m_behaviour(loop, caller, std::move(setup))
    , m_reopenAgain(loop.timers(), [this] { reopen(); })
{}

Result<std::unique_ptr<InstanceServer>> InstanceServer::listen(
    net::EventLoop& loop,
    Caller& caller,
    const net::SocketAddress& address,
    ServiceInstance::Setup setup
)
{
    std::unique_ptr<InstanceServer> instance(new InstanceServer(loop, caller, std::move(setup)));
    MESH_TRY(
        instance->m_server,
        http::Server::listen(
            loop,
            address,
            serverOptions(),
            [at = instance.get()](const http::Request& request, http::Responder responder) {
                at->onRequest(request, std::move(responder));
            }
        )
    );
    return instance;
}

void InstanceServer::onRequest(const http::Request& request, http::Responder responder)
{
    const auto header = [&request](const char* name) {
        return std::string(http::findHeader(request.headers, name).value_or(std::string_view()));
    };
    // Shared, because a function must be copyable; only one copy ever answers.
    auto answer = std::make_shared<http::Responder>(std::move(responder));
    m_behaviour.onRequest(
        request.path(),
        {header(kRequestIdHeader), header(kTraceparentHeader)},
        [answer, name = m_behaviour.name(), bytes = m_answerBytes](int status) {
            if (status == ServiceInstance::kReset) {
                answer->reset();
                return;
            }
            http::Response response;
            response.status = status;
            response.headers.push_back({"Content-Type", "application/json"});
            response.body = fmt::format("{{\"instance\":\"{}\",\"status\":{}}}\n", name, status);
            response.body.resize(std::max(response.body.size(), bytes), '\n');
            answer->send(response);
        },
        header(kCallerHeader)
    );
}

void InstanceServer::setFaults(const InstanceFaults& faults)
{
    m_behaviour.setFaults(faults);
    if (faults.isKilled && m_isOpen) {
        m_reopenAgain.cancel();
        m_server->stopAccepting();
        m_server->resetAll();
        m_isOpen = false;
    } else if (!faults.isKilled && !m_isOpen) {
        reopen();
    }
}

void InstanceServer::reopen()
{
    if (m_behaviour.faults().isKilled) {
        return;
    }
    if (const auto opened = m_server->restartAccepting(); !opened) {
        MESH_LOG(
            Warn,
            "instance.reopen_failed",
            kv("instance", m_behaviour.name()),
            kv("error", opened.error())
        );
        m_reopenAgain.arm(m_loop.now() + kReopenAgainAfter);
        return;
    }
    m_isOpen = true;
}

} // namespace mesh::simulator
