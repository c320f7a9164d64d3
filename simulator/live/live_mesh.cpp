#include "simulator/live/live_mesh.h"

#include "proxyengine/base/log.h"
#include "simulator/live/engine_set.h"
#include "simulator/live/http_caller.h"
#include "simulator/live/instance_server.h"
#include "simulator/live/line_set.h"
#include "simulator/live/live_configuration.h"
#include "simulator/live/load_generator.h"
#include "simulator/live/loop_thread.h"
#include "simulator/live/mesh_layout.h"
#include "simulator/scenario/fault_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace mesh::simulator {

namespace {

constexpr Duration kEngineStopGrace = std::chrono::milliseconds(500); // The load has ended before.

// Together with what proxies write, some 1 500 bytes a message: as in virtual time.
constexpr std::size_t kRequestPadding = 1100;
constexpr std::size_t kAnswerBytes = 1200;

constexpr Duration kFlapsMax = std::chrono::hours(1); // Of a fault without end.

Result<void> checkPlayable(const std::vector<Fault>& timeline)
{
    for (const Fault& fault : timeline) {
        if (const std::string reason = whyNotLive(fault); !reason.empty()) {
            return fail(
                ErrorCode::Unsupported,
                fmt::format("fault {} cannot be played live: {}", toText(fault.kind), reason)
            );
        }
    }
    return {};
}

InstanceFaults sumOf(InstanceFaults faults, const std::vector<const Fault*>& active)
{
    for (const Fault* fault : active) {
        faults = withFault(std::move(faults), *fault);
    }
    return faults;
}

} // namespace

// Members in the order they are built; stop() takes them down in the reverse.
struct LiveMesh::State
{
    LiveMeshOptions options;
    std::shared_ptr<const model::Document> document;
    std::vector<ReservedPort> ports;
    std::vector<std::string> names;
    struct SetFaults
    {
        InstanceFaults faults;
        TimePoint at;
    };
    std::map<std::string, SetFaults, std::less<>> faults; // As set from outside, last.
    // Every begin and end of the timeline, by time. Unchanged once start() has returned.
    struct Step
    {
        TimePoint at;
        std::shared_ptr<const Fault> fault; // The same of begin and end.
        bool isEnd = false;
        std::vector<std::string> targets;
    };
    std::vector<Step> steps;
    TimePoint begin{}; // Of load and timeline.
    TimePoint ended = TimePoint::max(); // Of endLoad(): nothing of the timeline begins after it.

    // On the servers' loop.
    std::unique_ptr<LoopThread> servers;
    std::unique_ptr<HttpCaller> serverCaller;
    std::map<std::string, std::unique_ptr<InstanceServer>, std::less<>> instances;
    std::unique_ptr<LineSet> lines;
    std::vector<std::unique_ptr<net::FunctionTimer>> timeline;
    struct Present
    {
        InstanceFaults set; // From outside, last.
        std::vector<const Fault*> active; // Of the timeline, begun since.
    };
    std::map<std::string, Present, std::less<>> present; // By instance.

    std::unique_ptr<EngineSet> engines;

    // On the clients' loop.
    LoadCounters counters;
    std::unique_ptr<LoopThread> clients;
    std::unique_ptr<HttpCaller> clientCaller;
    std::unique_ptr<LoadGenerator> generator;

    [[nodiscard]] bool hasNarrowLines() const
    {
        return std::ranges::find(options.timeline, FaultKind::Bandwidth, &Fault::kind)
               != options.timeline.end();
    }
    [[nodiscard]] Result<void> startServers();
    [[nodiscard]] Result<void> listenAll(model::Document& real);
    [[nodiscard]] Result<void> startEngines();
    [[nodiscard]] NodeView viewOf(std::shared_ptr<const model::Document> running) const;
    [[nodiscard]] Result<void> startLoad();
    void setBegin();
    void startTimeline();
    void play(const Step& step);
    void endLoad();
    void stop();
};

Result<void> LiveMesh::State::startServers()
{
    model::Document real = options.document;
    MESH_TRY(ports, reserveListeners(real));
    MESH_TRY(servers, LoopThread::start("simulated", *options.clock));
    MESH_TRY_VOID(servers->ask([this, &real] { return listenAll(real); }));
    document = std::make_shared<const model::Document>(std::move(real));
    MESH_TRY(lines, servers->ask([this] {
        return LineSet::make(servers->loop(), *document, options.timeline);
    }));
    for (const auto& [name, instance] : instances) {
        names.push_back(name);
    }
    return {};
}

