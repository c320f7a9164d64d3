#pragma once

#include "proxyengine/api/engine.h"
#include "proxyengine/api/engine_options.h"
#include "proxyengine/base/clock.h"
#include "proxyengine/base/log.h"
#include "proxyengine/net/event_loop.h"
#include "proxyengine/proxy/health_board.h"
#include "proxyengine/proxy/outbox.h"
#include "proxyengine/proxy/policy_board.h"
#include "proxyengine/proxy/policy_ledger.h"
#include "proxyengine/proxy/tls_contexts.h"
#include "proxyengine/proxy/verdict_delay.h"
#include "proxyengine/proxy/worker.h"
#include "proxyengine/telemetry/counters.h"

#include <atomic>
#include <cstdio>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace mesh::proxy {

// The control thread's side of a LocalEngine: compiles and posts snapshots, owns listeners and
// health, collects statistics, tells the sinks.
//
// Threads: made on the caller's, then its loop's; post to loop().
class EngineCore
{
public:
    // Binds the gateway's addresses and starts the workers. Errors: as makeLocalEngine().
    [[nodiscard]] static Result<std::unique_ptr<EngineCore>> make(
        api::EngineOptions options, const Timeouts& timeouts
    );
    ~EngineCore();

    [[nodiscard]] net::EventLoop& loop() { return *m_loop; }
    void begin(); // First thing on the control thread.
    void execute(CommandId id, api::Command command);
    void subscribe(api::EventSink& sink);
    void stop(Duration grace); // Ends the loop when drained.

private:
    struct Bound
    {
        std::shared_ptr<const Listener> listener;
        std::string address; // As bound.
        std::vector<FileDescriptor> sockets; // One per worker until handed over.
    };

    // A document on its way to the workers. Its command is answered when the last of them runs it,
    // so that whoever was told of it never meets the configuration before.
    struct Rollover
    {
        CommandId id;
        std::string hash;
        std::string formerHash; // Empty: the first.
        std::shared_ptr<std::atomic<std::size_t>> workersLeft;
    };

    EngineCore(api::EngineOptions options, const Timeouts& timeouts);
    [[nodiscard]] Result<void> makeWorkers();
    [[nodiscard]] Result<void> bindOwn();
    [[nodiscard]] Result<void> bindOption(const api::ListenOption& option, Listener listener);
    [[nodiscard]] Result<Bound> bind(
        Listener listener, const std::string& address, std::size_t index
    );
    void handOver(Bound& bound);
    [[nodiscard]] Result<std::vector<Bound>> bindNew(const config::Snapshot& snapshot);

    void apply(CommandId id, const std::shared_ptr<const model::Document>& document);
    void answerRollovers();
    [[nodiscard]] Result<void> activate(const std::shared_ptr<const config::Snapshot>& snapshot);
    [[nodiscard]] Result<std::shared_ptr<const tls::ServerContext>> makeServerTls(
        const config::Snapshot& snapshot
    );
    void rotateTickets();
    void warnOfStreams(const config::Snapshot& snapshot);
    void dropGone(const config::Snapshot& snapshot);
    void setHealth(CommandId id, const api::SetTargetHealth& command);
    [[nodiscard]] const std::string& runningHash() const;
    void refuseOther(CommandId id, const std::string& wanted);
    void setTapHeaders(CommandId id, std::vector<std::string> names);
    void setMaintenance(CommandId id, api::Maintenance maintenance);
    [[nodiscard]] std::vector<Bound*> pausable();
    [[nodiscard]] Result<void> pauseListeners();
    [[nodiscard]] Result<void> resumeListeners();
    void drain(std::optional<CommandId> id, Duration grace);
    void checkDrained();
    void onDrained();
    void done(CommandId id, Result<api::Applied> result);

    void onVerdict(const telemetry::TargetHealth& health);
    void show(const VerdictDelay::Verdict& verdict);
    [[nodiscard]] std::vector<std::vector<bool>> shownAvailability(const config::Snapshot& snapshot
    ) const;
    void onAccess(std::vector<api::AccessEvent> events, const std::string& lines);
    void collect();
    void dropFormerSnapshots();
    void onReading(std::uint64_t round, telemetry::Reading reading);
    void emit(const api::Event& event);
    void emitPolicy(std::string kind, std::string subject, std::string reason);
    [[nodiscard]] api::StateEvent state() const;
    template <typename Function>
    void onEachWorker(const Function& function);

    SystemClock m_clock;
    api::EngineOptions m_options;
    Timeouts m_timeouts;
    Seed m_seed{0};
    std::unique_ptr<net::EventLoop> m_loop;
    std::unique_ptr<PolicyLedger> m_ledger;
    std::unique_ptr<VerdictDelay> m_verdicts;
    std::unique_ptr<HealthBoard> m_board;
    std::unique_ptr<PolicyBoard> m_policies;
    std::vector<std::unique_ptr<Worker>> m_workers;
    std::vector<std::unique_ptr<Outbox>> m_outboxes; // By worker.
    std::vector<std::unique_ptr<Outbox>>
        m_returns; // By worker, of its loop: what must not be lost.
    std::set<std::uint16_t> m_unrouted; // Ports of streams that somebody was warned of.
    std::vector<api::EventSink*> m_sinks;
    std::map<std::string, Bound> m_bound; // By the listener's key.
    std::size_t m_listenersEver = 0;
    std::shared_ptr<const config::Snapshot> m_snapshot;
    // Kept until nobody else has them: destroying many routes takes milliseconds, which a worker
    // that dropped the last reference would take from its requests.
    std::vector<std::shared_ptr<const config::Snapshot>> m_formerSnapshots;
    UpstreamContexts m_upstreamTls;
    tls::CertificateText m_ownCertificate; // While the document has none.
    std::shared_ptr<const tls::TicketKeys> m_tickets;
    std::unique_ptr<net::FunctionTimer> m_ticketTimer;
    std::shared_ptr<const PolicyCells> m_cells; // Of the snapshot.
    std::deque<Rollover> m_rollovers; // In order.
    api::EngineState m_state = api::EngineState::Starting;
    std::unique_ptr<net::FunctionTimer> m_statsTimer;
    std::unique_ptr<net::FunctionTimer> m_drainTimer;
    telemetry::StatsFrame m_frame; // Being put together.
    std::size_t m_readingsMissing = 0;
    std::uint64_t m_round = 0;
    TimePoint m_collectedAt{};
    Duration m_cpuSeen{};
    TimePoint m_drainEnd{};
    std::size_t m_drainAnswers = 0;
    std::size_t m_drainConnections = 0;
    std::optional<CommandId> m_drainCommand;
    bool m_stopsWhenDrained = false;
    bool m_isInMaintenance = false;
    struct CloseFile
    {
        void operator()(std::FILE* file) const noexcept { static_cast<void>(std::fclose(file)); }
    };
    std::unique_ptr<std::FILE, CloseFile> m_accessFile; // Null: standard output.
};

template <typename Function>
void EngineCore::onEachWorker(const Function& function)
{
    for (std::size_t at = 0; at < m_workers.size(); ++at) {
        Worker& worker = *m_workers[at];
        m_outboxes[at]->post([function, &worker, at]() mutable { function(worker, at); });
    }
}

} // namespace mesh::proxy
