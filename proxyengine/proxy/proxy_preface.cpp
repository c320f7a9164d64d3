#include "proxyengine/proxy/proxy_preface.h"

#include "proxyengine/base/limits.h"
#include "proxyengine/base/log.h"
#include "proxyengine/proxy/proxy_protocol.h"
#include "proxyengine/proxy/stream_front.h"
#include "proxyengine/proxy/worker.h"

#include <utility>

namespace mesh::proxy {

ProxyPreface::ProxyPreface(
    Worker& worker,
    std::shared_ptr<const Listener> listener,
    FileDescriptor socket,
    const net::SocketAddress& peer
)
    : m_worker(worker)
    , m_listener(std::move(listener))
    , m_socket(std::move(socket))
    , m_peers{peer, net::localAddress(m_socket.get())}
    , m_timer(worker.loop().timers(), *this)
{}

Result<void> ProxyPreface::begin()
{
    m_timer.arm(m_worker.loop().now() + m_worker.timeouts().streamPreface);
    return m_worker.loop().watch(m_socket.get(), *this);
}

void ProxyPreface::onReady(net::Ready ready)
{
    if (!ready.canRead()) {
        return;
    }
    const std::span<char> room = m_worker.scratch().first(kProxyHeaderBytesMax);
    const net::IoStep step = net::peekSome(m_socket.get(), room);
    if (step.status == net::IoStatus::WouldBlock) {
        return;
    }
    if (step.status != net::IoStatus::Done) {
        abort(); // Gone without a word: a check whether the port is open.
        return;
    }
    ProxyHeader header;
    const ProxyHeaderStep read = readProxyHeader({room.data(), step.count}, header);
    switch (read.status) {
    case ProxyHeaderStep::Status::NeedMore:
        if (ready.hasPeerEnded()) {
            refuse("the client ended before it was whole");
        }
        return;
    case ProxyHeaderStep::Status::Refused:
        refuse(read.reason);
        return;
    case ProxyHeaderStep::Status::Done:
        break;
    }
    StreamPeers peers = m_peers;
    if (header.source) {
        peers = {*header.source, *header.destination};
    }
    handOn(header.bytes, peers);
}

void ProxyPreface::onTimer(net::Timer&) { refuse("it did not come in time"); }

void ProxyPreface::refuse(std::string_view reason)
{
    ++m_worker.counters().streams.headersRefused;
    if (m_worker.streams().mayLog(StreamRefusal::ProxyHeader)) {
        MESH_LOG(
            Warn,
            "proxy_header.refused",
            kv("listener", m_listener->key),
            kv("peer", m_peers.client.toText()),
            kv("reason", reason)
        );
    }
    abort();
}

void ProxyPreface::handOn(std::size_t bytes, const StreamPeers& peers)
{
    const net::IoStep taken = net::readSome(m_socket.get(), m_worker.scratch().first(bytes));
    if (taken.status != net::IoStatus::Done || taken.count != bytes) {
        refuse("it changed while it was read");
        return;
    }
    m_timer.cancel();
    m_worker.loop().unwatch(m_socket.get(), *this);
    FileDescriptor socket = std::move(m_socket);
    const std::shared_ptr<const Listener> listener = std::move(m_listener);
    m_worker.streams().close(*this);
    m_worker.onIdentified(listener, std::move(socket), peers);
}

void ProxyPreface::abort()
{
    m_timer.cancel();
    net::setResetOnClose(m_socket.get());
    m_worker.loop().forget(*this);
    m_socket.reset();
    m_worker.streams().close(*this);
}

} // namespace mesh::proxy
