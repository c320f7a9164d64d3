#include "proxyengine/proxy/tunnel.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace mesh::proxy {
namespace {

bool isBroken(net::IoStatus status)
{
    return status != net::IoStatus::Done && status != net::IoStatus::WouldBlock;
}

} // namespace

void Tunnel::startWith(net::Buffer fromClient, net::Buffer fromUpstream)
{
    m_up.rest = std::move(fromClient);
    m_up.rest.releaseIfEmpty();
    m_down.rest = std::move(fromUpstream);
    m_down.rest.releaseIfEmpty();
}

Tunnel::Step Tunnel::step(
    Side client, Side upstream, std::span<char> scratch, net::BufferPool& buffers
)
{
    const Step upwards = pass(m_up, client, upstream, scratch, buffers);
    if (upwards == Step::Broken) {
        return Step::Broken;
    }
    const Step downwards = pass(m_down, upstream, client, scratch, buffers);
    if (downwards == Step::Broken) {
        return Step::Broken;
    }
    if (m_up.isShut && m_down.isShut) {
        return Step::Ended;
    }
    return upwards == Step::Moved || downwards == Step::Moved ? Step::Moved : Step::Stuck;
}

Tunnel::Step Tunnel::passRest(Flow& flow, Side to)
{
    if (!to.mayWrite) {
        return Step::Stuck;
    }
    const std::array<iovec, 1> parts = {net::partOf(flow.rest.readable())};
    const Transport::Step sent = to.transport.write(parts);
    to.mayWrite = sent.mayHaveMore;
    if (isBroken(sent.status)) {
        return Step::Broken;
    }
    flow.rest.consume(sent.count);
    flow.rest.releaseIfEmpty();
    flow.bytes += sent.count;
    return sent.count > 0 ? Step::Moved : Step::Stuck;
}

Tunnel::Step Tunnel::pass(
    Flow& flow, Side from, Side to, std::span<char> scratch, net::BufferPool& buffers
)
{
    if (!flow.rest.isEmpty()) {
        return passRest(flow, to);
    }
    if (flow.hasEnded) {
        if (flow.isShut) {
            return Step::Stuck;
        }
        to.transport.shutdownWrite();
        flow.isShut = true;
        return Step::Moved;
    }
    if (!from.mayRead) {
        return Step::Stuck;
    }
    const std::span<char> room = scratch.first(std::min(scratch.size(), net::Buffer::kCapacity));
    const Transport::Step step = from.transport.read(room);
    from.mayRead = step.mayHaveMore;
    switch (step.status) {
    case net::IoStatus::WouldBlock:
        return Step::Stuck;
    case net::IoStatus::Closed:
        flow.hasEnded = true;
        return Step::Moved;
    case net::IoStatus::Failed:
        return Step::Broken;
    case net::IoStatus::Done:
        break;
    }
    // What cannot leave now is kept: the scratch memory is everybody's.
    std::size_t sent = 0;
    const std::string_view bytes(room.data(), step.count);
    if (to.mayWrite) {
        const std::array<iovec, 1> parts = {net::partOf(bytes)};
        const Transport::Step taken = to.transport.write(parts);
        to.mayWrite = taken.mayHaveMore;
        if (isBroken(taken.status)) {
            return Step::Broken;
        }
        sent = taken.count;
        flow.bytes += sent;
    }
    if (sent < bytes.size()) {
        flow.rest.acquire(buffers);
        flow.rest.append(bytes.substr(sent));
    }
    return Step::Moved;
}

} // namespace mesh::proxy
