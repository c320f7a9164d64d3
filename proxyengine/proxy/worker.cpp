#include "proxyengine/proxy/worker.h"

#include "proxyengine/base/assert.h"
#include "proxyengine/base/log.h"
#include "proxyengine/policy/route_rule.h"
#include "proxyengine/proxy/placed_list.h"
#include "proxyengine/tls/failure.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace mesh::proxy {
namespace {

constexpr Duration kYieldIdle = std::chrono::milliseconds(100);

constexpr Duration kAccessFlush = std::chrono::milliseconds(100); // Events go out at 10 Hz.
constexpr std::size_t kLogBytesMax = 1U << 20U; // Of waiting lines; beyond it they are dropped.

double milliseconds(Duration duration)
{
    return std::chrono::duration<double, std::milli>(duration).count();
}

// Headers that prove who somebody is: whoever reads a tap must not be able to become them.
constexpr std::array<std::string_view, 8> kSecretHeaders = {
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "apikey",
    "x-auth-token",
    "x-csrf-token"};

bool isSecretHeader(std::string_view name)
{
    constexpr std::array<std::string_view, 4> kParts = {"secret", "password", "token", "api-key"};
    const auto isPart = [name](std::string_view part) {
        return name.find(part) != std::string_view::npos;
    };
    return std::ranges::find(kSecretHeaders, name) != kSecretHeaders.end()
           || std::ranges::any_of(kParts, isPart);
}

} // namespace

class Worker::Listening final : public net::AcceptHandler
{
public:
    Listening(Worker& worker, std::shared_ptr<const Listener> listener, FileDescriptor socket)
        : m_worker(worker)
        , m_listener(std::move(listener))
        , m_acceptor(std::make_unique<net::Acceptor>(worker.loop(), std::move(socket), *this))
    {}
    void onAccepted(FileDescriptor socket, const net::SocketAddress& peer) override
    {
        m_worker.onAccepted(m_listener, std::move(socket), peer);
    }
    [[nodiscard]] const Listener& listener() const { return *m_listener; }
    void takeWaiting() { m_acceptor->takeWaiting(); }

private:
    Worker& m_worker;
    std::shared_ptr<const Listener> m_listener;
    std::unique_ptr<net::Acceptor> m_acceptor;
};

Result<std::unique_ptr<Worker>> Worker::make(
    const Clock& clock,
    const api::EngineOptions& options,
    const Timeouts& timeouts,
    Seed seed,
    WorkerOutputs outputs
)
{
    std::unique_ptr<Worker> worker(new Worker(options, timeouts, seed, std::move(outputs)));
    MESH_TRY(worker->m_loop, net::EventLoop::make(clock));
    MESH_TRY(worker->m_resolver, net::Resolver::make(*worker->m_loop));
    worker->m_tally =
        std::make_unique<PolicyTally>(*worker->m_loop, [owner = worker.get()](PolicyReport report) {
            owner->m_outputs.onPolicy(std::move(report));
        });
    worker->m_pools = std::make_unique<UpstreamPools>(*worker->m_loop, timeouts.upstreamIdle);
    worker->m_streams = std::make_unique<StreamFront>(*worker, worker->gatewaySource());
    worker->m_runtime = std::make_unique<Runtime>();
    worker->m_runtime->activation.snapshot = std::make_shared<config::Snapshot>();
    worker->m_idleTimer =
        std::make_unique<net::FunctionTimer>(worker->m_loop->timers(), [owner = worker.get()] {
            owner->yieldIdle();
        });
    worker->m_accessTimer =
        std::make_unique<net::FunctionTimer>(worker->m_loop->timers(), [owner = worker.get()] {
            owner->flushAccess();
        });
    return worker;
}

Worker::Worker(
    const api::EngineOptions& options, const Timeouts& timeouts, Seed seed, WorkerOutputs outputs
)
    : m_options(options)
    , m_timeouts(timeouts)
    , m_random(seed)
    , m_outputs(std::move(outputs))
    , m_scratch(net::Buffer::kCapacity)
{}

