#include "proxyengine/proxy/engine_core.h"

#include "proxyengine/base/file.h"
#include "proxyengine/base/log.h"
#include "proxyengine/base/version.h"
#include "proxyengine/net/datagrams.h"

#include <fmt/format.h>

#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <utility>

// Making, listening, measuring; what commands do is in engine_commands.cpp.
namespace mesh::proxy {
namespace {

constexpr std::uint64_t kBoardSeed = 1U << 20U; // Behind those of the workers.

Seed systemSeed()
{
    std::uint64_t value = 0;
    if (getrandom(&value, sizeof(value), 0) != static_cast<ssize_t>(sizeof(value))) {
        value = static_cast<std::uint64_t>(getpid());
    }
    return Seed{value};
}

Duration processorTime()
{
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto toDuration = [](const timeval& time) {
        return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
    };
    return toDuration(usage.ru_utime) + toDuration(usage.ru_stime);
}

// The kernel's second field of statm, in pages; 0 where there is no such file.
std::uint64_t residentBytes()
{
    constexpr std::size_t kTextMax = 256; // Seven numbers.
    const Result<std::string> text = readFile("/proc/self/statm", kTextMax);
    const std::size_t space = text ? text->find(' ') : std::string::npos;
    if (space == std::string::npos) {
        return 0;
    }
    std::uint64_t pages = 0;
    std::from_chars(text->data() + space + 1, text->data() + text->size(), pages);
    return pages * static_cast<std::uint64_t>(std::max(sysconf(_SC_PAGESIZE), 0L));
}

} // namespace

EngineCore::EngineCore(api::EngineOptions options, const Timeouts& timeouts)
    : m_options(std::move(options))
    , m_timeouts(timeouts)
{
    if (m_options.workers <= 0) {
        m_options.workers = static_cast<int>(std::max(sysconf(_SC_NPROCESSORS_ONLN), 1L));
    }
    m_seed = m_options.seed ? *m_options.seed : systemSeed();
}

EngineCore::~EngineCore() = default;

Result<std::unique_ptr<EngineCore>> EngineCore::make(
    api::EngineOptions options, const Timeouts& timeouts
)
{
    std::unique_ptr<EngineCore> core(new EngineCore(std::move(options), timeouts));
    MESH_LOG(
        Info,
        "engine.started",
        kv("node", core->m_options.node),
        kv("workers", core->m_options.workers),
        kv("seed", core->m_seed.value)
    );
    if (core->m_options.accessLog != api::AccessLogFormat::Off
        && !core->m_options.accessLogFile.empty()) {
        core->m_accessFile.reset(std::fopen(core->m_options.accessLogFile.c_str(), "ae"));
        if (core->m_accessFile == nullptr) {
            return failErrno("cannot open " + core->m_options.accessLogFile, errno);
        }
    }
    MESH_TRY(core->m_loop, net::EventLoop::make(core->m_clock));
    core->m_ledger = std::make_unique<PolicyLedger>(
        *core->m_loop,
        [raw = core.get()](std::string kind, std::string subject, std::string reason) {
            raw->emitPolicy(std::move(kind), std::move(subject), std::move(reason));
        }
    );
    core->m_verdicts = std::make_unique<VerdictDelay>(
        *core->m_loop,
        [raw = core.get()](const VerdictDelay::Verdict& verdict) { raw->show(verdict); }
    );
    MESH_TRY(
        core->m_board,
        HealthBoard::make(
            *core->m_loop,
            deriveSeed(core->m_seed, 0),
            *core->m_ledger,
            [raw = core.get()](const telemetry::TargetHealth& health) { raw->onVerdict(health); }
        )
    );
    core->m_policies = std::make_unique<PolicyBoard>(
        *core->m_loop, deriveSeed(core->m_seed, kBoardSeed), *core->m_ledger
    );
    MESH_TRY_VOID(core->makeWorkers());
    MESH_TRY_VOID(core->bindOwn());
    return core;
}

Result<void> EngineCore::bindOwn()
{
    for (const api::ListenOption& option : m_options.proxyListen) {
        Listener listener;
        listener.name = "proxy";
        MESH_TRY_VOID(bindOption(option, std::move(listener)));
    }
    for (const api::ListenOption& option : m_options.streamListen) {
        Listener listener;
        listener.name = "stream";
        listener.isStream = true;
        MESH_TRY_VOID(bindOption(option, std::move(listener)));
    }
    return {};
}

Result<void> EngineCore::bindOption(const api::ListenOption& option, Listener listener)
{
    listener.kind = config::ListenerKind::Gateway;
    listener.isTls = option.ssl;
    listener.isUdp = option.udp;
    listener.hasProxyHeaders = option.proxyProtocol;
    listener.sharesPort = option.reusePort;
    listener.isHttp2 = option.http2;
    listener.key = fmt::format("{}|{}|{}", listener.name, m_bound.size(), option.address);
    MESH_TRY(Bound bound, bind(std::move(listener), option.address, m_listenersEver));
    ++m_listenersEver;
    m_bound.emplace(bound.listener->key, std::move(bound));
    return {};
}

Result<void> EngineCore::makeWorkers()
{
    for (int number = 0; number < m_options.workers; ++number) {
        WorkerOutputs outputs;
        outputs.onPassive = [this](PassiveReport report) {
            static_cast<void>(m_loop->post([this, report = std::move(report)] {
                m_board->observe(report);
            }));
        };
        // Every outcome is owed: a breaker that waits for its probes would wait for ever.
        outputs.onPolicy = [this, at = m_returns.size()](PolicyReport report) {
            m_returns[at]->post([this, report = std::move(report)] { m_policies->take(report); });
        };
        outputs.onAccess = [this](std::vector<api::AccessEvent> events, std::string lines) {
            static_cast<void>(
                m_loop->post([this, events = std::move(events), lines = std::move(lines)](
                             ) mutable { onAccess(std::move(events), lines); })
            );
        };
        MESH_TRY(
            auto worker,
            Worker::make(
                m_clock,
                m_options,
                m_timeouts,
                deriveSeed(m_seed, static_cast<std::uint64_t>(number) + 1),
                std::move(outputs)
            )
        );
        m_outboxes.push_back(std::make_unique<Outbox>(*m_loop, worker->loop()));
        m_returns.push_back(std::make_unique<Outbox>(worker->loop(), *m_loop));
        m_workers.push_back(std::move(worker));
    }
    return {};
}

Result<EngineCore::Bound> EngineCore::bind(
    Listener listener, const std::string& address, std::size_t index
)
{
    MESH_TRY(net::SocketAddress wanted, net::SocketAddress::parse(address));
    const bool isShared = m_workers.size() > 1 || listener.sharesPort;
    const auto sharing = isShared ? net::PortSharing::Yes : net::PortSharing::No;
    Bound bound;
    for (std::size_t at = 0; at < m_workers.size(); ++at) {
        MESH_TRY(
            FileDescriptor socket,
            listener.isUdp ? net::bindDatagrams(wanted, sharing) : net::listenOn(wanted, sharing)
        );
        wanted = net::localAddress(socket.get());
        bound.sockets.push_back(std::move(socket));
    }
    bound.address = wanted.toText();
    listener.index = index;
    listener.port = wanted.port();
    bound.listener = std::make_shared<const Listener>(std::move(listener));
    return bound;
}

void EngineCore::handOver(Bound& bound)
{
    for (std::size_t at = 0; at < m_workers.size(); ++at) {
        Worker& worker = *m_workers[at];
        m_outboxes[at]->post(
            [&worker, listener = bound.listener, socket = std::move(bound.sockets[at])]() mutable {
                worker.addListener(listener, std::move(socket));
            }
        );
    }
    bound.sockets.clear();
}

void EngineCore::begin()
{
    m_loop->moveHere();
    m_statsTimer = std::make_unique<net::FunctionTimer>(m_loop->timers(), [this] { collect(); });
    m_ticketTimer =
        std::make_unique<net::FunctionTimer>(m_loop->timers(), [this] { rotateTickets(); });
    m_drainTimer =
        std::make_unique<net::FunctionTimer>(m_loop->timers(), [this] { checkDrained(); });
    for (std::size_t at = 0; at < m_workers.size(); ++at) {
        m_workers[at]->start(at);
    }
    rotateTickets();
    auto first = std::make_shared<config::Snapshot>();
    first->node = m_options.node;
    if (auto activated = activate(first); !activated) {
        MESH_LOG(Error, "engine.crippled", kv("error", activated.error()));
    }
    for (auto& [key, bound] : m_bound) {
        handOver(bound);
    }
    m_state = api::EngineState::Running;
    m_collectedAt = m_clock.now();
    m_statsTimer->arm(m_collectedAt + kStatsInterval);
}

void EngineCore::subscribe(api::EventSink& sink)
{
    m_sinks.push_back(&sink);
    sink.onEvent(state());
}

void EngineCore::emit(const api::Event& event)
{
    for (api::EventSink* sink : m_sinks) {
        sink->onEvent(event);
    }
}

void EngineCore::emitPolicy(std::string kind, std::string subject, std::string reason)
{
    emit(api::PolicyEvent{
        m_options.node, m_clock.wallNow(), std::move(kind), std::move(subject), std::move(reason)});
}

api::StateEvent EngineCore::state() const
{
    api::StateEvent event;
    event.node = m_options.node;
    event.version = version();
    event.state = m_state;
    event.hash = m_snapshot == nullptr ? std::string() : m_snapshot->hash;
    for (const auto& [key, bound] : m_bound) {
        event.listeners.push_back({bound.listener->name, bound.address});
    }
    event.health = m_board->all();
    event.isInMaintenance = m_isInMaintenance;
    return event;
}

void EngineCore::onVerdict(const telemetry::TargetHealth& health)
{
    const bool isAvailable = health.state == telemetry::TargetState::Healthy
                             || health.state == telemetry::TargetState::HealthchecksOff;
    m_verdicts->take({health.upstream, health.target, isAvailable});
    emit(api::HealthEvent{m_options.node, m_clock.wallNow(), health});
}

void EngineCore::show(const VerdictDelay::Verdict& verdict)
{
    onEachWorker([verdict](Worker& worker, std::size_t) {
        worker.setAvailability(verdict.upstream, verdict.target, verdict.isAvailable);
    });
}

void EngineCore::onAccess(std::vector<api::AccessEvent> events, const std::string& lines)
{
    if (!lines.empty()) {
        std::FILE* file = m_accessFile == nullptr ? stdout : m_accessFile.get();
        if (std::fwrite(lines.data(), 1, lines.size(), file) != lines.size()
            || std::fflush(file) != 0) {
            MESH_LOG(Warn, "access_log.failed", kv("error", std::strerror(errno)));
        }
    }
    for (api::AccessEvent& event : events) {
        emit(std::move(event));
    }
}

void EngineCore::collect()
{
    const TimePoint now = m_loop->now();
    m_statsTimer->arm(now + kStatsInterval);
    answerRollovers();
    dropFormerSnapshots();
    ++m_round;
    m_readingsMissing = m_workers.size();
    onEachWorker([this, round = m_round](Worker& worker, std::size_t at) {
        m_returns[at]->post([this, round, reading = worker.takeReading()]() mutable {
            onReading(round, std::move(reading));
        });
    });
}

void EngineCore::dropFormerSnapshots()
{
    std::erase_if(m_formerSnapshots, [](const auto& former) { return former.use_count() <= 1; });
}

void EngineCore::onReading(std::uint64_t round, telemetry::Reading reading)
{
    telemetry::merge(m_frame, std::move(reading)); // A late one counts in the next frame.
    if (round != m_round || m_readingsMissing == 0 || --m_readingsMissing != 0) {
        return;
    }
    const TimePoint now = m_loop->now();
    auto frame = std::make_shared<telemetry::StatsFrame>(std::exchange(m_frame, {}));
    frame->node = m_options.node;
    frame->time = m_clock.wallNow();
    frame->interval = now - std::exchange(m_collectedAt, now);
    frame->sequence = m_round;
    frame->hash = m_snapshot == nullptr ? std::string() : m_snapshot->hash;
    m_board->fill(*frame);
    m_policies->fill(*frame);
    m_ledger->close(*frame);
    const Duration cpu = processorTime();
    frame->cpu = cpu - std::exchange(m_cpuSeen, cpu);
    frame->memory = residentBytes();
    emit(api::StatsEvent{std::move(frame)});
}

} // namespace mesh::proxy
