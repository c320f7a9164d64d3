#include "proxyengine/proxy/udp_relay.h"

#include "proxyengine/base/log.h"
#include "proxyengine/proxy/stream_front.h"
#include "proxyengine/proxy/worker.h"

#include <utility>
#include <vector>

namespace mesh::proxy {
namespace {

constexpr int kBatchesHeardPerEventMax = 8; // 128 datagrams; then others get their share.

// One step of a multiplicative hash over 64 bits. Source: splitmix64.
std::uint64_t mixed(std::uint64_t value)
{
    value ^= value >> 30U;
    value *= 0xbf58476d1ce4e5b9U;
    value ^= value >> 27U;
    value *= 0x94d049bb133111ebU;
    return value ^ value >> 31U;
}

std::uint64_t mixed(std::uint64_t seed, const net::SocketAddress& address)
{
    std::uint64_t hash = mixed(seed ^ address.port());
    for (std::size_t at = 0; at < address.bytes().size(); at += 8) {
        std::uint64_t word = 0;
        for (std::size_t byte = 0; byte < 8; ++byte) {
            word = word << 8U | address.bytes()[at + byte];
        }
        hash = mixed(hash ^ word);
    }
    return hash;
}

} // namespace

std::size_t UdpRelay::HashOf::operator()(const StreamPeers& peers) const
{
    return static_cast<std::size_t>(mixed(mixed(seed, peers.client), peers.destination));
}

UdpRelay::UdpRelay(Worker& worker, std::shared_ptr<const Listener> listener, FileDescriptor socket)
    : m_worker(worker)
    , m_listener(std::move(listener))
    , m_socket(std::move(socket))
    , m_sessions(0, HashOf{worker.streams().hashSeed()})
{}

UdpRelay::~UdpRelay() { m_worker.loop().forget(*this); }

Result<void> UdpRelay::begin() { return m_worker.loop().watch(m_socket.get(), *this); }

void UdpRelay::onReady(net::Ready ready)
{
    if (!ready.canRead()) {
        return;
    }
    net::DatagramBatch& batch = m_worker.streams().batch();
    for (int round = 0; round < kBatchesHeardPerEventMax; ++round) {
        const net::IoStep step = batch.receive(m_socket.get(), m_listener->port);
        if (step.status != net::IoStatus::Done) {
            return;
        }
        m_worker.counters().streams.datagramsIn += step.count;
        for (const net::Datagram& datagram : batch.items()) {
            take(datagram);
        }
        if (step.count < kUdpDatagramsPerCall) {
            return;
        }
    }
    m_worker.loop().callAgain(*this, net::Ready(net::Ready::kRead));
}

void UdpRelay::take(const net::Datagram& datagram)
{
    if (UdpSession* session = sessionFor({datagram.peer, datagram.local})) {
        session->forward(datagram.bytes);
    } else {
        ++m_worker.counters().streams.datagramsLost;
    }
}

UdpSession* UdpRelay::sessionFor(const StreamPeers& peers)
{
    if (const auto found = m_sessions.find(peers); found != m_sessions.end()) {
        return found->second.get();
    }
    if (m_isDraining) {
        return nullptr;
    }
    const auto plan = m_worker.streams().planFor(streamView(policy::StreamKind::Datagrams, peers));
    if (!plan) {
        ++m_worker.counters().streams.unrouted;
        return nullptr;
    }
    if (!m_worker.streams().admitSession()) {
        ++m_worker.counters().streams.sessionsRefused;
        if (m_worker.streams().mayLog(StreamRefusal::Session)) {
            MESH_LOG(
                Warn,
                "udp.session_refused",
                kv("listener", m_listener->key),
                kv("limit", kUdpSessionsPerWorkerMax)
            );
        }
        return nullptr;
    }
    ++m_worker.counters().accepted;
    auto session = std::make_unique<UdpSession>(m_worker, *this, peers, *plan);
    if (!session->begin()) {
        m_worker.streams().onSessionEnd();
        return nullptr;
    }
    return m_sessions.emplace(peers, std::move(session)).first->second.get();
}

void UdpRelay::close(UdpSession& session)
{
    const auto found = m_sessions.find(session.peers());
    auto doomed = std::move(found->second);
    m_sessions.erase(found);
    m_worker.streams().onSessionEnd();
    m_worker.loop().destroyLater(std::move(doomed));
}

void UdpRelay::closeAll()
{
    while (!m_sessions.empty()) {
        m_sessions.begin()->second->abort();
    }
}

} // namespace mesh::proxy