Result<void> LiveMesh::State::listenAll(model::Document& real)
{
    net::EventLoop& loop = servers->loop();
    serverCaller = std::make_unique<HttpCaller>(loop, hasNarrowLines() ? kRequestPadding : 0);
    for (model::Workload& workload : real.workloads) {
        MESH_TRY(const net::SocketAddress address, net::SocketAddress::parse(workload.address));
        ServiceInstance::Setup setup;
        setup.name = workload.name;
        setup.model = modelOf(real, workload.service);
        setup.seed = options.seed;
        if (workload.outbound) {
            MESH_TRY(setup.outbound, net::SocketAddress::parse(*workload.outbound));
        }
        setup.book = options.books == nullptr ? nullptr : &options.books->instances;
        setup.answerBytes = hasNarrowLines() ? kAnswerBytes : 0;
        MESH_TRY(
            auto instance, InstanceServer::listen(loop, *serverCaller, address, std::move(setup))
        );
        workload.address = instance->address().toText();
        instances.emplace(workload.name, std::move(instance));
    }
    return {};
}

Result<void> LiveMesh::State::startEngines()
{
    engines = std::make_unique<EngineSet>(*options.clock, options.sink);
    return engines->start(options.engineFactory, document, viewOf(document), options.startMax);
}

// What lines and checks make of the document for one node.
NodeView LiveMesh::State::viewOf(std::shared_ptr<const model::Document> running) const
{
    return [this, running = std::move(running)](const std::string& node) {
        if (lines->workloads().empty() && options.checks == LiveChecks::OfAll) {
            return running;
        }
        model::Document seen = lines->seenFrom(*running, node);
        if (options.checks == LiveChecks::OfCalled) {
            seen = withChecksOfCallers(std::move(seen), node, options.load);
        }
        return std::make_shared<const model::Document>(std::move(seen));
    };
}

Result<void> LiveMesh::State::startLoad()
{
    std::vector<LoadGenerator::Entry> entries;
    for (const Load& load : options.load) {
        MESH_TRY(
            LoadGenerator::Entry entry, entryOf(*document, withSurges(load, options.timeline))
        );
        entries.push_back(std::move(entry));
    }
    std::vector<net::SocketAddress> gateways;
    for (const std::string& text : engines->gatewayAddresses()) {
        MESH_TRY(net::SocketAddress address, net::SocketAddress::parse(text));
        gateways.push_back(std::move(address));
    }
    if (entries.empty() || gateways.empty()) {
        return {};
    }
    MESH_TRY(clients, LoopThread::start("clients", *options.clock));
    clients->ask([&] {
        clientCaller =
            std::make_unique<HttpCaller>(clients->loop(), hasNarrowLines() ? kRequestPadding : 0);
        generator = std::make_unique<LoadGenerator>(
            clients->loop(),
            *clientCaller,
            entries,
            gateways,
            options.seed,
            counters,
            LoadGenerator::Span{begin, options.loadLength},
            options.books == nullptr ? nullptr : &options.books->clients
        );
    });
    return {};
}

void LiveMesh::State::setBegin()
{
    begin = options.clock->now();
    if (options.books != nullptr) {
        options.books->clients.setBegin(begin);
        // Instances are asked by health checks only so far, but these are on their loop.
        servers->ask([this] { options.books->instances.setBegin(begin); });
    }
}

void LiveMesh::State::startTimeline()
{
    servers->ask([this] {
        const Duration flapsMax = std::min(options.loadLength, kFlapsMax);
        for (const Fault& fault : options.timeline) {
            if (fault.kind == FaultKind::Surge
                || (LiveConfiguration::isOfConfiguration(fault.kind)
                    && fault.kind != FaultKind::BadDeploy)) {
                continue; // In the load, or nothing that instances do.
            }
            const Seed luck = deriveSeed(options.seed, steps.size());
            for (const Fault& part : unrolled(fault, flapsMax, luck)) {
                const std::vector<std::string> targets = workloadsOf(*document, part);
                const auto shared = std::make_shared<const Fault>(part);
                steps.push_back({begin + part.at, shared, false, targets});
                if (part.length) {
                    steps.push_back({begin + part.at + *part.length, shared, true, targets});
                }
            }
        }
        std::ranges::stable_sort(steps, {}, &Step::at);
        for (const Step& step : steps) {
            timeline.push_back(std::make_unique<net::FunctionTimer>(
                servers->loop().timers(), [this, &step] { play(step); }
            ));
            timeline.back()->arm(step.at);
        }
    });
}

