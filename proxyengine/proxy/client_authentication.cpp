#include "proxyengine/proxy/client_connection.h"
#include "proxyengine/proxy/error_page.h"
#include "proxyengine/proxy/head_forward.h"
#include "proxyengine/proxy/worker.h"
#include "proxyengine/tls/failure.h"

#include <fmt/format.h>

#include <sys/socket.h>

// Who the client is: peers of a mesh, and certificates that routes demand.
namespace mesh::proxy {
namespace {

constexpr char kTlsHandshakeRecord = 0x16; // First byte of every ClientHello; of no HTTP request.

} // namespace

// The first byte of a mesh peer says whether it speaks TLS. False: nothing more to do now.
bool ClientConnection::decideMesh()
{
    char first = 0;
    const ssize_t count =
        ::recv(m_transport.descriptor(), &first, sizeof(first), MSG_PEEK | MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
        return false;
    }
    if (count <= 0) {
        abort("the client closed");
        return false;
    }
    const ListenerView& view = m_worker.runtime().listeners[m_listener->index];
    if (first == kTlsHandshakeRecord && view.meshServer != nullptr) {
        auto stream = tls::TlsStream::server(*view.meshServer, m_transport.descriptor());
        if (!stream) {
            abort("the handshake failed");
            return false;
        }
        m_transport.setTls(*std::move(stream));
        return true;
    }
    if (view.meshServer != nullptr && view.meshMode == model::MtlsMode::Strict) {
        m_worker.onMeshPeerRefused(
            *m_listener, m_peer, "plaintext_refused", "the peer speaks plaintext", {}
        );
        abort("the peer speaks plaintext");
        return false;
    }
    m_phase = Phase::Idle;
    return true;
}

void ClientConnection::onHandshakeFailed()
{
    const ListenerView& view = m_worker.runtime().listeners[m_listener->index];
    if (view.meshServer != nullptr && m_transport.tls() != nullptr) {
        const std::string_view word = tls::wordOf(m_transport.tls()->failureKind());
        m_worker.onMeshPeerRefused(
            *m_listener,
            m_peer,
            "peer_refused",
            fmt::format("{}: {}", word, m_transport.tls()->failure()),
            word
        );
    }
    abort("the handshake failed");
}

// A connection from before the mesh became strict, or of a peer that it does not trust any more, is
// refused by its next request.
bool ClientConnection::admitPeer()
{
    const Exchange& exchange = *m_exchange;
    const ListenerView& view = exchange.runtime->listeners[exchange.listener];
    if (view.meshServer == nullptr) {
        return true;
    }
    if (const tls::TlsStream* tls = m_transport.tls()) {
        const auto failure = tls->verifyMember(*view.meshServer, m_worker.loop().wallNow());
        if (failure == tls::Failure::None) {
            ++exchange.row->mtls;
            return true;
        }
        const std::string_view word = tls::wordOf(failure);
        m_worker.onMeshPeerRefused(
            *m_listener,
            m_peer,
            "peer_refused",
            fmt::format("{}: the peer is not trusted any more", word),
            word
        );
        abort("the peer is not trusted any more");
        return false;
    }
    if (view.meshMode != model::MtlsMode::Strict) {
        ++exchange.row->plaintext;
        return true;
    }
    m_worker.onMeshPeerRefused(
        *m_listener, m_peer, "plaintext_refused", "the peer speaks plaintext", {}
    );
    abort("the peer speaks plaintext");
    return false;
}

// Source of the texts: the gateway's mtls-auth.
bool ClientConnection::authenticate()
{
    Exchange& exchange = *m_exchange;
    if (!exchange.route->mtlsAuth) {
        return true;
    }
    const tls::TlsStream* tls = m_transport.tls();
    const auto& verifier = exchange.runtime->activation.verifiers[*exchange.route->mtlsAuth];
    const tls::Failure failure = tls == nullptr
                                     ? tls::Failure::NoCertificate
                                     : tls->verifyPeer(verifier, m_worker.loop().wallNow());
    if (failure == tls::Failure::None) {
        return true;
    }
    const std::string_view word = tls::wordOf(failure);
    noteVerdict("certificate_refused", fmt::format("route:{}", exchange.route->name), word, word);
    exchange.failureText = fmt::format("the client's certificate: {}", word);
    answerSelf(
        401,
        failure == tls::Failure::NoCertificate ? "No required TLS certificate was sent"
                                               : "TLS certificate failed verification",
        exchange.failureText
    );
    return false;
}

// Of the row, by the hop that answered: what the lock on an edge is drawn from.
void ClientConnection::countProtection()
{
    const Exchange& exchange = *m_exchange;
    if (exchange.attempts == 0 || exchange.pool == nullptr
        || exchange.runtime->snapshot().mtls == model::MtlsMode::Off
        || exchange.runtime->listeners[exchange.listener].isInbound) {
        return;
    }
    const config::TargetPlan& target = exchange.upstream->plan.targets[exchange.target];
    if (target.isMesh && exchange.pool->tls() != nullptr) {
        ++exchange.row->mtls;
    } else if (!target.workload.empty()) {
        ++exchange.row->plaintext;
    }
}

void ClientConnection::tellTlsFailure(std::string_view reason)
{
    m_worker.tellTlsFailure(m_exchange->upstream->plan, m_exchange->target, reason);
}

// Whether the attempt failed because the target cannot prove a name that the client chose. Nobody
// asked it to be able to, so it is as good as before; and the others need not be tried.
bool ClientConnection::isForeignName(std::string_view reason) const
{
    return tls::failureSaid(reason) == tls::Failure::NameMismatch && isNameOfClient(*m_exchange);
}

// Source: RFC 9110, 15.5.20: what a gateway says when nobody behind it speaks for that host. A 502
// would let strangers count as errors of the service.
void ClientConnection::refuseName(std::string_view reason)
{
    if (m_exchange->policy != nullptr) {
        m_exchange->policy->ending = RequestPolicy::Ending::Abandoned;
    }
    answerSelf(421, messageOf(421), reason);
}

} // namespace mesh::proxy
