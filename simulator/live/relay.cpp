#include "simulator/live/relay.h"

#include "proxyengine/base/log.h"
#include "proxyengine/net/sockets.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

namespace mesh::simulator {

namespace {

constexpr std::size_t kRelayReadBytes = 16U << 10U;
constexpr int kFillers = 2; // One is enough for an empty backlog; another for a late accept.

} // namespace

Duration NarrowWay::send(TimePoint now, std::size_t bytes)
{
    m_freeAt = std::max(m_freeAt, now)
               + fromSeconds(static_cast<double>(bytes) / std::max(m_bytesPerSecond, 1.0));
    return m_freeAt - now;
}

// One connection through a relay: the caller's and the one to the target.
class Relay::Connection
{
public:
    Connection(Relay& relay, FileDescriptor caller, FileDescriptor callee)
        : m_relay(relay)
        , m_caller(*this, std::move(caller))
        , m_callee(*this, std::move(callee))
        , m_due(relay.m_loop.timers(), [this] { pump(); })
    {}

    ~Connection()
    {
        m_relay.m_loop.forget(m_caller);
        m_relay.m_loop.forget(m_callee);
    }

    [[nodiscard]] Result<void> watch()
    {
        MESH_TRY_VOID(m_relay.m_loop.watch(m_caller.socket.get(), m_caller));
        return m_relay.m_loop.watch(m_callee.socket.get(), m_callee);
    }

    // The line has changed. False: the connection is over, because its caller gave up meanwhile.
    [[nodiscard]] bool goOn()
    {
        if (m_isGivenUp && !m_relay.m_faults.isCut()) {
            return false;
        }
        pump();
        return true;
    }

    void reset()
    {
        for (End* const end : {&m_caller, &m_callee}) {
            m_relay.m_loop.forget(*end);
            net::setResetOnClose(end->socket.get());
            end->socket.reset();
        }
        m_due.cancel();
    }

private:
    struct Chunk
    {
        TimePoint due;
        std::string bytes;
    };

    // One end, and what has been read from it.
    struct End final : net::FdHandler
    {
        End(Connection& owner, FileDescriptor handle)
            : connection(owner)
            , socket(std::move(handle))
        {}
        void onReady(net::Ready ready) override { connection.onReady(*this, ready); }

        Connection& connection;
        FileDescriptor socket;
        bool canRead = false;
        bool canWrite = false;
        bool hasEnded = false; // It sends no more.
        bool isEndPassed = false;
        std::deque<Chunk> chunks;
        std::size_t waiting = 0; // Bytes of the chunks.
    };

    void onReady(End& end, net::Ready ready)
    {
        if (&end == &m_callee && m_isConnecting) {
            if (!net::connectOutcome(end.socket.get())) {
                m_isBroken = true;
            }
            m_isConnecting = false;
        }
        end.canRead = end.canRead || ready.canRead();
        end.canWrite = end.canWrite || ready.canWrite();
        const bool isGone = ready.hasPeerEnded() || ready.isBroken();
        m_isGivenUp = m_isGivenUp || (isGone && &end == &m_caller && m_relay.m_faults.isCut());
        pump();
    }

    void pump()
    {
        const LineFaults& faults = m_relay.m_faults;
        if (!faults.isCutThere) {
            pass(m_caller, m_callee, faults.there);
        }
        if (!faults.isCutBack) {
            pass(m_callee, m_caller, faults.back);
        }
        if (faults.isCut()) {
            return; // Not even an end can be told.
        }
        if (m_isBroken || (m_caller.isEndPassed && m_callee.isEndPassed)) {
            if (m_isBroken) {
                reset();
            }
            m_relay.remove(*this);
            return;
        }
        armNext();
    }

    void pass(End& from, End& to, const std::vector<NarrowWay*>& ways)
    {
        take(from, ways);
        if (&to == &m_callee && m_isConnecting) {
            return;
        }
        const TimePoint now = m_relay.m_loop.now();
        while (!from.chunks.empty() && from.chunks.front().due <= now && to.canWrite) {
            std::string& bytes = from.chunks.front().bytes;
            const net::IoStep step = net::writeSome(to.socket.get(), bytes);
            if (step.status != net::IoStatus::Done) {
                to.canWrite = false;
                m_isBroken = m_isBroken || step.status == net::IoStatus::Failed;
                break;
            }
            m_relay.m_passed += step.count;
            from.waiting -= step.count;
            bytes.erase(0, step.count);
            if (bytes.empty()) {
                from.chunks.pop_front();
            }
        }
        if (from.hasEnded && from.chunks.empty() && !from.isEndPassed) {
            net::shutdownWrite(to.socket.get());
            from.isEndPassed = true;
        }
        if (from.canRead && from.waiting < kRelayBytesMax && !from.hasEnded && !m_isBroken) {
            m_relay.m_loop.callAgain(from, net::Ready(net::Ready::kRead));
        }
    }

