#include "simulator/live/live_mesh.h"

#include "proxyengine/base/log.h"
#include "simulator/live/engine_set.h"
#include "simulator/live/http_caller.h"
#include "simulator/live/instance_server.h"
#include "simulator/live/load_generator.h"
#include "simulator/live/loop_thread.h"
#include "simulator/live/mesh_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace mesh::simulator {

namespace {

constexpr Duration kEngineStopGrace = std::chrono::milliseconds(500); // The load has ended before.

// Adds what a fault of a timeline does to what is wrong already.
InstanceFaults withFault(InstanceFaults faults, const Fault& fault)
{
    switch (fault.kind) {
    case FaultKind::Kill:
        faults.isKilled = true;
        break;
    case FaultKind::Freeze:
        faults.isFrozen = true;
        break;
    case FaultKind::Latency:
        faults.latencyAdd = fault.add;
        faults.latencyJitter = fault.jitter;
        faults.latencyShare = fault.probability;
        break;
    case FaultKind::Error:
        faults.errorShare = fault.probability;
        faults.errorStatus = fault.status;
        break;
    }
    return faults;
}

InstanceFaults withoutFault(InstanceFaults faults, const Fault& fault)
{
    const InstanceFaults nothing;
    switch (fault.kind) {
    case FaultKind::Kill:
        faults.isKilled = false;
        break;
    case FaultKind::Freeze:
        faults.isFrozen = false;
        break;
    case FaultKind::Latency:
        faults.latencyAdd = nothing.latencyAdd;
        faults.latencyJitter = nothing.latencyJitter;
        faults.latencyShare = nothing.latencyShare;
        break;
    case FaultKind::Error:
        faults.errorShare = nothing.errorShare;
        faults.errorStatus = nothing.errorStatus;
        break;
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
        Fault fault;
        bool isEnd = false;
        std::vector<std::string> targets;
    };
    std::vector<Step> steps;

    // On the servers' loop.
    std::unique_ptr<LoopThread> servers;
    std::unique_ptr<HttpCaller> serverCaller;
    std::map<std::string, std::unique_ptr<InstanceServer>, std::less<>> instances;
    std::vector<std::unique_ptr<net::FunctionTimer>> timeline;

    std::unique_ptr<EngineSet> engines;

    // On the clients' loop.
    LoadCounters counters;
    std::unique_ptr<LoopThread> clients;
    std::unique_ptr<HttpCaller> clientCaller;
    std::unique_ptr<LoadGenerator> generator;

    [[nodiscard]] Result<void> startServers();
    [[nodiscard]] Result<void> listenAll(model::Document& real);
    [[nodiscard]] Result<void> startEngines();
    [[nodiscard]] Result<void> startLoad();
    void startTimeline();
    void play(const Step& step);
    void stop();
};

Result<void> LiveMesh::State::startServers()
{
    model::Document real = options.document;
    MESH_TRY(ports, reserveListeners(real));
    MESH_TRY(servers, LoopThread::start("simulated", *options.clock));
    MESH_TRY_VOID(servers->ask([this, &real] { return listenAll(real); }));
    document = std::make_shared<const model::Document>(std::move(real));
    for (const auto& [name, instance] : instances) {
        names.push_back(name);
    }
    return {};
}

Result<void> LiveMesh::State::listenAll(model::Document& real)
{
    net::EventLoop& loop = servers->loop();
    serverCaller = std::make_unique<HttpCaller>(loop);
    for (model::Workload& workload : real.workloads) {
        MESH_TRY(const net::SocketAddress address, net::SocketAddress::parse(workload.address));
        ServiceInstance::Setup setup;
        setup.name = workload.name;
        setup.model = modelOf(real, workload.service);
        setup.seed = options.seed;
        if (workload.outbound) {
            MESH_TRY(setup.outbound, net::SocketAddress::parse(*workload.outbound));
        }
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
    return engines->start(options.engineFactory, document, options.startMax);
}

Result<void> LiveMesh::State::startLoad()
{
    std::vector<LoadGenerator::Entry> entries;
    for (const Load& load : options.load) {
        MESH_TRY(LoadGenerator::Entry entry, entryOf(*document, load));
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
        clientCaller = std::make_unique<HttpCaller>(clients->loop());
        generator = std::make_unique<LoadGenerator>(
            clients->loop(), *clientCaller, entries, gateways, options.seed, counters
        );
    });
    return {};
}

void LiveMesh::State::startTimeline()
{
    servers->ask([this] {
        const TimePoint begin = servers->loop().now();
        for (const Fault& fault : options.timeline) {
            const std::vector<std::string> targets = workloadsOf(*document, fault.target);
            steps.push_back({begin + fault.at, fault, false, targets});
            if (fault.length) {
                steps.push_back({begin + fault.at + *fault.length, fault, true, targets});
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
    for (const std::string& name : step.targets) {
        InstanceServer& instance = *instances.find(name)->second;
        const InstanceFaults& now = instance.behaviour().faults();
        instance.setFaults(step.isEnd ? withoutFault(now, step.fault) : withFault(now, step.fault));
        MESH_LOG(
            Info,
            step.isEnd ? "fault.ended" : "fault.begun",
            kv("instance", name),
            kv("faults", toText(instance.behaviour().faults()))
        );
    }
}

void LiveMesh::State::stop()
{
    if (clients) {
        clients->ask([this] {
            generator.reset();
            clientCaller.reset();
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
            instances.clear();
            serverCaller.reset();
        });
        servers.reset();
    }
    ports.clear();
}

Result<std::unique_ptr<LiveMesh>> LiveMesh::start(LiveMeshOptions options)
{
    MESH_TRY_VOID(checkLiveable(options.document, options.load));
    auto state = std::make_unique<State>();
    state->options = std::move(options);
    std::unique_ptr<LiveMesh> mesh(new LiveMesh(std::move(state)));

    MESH_TRY_VOID(mesh->m_state->startServers());
    // Faults of the first moment stand before the first request; the others come by timer.
    std::vector<Fault>& timeline = mesh->m_state->options.timeline;
    for (const Fault& fault : timeline) {
        if (fault.at == Duration::zero() && !fault.length) {
            for (const std::string& name : workloadsOf(*mesh->document(), fault.target)) {
                MESH_TRY_VOID(mesh->setFaults(name, withFault(mesh->faults(name), fault)));
            }
        }
    }
    std::erase_if(timeline, [](const Fault& fault) {
        return fault.at == Duration::zero() && !fault.length;
    });
    MESH_TRY_VOID(mesh->m_state->startEngines());
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
    MESH_TRY_VOID(m_state->engines->apply(real, m_state->options.startMax));
    useModels(std::move(real));
    return {};
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
    for (const State::Step& step : m_state->steps) {
        const bool isOurs = std::ranges::find(step.targets, instance) != step.targets.end();
        if (isOurs && step.at > from && step.at <= now) {
            faults = step.isEnd ? withoutFault(faults, step.fault) : withFault(faults, step.fault);
        }
    }
    return faults;
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

void LiveMesh::stop() { m_state->stop(); }

} // namespace mesh::simulator
