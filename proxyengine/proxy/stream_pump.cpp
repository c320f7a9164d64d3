#include "proxyengine/proxy/stream_front.h"
#include "proxyengine/proxy/stream_relay.h"
#include "proxyengine/proxy/timeouts.h"
#include "proxyengine/proxy/worker.h"

#include <array>
#include <utility>

// How a relay moves bytes: by copy through the worker's scratch memory while messages are small,
// through a pipe that this process never reads once reads have been full for a while.
namespace mesh::proxy {
namespace {

constexpr int kFullReadsBeforeSplice = 4; // 256 KiB without a pause.
constexpr std::uint64_t kBurstWorthAPipe = 256U << 10U;

} // namespace

void StreamRelay::run()
{
    if (m_phase != Phase::Relaying) {
        return;
    }
    const Side client{m_transport, m_mayRead, m_mayWrite};
    const Side target{m_connection->transport, m_connection->mayRead, m_connection->mayWrite};
    bool hasMoved = true;
    for (int steps = 0; hasMoved && steps < kStepsPerEventMax; ++steps) {
        hasMoved = pump(m_up, client, target, m_row->bytesIn);
        if (m_phase != Phase::Relaying) {
            return;
        }
        hasMoved = pump(m_down, target, client, m_row->bytesOut) || hasMoved;
        if (m_phase != Phase::Relaying) {
            return;
        }
    }
    if (m_up.isEndPassed && m_down.isEndPassed) {
        close(Ending::Clean);
        return;
    }
    m_timer.arm(m_worker.loop().now() + m_idleTimeout);
    if (hasMoved) {
        m_worker.loop().callAgain(*this, net::Ready(0));
    }
}

// True when something moved, so that trying again may bring more.
bool StreamRelay::pump(Flow& flow, Side from, Side to, std::uint64_t& counted)
{
    if (!flow.rest.isEmpty()) {
        return passRest(flow, to);
    }
    if (flow.pipe.isOpen()) {
        return splice(flow, from, to, counted);
    }
    if (flow.hasEnded || !from.mayRead || !to.mayWrite) {
        return false;
    }
    const std::span<char> room = m_worker.scratch();
    const Transport::Step step = from.transport.read(room);
    from.mayRead = step.mayHaveMore;
    if (step.status == net::IoStatus::WouldBlock) {
        return false;
    }
    if (step.status == net::IoStatus::Closed) {
        passEnd(flow, to);
        return false;
    }
    if (step.status == net::IoStatus::Failed) {
        onReset();
        return false;
    }
    counted += step.count;
    flow.bytes += step.count;
    flow.fullReads = step.count == room.size() ? flow.fullReads + 1 : 0;
    const std::string_view bytes(room.data(), step.count);
    const std::array<iovec, 1> parts = {net::partOf(bytes)};
    const Transport::Step sent = to.transport.write(parts);
    to.mayWrite = sent.mayHaveMore;
    if (sent.status == net::IoStatus::Failed || sent.status == net::IoStatus::Closed) {
        onReset();
        return false;
    }
    if (sent.count < bytes.size()) {
        flow.rest.acquire(m_worker.loop().buffers());
        flow.rest.append(bytes.substr(sent.count));
    }
    const bool isPlain = from.transport.tls() == nullptr && to.transport.tls() == nullptr;
    if (isPlain && flow.fullReads >= kFullReadsBeforeSplice) {
        flow.pipe = m_worker.streams().pipes().take();
        flow.burst = 0;
    }
    return true;
}

bool StreamRelay::passRest(Flow& flow, Side to)
{
    if (!to.mayWrite) {
        return false;
    }
    const std::array<iovec, 1> parts = {net::partOf(flow.rest.readable())};
    const Transport::Step sent = to.transport.write(parts);
    to.mayWrite = sent.mayHaveMore;
    if (sent.status == net::IoStatus::Failed || sent.status == net::IoStatus::Closed) {
        onReset();
        return false;
    }
    flow.rest.consume(sent.count);
    flow.rest.releaseIfEmpty();
    return sent.count > 0;
}

bool StreamRelay::splice(Flow& flow, Side from, Side to, std::uint64_t& counted)
{
    if (flow.pipe.held() == 0) {
        if (flow.hasEnded || !from.mayRead || !to.mayWrite) {
            return false;
        }
        const net::IoStep step = flow.pipe.fill(from.transport.descriptor());
        switch (step.status) {
        case net::IoStatus::WouldBlock:
            from.mayRead = false;
            if (std::exchange(flow.burst, 0) < kBurstWorthAPipe) {
                releasePipe(flow);
            }
            return false;
        case net::IoStatus::Closed:
            passEnd(flow, to);
            return false;
        case net::IoStatus::Failed:
            onReset();
            return false;
        case net::IoStatus::Done:
            break;
        }
        counted += step.count;
        flow.bytes += step.count;
        flow.burst += step.count;
    }
    if (!to.mayWrite) {
        return false;
    }
    const net::IoStep sent = flow.pipe.drain(to.transport.descriptor());
    to.mayWrite = sent.status == net::IoStatus::Done;
    if (sent.status == net::IoStatus::Failed) {
        onReset();
        return false;
    }
    return sent.count > 0;
}

void StreamRelay::passEnd(Flow& flow, Side to)
{
    flow.hasEnded = true;
    flow.isEndPassed = true;
    releasePipe(flow);
    to.transport.shutdownWrite();
}

void StreamRelay::onReset()
{
    m_failure = "one side reset the connection";
    close(Ending::Reset);
}

void StreamRelay::releasePipe(Flow& flow)
{
    flow.fullReads = 0;
    m_worker.streams().pipes().giveBack(std::exchange(flow.pipe, {}));
}

} // namespace mesh::proxy
