#include "proxyengine/config/codec.h"
#include "proxyengine/config/compile.h"
#include "proxyengine/proxy/engine_core.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace mesh::proxy {
namespace {

constexpr Duration kDrainCheck = std::chrono::milliseconds(20);
constexpr Duration kSelfSignedLifetime = std::chrono::hours(24 * 30);

std::string keyOf(const config::ListenerPlan& plan)
{
    return fmt::format("{}|{}", plan.name, plan.address);
}

api::CommandDone::Problem toProblem(const config::Problem& problem)
{
    api::CommandDone::Problem out;
    out.path = problem.path;
    if (problem.place) {
        out.line = problem.place->line;
        out.column = problem.place->column;
    }
    out.code = toText(problem.code);
    out.message = problem.message;
    return out;
}

} // namespace

void EngineCore::execute(CommandId id, api::Command command)
{
    if (const auto* document = std::get_if<api::ApplyDocument>(&command)) {
        if (const auto wanted = document->onlyIfHash; !wanted.empty() && wanted != runningHash()) {
            refuseOther(id, wanted);
        } else {
            apply(id, document->document);
        }
    } else if (const auto* health = std::get_if<api::SetTargetHealth>(&command)) {
        setHealth(id, *health);
    } else if (const auto* level = std::get_if<api::SetLogLevel>(&command)) {
        setLogLevel(level->level);
        done(id, api::Applied{m_snapshot->hash});
    } else if (const auto* drained = std::get_if<api::Drain>(&command)) {
        drain(id, drained->grace);
    } else if (const auto* asked = std::get_if<api::SetMaintenance>(&command)) {
        setMaintenance(id, asked->maintenance);
    } else if (auto* tap = std::get_if<api::SetTapHeaders>(&command)) {
        setTapHeaders(id, std::move(tap->names));
    } else if (const auto* late = std::get_if<api::DelayVerdicts>(&command)) {
        m_verdicts->set(late->upstream, late->by);
        done(id, api::Applied{m_snapshot->hash});
    }
}

// Documents on their way count: what was accepted first is what the next one is about.
const std::string& EngineCore::runningHash() const { return m_snapshot->hash; }

// Somebody else was faster: nothing changes, and the answer says what runs.
void EngineCore::refuseOther(CommandId id, const std::string& wanted)
{
    const std::string running = runningHash().empty() ? "nothing yet" : runningHash();
    api::CommandDone refused{
        id,
        fail(
            ErrorCode::Conflict,
            fmt::format("the node runs {}, not {}; look at the difference first", running, wanted)
        ),
        {}};
    refused.problems.push_back({"", 0, 0, std::string(toText(ErrorCode::Conflict)), runningHash()});
    emit(refused);
}

void EngineCore::done(CommandId id, Result<api::Applied> result)
{
    emit(api::CommandDone{id, std::move(result), {}});
}

void EngineCore::apply(CommandId id, const std::shared_ptr<const model::Document>& document)
{
    if (document == nullptr) {
        done(id, fail(ErrorCode::InvalidArgument, "there is no document"));
        return;
    }
    config::CompileResult compiled = config::compile(*document, m_options.node);
    if (compiled.snapshot == nullptr) {
        api::CommandDone refused{
            id, fail(ErrorCode::InvalidArgument, "the document cannot run on this node"), {}};
        for (const config::Problem& problem : compiled.problems) {
            refused.problems.push_back(toProblem(problem));
        }
        emit(refused);
        return;
    }
    std::string former = runningHash();
    if (auto activated = activate(compiled.snapshot); !activated) {
        api::CommandDone refused{id, tl::unexpected(activated.error()), {}};
        refused.problems.push_back(
            {"", 0, 0, std::string(toText(activated.error().code)), activated.error().message}
        );
        emit(refused);
        return;
    }
    auto left = std::make_shared<std::atomic<std::size_t>>(m_workers.size());
    m_rollovers.push_back({id, m_snapshot->hash, std::move(former), left});
    onEachWorker([this, left](Worker&, std::size_t) {
        if (left->fetch_sub(1, std::memory_order_relaxed) == 1) {
            // A full mailbox is no loss: collect() looks every second.
            static_cast<void>(m_loop->post([this] { answerRollovers(); }));
        }
    });
}

void EngineCore::answerRollovers()
{
    while (!m_rollovers.empty()
           && m_rollovers.front().workersLeft->load(std::memory_order_relaxed) == 0) {
        const Rollover activated = std::move(m_rollovers.front());
        m_rollovers.pop_front();
        done(activated.id, api::Applied{activated.hash});
        emitPolicy(
            "config_applied",
            activated.hash,
            activated.formerHash.empty() ? "" : "was " + activated.formerHash
        );
        emit(state());
    }
}

