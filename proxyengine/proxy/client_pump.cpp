#include "proxyengine/proxy/client_connection.h"
#include "proxyengine/proxy/error_page.h"
#include "proxyengine/proxy/worker.h"

#include <array>
#include <utility>

// Moving heads and bodies both ways, with back-pressure: nothing is read that cannot be kept in one
// buffer, and nothing more is read before what was read has been written.
namespace mesh::proxy {
namespace {

constexpr std::size_t kPartsMax = 40; // A head and the pieces of a pump.

} // namespace

ClientConnection::Progress ClientConnection::step()
{
    Exchange& exchange = *m_exchange;
    if (exchange.isOwnAnswer) {
        return pumpOwn();
    }
    if (exchange.connection == nullptr || !exchange.connection->isConnected) {
        return Progress::Stuck;
    }
    if (exchange.tunnel != nullptr) {
        return stepTunnel();
    }
    const Progress upwards = exchange.isHeadSent ? pumpUp() : sendHead();
    if (m_phase != Phase::Exchange || exchange.isOwnAnswer || exchange.connection == nullptr
        || !exchange.connection->isConnected) {
        return Progress::Moved;
    }
    return pumpDown() == Progress::Moved ? Progress::Moved : upwards;
}

ClientConnection::Progress ClientConnection::sendHead()
{
    Exchange& exchange = *m_exchange;
    UpstreamConnection& connection = *exchange.connection;
    http::HeadWriter out(m_worker.scratch());
    const config::UpstreamPlan& upstream = exchange.upstream->plan;
    writeUpstreamHead(
        out,
        exchange,
        *exchange.service,
        upstream,
        upstream.targets[exchange.target],
        {m_peer, m_listener->port, m_listener->isTls, m_worker.loop().now(), isOverStream()},
        m_worker.names()
    );
    if (out.hasOverflowed()) {
        endAttempt();
        exchange.closesClient = true;
        answerSelf(400, "Request header or cookie too large", "the head grew too large");
        return Progress::Moved;
    }
    const std::string_view head = out.written();
    std::array<iovec, kPartsMax> parts; // Filled as far as it is used.
    std::size_t count = 0;
    parts[count++] = net::partOf(head);
    if (!exchange.up.take(bodyBytes())) {
        exchange.closesClient = true;
        endAttempt();
        answerSelf(400, messageOf(400), "the chunked body is malformed");
        return Progress::Moved;
    }
    for (const iovec& piece : exchange.up.pieces()) {
        parts[count++] = piece;
    }
    const Transport::Step step = connection.transport.write(std::span(parts.data(), count));
    if (step.status != net::IoStatus::Done && step.status != net::IoStatus::WouldBlock) {
        onAttemptFailed(policy::AttemptFailure::Broken, "the upstream closed");
        return Progress::Moved;
    }
    connection.mayWrite = step.mayHaveMore;
    ++connection.requests;
    exchange.isHeadSent = true;
    exchange.hasSentAny = step.count > 0;
    if (step.count < head.size()) {
        exchange.toUpstream.acquire(m_worker.loop().buffers());
        exchange.toUpstream.append(head.substr(step.count));
    } else {
        exchange.up.written(step.count - head.size());
        exchange.bytesIn += step.count - head.size();
    }
    return Progress::Moved;
}

ClientConnection::Progress ClientConnection::flush(
    net::Buffer& buffer, Transport& transport, bool& mayWrite
)
{
    if (buffer.isEmpty() || !mayWrite) {
        return Progress::Stuck;
    }
    const std::array<iovec, 1> parts = {net::partOf(buffer.readable())};
    const Transport::Step step = transport.write(parts);
    mayWrite = step.mayHaveMore;
    if (step.status == net::IoStatus::Done) {
        buffer.consume(step.count);
        return Progress::Moved;
    }
    if (step.status == net::IoStatus::WouldBlock) {
        return Progress::Stuck;
    }
    if (&transport == &m_transport) {
        abort("the client closed");
    } else {
        onAttemptFailed(policy::AttemptFailure::Broken, "the upstream closed");
    }
    return Progress::Moved;
}

ClientConnection::Progress ClientConnection::pumpUp()
{
    Exchange& exchange = *m_exchange;
    UpstreamConnection& connection = *exchange.connection;
    if (!exchange.toUpstream.isEmpty()) {
        return flush(exchange.toUpstream, connection.transport, connection.mayWrite);
    }
    if (exchange.up.isFlushed()) {
        consumeBody(exchange.up.takeConsumed());
        if (exchange.up.isEndSeen()) {
            return Progress::Stuck;
        }
        return cutRequestBody();
    }
    if (!connection.mayWrite) {
        return Progress::Stuck;
    }
    const Transport::Step step = connection.transport.write(exchange.up.pieces());
    connection.mayWrite = step.mayHaveMore;
    if (step.status == net::IoStatus::WouldBlock) {
        return Progress::Stuck;
    }
    if (step.status != net::IoStatus::Done) {
        if (connection.mayRead || exchange.isAnswerHead) {
            return Progress::Stuck; // It may have answered before it closed: pumpDown() looks.
        }
        onAttemptFailed(policy::AttemptFailure::Broken, "the upstream closed");
        return Progress::Moved;
    }
    exchange.hasSentAny = true;
    exchange.up.written(step.count);
    exchange.bytesIn += step.count;
    return Progress::Moved;
}

ClientConnection::Progress ClientConnection::pumpDown()
{
    Exchange& exchange = *m_exchange;
    UpstreamConnection& connection = *exchange.connection;
    if (exchange.compressor != nullptr) {
        return pumpCompressed();
    }
    if (!exchange.toClient.isEmpty()) {
        return flush(exchange.toClient, m_transport, m_mayWrite);
    }
    if (!exchange.down.isFlushed()) {
        if (!m_mayWrite) {
            return Progress::Stuck;
        }
        const Transport::Step step = m_transport.write(exchange.down.pieces());
        m_mayWrite = step.mayHaveMore;
        if (step.status == net::IoStatus::WouldBlock) {
            return Progress::Stuck;
        }
        if (step.status != net::IoStatus::Done) {
            abort("the client went away");
            return Progress::Moved;
        }
        exchange.down.written(step.count);
        exchange.bytesOut += step.count;
        if (!exchange.down.isFlushed()) {
            return Progress::Moved;
        }
    }
    connection.in.consume(exchange.down.takeConsumed());
    if (exchange.isAnswerHead && exchange.down.isDone()) {
        finish();
        return Progress::Moved;
    }
    if (exchange.isAnswerHead && !connection.in.isEmpty()) {
        if (!exchange.down.take(connection.in.readable())) {
            onAttemptFailed(policy::AttemptFailure::Broken, "the answer's body is malformed");
            return Progress::Moved;
        }
        if (!exchange.down.isFlushed() || exchange.down.isEndSeen()) {
            return Progress::Moved;
        }
        connection.in.consume(exchange.down.takeConsumed());
    }
    return readAnswer();
}

ClientConnection::Progress ClientConnection::readAnswer()
{
    Exchange& exchange = *m_exchange;
    UpstreamConnection& connection = *exchange.connection;
    if (!connection.mayRead) {
        return Progress::Stuck;
    }
    connection.in.acquire(m_worker.loop().buffers());
    if (connection.in.isEmpty() || connection.in.writable().size() < net::Buffer::kCapacity / 4) {
        connection.in.compact();
    }
    if (connection.in.writable().empty()) {
        onAttemptFailed(policy::AttemptFailure::Broken, "the answer's head is too large");
        return Progress::Moved;
    }
    const Transport::Step step = connection.transport.read(connection.in.writable());
    connection.mayRead = step.mayHaveMore;
    if (step.status == net::IoStatus::WouldBlock) {
        connection.in.releaseIfEmpty();
        return Progress::Stuck;
    }
    if (step.status != net::IoStatus::Done) {
        if (exchange.isAnswerHead && step.status == net::IoStatus::Closed
            && exchange.down.endByClose()) {
            exchange.answer.keepsAlive = false;
            if (exchange.compressor == nullptr) {
                finish();
            }
            return Progress::Moved;
        }
        onAttemptFailed(policy::AttemptFailure::Broken, "the upstream closed early");
        return Progress::Moved;
    }
    connection.in.commit(step.count);
    return exchange.isAnswerHead ? Progress::Moved : onAnswerHead();
}

ClientConnection::Progress ClientConnection::onAnswerHead()
{
    Exchange& exchange = *m_exchange;
    UpstreamConnection& connection = *exchange.connection;
    for (;;) {
        const http::ParseStatus status = exchange.answerParser.parse(
            connection.in.readable(), exchange.head.method, exchange.answer
        );
        if (status == http::ParseStatus::NeedMore) {
            return Progress::Moved;
        }
        if (status == http::ParseStatus::Refused) {
            onAttemptFailed(policy::AttemptFailure::Broken, "the answer is not proper HTTP");
            return Progress::Moved;
        }
        if (exchange.answer.status == 101) {
            return openTunnel();
        }
        if (!exchange.answer.isInterim()) {
            if (exchange.policy != nullptr && repeatsAnswer()) {
                return Progress::Moved;
            }
            return sendAnswerHead();
        }
        connection.in.consume(exchange.answer.size); // We have said 100 ourselves.
        exchange.answerParser.reset();
    }
}

// What the head of an answer leaves in counters and health. That it was a success is only known at
// the end of its body.
void ClientConnection::recordAnswer()
{
    Exchange& exchange = *m_exchange;
    const TimePoint now = m_worker.loop().now();
    exchange.upstreamLatency = now - exchange.attemptAt;
    const int status = attemptStatus();
    if (std::exchange(exchange.isAnswerRecorded, false)) {
        return;
    }
    exchange.owesReport = status < 400;
    exchange.owesCount = exchange.isGrpc && exchange.owesReport; // Of a call only its end tells.
    if (!exchange.owesCount) {
        ++exchange.attemptRow->answers[telemetry::classOf(status)];
    }
    exchange.attemptRow->latency.record(static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(exchange.upstreamLatency).count()
    ));
    exchange.upstream->balancer.report(
        exchange.target,
        now,
        exchange.upstreamLatency,
        status < 500 ? policy::AttemptEnd::Succeeded : policy::AttemptEnd::Failed
    );
    if (!exchange.owesReport) {
        report(policy::Observation::Kind::Status, status);
    }
}

