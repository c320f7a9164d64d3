#pragma once

#include "proxyengine/base/handles.h"
#include "proxyengine/net/datagrams.h"
#include "proxyengine/net/splice_pipe.h"
#include "proxyengine/proxy/proxy_preface.h"
#include "proxyengine/proxy/stream_plan.h"
#include "proxyengine/proxy/stream_relay.h"
#include "proxyengine/proxy/udp_relay.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mesh::proxy {

class Worker;
struct Listener;

// What is refused before it is a stream.
enum class StreamRefusal : std::uint8_t { Session, ProxyHeader, ClientHello, Count };

// All of one worker's streams: TCP relays, UDP listeners with their sessions, and connections whose
// PROXY header is still on its way.
class StreamFront
{
public:
    // `source`: what counters call the callers.
    StreamFront(Worker& worker, std::string source);
    ~StreamFront();

    // Relays a connection of a stream listener.
    void accept(const Listener& listener, FileDescriptor socket, const StreamPeers& peers);
    // Reads the PROXY header of a connection of any listener and hands it back to the worker.
    void readPreface(
        std::shared_ptr<const Listener> listener,
        FileDescriptor socket,
        const net::SocketAddress& peer
    );
    void addDatagrams(std::shared_ptr<const Listener> listener, FileDescriptor socket);

    // Open relays, sessions and prefaces.
    [[nodiscard]] std::size_t count() const;
    // Takes no new streams; those that are under way may end by themselves, prefaces may not.
    void drain();
    void closeAll();

    // For streams.
    [[nodiscard]] std::optional<StreamPlan> planFor(const policy::StreamView& view);
    [[nodiscard]] bool wantsServerName(const policy::StreamView& view) const;
    void close(StreamRelay& relay);
    void close(ProxyPreface& preface);
    // A session of any of the UDP listeners begins (false: there are too many) or has ended.
    [[nodiscard]] bool admitSession();
    void onSessionEnd() { --m_sessions; }
    // At most one line a second of each kind: whoever sends rubbish must not fill the log.
    [[nodiscard]] bool mayLog(StreamRefusal refusal);
    [[nodiscard]] net::PipePool& pipes() { return m_pipes; }
    [[nodiscard]] net::DatagramBatch& batch();
    [[nodiscard]] std::uint64_t hashSeed() const { return m_hashSeed; }

private:
    Worker& m_worker;
    std::vector<std::unique_ptr<StreamRelay>> m_relays;
    std::vector<std::unique_ptr<ProxyPreface>> m_prefaces;
    std::vector<std::unique_ptr<UdpRelay>> m_datagrams;
    std::unique_ptr<net::DatagramBatch> m_batch; // Made with the first UDP listener.
    net::PipePool m_pipes;
    std::size_t m_sessions = 0;
    std::array<TimePoint, static_cast<std::size_t>(StreamRefusal::Count)> m_loggedAt{};
    std::string m_source;
    std::uint64_t m_hashSeed;
};

} // namespace mesh::proxy