    void take(End& from, const std::vector<NarrowWay*>& ways)
    {
        std::array<char, kRelayReadBytes> buffer; // NOLINT(*-member-init): read before it is used.
        const TimePoint now = m_relay.m_loop.now();
        while (from.canRead && !from.hasEnded && from.waiting < kRelayBytesMax) {
            const net::IoStep step = net::readSome(from.socket.get(), buffer);
            if (step.status != net::IoStatus::Done) {
                from.canRead = false;
                from.hasEnded = step.status == net::IoStatus::Closed;
                m_isBroken = m_isBroken || step.status == net::IoStatus::Failed;
                return;
            }
            TimePoint due = now;
            for (NarrowWay* const way : ways) {
                due += way->send(now, step.count);
            }
            from.waiting += step.count;
            from.chunks.push_back({due, std::string(buffer.data(), step.count)});
        }
    }

    void armNext()
    {
        TimePoint next = TimePoint::max();
        for (const End* const end : {&m_caller, &m_callee}) {
            if (!end->chunks.empty() && end->chunks.front().due > m_relay.m_loop.now()) {
                next = std::min(next, end->chunks.front().due);
            }
        }
        if (next == TimePoint::max()) {
            m_due.cancel();
        } else {
            m_due.arm(next);
        }
    }

    Relay& m_relay;
    End m_caller;
    End m_callee;
    net::FunctionTimer m_due;
    bool m_isConnecting = true;
    bool m_isBroken = false; // One end was reset, or never was there.
    bool m_isGivenUp = false; // The caller has left while the line was cut.
};

Relay::Relay(net::EventLoop& loop, const net::SocketAddress& target, ReservedPort port)
    : m_loop(loop)
    , m_target(target)
    , m_port(std::move(port))
{}

Relay::~Relay() = default;

Result<std::unique_ptr<Relay>> Relay::listen(net::EventLoop& loop, const net::SocketAddress& target)
{
    MESH_TRY(ReservedPort port, ReservedPort::make());
    std::unique_ptr<Relay> relay(new Relay(loop, target, std::move(port)));
    MESH_TRY_VOID(relay->open());
    return relay;
}

Result<void> Relay::open()
{
    MESH_TRY(FileDescriptor socket, net::listenOn(address(), net::PortSharing::Yes));
    m_listening = socket.get();
    net::AcceptHandler& handler = *this;
    m_acceptor = std::make_unique<net::Acceptor>(m_loop, std::move(socket), handler);
    return {};
}

// As a process that is killed closes everything it has.
void Relay::close()
{
    m_acceptor.reset();
    m_fillers.clear();
    for (std::unique_ptr<Connection>& connection : std::exchange(m_connections, {})) {
        connection->reset();
        m_loop.destroyLater(std::move(connection));
    }
}

void Relay::onAccepted(FileDescriptor socket, const net::SocketAddress& peer)
{
    if (std::ranges::find(m_fillersFrom, peer) != m_fillersFrom.end()) {
        return;
    }
    auto callee = net::connectTo(m_target);
    if (!callee || m_connections.size() >= kRelayConnectionsMax) {
        net::setResetOnClose(socket.get());
        return;
    }
    auto connection = std::make_unique<Connection>(*this, std::move(socket), *std::move(callee));
    if (const auto watched = connection->watch(); !watched) {
        MESH_LOG(Warn, "relay.watch_failed", kv("error", watched.error()));
        return;
    }
    m_connections.push_back(std::move(connection));
}

// Inside a call of the connection.
void Relay::remove(Connection& connection)
{
    const auto place = std::ranges::find_if(m_connections, [&connection](const auto& each) {
        return each.get() == &connection;
    });
    if (place == m_connections.end()) {
        return;
    }
    std::swap(*place, m_connections.back());
    m_loop.destroyLater(std::move(m_connections.back()));
    m_connections.pop_back();
}

void Relay::setFaults(LineFaults faults)
{
    const bool wasCut = m_faults.isCut();
    m_faults = std::move(faults);
    if (m_faults.isRefused) {
        close();
        return;
    }
    if (m_acceptor == nullptr) {
        if (const auto opened = open(); !opened) {
            MESH_LOG(Error, "relay.open_failed", kv("error", opened.error()));
            return;
        }
    }
    if (m_faults.isCut() && !wasCut) {
        stopAnswering();
    } else if (wasCut && !m_faults.isCut()) {
        answerAgain();
    }
    std::vector<Connection*> all;
    for (const auto& connection : m_connections) {
        all.push_back(connection.get());
    }
    for (Connection* const connection : all) {
        if (!connection->goOn()) {
            remove(*connection);
        }
    }
}

// A listener with a full backlog drops the packets that ask for a connection, as a cut line does.
void Relay::stopAnswering()
{
    m_acceptor->pause();
    static_cast<void>(::listen(m_listening, 0));
    for (int filler = 0; filler < kFillers; ++filler) {
        if (auto socket = net::connectTo(address())) {
            m_fillersFrom.push_back(net::localAddress(socket->get()));
            m_fillers.push_back(*std::move(socket));
        }
    }
}

// The addresses of the fillers stay known until the next time: they are still to be accepted.
void Relay::answerAgain()
{
    m_fillers.clear();
    static_cast<void>(::listen(m_listening, net::kListenBacklog));
    m_acceptor->resume();
}

} // namespace mesh::simulator