Worker::~Worker() = default;

void Worker::start(std::size_t number)
{
    m_thread = Thread(fmt::format("worker-{}", number), [this] {
        m_loop->moveHere();
        m_loop->run();
        m_listening.clear();
        closeAll();
        flushAccess();
        m_pools->closeIdle();
        m_loop->runTurn(Duration::zero());
    });
}

void Worker::stopAndJoin()
{
    m_loop->stop();
    m_thread.join();
}

void Worker::addListener(std::shared_ptr<const Listener> listener, FileDescriptor socket)
{
    m_known.resize(std::max(m_known.size(), listener->index + 1));
    m_known[listener->index] = listener;
    if (listener->isUdp) {
        m_streams->addDatagrams(std::move(listener), std::move(socket));
    } else {
        m_listening.push_back(
            std::make_unique<Listening>(*this, std::move(listener), std::move(socket))
        );
    }
    fillListeners(*m_runtime);
}

void Worker::removeListener(const std::string& key)
{
    for (const auto& entry : m_listening) {
        if (entry->listener().key == key) {
            entry->takeWaiting();
        }
    }
    for (auto& known : m_known) {
        if (known != nullptr && known->key == key) {
            known.reset();
        }
    }
    std::erase_if(m_listening, [&key](const auto& entry) { return entry->listener().key == key; });
    for (std::size_t at = m_clients.size(); at-- > 0;) {
        ClientConnection& client = *m_clients[at];
        if (client.isUnasked() && !isOpen(client.listener())) {
            client.abort({});
        }
    }
    for (const auto& connection : m_http2) {
        if (!isOpen(connection->listener())) {
            connection->drain();
        }
    }
}

bool Worker::isOpen(const Listener& listener) const
{
    return listener.index < m_known.size() && m_known[listener.index] != nullptr;
}

std::string Worker::gatewaySource() const
{
    return m_options.node.empty() ? "gateway" : m_options.node;
}

RequestPolicy& Worker::takePolicy()
{
    if (m_sparePolicies.empty()) {
        m_policies.push_back(std::make_unique<RequestPolicy>(m_loop->timers()));
        return *m_policies.back();
    }
    RequestPolicy& state = *m_sparePolicies.back();
    m_sparePolicies.pop_back();
    return state;
}

void Worker::giveBack(RequestPolicy* state)
{
    state->reset();
    m_sparePolicies.push_back(state);
}

bool Worker::sendMirror(Destination to, UsageLease lease, http::Method method, std::string request)
{
    if (m_mirrors.size() >= kMirrorsPerWorkerMax) {
        return false;
    }
    ++to.runtime->streams;
    m_mirrors.push_back(std::make_unique<SideAttempt>(
        *this,
        std::move(to),
        std::move(lease),
        method,
        std::move(request),
        SideAttempt::Answer::Discard,
        [this](SideAttempt& ended) { onMirrorEnd(ended); }
    ));
    SideAttempt& mirror = *m_mirrors.back();
    mirror.place = m_mirrors.size() - 1;
    mirror.begin();
    return true;
}

void Worker::onMirrorEnd(SideAttempt& mirror)
{
    Runtime& runtime = *mirror.destination().runtime;
    m_loop->destroyLater(takeOut(m_mirrors, mirror));
    releaseRuntime(runtime);
}

// Of this worker's loop, as the time since the turn began.
Duration Worker::loopLag() const { return m_loop->clock().now() - m_loop->now(); }

void Worker::awaitConnection(ClientConnection& client) { m_awaiting.push_back(&client); }

void Worker::forgetAwaiting(ClientConnection& client) { std::erase(m_awaiting, &client); }

// A connection of some upstream became free: whoever waits may look again, in order of arrival.
void Worker::onConnectionFreed()
{
    if (!m_awaiting.empty()) {
        m_loop->callAtTurnEnd(*this);
    }
}

void Worker::closeIdle(UpstreamState& upstream)
{
    for (const UpstreamPools::Known& pools : upstream.pools) {
        for (const PoolListing& pool : pools) {
            pool->closeIdle();
        }
    }
}

