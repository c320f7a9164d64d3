#include "proxyengine/http/server.h"

#include "proxyengine/http/answer_sink.h"
#include "proxyengine/http/server_connection.h"
#include "proxyengine/net/acceptor.h"

#include <utility>

namespace mesh::http {

Responder::Responder(std::shared_ptr<Link> link)
    : m_link(std::move(link))
{}

Responder::Responder(Responder&& other) noexcept = default;

Responder& Responder::operator=(Responder&& other) noexcept
{
    if (this != &other) {
        drop();
        m_link = std::move(other.m_link);
    }
    return *this;
}

Responder::~Responder() { drop(); }

// An answer that nobody gave is a bug of the handler; the client must not wait for ever.
void Responder::drop()
{
    if (!isGone()) {
        if (m_link->hasBegun) {
            m_link->sink->reset();
        } else {
            m_link->sink->sendWhole({500, {}, {}});
        }
    }
    m_link = nullptr;
}

void Responder::send(const Response& response)
{
    if (!isGone()) {
        m_link->sink->sendWhole(response);
    }
}

void Responder::begin(int status, const Headers& headers)
{
    if (!isGone()) {
        m_link->sink->beginStream(status, headers);
    }
}

Result<void> Responder::write(std::string_view bytes)
{
    if (!isGone()) {
        m_link->sink->writeStream(bytes);
    }
    if (isGone()) {
        return fail(ErrorCode::Reset, "the client has gone");
    }
    return {};
}

void Responder::end()
{
    if (!isGone()) {
        m_link->sink->endStream();
    }
}

std::size_t Responder::pendingBytes() const { return isGone() ? 0 : m_link->sink->pendingBytes(); }

void Responder::reset()
{
    if (!isGone()) {
        m_link->sink->reset();
    }
}

bool Responder::isGone() const { return m_link == nullptr || m_link->sink == nullptr; }

void Responder::onGone(std::function<void()> function)
{
    if (!isGone()) {
        m_link->onGone = std::move(function);
    }
}

void Responder::onDrained(std::function<void()> function)
{
    if (!isGone()) {
        m_link->onDrained = std::move(function);
    }
}

void Server::State::onAccepted(FileDescriptor socket, const net::SocketAddress& /*peer*/)
{
    auto connection = std::make_unique<ServerConnection>(*this, std::move(socket));
    ServerConnection& started = *connection;
    connections.emplace(&started, std::move(connection));
    if (!started.start()) {
        started.close();
        return;
    }
    if (connections.size() >= options.connectionsMax && !isFull) {
        isFull = true;
        acceptor->pause();
    }
}

// Whoever connects and does not finish must not keep others out.
void Server::State::beginHandshake(ServerConnection& connection)
{
    handshaking.push_back(&connection);
    if (handshaking.size() > options.handshakesMax) {
        handshaking.front()->close();
    }
}

void Server::State::endHandshake(ServerConnection& connection)
{
    std::erase(handshaking, &connection);
}

void Server::State::remove(ServerConnection& connection)
{
    const auto found = connections.find(&connection);
    if (found == connections.end()) {
        return;
    }
    loop.destroyLater(std::move(found->second)); // It may be inside a call now.
    connections.erase(found);
    if (isFull && connections.size() < options.connectionsMax) {
        isFull = false;
        if (!isPaused && acceptor) {
            acceptor->resume();
        }
    }
}

Server::Server(std::unique_ptr<State> state)
    : m_state(std::move(state))
{}

Server::~Server()
{
    m_state->acceptor.reset();
    closeAll();
}

Result<std::unique_ptr<Server>> Server::listen(
    net::EventLoop& loop,
    const net::SocketAddress& address,
    const ServerOptions& options,
    RequestFunction onRequest
)
{
    auto state = std::make_unique<State>(loop, options, std::move(onRequest));
    MESH_TRY(state->acceptor, net::Acceptor::listen(loop, address, net::PortSharing::No, *state));
    state->address = state->acceptor->address();
    return std::unique_ptr<Server>(new Server(std::move(state)));
}

const net::SocketAddress& Server::address() const { return m_state->address; }

std::size_t Server::connections() const { return m_state->connections.size(); }

void Server::stopAccepting()
{
    m_state->isStopping = true;
    m_state->acceptor.reset();
    std::vector<ServerConnection*> all;
    for (const auto& [connection, owned] : m_state->connections) {
        all.push_back(connection);
    }
    for (ServerConnection* connection : all) {
        connection->closeWhenIdle();
    }
}

void Server::pauseAccepting()
{
    m_state->isPaused = true;
    if (m_state->acceptor && !m_state->isFull) {
        m_state->acceptor->pause();
    }
}

void Server::resumeAccepting()
{
    m_state->isPaused = false;
    if (m_state->acceptor && !m_state->isFull) {
        m_state->acceptor->resume();
    }
}

Result<void> Server::restartAccepting()
{
    if (m_state->acceptor) {
        return {};
    }
    MESH_TRY(
        m_state->acceptor,
        net::Acceptor::listen(m_state->loop, m_state->address, net::PortSharing::No, *m_state)
    );
    m_state->isStopping = false;
    m_state->isPaused = false;
    return {};
}

void Server::closeAll()
{
    while (!m_state->connections.empty()) {
        m_state->connections.begin()->first->close();
    }
}

void Server::resetAll()
{
    while (!m_state->connections.empty()) {
        m_state->connections.begin()->first->reset();
    }
}

} // namespace mesh::http
