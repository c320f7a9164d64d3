#pragma once

#include "proxyengine/api/engine_options.h"
#include "proxyengine/api/event.h"
#include "proxyengine/base/random.h"
#include "proxyengine/base/thread.h"
#include "proxyengine/net/acceptor.h"
#include "proxyengine/net/resolver.h"
#include "proxyengine/policy/health.h"
#include "proxyengine/proxy/client_connection.h"
#include "proxyengine/proxy/h2_server_connection.h"
#include "proxyengine/proxy/head_forward.h"
#include "proxyengine/proxy/policy_cells.h"
#include "proxyengine/proxy/policy_tally.h"
#include "proxyengine/proxy/request_policy.h"
#include "proxyengine/proxy/runtime.h"
#include "proxyengine/proxy/side_attempt.h"
#include "proxyengine/proxy/stream_front.h"
#include "proxyengine/proxy/timeouts.h"
#include "proxyengine/proxy/upstream_pools.h"
#include "proxyengine/telemetry/access_log.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace mesh::proxy {

// A place where clients connect; the same on every worker. Immutable.
struct Listener
{
    std::string key; // Kind, name and address: what makes two the same across configurations.
    std::size_t index = 0; // In every runtime's `listeners`; never used again for another.
    config::ListenerKind kind = config::ListenerKind::Gateway;
    std::string name;
    std::string planName; // Of the snapshot's listener that it serves; empty: the gateway's.
    std::uint16_t port = 0;
    bool isTls = false;
    bool isHttp2 = false; // Under TLS: offered by ALPN. Plain listeners always understand it.
    bool isStream = false; // Of --stream-listen: relays bytes, by stream routes.
    bool isUdp = false; // A stream listener of datagrams.
    bool sharesPort = false; // With other processes.
    bool hasProxyHeaders = false; // Connections begin with a PROXY header.
};

// What a worker tells the control thread. Functions are called on the worker's thread.
struct WorkerOutputs
{
    std::function<void(PassiveReport)> onPassive;
    std::function<void(PolicyReport)> onPolicy;
    std::function<void(std::vector<api::AccessEvent>, std::string logLines)> onAccess;
};

// One thread of the proxy: its loop, listeners, connections, pools, balancers and counters.
//
// Threads: start() and post() any; everything else its own.
class Worker final : private net::TurnEndHandler
{
public:
    // Errors: Io when the loop or the resolver cannot be made.
    [[nodiscard]] static Result<std::unique_ptr<Worker>> make(
        const Clock& clock,
        const api::EngineOptions& options,
        const Timeouts& timeouts,
        Seed seed,
        WorkerOutputs outputs
    );
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    ~Worker();

    void start(std::size_t number);
    void stopAndJoin();
    [[nodiscard]] net::EventLoop& loop() { return *m_loop; }

    // On its own thread from here on.
    void addListener(std::shared_ptr<const Listener> listener, FileDescriptor socket);
    void removeListener(const std::string& key);
    void activate(Activation activation);
    void setAvailability(const std::string& upstream, const std::string& target, bool isAvailable);
    [[nodiscard]] telemetry::Reading takeReading();
    // Which headers sampled requests are told with, lower case; null: none.
    void setTapHeaders(std::shared_ptr<const std::vector<std::string>> names)
    {
        m_tapHeaders = names->empty() ? nullptr : std::move(names);
    }
    void drain(); // Refuses new connections, ends idle ones, closes after each answer.
    [[nodiscard]] std::size_t connectionCount() const
    {
        return m_clients.size() - m_streamDrivers + m_http2.size() + m_streams->count();
    }
    void closeAll();