void Worker::watchIdle()
{
    if (!m_idleTimer->isArmed()) {
        m_idleTimer->arm(m_loop->now() + kYieldIdle);
    }
}

// Gives kept connections up to requests of other workers that wait for one.
void Worker::yieldIdle()
{
    using policy::LimitedResource;
    bool isHolding = false;
    const Runtime& runtime = *m_runtime;
    for (std::size_t at = 0; at < runtime.upstreams.size(); ++at) {
        const auto& usage = runtime.activation.cells->usages[at];
        if (usage == nullptr) {
            continue;
        }
        const bool isWanted =
            usage->use.of(LimitedResource::Pending, policy::LimitLane::Default).load() > 0
            || usage->use.of(LimitedResource::Pending, policy::LimitLane::High).load() > 0;
        if (isWanted) {
            closeIdle(*runtime.upstreams[at]);
        }
        for (const UpstreamPools::Known& pools : runtime.upstreams[at]->pools) {
            isHolding = isHolding || std::ranges::any_of(pools, [](const PoolListing& pool) {
                            return pool->hasIdle();
                        });
        }
    }
    if (isHolding) {
        watchIdle();
    }
}

void Worker::onTurnEnd()
{
    const std::vector<ClientConnection*> awaiting = m_awaiting;
    std::vector<const UpstreamState*> full; // Somebody older waits on.
    for (ClientConnection* client : awaiting) {
        if (std::ranges::find(m_awaiting, client) == m_awaiting.end()
            || std::ranges::find(full, client->awaitedUpstream()) != full.end()) {
            continue;
        }
        const UpstreamState* upstream = client->awaitedUpstream();
        client->onConnectionFreed();
        if (std::ranges::find(m_awaiting, client) != m_awaiting.end()) {
            full.push_back(upstream);
        }
    }
}

telemetry::Reading Worker::takeReading()
{
    m_counters.connections = connectionCount();
    sweepPools();
    reportSuccesses();
    m_tally->flushCounts();
    return m_counters.take();
}

void Worker::onAccepted(
    const std::shared_ptr<const Listener>& listener,
    FileDescriptor socket,
    const net::SocketAddress& peer
)
{
    if (connectionCount() >= kConnectionsPerWorkerMax) {
        return;
    }
    ++m_counters.accepted;
    if (listener->hasProxyHeaders) {
        m_streams->readPreface(listener, std::move(socket), peer);
        return;
    }
    StreamPeers peers{peer, {}};
    if (listener->isStream) {
        peers.destination = net::localAddress(socket.get());
    }
    onIdentified(listener, std::move(socket), peers);
}

void Worker::onIdentified(
    const std::shared_ptr<const Listener>& listener, FileDescriptor socket, const StreamPeers& peers
)
{
    if (listener->isStream) {
        m_streams->accept(*listener, std::move(socket), peers);
        return;
    }
    auto client = std::make_unique<ClientConnection>(
        *this, listener, std::move(socket), peers.client.hostText()
    );
    client->place = m_clients.size();
    const tls::ServerContext* tls =
        listener->isTls ? m_runtime->activation.serverTls.get() : nullptr;
    if (listener->isTls && tls == nullptr) {
        return;
    }
    const bool isMesh = m_runtime->listeners[listener->index].meshServer != nullptr;
    if (isMesh ? client->beginMesh() : client->begin(tls)) {
        m_clients.push_back(std::move(client));
    }
}

void Worker::tellTlsFailure(
    const config::UpstreamPlan& upstream, std::uint32_t target, std::string_view reason
)
{
    const tls::Failure failure = tls::failureSaid(reason);
    if (failure == tls::Failure::None) {
        return;
    }
    m_tally->notice(
        "tls_failed",
        fmt::format("target:{}/{}", upstream.name, upstream.targets[target].address),
        reason,
        tls::wordOf(failure)
    );
}

