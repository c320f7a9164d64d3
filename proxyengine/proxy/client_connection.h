#pragma once

#include "proxyengine/net/event_loop.h"
#include "proxyengine/policy/health.h"
#include "proxyengine/policy/retry.h"
#include "proxyengine/proxy/exchange.h"
#include "proxyengine/proxy/transport.h"
#include "proxyengine/proxy/upstream_pool.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mesh::proxy {

class Worker;
struct Listener;

// One client's connection and, while there is one, the stream on it. Requests of a connection are
// answered one after the other, so pipelined ones are answered in order.
//
//   Handshake -> Idle <-> Head -> Exchange -> Idle | Lingering -> Closed
//
// Idle, it holds no buffer and no exchange. Lives on one worker from accept to close.
class ClientConnection final
    : private net::FdHandler
    , private net::TimerHandler
    , private UpstreamUser
{
public:
    ClientConnection(
        Worker& worker,
        std::shared_ptr<const Listener> listener,
        FileDescriptor socket,
        std::string peer
    );
    // Over a stream of somebody else's connection.
    ClientConnection(
        Worker& worker,
        std::shared_ptr<const Listener> listener,
        std::unique_ptr<ByteStream> stream,
        std::string peer
    );
    ~ClientConnection();

    // Watches the socket and begins. Errors: Io, Tls; the connection is to be dropped.
    [[nodiscard]] Result<void> begin(const tls::ServerContext* tls);
    [[nodiscard]] const Listener& listener() const { return *m_listener; }
    [[nodiscard]] bool isOverStream() const { return m_transport.stream() != nullptr; }
    [[nodiscard]] bool isIdle() const { return m_phase == Phase::Idle || m_phase == Phase::Head; }
    // Not a byte of a request has come, not even to the kernel: its end loses none.
    [[nodiscard]] bool isUnasked() const;
    // The same for a sidecar's inbound listener in a mesh: the first byte says whether it is TLS.
    [[nodiscard]] Result<void> beginMesh();
    // Ends it whatever it does; the worker destroys it at the end of the turn.
    void abort(std::string_view failure);

    // For what it waits for.
    void onPolicyTimer();
    void onConnectionFreed();
    [[nodiscard]] const UpstreamState* awaitedUpstream() const; // While it waits.

    std::size_t place = 0; // In the worker's list.

private:
    enum class Phase : std::uint8_t { Handshake, Idle, Head, Exchange, Lingering, Closed };
    enum class Begun : std::uint8_t { Started, Failed };
    enum class Lookup : std::uint8_t { None, Asking, Answered, Failed };
    enum class Progress : std::uint8_t { Moved, Stuck };
    enum class AfterFailure : std::uint8_t { Again, Wait, GiveUp, Undecided };

    void onReady(net::Ready ready) override;
    void onTimer(net::Timer& timer) override;
    void onUpstreamReady(net::Ready ready) override;
    void onUpstreamTimeout() override;

    // client_connection.cpp
    void run();
    Progress readHead();
    void refuse(int status, std::string_view message, std::string_view failure);
    void linger();
    void drainLingering();
    void goIdle();
    void finish();
    void recordRequest(Duration took);
    void recordBytes();
    void recordEnd();

    // client_http2.cpp
    [[nodiscard]] bool beginsHttp2() const;
    [[nodiscard]] std::optional<std::string_view> upgradeSettings() const;
    void becomeHttp2(std::optional<std::string_view> settings);

    // client_request.cpp
    // For the node's events and for the sample of this request. `kind`: a literal.
    void noteVerdict(
        std::string_view kind,
        std::string_view subject,
        std::string_view reason,
        std::string_view detail = {}
    );
    void startExchange();
    bool readHost();
    bool route();
    void answerSelf(
        int status,
        std::string_view message,
        std::string_view failure,
        std::string_view extraFields = {}
    );
    void answerRaw(
        int status,
        std::string_view contentType,
        std::string_view body,
        std::string_view failure,
        std::string_view extraFields = {}
    );
    Progress pumpOwn();

    // client_body.cpp
    [[nodiscard]] std::string_view bodyBytes() const;
    void consumeBody(std::size_t count);
    void rewindBody();
    [[nodiscard]] std::string_view wholeBody() const;
    Progress cutRequestBody();
    Progress readRequestBody();
    void makeRoomForBody();
    [[nodiscard]] std::span<char> roomForBody();
    void sendContinue();
    void skipBufferedBody();
    void keepNextRequest();

    // client_admission.cpp
    [[nodiscard]] std::optional<std::size_t> chooseSplit(const config::RoutePlan& route);
    void beginPolicy(std::optional<std::size_t> resilience);
    void adoptPlan(std::optional<std::size_t> resilience);
    [[nodiscard]] bool admit();
    [[nodiscard]] bool admitByOverload();
    [[nodiscard]] bool admitByRate();
    [[nodiscard]] bool admitByFault();
    [[nodiscard]] bool abortByFault();
    [[nodiscard]] bool admitByBreaker();
    [[nodiscard]] bool admitByConcurrency();
    [[nodiscard]] bool countInBudget();
    [[nodiscard]] bool serveFallback(const config::KeptPlan<model::Breaker>& plan);
    [[nodiscard]] std::string_view rateKey(const model::RateLimit& limit);
    void appendFields(const policy::RateHeaders& headers);
    void refuseByPolicy(
        int status, std::string_view message, std::string reason, std::string_view extraFields
    );
    [[nodiscard]] bool admitAttempt();
    void tellLimit(const policy::LimitVerdict& verdict);
    void refuseByLimit(const policy::LimitVerdict& verdict);
    [[nodiscard]] bool holdLimitedRetry(UsageLease& retryLease);
    void leaveQueue(RequestPolicy& state);
    void settleVerdicts(RequestPolicy& state, Duration took);
    void settlePolicy();

    // client_authentication.cpp
    [[nodiscard]] bool decideMesh();
    void onHandshakeFailed();
    [[nodiscard]] bool admitPeer();
    [[nodiscard]] bool authenticate();
    void countProtection();
    void tellTlsFailure(std::string_view reason);
    [[nodiscard]] bool isForeignName(std::string_view reason) const;
    void refuseName(std::string_view reason);

    // client_attempt.cpp
    void startAttempts();
    Begun tryOnce();
    [[nodiscard]] std::optional<std::uint32_t> pickTarget(
        UpstreamState& upstream, const config::ServicePlan& service, const policy::TriedHosts& tried
    );
    [[nodiscard]] UpstreamPool& poolOf(
        UpstreamState& upstream, const config::ServicePlan& service, std::uint32_t picked
    );
    [[nodiscard]] std::optional<std::uint64_t> hashFor(const UpstreamState& upstream);
    Begun connect(const net::SocketAddress& address);
    void onResolved(const Result<std::vector<net::SocketAddress>>& addresses);
    [[nodiscard]] std::string_view connectFailureText() const;
    void onConnecting(net::Ready ready);
    void onAttemptFailed(policy::AttemptFailure failure, std::string_view reason);
    bool prepareRetry(policy::AttemptFailure failure, std::string_view reason);
    void giveUp(policy::AttemptFailure failure, std::string_view reason);
    AfterFailure repeatByService(policy::AttemptFailure failure);
    bool isStale(policy::AttemptFailure failure) const;
    void recordFailure(policy::AttemptFailure failure);
    void endAttempt();
    void report(policy::Observation::Kind kind, int status);
    void reportRoundTrip(policy::AttemptEnd end);

    // client_retry.cpp
    [[nodiscard]] std::optional<Duration> timeLeft() const;
    [[nodiscard]] policy::RetryProgress retryProgress() const;
    [[nodiscard]] std::optional<Duration> grantRetry(const policy::AttemptOutcome& outcome);
    [[nodiscard]] bool holdRetry(RequestPolicy& state);
    void endRetryHold(RequestPolicy& state);
    [[nodiscard]] AfterFailure repeatByPolicy(policy::AttemptFailure failure);
    [[nodiscard]] policy::AttemptOutcome outcomeOf(const http::ResponseHead& answer);
    [[nodiscard]] bool repeatsAnswer();
    void dropAnswer();
    void prepareNextAttempt();
    void beginTry();
    void takeBackTry();
    void settleRace();
    void onDeadline();
    void onWaitEnd();

    // client_hedge.cpp
    [[nodiscard]] std::optional<Destination> chooseDestination(
        const config::ServicePlan& service, const policy::TriedHosts& tried, UsageLease& lease
    );
    [[nodiscard]] std::optional<std::string> copyRequest(const Destination& to);
    [[nodiscard]] bool isBodyWhole() const;
    void planHedge();
    void startHedge();
    [[nodiscard]] bool holdHedge(RequestPolicy& state, UsageLease& retryLease);
    void endHedgeHold(RequestPolicy& state);
    void onHedgeDecided(SideAttempt& decided);
    [[nodiscard]] bool mayBeBettered(const http::ResponseHead& answer);
    void onAllFailed(policy::AttemptFailure failure);
    void takeOverHedge(std::size_t place);
    void cancelHedges();
    void sendMirror();

    // client_pump.cpp
    Progress step();
    Progress sendHead();
    Progress pumpUp();
    Progress pumpDown();
    Progress readAnswer();
    Progress onAnswerHead();
    void recordAnswer();
    Progress sendAnswerHead();
    Progress flush(net::Buffer& buffer, Transport& transport, bool& mayWrite);
    void armTimers();

    // client_upgrade.cpp
    void chooseUpgrade();
    Progress openTunnel();
    void keepHeadOnly();
    Progress stepTunnel();
    void armTunnel();
    void onTunnelIdle();

    // client_grpc.cpp
    [[nodiscard]] bool admitGrpc();
    void answerGrpc(
        http::GrpcStatus status,
        std::string_view message,
        std::string_view failure,
        std::string_view extraFields
    );
    void adoptGrpcTimeout();
    [[nodiscard]] int attemptStatus();
    [[nodiscard]] int resultStatus() const;
    void reportAnswer();
    void recordGrpc(Duration took);
    [[nodiscard]] bool endGrpc(http::GrpcStatus status, std::string_view message);

    // client_compress.cpp
    void beginCompression();
    Progress sendCompressedHead(std::string_view head);
    Progress pumpCompressed();
    Progress compressPieces(http::Flush flush);

    Worker& m_worker;
    std::shared_ptr<const Listener> m_listener;
    Transport m_transport;
    net::Buffer m_in;
    net::Timer m_timer;
    Exchange* m_exchange = nullptr; // The worker's; from the first byte of a head to the end.
    std::string m_peer; // Address without port.
    Phase m_phase = Phase::Idle;
    bool m_mayRead = false;
    bool m_mayWrite = true;
    Lookup m_lookup = Lookup::None; // While a name is asked for.
    bool m_isRunning = false; // Inside run(): events of the upstream wait for it.
};

} // namespace mesh::proxy