    // For connections.
    [[nodiscard]] Exchange* takeExchange();
    void giveBack(Exchange* exchange);
    [[nodiscard]] RequestPolicy& takePolicy();
    void giveBack(RequestPolicy* state);
    // Sends a copy whose answer is dropped. False when kMirrorsPerWorkerMax are on their way.
    [[nodiscard]] bool sendMirror(
        Destination to, UsageLease lease, http::Method method, std::string request
    );
    // How late the loop is within its turn.
    [[nodiscard]] Duration loopLag() const;
    // Requests that wait until an upstream's limits allow another connection.
    void awaitConnection(ClientConnection& client);
    void forgetAwaiting(ClientConnection& client);
    void onConnectionFreed();
    // Closes what is kept of an upstream, so that its limits allow other connections.
    static void closeIdle(UpstreamState& upstream);
    // A connection that counts against a limit is kept from now on.
    void watchIdle();
    // Connections to this target under this protection. `serverName` matters under TLS only, and
    // `plainVersion` without it: ALPN is part of the protection.
    [[nodiscard]] UpstreamPool& poolFor(
        UpstreamState& upstream,
        std::uint32_t target,
        const std::shared_ptr<const tls::ClientContext>& tls,
        std::string_view serverName,
        model::HttpVersion plainVersion = model::HttpVersion::Http1
    );
    void close(ClientConnection& connection);
    // A client's connection goes on as HTTP/2; drops it when it cannot.
    void continueAsHttp2(
        std::shared_ptr<const Listener> listener,
        Transport transport,
        std::string peer,
        const H2ServerConnection::Upgrade* upgrade,
        std::string_view bytes
    );
    void openStreamDriver(
        const std::shared_ptr<const Listener>& listener,
        std::unique_ptr<ByteStream> stream,
        const std::string& peer
    );
    void onHttp2Limit(http::H2Limit limit, std::string_view peer);
    void close(H2ServerConnection& connection);
    [[nodiscard]] const Timeouts& timeouts() const { return m_timeouts; }
    void releaseUpstream(UpstreamState& upstream);
    // Tells the control thread what an attempt met, when that can change the target's health.
    void observe(
        UpstreamState& upstream, std::uint32_t target, policy::Observation::Kind kind, int status
    );
    [[nodiscard]] StreamFront& streams() { return *m_streams; }
    // Who connected is known: from the socket, or from a PROXY header.
    void onIdentified(
        const std::shared_ptr<const Listener>& listener,
        FileDescriptor socket,
        const StreamPeers& peers
    );
    // Behind the session tickets of listeners.
    void setTickets(std::shared_ptr<const tls::TicketKeys> keys) { m_tickets = std::move(keys); }
    [[nodiscard]] const std::shared_ptr<const tls::TicketKeys>& tickets() const
    {
        return m_tickets;
    }
    // Counted, told and logged, the log at most once a second.
    void onMeshPeerRefused(
        const Listener& listener,
        std::string_view peer,
        std::string_view kind,
        std::string_view reason,
        std::string_view detail
    );
    [[nodiscard]] PolicyTally& tally() { return *m_tally; }
    // Says so when `reason` is why a handshake with this target failed.
    void tellTlsFailure(
        const config::UpstreamPlan& upstream, std::uint32_t target, std::string_view reason
    );
    [[nodiscard]] Runtime& runtime() { return *m_runtime; }
    void releaseRuntime(Runtime& runtime);
    [[nodiscard]] bool isOpen(const Listener& listener) const;
    [[nodiscard]] bool isDraining() const { return m_isDraining; }
    [[nodiscard]] telemetry::WorkerCounters& counters() { return m_counters; }
    [[nodiscard]] Random& random() { return m_random; }
    [[nodiscard]] net::Resolver& resolver() { return *m_resolver; }
    [[nodiscard]] std::span<char> scratch() { return m_scratch; }
    [[nodiscard]] const OwnNames& names() const { return m_names; }
    [[nodiscard]] std::vector<policy::HeaderView>& headerViews() { return m_headerViews; }
    void onStreamEnd(const Exchange& exchange, std::string_view peer, std::string_view protocol);
    // Whether a record of what ends now would be kept at all; asked once for each.
    [[nodiscard]] bool wantsRecord();
    // Into the access log and, when this second has room, among the access events. `path` is the
    // record's target as routed.
    // The sample that it became, until the next call; null: it is only logged.
    api::AccessEvent* keepRecord(const telemetry::AccessRecord& record, std::string_view path);

private:
    class Listening;
    Worker(
        const api::EngineOptions& options,
        const Timeouts& timeouts,
        Seed seed,
        WorkerOutputs outputs
    );

