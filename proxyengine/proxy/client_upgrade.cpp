#include "proxyengine/http/characters.h"
#include "proxyengine/proxy/client_connection.h"
#include "proxyengine/proxy/error_page.h"
#include "proxyengine/proxy/worker.h"

#include <functional>
#include <utility>

// Requests that ask for another protocol on their connection: passed on when the service allows
// that protocol, and from the upstream's 101 on a tunnel of bytes.
namespace mesh::proxy {
namespace {

// The same bytes after they were moved; views of other memory stay.
std::string_view moved(std::string_view view, std::string_view from, const char* to)
{
    const std::less_equal<const char*> isNotAbove;
    const bool isWithin = isNotAbove(from.data(), view.data())
                          && isNotAbove(view.data() + view.size(), from.data() + from.size());
    return isWithin && !view.empty()
               ? std::string_view(to + (view.data() - from.data()), view.size())
               : view;
}

} // namespace

// The first protocol of the request's list that its service allows; none: the fields are dropped
// and the request is served as any other.
void ClientConnection::chooseUpgrade()
{
    Exchange& exchange = *m_exchange;
    const http::FieldTable& fields = exchange.head.fields;
    exchange.upgrade = {};
    for (const http::FieldPlace& field : fields) {
        if (field.id != http::HeaderId::Upgrade) {
            continue;
        }
        std::string_view list = fields.value(field);
        std::string_view wanted;
        while (http::takeElement(list, wanted)) {
            for (const std::string& allowed : exchange.service->upgrades) {
                if (http::equalsIgnoringCase(wanted, allowed)) {
                    exchange.upgrade = wanted;
                    return;
                }
            }
        }
    }
}

// The upstream has agreed: what follows its head is not HTTP.
ClientConnection::Progress ClientConnection::openTunnel()
{
    Exchange& exchange = *m_exchange;
    UpstreamConnection& connection = *exchange.connection;
    const auto agreed = exchange.answer.fields.find(http::HeaderId::Upgrade);
    if (exchange.upgrade.empty() || !agreed
        || !http::equalsIgnoringCase(*agreed, exchange.upgrade)) {
        onAttemptFailed(
            policy::AttemptFailure::Broken, "the upstream changed to a protocol that nobody wanted"
        );
        return Progress::Moved;
    }
    if (exchange.policy != nullptr) {
        settleRace();
        exchange.policy->deadline = TimePoint::max(); // It was for the answer.
        exchange.policy->arm();
    }
    exchange.status = exchange.answer.status;
    recordAnswer();
    reportAnswer();
    const Duration took = m_worker.loop().now() - exchange.startedAt;
    if (exchange.policy != nullptr) {
        settleVerdicts(*exchange.policy, took);
    }
    recordRequest(took);
    exchange.isAnswerHead = true;
    exchange.hasAnswered = true;
    exchange.answer.keepsAlive = false; // Neither connection carries another request.
    exchange.closesClient = true;
    http::HeadWriter out(m_worker.scratch());
    writeClientHead(
        out, exchange, ClientConnectionEnds::No, took - exchange.upstreamLatency, m_worker.names()
    );
    if (out.hasOverflowed()) {
        abort("the answer's head is too large");
        return Progress::Moved;
    }
    connection.in.consume(exchange.answer.size);
    keepHeadOnly();
    exchange.tunnel = std::make_unique<Tunnel>();
    exchange.tunnel->startWith(std::move(m_in), std::move(connection.in));
    exchange.tunnelMovedAt = m_worker.loop().now();
    exchange.toClient.acquire(m_worker.loop().buffers());
    exchange.toClient.append(out.written());
    return Progress::Moved;
}

// Moves the request's head out of the client's buffer, which the tunnel uses up.
void ClientConnection::keepHeadOnly()
{
    Exchange& exchange = *m_exchange;
    const std::string_view head = m_in.readable().substr(0, exchange.head.size);
    exchange.kept = head;
    exchange.path = moved(exchange.path, head, exchange.kept.data());
    exchange.query = moved(exchange.query, head, exchange.kept.data());
    exchange.upgrade = moved(exchange.upgrade, head, exchange.kept.data());
    exchange.head.rebase(exchange.kept.data());
    m_in.consume(exchange.bodyAt);
    exchange.bodyAt = 0;
}

ClientConnection::Progress ClientConnection::stepTunnel()
{
    Exchange& exchange = *m_exchange;
    UpstreamConnection& connection = *exchange.connection;
    if (!exchange.toClient.isEmpty()) {
        const std::size_t before = exchange.toClient.size();
        const Progress progress = flush(exchange.toClient, m_transport, m_mayWrite);
        if (m_phase != Phase::Exchange) {
            return Progress::Moved;
        }
        exchange.bytesOut += before - exchange.toClient.size();
        if (exchange.toClient.isEmpty()) {
            exchange.toClient.release();
        }
        return progress;
    }
    const std::uint64_t upBefore = exchange.tunnel->bytesUp();
    const std::uint64_t downBefore = exchange.tunnel->bytesDown();
    const Tunnel::Step step = exchange.tunnel->step(
        {m_transport, m_mayRead, m_mayWrite},
        {connection.transport, connection.mayRead, connection.mayWrite},
        m_worker.scratch(),
        m_worker.loop().buffers()
    );
    exchange.bytesIn += exchange.tunnel->bytesUp() - upBefore;
    exchange.bytesOut += exchange.tunnel->bytesDown() - downBefore;
    recordBytes();
    switch (step) {
    case Tunnel::Step::Moved:
        exchange.tunnelMovedAt = m_worker.loop().now();
        return Progress::Moved;
    case Tunnel::Step::Stuck:
        return Progress::Stuck;
    case Tunnel::Step::Ended:
        abort({});
        return Progress::Stuck;
    case Tunnel::Step::Broken:
        abort("one side of the tunnel was reset");
        return Progress::Stuck;
    }
    return Progress::Stuck;
}

void ClientConnection::armTunnel()
{
    const Exchange& exchange = *m_exchange;
    exchange.connection->timer.cancel();
    m_timer.arm(exchange.tunnelMovedAt + exchange.service->readTimeout);
}

// Nothing has moved for as long as the service may be silent.
void ClientConnection::onTunnelIdle()
{
    m_transport.shutdownWrite();
    m_exchange->connection->transport.shutdownWrite();
    abort("the tunnel was idle for too long");
}

} // namespace mesh::proxy