ClientConnection::Progress ClientConnection::sendAnswerHead()
{
    Exchange& exchange = *m_exchange;
    UpstreamConnection& connection = *exchange.connection;
    const http::ResponseHead& answer = exchange.answer;
    const TimePoint now = m_worker.loop().now();
    if (exchange.policy != nullptr) {
        settleRace();
    }
    recordAnswer();
    exchange.isAnswerHead = true;
    exchange.hasAnswered = true;
    exchange.status = answer.status;
    const bool isOld = exchange.head.minorVersion == 0;
    const bool isChunked = answer.body.kind == http::BodyFraming::Kind::Chunked;
    exchange.closesClient = exchange.closesClient || !exchange.up.isEndSeen()
                            || answer.body.kind == http::BodyFraming::Kind::UntilClose
                            || (isOld && isChunked) || m_worker.isDraining()
                            || !m_worker.isOpen(*m_listener);
    if (exchange.route->compression) {
        beginCompression();
    }
    http::HeadWriter out(m_worker.scratch());
    writeClientHead(
        out,
        exchange,
        exchange.closesClient ? ClientConnectionEnds::Yes : ClientConnectionEnds::No,
        now - exchange.startedAt - exchange.upstreamLatency,
        m_worker.names()
    );
    connection.in.consume(answer.size);
    if (exchange.compressor != nullptr && !out.hasOverflowed()) {
        return sendCompressedHead(out.written());
    }
    exchange.down.start(
        answer.body, isOld ? http::ChunkedDecoder::Mode::Strip : http::ChunkedDecoder::Mode::Keep
    );
    if (exchange.isGrpc) {
        exchange.down.collectTrailers(exchange.trailers);
    }
    if (out.hasOverflowed() || !exchange.down.take(connection.in.readable())) {
        exchange.hasAnswered = false;
        exchange.isAnswerHead = false;
        onAttemptFailed(policy::AttemptFailure::Broken, "the answer is malformed");
        return Progress::Moved;
    }
    std::array<iovec, kPartsMax> parts; // Filled as far as it is used.
    std::size_t count = 0;
    parts[count++] = net::partOf(out.written());
    for (const iovec& piece : exchange.down.pieces()) {
        parts[count++] = piece;
    }
    const Transport::Step step = m_transport.write(std::span(parts.data(), count));
    if (step.status != net::IoStatus::Done && step.status != net::IoStatus::WouldBlock) {
        abort("the client went away");
        return Progress::Moved;
    }
    m_mayWrite = step.mayHaveMore;
    exchange.bytesOut += step.count;
    const std::string_view head = out.written();
    if (step.count < head.size()) {
        exchange.toClient.acquire(m_worker.loop().buffers());
        exchange.toClient.append(head.substr(step.count));
    } else {
        exchange.down.written(step.count - head.size());
    }
    return Progress::Moved;
}