    [[nodiscard]] UpstreamState& upstreamFor(
        const config::UpstreamPlan& plan, const std::string& nodeZone
    );
    void fillListeners(Runtime& runtime) const;
    void dropUnusedUpstreams();
    void retirePools();
    void sweepPools();
    void onAccepted(
        const std::shared_ptr<const Listener>& listener,
        FileDescriptor socket,
        const net::SocketAddress& peer
    );
    void onMirrorEnd(SideAttempt& mirror);
    void yieldIdle();
    void onTurnEnd() override;
    [[nodiscard]] std::string gatewaySource() const;
    void flushAccess();
    void describe(api::AccessEvent& sample, const Exchange& exchange) const;
    void captureHeaders(api::AccessEvent& sample, const Exchange& exchange) const;
    void reportSuccesses();

    api::EngineOptions m_options;
    Timeouts m_timeouts;
    Random m_random;
    WorkerOutputs m_outputs;
    OwnNames m_names = makeOwnNames();
    telemetry::WorkerCounters m_counters;
    std::unique_ptr<net::EventLoop> m_loop;
    std::unique_ptr<PolicyTally> m_tally;
    std::unique_ptr<net::Resolver> m_resolver;
    std::vector<char> m_scratch;
    std::vector<policy::HeaderView> m_headerViews;
    std::unique_ptr<UpstreamPools> m_pools;
    std::vector<std::unique_ptr<UpstreamState>> m_upstreams;
    std::vector<std::unique_ptr<Runtime>> m_retired; // Kept for their last streams.
    std::unique_ptr<Runtime> m_runtime;
    std::vector<std::shared_ptr<const Listener>> m_known; // By index; null: removed.
    std::vector<std::unique_ptr<Listening>> m_listening;
    std::vector<std::unique_ptr<Exchange>> m_exchanges; // All ever made.
    std::vector<Exchange*> m_spareExchanges;
    std::vector<std::unique_ptr<RequestPolicy>> m_policies; // All ever made.
    std::vector<RequestPolicy*> m_sparePolicies;
    std::vector<std::unique_ptr<SideAttempt>> m_mirrors;
    std::vector<ClientConnection*> m_awaiting; // In order of arrival.
    std::vector<std::unique_ptr<ClientConnection>> m_clients;
    std::vector<std::unique_ptr<H2ServerConnection>> m_http2;
    std::size_t m_streamDrivers = 0; // Of m_clients: those over a stream of one of m_http2.
    std::array<TimePoint, static_cast<std::size_t>(http::H2Limit::Count)> m_limitLoggedAt{};
    TimePoint m_refusalLoggedAt{};
    std::shared_ptr<const tls::TicketKeys> m_tickets;
    std::unique_ptr<StreamFront> m_streams;
    std::vector<api::AccessEvent> m_samples;
    std::shared_ptr<const std::vector<std::string>> m_tapHeaders;
    std::string m_logLines;
    std::unique_ptr<net::FunctionTimer> m_accessTimer;
    std::unique_ptr<net::FunctionTimer> m_idleTimer; // While kept connections hold leases.
    TimePoint m_sampleSecond{};
    std::size_t m_sampled = 0; // In the present second.
    bool m_isDraining = false;
    bool m_owesSweep = false; // A pool may have fallen out of all lists.
    Thread m_thread;
};

} // namespace mesh::proxy