void LiveMesh::State::play(const Step& step)
{
    if (step.isEnd) {
        lines->end(step.fault);
    } else {
        lines->begin(step.fault);
    }
    if (LineSet::isOfLines(*step.fault)) {
        MESH_LOG(
            Info, step.isEnd ? "fault.ended" : "fault.begun", kv("lines", toText(*step.fault))
        );
        return;
    }
    for (const std::string& name : step.targets) {
        InstanceServer& instance = *instances.find(name)->second;
        Present& now = present[name];
        std::erase(now.active, step.fault.get());
        if (!step.isEnd) {
            now.active.push_back(step.fault.get());
        }
        instance.setFaults(sumOf(now.set, now.active));
        MESH_LOG(
            Info,
            step.isEnd ? "fault.ended" : "fault.begun",
            kv("instance", name),
            kv("faults", toText(instance.behaviour().faults()))
        );
    }
}

void LiveMesh::State::endLoad()
{
    ended = options.clock->now();
    if (clients) {
        clients->ask([this] {
            generator->end();
            if (options.books != nullptr) {
                options.books->clients.endLoad(clients->loop().now());
            }
        });
    }
    servers->ask([this] {
        for (std::size_t at = 0; at < steps.size(); ++at) {
            if (!steps[at].isEnd && steps[at].at > ended) {
                timeline[at]->cancel();
            }
        }
        if (options.books != nullptr) {
            options.books->instances.endLoad(servers->loop().now());
        }
    });
}

void LiveMesh::State::stop()
{
    if (clients) {
        clients->ask([this] {
            generator.reset();
            clientCaller.reset();
            if (options.books != nullptr) {
                options.books->clients.close(clients->loop().now());
            }
        });
        clients.reset();
    }
    if (engines) {
        engines->stop(kEngineStopGrace);
        engines.reset();
    }
    if (servers) {
        servers->ask([this] {
            timeline.clear();
            lines.reset();
            instances.clear();
            serverCaller.reset();
            if (options.books != nullptr) {
                options.books->instances.close(servers->loop().now());
            }
        });
        servers.reset();
    }
    ports.clear();
}

Result<std::unique_ptr<LiveMesh>> LiveMesh::start(LiveMeshOptions options)
{
    MESH_TRY_VOID(checkLiveable(options.document, options.load));
    MESH_TRY_VOID(checkPlayable(options.timeline));
    auto state = std::make_unique<State>();
    state->options = std::move(options);
    std::unique_ptr<LiveMesh> mesh(new LiveMesh(std::move(state)));

    MESH_TRY_VOID(mesh->m_state->startServers());
    // Faults of the first moment stand before the first request; the others come by timer.
    std::vector<Fault>& timeline = mesh->m_state->options.timeline;
    const auto isFromTheStart = [](const Fault& fault) {
        return fault.at == Duration::zero() && !fault.length && fault.kind != FaultKind::Surge
               && fault.kind != FaultKind::Flap && fault.kind != FaultKind::Swizzle
               && !LineSet::touches(fault);
    };
    for (const Fault& fault : timeline) {
        if (isFromTheStart(fault)) {
            for (const std::string& name : workloadsOf(*mesh->document(), fault)) {
                MESH_TRY_VOID(mesh->setFaults(name, withFault(mesh->faults(name), fault)));
            }
        }
    }
    std::erase_if(timeline, isFromTheStart);
    MESH_TRY_VOID(mesh->m_state->startEngines());
    mesh->m_state->setBegin();
    MESH_TRY_VOID(mesh->m_state->startLoad());
    mesh->m_state->startTimeline();
    return mesh;
}

LiveMesh::LiveMesh(std::unique_ptr<State> state)
    : m_state(std::move(state))
{}

LiveMesh::~LiveMesh() { stop(); }

std::shared_ptr<const model::Document> LiveMesh::document() const { return m_state->document; }

model::Document LiveMesh::withRealAddresses(model::Document document) const
{
    adoptAddresses(document, *m_state->document);
    return document;
}

std::map<std::string, std::string, std::less<>> LiveMesh::workloadsByAddress() const
{
    std::map<std::string, std::string, std::less<>> names;
    for (const model::Workload& workload : m_state->document->workloads) {
        names.emplace(workload.inbound.value_or(""), workload.name);
    }
    const auto& relays = m_state->lines->workloads();
    names.insert(relays.begin(), relays.end());
    return names;
}

