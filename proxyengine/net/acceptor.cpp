#include "proxyengine/net/acceptor.h"

#include "proxyengine/base/log.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace mesh::net {

Result<std::unique_ptr<Acceptor>> Acceptor::listen(
    EventLoop& loop, const SocketAddress& address, PortSharing sharing, AcceptHandler& handler
)
{
    MESH_TRY(FileDescriptor socket, listenOn(address, sharing));
    return std::make_unique<Acceptor>(loop, std::move(socket), handler);
}

Acceptor::Acceptor(EventLoop& loop, FileDescriptor listening, AcceptHandler& handler)
    : m_loop(loop)
    , m_socket(std::move(listening))
    , m_address(localAddress(m_socket.get()))
    , m_handler(handler)
    , m_retry(loop.timers(), *this)
{
    resume();
}

Acceptor::~Acceptor()
{
    if (m_wasDestroyed != nullptr) {
        *m_wasDestroyed = true;
    }
    close();
}

void Acceptor::pause()
{
    m_retry.cancel();
    if (m_isWatched) {
        m_isWatched = false;
        m_loop.unwatch(m_socket.get(), *this);
    }
}

void Acceptor::resume()
{
    if (m_isWatched || !isOpen()) {
        return;
    }
    if (const auto watched = m_loop.watchLevel(m_socket.get(), *this, LevelInterest::Read);
        !watched) {
        MESH_LOG(Error, "listener.watch_failed", kv("error", watched.error()));
        m_retry.arm(m_loop.now() + kRetryAfter);
        return;
    }
    m_isWatched = true;
}

void Acceptor::close()
{
    pause();
    m_socket.reset();
}

void Acceptor::onReady(Ready) { accept(kPerTurnMax); }

void Acceptor::takeWaiting() { accept(kWaitingMax); }

void Acceptor::accept(int countMax)
{
    bool wasDestroyed = false;
    m_wasDestroyed = &wasDestroyed;
    for (int accepted = 0; accepted < countMax && m_isWatched; ++accepted) {
        sockaddr_storage native{};
        socklen_t length = sizeof(native);
        auto* const generic = reinterpret_cast<sockaddr*>(&native);
        FileDescriptor socket(
            ::accept4(m_socket.get(), generic, &length, SOCK_NONBLOCK | SOCK_CLOEXEC)
        );
        if (socket.isOpen()) {
            m_handler.onAccepted(std::move(socket), SocketAddress::fromNative(generic, length));
            if (wasDestroyed) {
                return;
            }
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            MESH_LOG(Error, "listener.accept_failed", kv("listener", m_address.toText()));
            pause();
            m_retry.arm(m_loop.now() + kRetryAfter);
        }
        if (errno != ECONNABORTED && errno != EINTR) {
            break;
        }
    }
    m_wasDestroyed = nullptr;
}

void Acceptor::onTimer(Timer&) { resume(); }

} // namespace mesh::net