void Worker::onMeshPeerRefused(
    const Listener& listener,
    std::string_view peer,
    std::string_view kind,
    std::string_view reason,
    std::string_view detail
)
{
    m_tally->notice(kind, fmt::format("listener:{}", listener.name), reason, detail);
    const TimePoint now = m_loop->now();
    if (now - m_refusalLoggedAt < std::chrono::seconds(1)) {
        return;
    }
    m_refusalLoggedAt = now;
    MESH_LOG(
        Warn,
        "mesh.peer_refused",
        kv("listener", listener.name),
        kv("peer", peer),
        kv("reason", reason)
    );
}

void Worker::close(H2ServerConnection& connection)
{
    m_loop->destroyLater(takeOut(m_http2, connection));
}

void Worker::close(ClientConnection& connection)
{
    m_streamDrivers -= connection.isOverStream() ? 1U : 0U;
    m_loop->destroyLater(takeOut(m_clients, connection));
}

void Worker::drain()
{
    for (const auto& entry : m_listening) {
        entry->takeWaiting();
    }
    m_isDraining = true;
    m_listening.clear();
    m_streams->drain();
    for (std::size_t at = m_clients.size(); at-- > 0;) {
        if (m_clients[at]->isUnasked()) {
            m_clients[at]->abort({});
        }
    }
    for (const auto& connection : m_http2) {
        connection->drain();
    }
}

void Worker::closeAll()
{
    while (!m_http2.empty()) {
        m_http2.back()->abort();
    }
    while (!m_clients.empty()) {
        m_clients.back()->abort("the node stopped");
    }
    m_streams->closeAll();
    while (!m_mirrors.empty()) {
        m_mirrors.back()->cancel();
        onMirrorEnd(*m_mirrors.back());
    }
}

Exchange* Worker::takeExchange()
{
    if (m_spareExchanges.empty()) {
        m_exchanges.push_back(std::make_unique<Exchange>());
        return m_exchanges.back().get();
    }
    Exchange* exchange = m_spareExchanges.back();
    m_spareExchanges.pop_back();
    return exchange;
}

void Worker::giveBack(Exchange* exchange)
{
    exchange->reset();
    m_spareExchanges.push_back(exchange);
}

bool Worker::wantsRecord()
{
    const TimePoint now = m_loop->now();
    if (now - m_sampleSecond >= std::chrono::seconds(1)) {
        m_sampleSecond = now;
        m_sampled = 0;
    }
    const std::size_t share =
        kAccessSamplesPerSecondMax / static_cast<std::size_t>(std::max(m_options.workers, 1));
    return m_sampled < share || m_options.accessLog != api::AccessLogFormat::Off;
}

void Worker::onStreamEnd(const Exchange& exchange, std::string_view peer, std::string_view protocol)
{
    if (!wantsRecord()) {
        return;
    }
    telemetry::AccessRecord record;
    record.latencyTotal = m_loop->now() - exchange.startedAt;
    record.time =
        m_loop->wallNow() - std::chrono::duration_cast<WallTime::duration>(record.latencyTotal);
    record.client = peer;
    record.method = exchange.head.methodText();
    record.host = exchange.host;
    record.target = exchange.head.target();
    record.protocol = protocol;
    record.status = exchange.status;
    record.route = exchange.row->route;
    record.service = exchange.row->service;
    record.source = exchange.row->source;
    if (exchange.attempts > 0) {
        record.upstreamTarget = exchange.upstream->plan.targets[exchange.target].address;
    }
    record.attempts = exchange.attempts;
    record.latencyUpstream = exchange.upstreamLatency;
    record.latencyProxy = record.latencyTotal - exchange.upstreamLatency;
    record.bytesIn = exchange.bytesIn;
    record.bytesOut = exchange.bytesOut;
    record.requestId = {exchange.requestId.data(), exchange.requestId.size()};
    record.failure = exchange.failure;
    if (exchange.grpcStatus) {
        record.grpcStatus = static_cast<int>(*exchange.grpcStatus);
    }
    if (api::AccessEvent* sample = keepRecord(record, exchange.path)) {
        describe(*sample, exchange);
    }
}

