#include "proxyengine/proxy/client_connection.h"
#include "proxyengine/proxy/error_page.h"
#include "proxyengine/proxy/worker.h"

// The request's body on its way from the client: where its bytes lie, and how more are read.
//
//   behind the head in the client's buffer    until that is full; may be sent again
//   in `kept`                                 while a retry, a hedge or a mirror may want them all
//   in `body`                                 from then on; what was sent is gone
namespace mesh::proxy {
namespace {

constexpr std::size_t kKeptStep = 16U << 10U; // One read into `kept`.

} // namespace

std::string_view ClientConnection::bodyBytes() const
{
    const Exchange& exchange = *m_exchange;
    if (exchange.body.hasBlock()) {
        return exchange.body.readable();
    }
    if (exchange.isBodyKept) {
        return std::string_view(exchange.kept).substr(exchange.keptAt);
    }
    return m_in.readable().substr(exchange.bodyAt);
}

void ClientConnection::consumeBody(std::size_t count)
{
    Exchange& exchange = *m_exchange;
    if (exchange.body.hasBlock()) {
        exchange.body.consume(count);
    } else if (exchange.isBodyKept) {
        exchange.keptAt += count;
    } else {
        exchange.bodyAt += count;
    }
}

// From its first byte again, for another attempt. Only while nothing of it is gone.
void ClientConnection::rewindBody()
{
    Exchange& exchange = *m_exchange;
    exchange.keptAt = 0;
    exchange.bodyAt = exchange.isBodyKept ? m_in.size() : exchange.head.size;
    exchange.up.start(exchange.head.body, http::ChunkedDecoder::Mode::Keep);
}

// Leaves in the client's buffer what came behind the body: the next request.
void ClientConnection::keepNextRequest()
{
    Exchange& exchange = *m_exchange;
    consumeBody(exchange.up.takeConsumed());
    if (exchange.body.hasBlock()) {
        m_in = std::move(exchange.body);
        return;
    }
    m_in.consume(exchange.bodyAt);
    if (exchange.isBodyKept) {
        m_in.append(std::string_view(exchange.kept).substr(exchange.keptAt)); // <= kKeptStep.
    }
}

// What was cut of the body so far, sent or not, framing included; empty when some of it is gone.
std::string_view ClientConnection::wholeBody() const
{
    const Exchange& exchange = *m_exchange;
    if (exchange.isBodyConsumed) {
        return {};
    }
    if (exchange.isBodyKept) {
        return std::string_view(exchange.kept).substr(0, exchange.keptAt + exchange.up.cut());
    }
    const std::size_t end = exchange.bodyAt + exchange.up.cut();
    return m_in.readable().substr(exchange.head.size, end - exchange.head.size);
}

ClientConnection::Progress ClientConnection::cutRequestBody()
{
    Exchange& exchange = *m_exchange;
    const std::string_view bytes = bodyBytes();
    if (!bytes.empty()) {
        if (!exchange.up.take(bytes)) {
            ++m_worker.counters().protocolErrors;
            exchange.closesClient = true;
            if (exchange.hasAnswered) {
                abort("the chunked body is malformed");
                return Progress::Moved;
            }
            endAttempt();
            answerSelf(400, messageOf(400), "the chunked body is malformed");
            return Progress::Moved;
        }
        if (!exchange.up.isFlushed() || exchange.up.isEndSeen()) {
            return Progress::Moved;
        }
    }
    return readRequestBody();
}

ClientConnection::Progress ClientConnection::readRequestBody()
{
    Exchange& exchange = *m_exchange;
    consumeBody(exchange.up.takeConsumed());
    sendContinue();
    if (m_phase != Phase::Exchange) {
        return Progress::Moved;
    }
    if (!m_mayRead) {
        return Progress::Stuck;
    }
    makeRoomForBody();
    const std::span<char> room = roomForBody();
    const Transport::Step step = m_transport.read(room);
    m_mayRead = step.mayHaveMore;
    const std::size_t count = step.status == net::IoStatus::Done ? step.count : 0;
    if (exchange.body.hasBlock()) {
        exchange.body.commit(count);
    } else if (exchange.isBodyKept) {
        exchange.kept.resize(exchange.kept.size() - room.size() + count);
    } else {
        m_in.commit(count);
    }
    if (step.status == net::IoStatus::WouldBlock) {
        return Progress::Stuck;
    }
    if (step.status != net::IoStatus::Done) {
        abort("the client went away");
    }
    return Progress::Moved;
}

// Moves on to the next place for body bytes when the present one is full.
void ClientConnection::makeRoomForBody()
{
    Exchange& exchange = *m_exchange;
    if (exchange.body.hasBlock()) {
        exchange.body.compact();
        return;
    }
    if (!exchange.isBodyKept) {
        if (!m_in.writable().empty()) {
            return;
        }
        if (m_in.size() - exchange.head.size < exchange.keepMax) {
            exchange.kept = m_in.readable().substr(exchange.head.size);
            exchange.keptAt = exchange.bodyAt - exchange.head.size;
            exchange.bodyAt = m_in.size();
            exchange.isBodyKept = true;
        }
    }
    if (exchange.isBodyKept && exchange.kept.size() < exchange.keepMax) {
        return;
    }
    const std::string_view rest = bodyBytes();
    exchange.body.acquire(m_worker.loop().buffers());
    exchange.body.append(rest);
    exchange.bodyAt = m_in.size();
    exchange.kept.clear();
    exchange.isBodyKept = false;
    exchange.isBodyConsumed = true;
}

std::span<char> ClientConnection::roomForBody()
{
    Exchange& exchange = *m_exchange;
    if (exchange.body.hasBlock()) {
        return exchange.body.writable();
    }
    if (exchange.isBodyKept) {
        const std::size_t size = exchange.kept.size();
        exchange.kept.resize(size + kKeptStep);
        return {exchange.kept.data() + size, kKeptStep};
    }
    return m_in.writable();
}

void ClientConnection::sendContinue()
{
    Exchange& exchange = *m_exchange;
    if (!exchange.head.expectsContinue || exchange.hasContinued || exchange.hasAnswered) {
        return;
    }
    exchange.hasContinued = true;
    exchange.toClient.acquire(m_worker.loop().buffers());
    exchange.toClient.append("HTTP/1.1 100 Continue\r\n\r\n");
    static_cast<void>(flush(exchange.toClient, m_transport, m_mayWrite));
}

void ClientConnection::skipBufferedBody()
{
    Exchange& exchange = *m_exchange;
    while (!exchange.up.isEndSeen() && !exchange.body.hasBlock()) {
        if (!exchange.up.isFlushed()) {
            exchange.up.written(exchange.up.pieces().front().iov_len);
            continue;
        }
        consumeBody(exchange.up.takeConsumed());
        const std::string_view rest = bodyBytes();
        if (rest.empty() || !exchange.up.take(rest)) {
            return;
        }
        const std::size_t consumed = exchange.up.takeConsumed();
        consumeBody(consumed);
        if (consumed == 0) {
            return;
        }
    }
    while (!exchange.up.isFlushed()) {
        exchange.up.written(exchange.up.pieces().front().iov_len);
    }
    consumeBody(exchange.up.takeConsumed());
}

} // namespace mesh::proxy