void ClientConnection::armTimers()
{
    Exchange& exchange = *m_exchange;
    const TimePoint now = m_worker.loop().now();
    const bool waitsToWrite = !exchange.toClient.isEmpty() || !exchange.down.isFlushed();
    UpstreamConnection* connection = exchange.connection;
    if (exchange.tunnel != nullptr) {
        armTunnel();
        return;
    }
    if (waitsToWrite || connection == nullptr) {
        if (waitsToWrite) {
            m_timer.arm(now + m_worker.timeouts().clientBody);
        }
        if (!waitsToWrite) {
            m_timer.cancel(); // It waits for a policy, which has its own.
        }
        if (connection != nullptr) {
            connection->timer.cancel();
        }
        return;
    }
    if (!connection->isConnected) {
        m_timer.cancel();
        return; // Armed when the attempt began.
    }
    const bool waitsForBody = !exchange.up.isEndSeen() && exchange.up.isFlushed();
    if (waitsForBody) {
        m_timer.arm(now + m_worker.timeouts().clientBody);
        connection->timer.cancel();
        return;
    }
    m_timer.cancel();
    const bool isWriting = !exchange.up.isFlushed() || !exchange.toUpstream.isEmpty();
    connection->timer.arm(
        now + (isWriting ? exchange.service->writeTimeout : exchange.service->readTimeout)
    );
}

} // namespace mesh::proxy
