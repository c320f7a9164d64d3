// The half of a ClientConnection that speaks HTTP/2, or finds out that its server does not.
#include "proxyengine/http/client_connection.h"
#include "proxyengine/http/client_streams.h"
#include "proxyengine/net/sockets.h"

#include <algorithm>
#include <utility>

namespace mesh::http {
namespace {

constexpr int kReadsPerTurn = 16; // Then others get their share.
constexpr std::size_t kWriteBytesMin = 64U << 10U; // Frames are put together up to about this.

} // namespace

// A call among others: sent as soon as there is a connection and room on it.
void ClientConnection::enqueue(PendingCall& call)
{
    m_isShared = true;
    call.connection = this;
    call.sentAt = m_client->loop.now();
    m_idleTimer.cancel();
    m_waiting.push_back(call.id);
    if (m_phase == Phase::Http2) {
        m_client->loop.callAgain(*this, net::Ready(net::Ready::kWrite));
    }
}

bool ClientConnection::isRetired() const
{
    return m_phase == Phase::Closed || !m_isShared || m_isSuspect
           || (m_streams != nullptr && m_streams->isRetired());
}

bool ClientConnection::isFree() const
{
    return m_phase == Phase::Http2 && m_waiting.empty() && m_streams->isEmpty();
}

// Connected, and the handshake is done: the first word is ours.
void ClientConnection::beginProtocol()
{
    const bool isHttp2 = m_channel != nullptr ? m_channel->protocol() == "h2" : m_isShared;
    if (isHttp2) {
        becomeHttp2();
        return;
    }
    if (m_isShared) {
        becomeHttp1();
        return;
    }
    m_phase = Phase::Active;
    flush();
    if (m_phase == Phase::Active && m_channel != nullptr) {
        readSome(); // A server may say no before it was asked.
    }
}

void ClientConnection::becomeHttp2()
{
    auto made = ClientStreams::make(*m_client, m_channel != nullptr ? "https" : "http");
    if (!made) {
        failCall(std::move(made).error());
        return;
    }
    m_streams = *std::move(made);
    m_phase = Phase::Http2;
    m_isShared = true;
    if (m_call) { // It asked for HTTP/1.1, but this was agreed on.
        m_waiting.push_back(*std::exchange(m_call, std::nullopt));
        m_out.clear();
    }
    readFrames();
    exchangeFrames();
}

// The server did not agree on HTTP/2: this connection takes one of the calls, others find their
// own.
void ClientConnection::becomeHttp1()
{
    Client::State& client = *m_client;
    client.noteHttp1(*this);
    m_isShared = false;
    std::deque<CallId> waiting = std::exchange(m_waiting, {});
    PendingCall* first = nullptr;
    while (first == nullptr && !waiting.empty()) {
        first = client.find(waiting.front());
        waiting.pop_front();
    }
    if (first != nullptr) {
        send(*first); // Flushed below.
        m_phase = Phase::Active;
        flush();
    } else {
        m_phase = Phase::Idle;
        client.release(*this);
    }
    for (const CallId id : waiting) {
        client.beginAgain(id);
    }
    if (m_phase == Phase::Active) {
        readSome();
    }
}

// Plain, and the server has answered our preface as if it were a request: it has begun with none.
void ClientConnection::fallBack()
{
    Client::State& client = *m_client;
    client.noteHttp1(*this);
    const auto left = m_streams->abandon();
    const std::deque<CallId> waiting = std::exchange(m_waiting, {});
    close();
    for (const auto& each : left) {
        client.beginAgain(each.id);
    }
    for (const CallId id : waiting) {
        client.beginAgain(id);
    }
}

void ClientConnection::onHttp2Ready(net::Ready ready)
{
    if (ready.canRead()) {
        readFrames();
    }
    exchangeFrames();
}

void ClientConnection::readFrames()
{
    for (int reads = 0; reads < kReadsPerTurn && m_phase == Phase::Http2; ++reads) {
        m_in.acquire(m_client->loop.buffers());
        const Channel::Step step = readInto(m_in.writable());
        if (step.status == net::IoStatus::WouldBlock) {
            m_in.release();
            return;
        }
        if (step.status != net::IoStatus::Done) {
            const bool isFault = step.status == net::IoStatus::Failed && m_channel != nullptr;
            Error ended{
                ErrorCode::Reset, "the server closed the connection", {}, 0, SourcePlace::here()};
            failShared(isFault ? m_channel->failure() : std::move(ended));
            return;
        }
        m_in.commit(step.count);
        if (!takeFrames()) {
            return;
        }
        if (!step.mayHaveMore) {
            m_in.release();
            return;
        }
    }
    if (m_phase == Phase::Http2) {
        m_client->loop.callAgain(*this, net::Ready(net::Ready::kRead));
    }
}

// False when nothing more is to be read.
bool ClientConnection::takeFrames()
{
    const std::string_view bytes = m_in.readable();
    if (!m_hasInput && m_channel == nullptr && bytes.starts_with('H')) {
        fallBack(); // No frame that a server may begin with has such a length.
        return false;
    }
    m_hasInput = true;
    m_heardAt = m_client->loop.now();
    m_isInside = true;
    const bool goesOn = m_streams->receive(bytes, m_heardAt);
    m_isInside = false;
    if (m_phase != Phase::Http2) {
        return false;
    }
    m_in.consume(m_in.size());
    if (goesOn) {
        return true;
    }
    exchangeFrames(); // The last word.
    if (m_phase == Phase::Http2) {
        endBySession();
    }
    return false;
}

void ClientConnection::endBySession()
{
    const std::string_view reason = m_streams->failure();
    failShared(
        {reason.empty() ? ErrorCode::Reset : ErrorCode::Protocol,
         reason.empty() ? "the server ended the connection" : std::string(reason),
         {},
         0,
         SourcePlace::here()}
    );
}

// Begins with calls that wait, as far as there is room, and writes what is to be said.
void ClientConnection::exchangeFrames()
{
    if (m_isInside || m_phase != Phase::Http2) {
        return;
    }
    Client::State& client = *m_client;
    while (!m_waiting.empty() && !m_isSuspect && m_streams->takesMore()) {
        const CallId id = m_waiting.front();
        const PendingCall* call = client.find(id);
        if (call != nullptr && !m_streams->begin(*call)) {
            break;
        }
        m_waiting.pop_front();
    }
    m_isInside = true;
    const bool isFine = writeFrames();
    m_isInside = false;
    if (!isFine && m_phase == Phase::Http2) {
        readFrames(); // Tells why, and what the server has said before.
        if (m_phase == Phase::Http2) {
            failShared({ErrorCode::Reset, "the connection was reset", {}, 0, SourcePlace::here()});
        }
    }
    if (m_phase != Phase::Http2) {
        return;
    }
    if (m_streams->isOver()) {
        endBySession();
        return;
    }
    if (isRetired()) {
        const std::deque<CallId> waiting = std::exchange(m_waiting, {});
        if (m_streams->isEmpty()) {
            close();
        }
        for (const CallId id : waiting) {
            client.beginAgain(id);
        }
    } else if (!isFree()) {
        m_idleTimer.cancel();
    } else if (client.options.idlePerAddressMax == 0) {
        close();
    } else if (!m_idleTimer.isArmed()) {
        m_idleTimer.arm(client.loop.now() + client.options.idleTimeout);
    }
}

// False: the socket takes nothing more, ever.
bool ClientConnection::writeFrames()
{
    for (;;) {
        if (m_outAt == m_out.size()) {
            m_out.clear();
            m_outAt = 0;
            m_streams->fill(m_out, kWriteBytesMin);
            if (m_out.empty() || m_phase != Phase::Http2) {
                return true;
            }
        }
        const std::string_view left = std::string_view(m_out).substr(m_outAt);
        const net::IoStep step =
            m_channel != nullptr ? m_channel->write(left) : net::writeSome(m_socket.get(), left);
        if (step.status != net::IoStatus::Done) {
            return step.status == net::IoStatus::WouldBlock;
        }
        m_outAt += step.count;
    }
}

void ClientConnection::failShared(Error error)
{
    Client::State& client = *m_client;
    const bool wasOpen = m_streams != nullptr;
    const auto left = wasOpen ? m_streams->abandon() : std::vector<ClientStreams::Left>();
    const std::deque<CallId> waiting = std::exchange(m_waiting, {});
    close();
    for (const auto& each : left) {
        PendingCall* call = client.find(each.id);
        if (call == nullptr) {
            continue;
        }
        const bool canBeSentAgain = each.wasKept && !each.hasHead && !call->wasSentAgain
                                    && isIdempotent(methodOf(call->call.request.method));
        if (canBeSentAgain) {
            call->wasSentAgain = true;
            client.beginAgain(each.id);
        } else {
            client.finish(each.id, tl::unexpected(error));
        }
    }
    for (const CallId id : waiting) { // Nothing of these was sent.
        PendingCall* call = client.find(id);
        if (call != nullptr && wasOpen && !call->wasSentAgain) {
            call->wasSentAgain = true;
            client.beginAgain(id);
        } else {
            client.finish(id, tl::unexpected(error));
        }
    }
}

void ClientConnection::dropCall(CallId id)
{
    if (!m_isShared) {
        m_call.reset();
        close();
        return;
    }
    std::erase(m_waiting, id);
    if (m_streams != nullptr) {
        m_streams->drop(id);
        m_client->loop.callAgain(*this, net::Ready(net::Ready::kWrite));
    }
}

// A call was not answered in time. If nothing at all came meanwhile, perhaps nobody is there: new
// calls try another connection, those that wait here have their own deadlines.
void ClientConnection::timeOut(CallId id, TimePoint sentAt)
{
    dropCall(id);
    if (m_phase == Phase::Closed || !m_isShared) {
        return;
    }
    if (m_phase == Phase::Http2) {
        m_isSuspect = m_isSuspect || m_heardAt <= sentAt;
    } else if (m_waiting.empty()) {
        close(); // Nobody waits for it to be connected any more.
    }
}

} // namespace mesh::http