Result<std::vector<EngineCore::Bound>> EngineCore::bindNew(const config::Snapshot& snapshot)
{
    std::vector<Bound> made;
    for (const config::ListenerPlan& plan : snapshot.listeners) {
        if (plan.kind == config::ListenerKind::Gateway || m_bound.contains(keyOf(plan))) {
            continue;
        }
        Listener listener;
        listener.key = keyOf(plan);
        listener.kind = plan.kind;
        listener.name = plan.name;
        listener.planName = plan.name;
        auto bound = bind(std::move(listener), plan.address, m_listenersEver + made.size());
        if (!bound) {
            Error error = std::move(bound).error();
            error.message = fmt::format("{} ({}): {}", plan.name, plan.address, error.message);
            return tl::unexpected(std::move(error));
        }
        made.push_back(*std::move(bound));
    }
    return made;
}

Result<std::shared_ptr<const tls::ServerContext>> EngineCore::makeServerTls(
    const config::Snapshot& snapshot
)
{
    const bool isNeeded = std::ranges::any_of(m_options.proxyListen, &api::ListenOption::ssl)
                          || std::ranges::any_of(m_options.streamListen, &api::ListenOption::ssl);
    if (!isNeeded) {
        return std::shared_ptr<const tls::ServerContext>();
    }
    if (m_ownCertificate.keyPem.empty()) {
        MESH_TRY(
            m_ownCertificate,
            tls::makeSelfSigned("localhost", m_clock.wallNow(), kSelfSignedLifetime)
        );
    }
    return makeGatewayServer(snapshot, m_ownCertificate);
}

// A new key for tickets; clients of the old one resume for one more period.
void EngineCore::rotateTickets()
{
    auto keys = m_tickets == nullptr ? tls::TicketKeys::make() : m_tickets->rotated();
    m_ticketTimer->arm(m_loop->now() + m_timeouts.ticketRotation);
    if (!keys) {
        MESH_LOG(Warn, "tls.tickets_kept", kv("error", keys.error()));
        return;
    }
    m_tickets = *std::move(keys);
    onEachWorker([tickets = m_tickets](Worker& worker, std::size_t) { worker.setTickets(tickets); }
    );
}

Result<void> EngineCore::activate(const std::shared_ptr<const config::Snapshot>& snapshot)
{
    Activation activation;
    activation.snapshot = snapshot;
    MESH_TRY(activation.serverTls, makeServerTls(*snapshot));
    MESH_TRY(auto probeTls, makeMeshProbe(*snapshot));
    MESH_TRY(activation.meshServers, makeMeshServers(*snapshot));
    MESH_TRY(activation.verifiers, makeVerifiers(*snapshot));
    MESH_TRY(activation.upstreamTls, m_upstreamTls.makeAll(snapshot->upstreamTls));
    MESH_TRY(std::vector<Bound> made, bindNew(*snapshot));
    m_listenersEver += made.size();
    m_board->apply(*snapshot, std::move(probeTls));
    activation.isAvailable = shownAvailability(*snapshot);
    m_cells = makePolicyCells(*snapshot, m_cells.get(), m_seed);
    activation.cells = m_cells;
    m_policies->apply(m_cells);
    m_formerSnapshots.push_back(std::exchange(m_snapshot, snapshot));
    warnOfStreams(*snapshot);
    dropGone(*snapshot);
    onEachWorker([activation](Worker& worker, std::size_t) { worker.activate(activation); });
    for (Bound& bound : made) {
        handOver(bound);
        std::string key = bound.listener->key;
        m_bound.emplace(std::move(key), std::move(bound));
    }
    return {};
}

// What balancing is to go by, which may be older than what the board knows.
std::vector<std::vector<bool>> EngineCore::shownAvailability(const config::Snapshot& snapshot) const
{
    std::vector<std::vector<bool>> shown = m_board->availability();
    for (std::size_t at = 0; at < shown.size(); ++at) {
        const config::UpstreamPlan& plan = snapshot.upstreams[at];
        for (std::size_t target = 0; target < shown[at].size(); ++target) {
            shown[at][target] =
                m_verdicts->shown(plan.name, plan.targets[target].address, shown[at][target]);
        }
    }
    return shown;
}

