#include "proxyengine/base/log.h"
#include "proxyengine/http/characters.h"
#include "proxyengine/proxy/client_connection.h"
#include "proxyengine/proxy/worker.h"

#include <utility>

// How a client's connection comes to speak HTTP/2: by ALPN, by its first bytes, by an upgrade.
namespace mesh::proxy {

// The parser of HTTP/1 has refused what came; is it the other protocol's first line?
bool ClientConnection::beginsHttp2() const
{
    constexpr std::string_view kFirstLine = "PRI * HTTP/2.0\r\n";
    return m_transport.stream() == nullptr && m_transport.tls() == nullptr
           && m_in.readable().starts_with(kFirstLine);
}

// Of a request without a body that wants to go on as HTTP/2 in cleartext (RFC 7540, 3.2).
std::optional<std::string_view> ClientConnection::upgradeSettings() const
{
    if (m_transport.stream() != nullptr || m_transport.tls() != nullptr) {
        return std::nullopt;
    }
    const http::FieldTable& fields = m_exchange->head.fields;
    std::string_view list = fields.find(http::HeaderId::Upgrade).value_or(std::string_view());
    std::string_view wanted;
    while (http::takeElement(list, wanted)) {
        if (wanted == "h2c") {
            return fields.find("http2-settings");
        }
    }
    return std::nullopt;
}

// This object ends; connection and bytes go on in a session.
void ClientConnection::becomeHttp2(std::optional<std::string_view> settings)
{
    m_worker.loop().unwatch(m_transport.descriptor(), *this);
    m_timer.cancel();
    m_phase = Phase::Closed;
    std::string_view rest = m_in.readable();
    if (settings) {
        const http::RequestHead& head = m_exchange->head;
        const H2ServerConnection::Upgrade upgrade{
            *settings, head.method, rest.substr(0, head.size)};
        rest.remove_prefix(head.size);
        m_worker.continueAsHttp2(m_listener, std::move(m_transport), m_peer, &upgrade, rest);
    } else {
        m_worker.continueAsHttp2(m_listener, std::move(m_transport), m_peer, nullptr, rest);
    }
    if (m_exchange != nullptr) {
        m_worker.giveBack(m_exchange);
        m_exchange = nullptr;
    }
    m_in.release();
    m_worker.close(*this);
}

void Worker::continueAsHttp2(
    std::shared_ptr<const Listener> listener,
    Transport transport,
    std::string peer,
    const H2ServerConnection::Upgrade* upgrade,
    std::string_view bytes
)
{
    m_http2.push_back(std::make_unique<H2ServerConnection>(
        *this, std::move(listener), std::move(transport), std::move(peer)
    ));
    H2ServerConnection& connection = *m_http2.back();
    connection.place = m_http2.size() - 1;
    if (!connection.begin(upgrade, bytes)) {
        connection.abort();
    } else if (m_isDraining) {
        connection.drain();
    }
}

void Worker::openStreamDriver(
    const std::shared_ptr<const Listener>& listener,
    std::unique_ptr<ByteStream> stream,
    const std::string& peer
)
{
    m_clients.push_back(std::make_unique<ClientConnection>(*this, listener, std::move(stream), peer)
    );
    m_clients.back()->place = m_clients.size() - 1;
    ++m_streamDrivers;
}

void Worker::onHttp2Limit(http::H2Limit limit, std::string_view peer)
{
    ++m_counters.http2Limits[static_cast<std::size_t>(limit)];
    constexpr Duration kLogInterval = std::chrono::seconds(1); // A flood must not fill the log.
    TimePoint& loggedAt = m_limitLoggedAt[static_cast<std::size_t>(limit)];
    if (m_loop->now() - loggedAt >= kLogInterval) {
        loggedAt = m_loop->now();
        MESH_LOG(Warn, "http2.limited", kv("client", peer), kv("limit", http::toText(limit)));
    }
}

} // namespace mesh::proxy
