#pragma once

#include "proxyengine/api/engine.h"
#include "proxyengine/api/engine_options.h"
#include "proxyengine/base/clock.h"
#include "proxyengine/base/error.h"
#include "proxyengine/base/random.h"
#include "proxyengine/model/document.h"
#include "simulator/live/call_book.h"
#include "simulator/live/faults.h"
#include "simulator/live/load_figures.h"
#include "simulator/scenario/scenario.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mesh::simulator {

// Makes an engine for the node named in the options. The document is the one it will be asked to
// apply; an engine may start with it or ignore it.
using EngineFactory = std::function<Result<std::unique_ptr<api::Engine>>(
    const api::EngineOptions& options, std::shared_ptr<const model::Document> document
)>;

// Receives the events of all engines, each on its engine's own thread; must not block.
class MeshSink
{
public:
    MeshSink() = default;
    MeshSink(const MeshSink&) = delete;
    MeshSink& operator=(const MeshSink&) = delete;
    virtual ~MeshSink() = default;
    virtual void onNodeEvent(const std::string& node, const api::Event& event) = 0;
};

// What was called in a live mesh: by the clients, and by the instances.
struct LiveBooks
{
    CallBook clients;
    CallBook instances;
};

// Whose targets a node's health checks look at.
enum class LiveChecks : std::uint8_t {
    OfAll, // Of every upstream, as the document says.
    OfCalled, // Of the services that it calls, as in virtual time.
};

struct LiveMeshOptions
{
    model::Document document; // Needs nodes, workloads and models; ports may be 0.
    std::vector<Load> load; // Entries are services behind a route of a gateway node.
    // Played from the start; those that whyNotLive() are errors. What LiveConfiguration plays is
    // its owner's to apply: of a bad deploy, the versions; of others, all.
    std::vector<Fault> timeline;
    LiveChecks checks = LiveChecks::OfAll;
    Duration loadLength = Duration::max(); // No load from then on.
    Seed seed{42};
    EngineFactory engineFactory;
    MeshSink* sink = nullptr; // Optional; outlives the mesh.
    const Clock* clock = nullptr; // Outlives the mesh.
    Duration startMax = std::chrono::seconds(10); // For engines to listen.
    LiveBooks* books = nullptr; // Optional; outlive the mesh; to be read after stop().
};

// A whole mesh in this process: every workload of the document as a real HTTP server on loopback,
// one engine per node, and clients that call the gateways.
//
// A request enters at a gateway node's listener, goes to a workload's inbound listener, from there
// to the workload; its calls go out through its own outbound listener with the service's name as
// Host. Servers run on one thread, clients on another.
// Threads: the one that started it; nothing here blocks but start(), apply() and stop().
class LiveMesh
{
public:
    // Binds the servers, gives every port 0 a free one, starts and configures the engines, waits
    // until all of them listen, and starts the load.
    // Errors: InvalidArgument when the document lacks a part; those of the factory and of binding;
    //         Refused with the first problem when a node refuses the document; Timeout; Unsupported
    //         for a fault that cannot be played live.
    [[nodiscard]] static Result<std::unique_ptr<LiveMesh>> start(LiveMeshOptions options);
    LiveMesh(const LiveMesh&) = delete;
    LiveMesh& operator=(const LiveMesh&) = delete;
    ~LiveMesh(); // stop()

    // What the engines run: real addresses everywhere.
    [[nodiscard]] std::shared_ptr<const model::Document> document() const;

    // The workloads by the addresses at which others call them: of their inbound listeners, and of
    // relays before these.
    [[nodiscard]] std::map<std::string, std::string, std::less<>> workloadsByAddress() const;

    // Every engine runs this document instead. The addresses of known workloads are taken from the
    // running document, so that what a person edits need not carry them right; models of running
    // workloads change at once, new workloads are not started. Waits for all answers.
    // Errors: Refused with the first problem; the nodes that took it keep it. Timeout.
    [[nodiscard]] Result<void> apply(model::Document document);

    // These engines alone run this document instead; models stay. As apply() otherwise.
    [[nodiscard]] Result<void> applyTo(
        const std::vector<std::string>& nodes, model::Document document
    );

    // The parts of apply() for owners that must not wait: make the document, submit it to each of
    // nodes(), and call useModels() when they have taken it.
    [[nodiscard]] model::Document withRealAddresses(model::Document document) const;
    void useModels(std::shared_ptr<const model::Document> document);

    struct Node
    {
        std::string name;
        api::Engine* engine;
    };
    [[nodiscard]] const std::vector<Node>& nodes() const; // In document order.
    // Where the gateways listen, "127.0.0.1:41023".
    [[nodiscard]] const std::vector<std::string>& gatewayAddresses() const;

    // Faults of one instance, by the workload's name. They take effect within a few milliseconds.
    // Errors: NotFound.
    [[nodiscard]] Result<void> setFaults(std::string_view instance, const InstanceFaults& faults);
    // What is wrong now: what setFaults() set last and what the timeline has done since; nothing
    // wrong for unknown names.
    [[nodiscard]] InstanceFaults faults(std::string_view instance) const;
    // Sorted.
    [[nodiscard]] const std::vector<std::string>& instances() const;

    // Requests that the instance has answered since the start, probes not counted.
    // Errors: NotFound.
    [[nodiscard]] Result<std::uint64_t> answeredBy(std::string_view instance) const;
    [[nodiscard]] LoadFigures loadFigures() const;
    // When the load and the timeline began.
    [[nodiscard]] TimePoint begin() const;

    // What the calls of a service or of an edge ("a->b") did in one second since the begin, so far.
    // Needs books. Not after stop().
    [[nodiscard]] RunSecond secondOf(std::string_view subject, std::size_t second) const;
    // The load ends now, and with it the windows of the books; faults to come stay away. What has
    // been sent goes on. Once, and not after stop().
    void endLoad();

    // Ends the load, then the engines, then the servers. Safe to call again.
    void stop();

private:
    struct State;
    explicit LiveMesh(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace mesh::simulator