// What only a tap shows; of sampled requests alone.
void Worker::describe(api::AccessEvent& sample, const Exchange& exchange) const
{
    const auto since = [&exchange](TimePoint at) { return milliseconds(at - exchange.startedAt); };
    for (const Exchange::PastAttempt& past : exchange.pastAttempts) {
        sample.tries.push_back(
            {past.target,
             since(past.begunAt),
             milliseconds(past.endedAt - past.begunAt),
             past.status,
             past.status == 0 ? "failed" : "answered, repeated"}
        );
    }
    if (exchange.attempts > 0 && sample.tries.size() < kAccessAttemptsMax) {
        const bool isAnswered = exchange.upstreamLatency > Duration{};
        sample.tries.push_back(
            {sample.target,
             since(exchange.attemptAt),
             isAnswered ? sample.latencyUpstream_ms
                        : milliseconds(m_loop->now() - exchange.attemptAt),
             isAnswered ? exchange.status : 0,
             isAnswered ? "answered" : "failed"}
        );
    }
    for (const std::string_view kind : exchange.verdicts) {
        if (std::ranges::find(sample.policies, kind) == sample.policies.end()) {
            sample.policies.emplace_back(kind);
        }
    }
    if (exchange.route != nullptr) {
        const bool isPrefix = exchange.pattern == nullptr && exchange.matchedPathBytes > 0;
        sample.why =
            exchange.pattern != nullptr ? "path pattern"
            : isPrefix
                ? fmt::format("path prefix {}", exchange.path.substr(0, exchange.matchedPathBytes))
                : "no path asked for";
    }
    if (m_tapHeaders != nullptr) {
        captureHeaders(sample, exchange);
    }
}

void Worker::captureHeaders(api::AccessEvent& sample, const Exchange& exchange) const
{
    for (const http::FieldPlace& field : exchange.head.fields) {
        if (sample.requestHeaders.size() >= kTapHeadersMax) {
            return;
        }
        std::string name = policy::toLower(exchange.head.fields.name(field));
        if (std::ranges::find(*m_tapHeaders, name) == m_tapHeaders->end()) {
            continue;
        }
        std::string value =
            isSecretHeader(name)
                ? std::string("***")
                : std::string(exchange.head.fields.value(field).substr(0, kTapHeaderBytesMax));
        sample.requestHeaders.push_back({std::move(name), std::move(value)});
    }
}

api::AccessEvent* Worker::keepRecord(const telemetry::AccessRecord& record, std::string_view path)
{
    const std::size_t share =
        kAccessSamplesPerSecondMax / static_cast<std::size_t>(std::max(m_options.workers, 1));
    const bool isSampled = m_sampled < share;
    if (isSampled) {
        ++m_sampled;
        m_samples.push_back(
            {m_options.node,
             record.time,
             std::string(record.method),
             std::string(record.host),
             std::string(path),
             record.status,
             std::string(record.route),
             std::string(record.service),
             std::string(record.upstreamTarget),
             std::string(record.source),
             record.attempts,
             milliseconds(record.latencyTotal),
             milliseconds(record.latencyUpstream),
             milliseconds(record.latencyProxy),
             record.bytesIn,
             record.bytesOut,
             std::string(record.requestId),
             std::string(record.failure)}
        );
    }
    const bool isLogged = m_options.accessLog != api::AccessLogFormat::Off;
    if (isLogged && m_logLines.size() < kLogBytesMax) {
        if (m_options.accessLog == api::AccessLogFormat::Json) {
            telemetry::appendJson(m_logLines, record);
        } else {
            telemetry::appendText(m_logLines, record);
        }
    }
    if (!m_accessTimer->isArmed()) {
        m_accessTimer->arm(m_loop->now() + kAccessFlush);
    }
    return isSampled ? &m_samples.back() : nullptr;
}

void Worker::flushAccess()
{
    if (!m_samples.empty() || !m_logLines.empty()) {
        m_outputs.onAccess(std::exchange(m_samples, {}), std::exchange(m_logLines, {}));
    }
}

} // namespace mesh::proxy