// Says once of every stream listener that no route uses, and of every stream route that no listener
// serves; again only after it was put right in between.
void EngineCore::warnOfStreams(const config::Snapshot& snapshot)
{
    if (snapshot.hash.empty()) {
        return; // Before the first configuration nothing is routed.
    }
    std::set<std::uint16_t> listened;
    std::set<std::uint16_t> routed;
    std::set<std::uint16_t> unrouted;
    bool takesAny = false; // A route by source, address or server name alone.
    for (const auto& [key, bound] : m_bound) {
        if (bound.listener->isStream) {
            listened.insert(bound.listener->port);
        }
    }
    for (const config::StreamRoutePlan& route : snapshot.streamRoutes) {
        routed.insert(route.ports.begin(), route.ports.end());
        takesAny = takesAny || route.ports.empty();
    }
    std::ranges::set_symmetric_difference(
        listened, routed, std::inserter(unrouted, unrouted.end())
    );
    for (const std::uint16_t port : unrouted) {
        if (m_unrouted.contains(port) || (takesAny && listened.contains(port))) {
            continue;
        }
        if (listened.contains(port)) {
            MESH_LOG(
                Warn,
                "stream.unrouted",
                kv("port", port),
                kv("reason", "no stream route has this port; connections are refused")
            );
        } else {
            MESH_LOG(
                Warn,
                "stream.unserved",
                kv("port", port),
                kv("reason", "a stream route names this port, no --stream-listen does")
            );
        }
    }
    m_unrouted = std::move(unrouted);
}

void EngineCore::dropGone(const config::Snapshot& snapshot)
{
    std::set<std::string> wanted;
    for (const config::ListenerPlan& plan : snapshot.listeners) {
        wanted.insert(keyOf(plan));
    }
    for (auto at = m_bound.begin(); at != m_bound.end();) {
        const Listener& listener = *at->second.listener;
        if (listener.kind == config::ListenerKind::Gateway || wanted.contains(listener.key)) {
            ++at;
            continue;
        }
        onEachWorker([key = listener.key](Worker& worker, std::size_t) {
            worker.removeListener(key);
        });
        at = m_bound.erase(at);
    }
}

void EngineCore::setHealth(CommandId id, const api::SetTargetHealth& command)
{
    using Override = policy::HealthMachine::Override;
    const Override word = command.health == api::HealthOverride::Healthy     ? Override::Healthy
                          : command.health == api::HealthOverride::Unhealthy ? Override::Unhealthy
                                                                             : Override::None;
    if (!m_board->setOverride(command.upstream, command.target, word)) {
        done(
            id,
            fail(
                ErrorCode::NotFound,
                fmt::format("upstream {} has no target {}", command.upstream, command.target)
            )
        );
        return;
    }
    done(id, api::Applied{m_snapshot->hash});
}

void EngineCore::drain(std::optional<CommandId> id, Duration grace)
{
    if (m_drainCommand && id) {
        done(*id, api::Applied{m_snapshot->hash}); // One is on its way already.
        id.reset();
    }
    if (id) {
        m_drainCommand = id;
    }
    m_drainEnd = m_loop->now() + grace;
    m_state = api::EngineState::Draining;
    onEachWorker([](Worker& worker, std::size_t) { worker.drain(); });
    emit(state());
    checkDrained();
}

void EngineCore::checkDrained()
{
    if (m_loop->now() >= m_drainEnd) {
        onDrained();
        return;
    }
    m_drainTimer->arm(m_loop->now() + kDrainCheck);
    m_drainAnswers = 0;
    m_drainConnections = 0;
    onEachWorker([this](Worker& worker, std::size_t) {
        static_cast<void>(m_loop->post([this, count = worker.connectionCount()] {
            m_drainConnections += count;
            if (++m_drainAnswers == m_workers.size() && m_drainConnections == 0
                && m_state == api::EngineState::Draining) {
                onDrained();
            }
        }));
    });
}

void EngineCore::onDrained()
{
    m_drainTimer->cancel();
    m_state = api::EngineState::Stopped;
    onEachWorker([](Worker& worker, std::size_t) { worker.closeAll(); });
    if (m_drainCommand) {
        done(*std::exchange(m_drainCommand, std::nullopt), api::Applied{m_snapshot->hash});
    }
    if (m_stopsWhenDrained) {
        for (const auto& worker : m_workers) {
            worker->stopAndJoin();
        }
    }
    emit(state());
    if (m_stopsWhenDrained) {
        m_loop->stop();
    }
}

void EngineCore::stop(Duration grace)
{
    m_stopsWhenDrained = true;
    if (m_state == api::EngineState::Stopped) {
        onDrained();
    } else {
        drain(std::nullopt, grace);
    }
}

} // namespace mesh::proxy
