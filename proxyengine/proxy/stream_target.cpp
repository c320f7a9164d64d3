#include "proxyengine/proxy/stream_target.h"

#include <utility>

namespace mesh::proxy {

Result<std::unique_ptr<StreamTarget>> StreamTarget::connect(
    net::EventLoop& loop,
    const net::SocketAddress& address,
    telemetry::AttemptRow& row,
    StreamTargetUser& user
)
{
    MESH_TRY(FileDescriptor socket, net::connectTo(address));
    std::unique_ptr<StreamTarget> made(new StreamTarget(loop, std::move(socket), row, user));
    MESH_TRY_VOID(loop.watch(made->transport.descriptor(), *made));
    return made;
}

StreamTarget::StreamTarget(
    net::EventLoop& loop, FileDescriptor socket, telemetry::AttemptRow& row, StreamTargetUser& user
)
    : transport(std::move(socket))
    , timer(loop.timers(), *this)
    , m_loop(loop)
    , m_row(row)
    , m_user(&user)
{
    ++m_row.holders;
    ++m_row.connections;
}

StreamTarget::~StreamTarget()
{
    --m_row.connections;
    telemetry::WorkerCounters::release(m_row);
}

void StreamTarget::end(std::unique_ptr<StreamTarget> target)
{
    net::EventLoop& loop = target->m_loop;
    target->timer.cancel();
    loop.forget(*target);
    target->transport.close();
    loop.destroyLater(std::move(target));
}

void StreamTarget::onReady(net::Ready ready)
{
    transport.noteReady(ready);
    mayRead = mayRead || ready.canRead();
    mayWrite = mayWrite || ready.canWrite();
    m_user->onTargetReady(ready);
}

void StreamTarget::onTimer(net::Timer&) { m_user->onTargetTimeout(); }

std::optional<net::SocketAddress> literalOf(const std::string& host, std::uint16_t port)
{
    if (auto literal = net::SocketAddress::fromLiteral(host, port)) {
        return *std::move(literal);
    }
    if (host == "localhost") {
        return net::SocketAddress::loopback(port);
    }
    return std::nullopt;
}

} // namespace mesh::proxy
