#include "proxyengine/http/client.h"

#include "proxyengine/http/client_connection.h"

#include <algorithm>
#include <utility>

namespace mesh::http {
namespace {

constexpr Duration kHttp1Memory = std::chrono::minutes(5); // Then a server may be a newer one.

} // namespace

Client::State::State(net::EventLoop& ownLoop, const ClientOptions& ownOptions)
    : loop(ownLoop)
    , options(ownOptions)
    , failTimer(ownLoop.timers(), [this] { runFailures(); })
{}

PendingCall* Client::State::find(CallId id)
{
    const auto found = calls.find(id);
    return found == calls.end() ? nullptr : found->second.get();
}

CallId Client::State::add(Call call, ResponseFunction onResponse, StreamFunctions stream)
{
    const CallId id(++lastId);
    const Duration timeout = call.timeout;
    auto pending = std::make_unique<PendingCall>(PendingCall{
        id, std::move(call), std::move(onResponse), std::move(stream), nullptr, nullptr, false, {}}
    );
    pending->deadline = std::make_unique<net::FunctionTimer>(loop.timers(), [this, id] {
        const PendingCall& late = *find(id);
        if (late.connection != nullptr) {
            late.connection->timeOut(id, late.sentAt);
        }
        finish(id, fail(ErrorCode::Timeout, "no answer in time"));
    });
    pending->deadline->arm(loop.now() + timeout);
    calls.emplace(id, std::move(pending));
    begin(id);
    return id;
}

// Gives the call a kept connection, a new one, or a place in the queue.
void Client::State::begin(CallId id)
{
    PendingCall& call = *find(id);
    Pool& pool = pools[call.call.address];
    if (options.protocols == ClientProtocols::Http1And2 && loop.now() >= pool.http1Until) {
        beginShared(call, pool);
        return;
    }
    if (!pool.idle.empty() && !call.wasSentAgain) {
        ClientConnection* connection = pool.idle.back();
        pool.idle.pop_back();
        connection->send(call);
        return;
    }
    if (options.connectionsPerAddressMax != 0
        && pool.open.size() >= options.connectionsPerAddressMax) {
        pool.waiting.push_back(id);
        return;
    }
    auto connection = std::make_unique<ClientConnection>(*this, call.call.address);
    if (auto connected = connection->connect(); !connected) {
        failLater(id, std::move(connected).error());
        return;
    }
    ClientConnection& opened = *connection;
    pool.open.push_back(std::move(connection));
    opened.send(call);
}

void Client::State::beginShared(PendingCall& call, Pool& pool)
{
    if (pool.shared == nullptr || pool.shared->isRetired()) {
        auto connection = std::make_unique<ClientConnection>(*this, call.call.address);
        if (auto connected = connection->connect(); !connected) {
            failLater(call.id, std::move(connected).error());
            return;
        }
        pool.shared = connection.get();
        pool.open.push_back(std::move(connection));
    }
    pool.shared->enqueue(call);
}

void Client::State::beginAgain(CallId id)
{
    if (PendingCall* call = find(id)) {
        call->connection = nullptr;
        begin(id);
    }
}

void Client::State::noteHttp1(const ClientConnection& connection)
{
    Pool& pool = pools[connection.address()];
    pool.http1Until = loop.now() + kHttp1Memory;
    if (pool.shared == &connection) {
        pool.shared = nullptr;
    }
}

void Client::State::failLater(CallId id, Error error)
{
    failed.push_back({id, std::move(error)});
    failTimer.arm(loop.now());
}

void Client::State::runFailures()
{
    if (failed.empty()) {
        return;
    }
    Failed first = std::move(failed.front());
    failed.erase(failed.begin());
    if (!failed.empty()) {
        failTimer.arm(loop.now());
    }
    if (find(first.id) != nullptr) {
        finish(first.id, tl::unexpected(std::move(first.error)));
    }
}

void Client::State::finish(CallId id, Result<Response> result)
{
    const auto found = calls.find(id);
    if (found == calls.end()) {
        return;
    }
    const std::unique_ptr<PendingCall> call = std::move(found->second);
    calls.erase(found);
    if (call->onResponse) {
        call->onResponse(std::move(result));
    } else if (call->stream.onEnd) {
        call->stream.onEnd(
            result ? Result<void>() : Result<void>(tl::unexpected(std::move(result).error()))
        );
    }
}

void Client::State::release(ClientConnection& connection)
{
    Pool& pool = pools[connection.address()];
    if (pool.waiting.empty() && pool.idle.size() >= options.idlePerAddressMax) {
        connection.close();
        return;
    }
    pool.idle.push_back(&connection);
    serveWaiting(pool);
}

void Client::State::serveWaiting(Pool& pool)
{
    while (!pool.waiting.empty()) {
        const bool hasRoom =
            !pool.idle.empty() || pool.open.size() < options.connectionsPerAddressMax;
        if (!hasRoom) {
            return;
        }
        const CallId id = pool.waiting.front();
        pool.waiting.pop_front();
        if (find(id) != nullptr) {
            begin(id);
        }
    }
}

void Client::State::remove(ClientConnection& connection)
{
    Pool& pool = pools[connection.address()];
    std::erase(pool.idle, &connection);
    if (pool.shared == &connection) {
        pool.shared = nullptr;
    }
    const auto found =
        std::ranges::find(pool.open, &connection, &std::unique_ptr<ClientConnection>::get);
    if (found != pool.open.end()) {
        loop.destroyLater(std::move(*found)); // It may be inside a call now.
        pool.open.erase(found);
    }
    serveWaiting(pool);
}

Client::Client(net::EventLoop& loop, const ClientOptions& options)
    : m_state(std::make_unique<State>(loop, options))
{}

Client::~Client()
{
    m_state->calls.clear();
    for (auto& [address, pool] : m_state->pools) {
        pool.waiting.clear();
        while (!pool.open.empty()) {
            pool.open.front()->close();
        }
    }
}

CallId Client::call(Call call, ResponseFunction onResponse)
{
    return m_state->add(std::move(call), std::move(onResponse), {});
}

CallId Client::stream(Call call, StreamFunctions functions)
{
    return m_state->add(std::move(call), nullptr, std::move(functions));
}

void Client::cancel(CallId id)
{
    PendingCall* call = m_state->find(id);
    if (call == nullptr) {
        return;
    }
    ClientConnection* connection = call->connection;
    m_state->calls.erase(id);
    if (connection != nullptr) {
        connection->dropCall(id);
    }
}

std::size_t Client::connections() const
{
    std::size_t count = 0;
    for (const auto& [address, pool] : m_state->pools) {
        count += pool.open.size();
    }
    return count;
}

std::size_t Client::idleConnections() const
{
    std::size_t count = 0;
    for (const auto& [address, pool] : m_state->pools) {
        count += pool.idle.size() + (pool.shared != nullptr && pool.shared->isFree() ? 1U : 0U);
    }
    return count;
}

void Client::closeIdle()
{
    std::vector<ClientConnection*> idle;
    for (const auto& [address, pool] : m_state->pools) {
        idle.insert(idle.end(), pool.idle.begin(), pool.idle.end());
        if (pool.shared != nullptr && pool.shared->isFree()) {
            idle.push_back(pool.shared);
        }
    }
    for (ClientConnection* connection : idle) {
        connection->close();
    }
}

} // namespace mesh::http
