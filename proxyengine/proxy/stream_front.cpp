#include "proxyengine/proxy/stream_front.h"

#include "proxyengine/base/assert.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/proxy/placed_list.h"
#include "proxyengine/proxy/worker.h"

#include <utility>

namespace mesh::proxy {
namespace {

policy::IpAddress ipOf(const net::SocketAddress& address)
{
    if (address.family() != net::SocketAddress::Family::Ip4) {
        return {address.bytes()};
    }
    const auto& bytes = address.bytes();
    return policy::IpAddress::fromIp4({bytes[0], bytes[1], bytes[2], bytes[3]});
}

telemetry::EdgeProtocol protocolOf(policy::StreamKind kind, const config::StreamRoutePlan& route)
{
    using telemetry::EdgeProtocol;
    switch (kind) {
    case policy::StreamKind::TlsEnded:
        return EdgeProtocol::Tls;
    case policy::StreamKind::TlsPassing:
        return route.passesTls ? EdgeProtocol::TlsPassthrough : EdgeProtocol::Tcp;
    case policy::StreamKind::Datagrams:
        return EdgeProtocol::Udp;
    case policy::StreamKind::Plain:
        break;
    }
    return EdgeProtocol::Tcp;
}

} // namespace

policy::StreamView streamView(policy::StreamKind kind, const StreamPeers& peers)
{
    policy::StreamView view;
    view.kind = kind;
    view.sourceIp = ipOf(peers.client);
    view.sourcePort = peers.client.port();
    view.destinationIp = ipOf(peers.destination);
    view.destinationPort = peers.destination.port();
    return view;
}

StreamFront::StreamFront(Worker& worker, std::string source)
    : m_worker(worker)
    , m_source(std::move(source))
    , m_hashSeed(worker.random().next())
{}

StreamFront::~StreamFront() = default;

void StreamFront::accept(const Listener& listener, FileDescriptor socket, const StreamPeers& peers)
{
    const tls::ServerContext* tls =
        listener.isTls ? m_worker.runtime().activation.serverTls.get() : nullptr;
    if (listener.isTls && tls == nullptr) {
        net::setResetOnClose(socket.get());
        return;
    }
    auto relay = std::make_unique<StreamRelay>(m_worker, std::move(socket), listener, peers);
    if (relay->begin(tls)) {
        keep(m_relays, std::move(relay));
    }
}

void StreamFront::readPreface(
    std::shared_ptr<const Listener> listener, FileDescriptor socket, const net::SocketAddress& peer
)
{
    auto preface =
        std::make_unique<ProxyPreface>(m_worker, std::move(listener), std::move(socket), peer);
    if (preface->begin()) {
        keep(m_prefaces, std::move(preface));
    }
}

void StreamFront::addDatagrams(std::shared_ptr<const Listener> listener, FileDescriptor socket)
{
    auto relay = std::make_unique<UdpRelay>(m_worker, std::move(listener), std::move(socket));
    if (relay->begin()) {
        m_datagrams.push_back(std::move(relay));
    }
}

std::size_t StreamFront::count() const { return m_relays.size() + m_prefaces.size() + m_sessions; }

void StreamFront::drain()
{
    while (!m_prefaces.empty()) {
        m_prefaces.back()->abort();
    }
    for (const auto& relay : m_datagrams) {
        relay->drain();
    }
}

void StreamFront::closeAll()
{
    while (!m_prefaces.empty()) {
        m_prefaces.back()->abort();
    }
    while (!m_relays.empty()) {
        m_relays.back()->abort();
    }
    for (const auto& relay : m_datagrams) {
        relay->closeAll();
    }
}

std::optional<StreamPlan> StreamFront::planFor(const policy::StreamView& view)
{
    const Runtime& runtime = m_worker.runtime();
    const config::Snapshot& snapshot = runtime.snapshot();
    const auto found = snapshot.streamRouter.match(view);
    if (!found || !snapshot.streamRoutes[*found].service) {
        return std::nullopt;
    }
    const config::StreamRoutePlan& route = snapshot.streamRoutes[*found];
    const config::ServicePlan& service = snapshot.services[*route.service];
    StreamPlan plan;
    plan.upstream = runtime.upstreams[service.upstream];
    plan.source = m_source;
    plan.service = service.name;
    plan.route = route.name;
    plan.protocol = protocolOf(view.kind, route);
    plan.retries = service.retries;
    plan.connectTimeout = service.connectTimeout;
    plan.idleTimeout = service.readTimeout;
    plan.proxyProtocol = service.proxyProtocol;
    if (service.tls && view.kind != policy::StreamKind::Datagrams) {
        plan.tls = runtime.activation.upstreamTls[*service.tls];
    }
    return plan;
}

bool StreamFront::wantsServerName(const policy::StreamView& view) const
{
    return m_worker.runtime().snapshot().streamRouter.wantsServerName(view);
}

void StreamFront::close(StreamRelay& relay)
{
    m_worker.loop().destroyLater(takeOut(m_relays, relay));
}

void StreamFront::close(ProxyPreface& preface)
{
    m_worker.loop().destroyLater(takeOut(m_prefaces, preface));
}

bool StreamFront::mayLog(StreamRefusal refusal)
{
    constexpr Duration kLogInterval = std::chrono::seconds(1);
    TimePoint& loggedAt = m_loggedAt[static_cast<std::size_t>(refusal)];
    if (m_worker.loop().now() - loggedAt < kLogInterval) {
        return false;
    }
    loggedAt = m_worker.loop().now();
    return true;
}

bool StreamFront::admitSession()
{
    if (m_sessions >= kUdpSessionsPerWorkerMax) {
        return false;
    }
    ++m_sessions;
    return true;
}

net::DatagramBatch& StreamFront::batch()
{
    if (m_batch == nullptr) {
        m_batch = std::make_unique<net::DatagramBatch>();
    }
    return *m_batch;
}

} // namespace mesh::proxy