void LiveMesh::useModels(std::shared_ptr<const model::Document> document)
{
    m_state->document = document;
    // Posted, not asked: nobody waits for it. A full queue would mean a stuck loop.
    static_cast<void>(m_state->servers->loop().post([state = m_state.get(),
                                                     document = std::move(document)] {
        for (const model::Workload& workload : document->workloads) {
            const auto instance = state->instances.find(workload.name);
            auto model = modelOf(*document, workload.service);
            if (instance != state->instances.end() && model) {
                instance->second->behaviour().setModel(std::move(model));
            }
        }
    }));
}

Result<void> LiveMesh::apply(model::Document document)
{
    auto real = std::make_shared<const model::Document>(withRealAddresses(std::move(document)));
    MESH_TRY_VOID(m_state->engines->apply(m_state->viewOf(real), m_state->options.startMax));
    useModels(std::move(real));
    return {};
}

Result<void> LiveMesh::applyTo(const std::vector<std::string>& nodes, model::Document document)
{
    const NodeView view = m_state->viewOf(
        std::make_shared<const model::Document>(withRealAddresses(std::move(document)))
    );
    return m_state->engines->apply(
        [&](const std::string& node) {
            const bool isAsked = std::ranges::find(nodes, node) != nodes.end();
            return isAsked ? view(node) : nullptr;
        },
        m_state->options.startMax
    );
}

const std::vector<LiveMesh::Node>& LiveMesh::nodes() const
{
    static const std::vector<Node> kNone;
    return m_state->engines ? m_state->engines->nodes() : kNone;
}

const std::vector<std::string>& LiveMesh::gatewayAddresses() const
{
    static const std::vector<std::string> kNone;
    return m_state->engines ? m_state->engines->gatewayAddresses() : kNone;
}

Result<void> LiveMesh::setFaults(std::string_view instance, const InstanceFaults& faults)
{
    const auto known = std::ranges::find(m_state->names, instance);
    if (known == m_state->names.end() || !m_state->servers) {
        return fail(ErrorCode::NotFound, fmt::format("no simulated instance {} runs", instance));
    }
    m_state->faults[std::string(instance)] = {faults, m_state->options.clock->now()};
    return m_state->servers->loop().post(
        [state = m_state.get(), name = std::string(instance), faults] {
            State::Present& present = state->present[name];
            present.set = faults;
            present.active.clear();
            state->instances.find(name)->second->setFaults(faults);
        }
    );
}

InstanceFaults LiveMesh::faults(std::string_view instance) const
{
    const auto known = m_state->faults.find(instance);
    InstanceFaults faults;
    TimePoint from = TimePoint::min();
    if (known != m_state->faults.end()) {
        faults = known->second.faults;
        from = known->second.at;
    }
    const TimePoint now = m_state->options.clock->now();
    std::vector<const Fault*> active;
    for (const State::Step& step : m_state->steps) {
        const bool isOurs = std::ranges::find(step.targets, instance) != step.targets.end();
        const bool isPlayed = step.at <= now && (step.isEnd || step.at <= m_state->ended);
        if (isOurs && step.at > from && isPlayed) {
            std::erase(active, step.fault.get());
            if (!step.isEnd) {
                active.push_back(step.fault.get());
            }
        }
    }
    return sumOf(std::move(faults), active);
}

const std::vector<std::string>& LiveMesh::instances() const { return m_state->names; }

Result<std::uint64_t> LiveMesh::answeredBy(std::string_view instance) const
{
    // The map itself does not change between start() and stop(); the counter is atomic.
    const auto known = m_state->instances.find(instance);
    if (known == m_state->instances.end()) {
        return fail(ErrorCode::NotFound, fmt::format("no simulated instance {} runs", instance));
    }
    return std::as_const(*known->second).behaviour().answered();
}

LoadFigures LiveMesh::loadFigures() const { return m_state->counters.figures(); }

TimePoint LiveMesh::begin() const { return m_state->begin; }

RunSecond LiveMesh::secondOf(std::string_view subject, std::size_t second) const
{
    LiveBooks& books = *m_state->options.books;
    RunSecond sum =
        m_state->servers->ask([&] { return books.instances.secondOf(subject, second); });
    if (m_state->clients) {
        sum.merge(m_state->clients->ask([&] { return books.clients.secondOf(subject, second); }));
    }
    return sum;
}

void LiveMesh::endLoad() { m_state->endLoad(); }

void LiveMesh::stop() { m_state->stop(); }

} // namespace mesh::simulator
