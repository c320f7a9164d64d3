#include "proxyengine/proxy/client_connection.h"
#include "proxyengine/proxy/worker.h"

#include <array>

// An answer's body through a compressor: cut out of its framing, compressed into the buffer towards
// the client, chunk by chunk. What the upstream has sent so far can always be read by the client
// before more is waited for.
namespace mesh::proxy {
namespace {

constexpr std::size_t kChunkHead = 6; // "ffff\r\n": a buffer's capacity in four digits.
constexpr std::size_t kChunkTail = http::kChunkEnd.size() + http::kLastChunk.size();
static_assert(net::Buffer::kCapacity - kChunkHead - kChunkTail <= 0xffff);

void writeChunkHead(std::size_t size, std::span<char> out)
{
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (std::size_t at = 4; at-- > 0; size >>= 4U) {
        out[at] = kDigits[size & 15U];
    }
    out[4] = '\r';
    out[5] = '\n';
}

} // namespace

void ClientConnection::beginCompression()
{
    Exchange& exchange = *m_exchange;
    const model::Compression& rules =
        exchange.runtime->snapshot().compressions[*exchange.route->compression];
    exchange.coding = decideCoding(rules, exchange.head, exchange.answer);
    if (exchange.coding.coding && exchange.coding.hasBody) {
        exchange.compressor = makeCompressor(*exchange.coding.coding, rules);
    }
}

ClientConnection::Progress ClientConnection::sendCompressedHead(std::string_view head)
{
    Exchange& exchange = *m_exchange;
    exchange.down.start(exchange.answer.body, http::ChunkedDecoder::Mode::Strip);
    exchange.toClient.acquire(m_worker.loop().buffers());
    exchange.toClient.append(head);
    return Progress::Moved;
}

ClientConnection::Progress ClientConnection::pumpCompressed()
{
    Exchange& exchange = *m_exchange;
    UpstreamConnection& connection = *exchange.connection;
    if (!exchange.toClient.isEmpty()) {
        const std::size_t before = exchange.toClient.size();
        const Progress progress = flush(exchange.toClient, m_transport, m_mayWrite);
        if (m_phase == Phase::Exchange) {
            exchange.bytesOut += before - exchange.toClient.size();
        }
        return progress;
    }
    if (exchange.isCompressed) {
        connection.in.consume(exchange.down.takeConsumed());
        finish();
        return Progress::Moved;
    }
    if (exchange.isFlushing) { // Brotli's encoder takes no input before it is done.
        return compressPieces(http::Flush::Sync);
    }
    if (!exchange.down.isFlushed() || exchange.down.isEndSeen()) {
        return compressPieces(exchange.down.isEndSeen() ? http::Flush::End : http::Flush::None);
    }
    connection.in.consume(exchange.down.takeConsumed());
    if (!connection.in.isEmpty()) {
        if (!exchange.down.take(connection.in.readable())) {
            onAttemptFailed(policy::AttemptFailure::Broken, "the answer's body is malformed");
            return Progress::Moved;
        }
        if (!exchange.down.isFlushed() || exchange.down.isEndSeen()) {
            return Progress::Moved;
        }
        connection.in.consume(exchange.down.takeConsumed());
    }
    if (readAnswer() == Progress::Moved) {
        return Progress::Moved; // The exchange may be over.
    }
    return exchange.owesFlush ? compressPieces(http::Flush::Sync) : Progress::Stuck;
}

ClientConnection::Progress ClientConnection::compressPieces(http::Flush flush)
{
    Exchange& exchange = *m_exchange;
    exchange.toClient.acquire(m_worker.loop().buffers());
    const std::span<char> memory = exchange.toClient.writable();
    const std::span<char> room =
        memory.subspan(kChunkHead, memory.size() - kChunkHead - kChunkTail);
    std::size_t written = 0;
    http::Compressor::Step step;
    step.isDone = true;
    while (!exchange.down.isFlushed() && step.isDone && !step.isFailed) {
        const iovec& piece = exchange.down.pieces().front();
        const std::string_view bytes(static_cast<const char*>(piece.iov_base), piece.iov_len);
        step = exchange.compressor->write(bytes, room.subspan(written), http::Flush::None);
        written += step.written;
        m_worker.counters().compressedFrom += step.consumed;
        exchange.owesFlush = true;
        exchange.down.written(step.consumed);
    }
    if (step.isDone && flush != http::Flush::None && !step.isFailed) {
        step = exchange.compressor->write({}, room.subspan(written), flush);
        written += step.written;
        exchange.owesFlush = !step.isDone;
        exchange.isFlushing = !step.isDone && flush == http::Flush::Sync;
        exchange.isCompressed = step.isDone && flush == http::Flush::End;
    }
    if (step.isFailed) {
        abort("the compressor failed");
        return Progress::Moved;
    }
    m_worker.counters().compressedTo += written;
    if (written > 0) {
        writeChunkHead(written, memory);
        exchange.toClient.commit(kChunkHead + written);
        exchange.toClient.append(http::kChunkEnd);
    }
    if (exchange.isCompressed) {
        exchange.toClient.append(http::kLastChunk);
    }
    exchange.toClient.releaseIfEmpty();
    return Progress::Moved;
}

} // namespace mesh::proxy
