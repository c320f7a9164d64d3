#pragma once

#include "app/bridge/edge_carriage.h"
#include "app/bridge/engine_inbox.h"
#include "app/bridge/engine_links.h"
#include "app/bridge/health.h"
#include "app/bridge/mesh_session.h"
#include "app/bridge/policy_words.h"
#include "app/bridge/profile.h"
#include "app/bridge/replay.h"
#include "app/bridge/session_records.h"
#include "app/bridge/topology_builder.h"
#include "app/bridge/view_context.h"
#include "app/bridge/window_sums.h"
#include "app/bridge/zone_traffic.h"
#include "app/store/mesh_document.h"
#include "proxyengine/base/clock.h"
#include "proxyengine/base/thread.h"
#include "proxyengine/config/problem.h"
#include "proxyengine/model/diff.h"
#include "simulator/live/live_mesh.h"

#include <QTemporaryDir>
#include <QTimer>

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace mesh::bridge {

// A verdict about requests that a node has counted in the last seconds.
struct VerdictActivity
{
    std::int64_t first_us = 0;
    std::int64_t last_us = 0;
    std::uint64_t count = 0; // In the last frame that had any.
};

// What is known about one node between two evaluations.
struct NodeStatus
{
    api::EngineState state = api::EngineState::Starting;
    std::string version;
    std::string hash;
    std::vector<api::ListenerState> listeners;
    std::map<std::pair<std::string, std::string>, telemetry::TargetHealth> health;
    std::int64_t lastFrame_us = 0; // Arrival, wall time.
    std::int64_t lastSecond = 0; // Booked last.
    double rps = 0;
    double cpuPercent = 0;
    std::optional<double> errorRatio;
    std::uint64_t connections = 0;
    std::uint64_t upstreamConnections = 0;
    std::uint64_t memoryBytes = 0;
    bool isInMaintenance = false;
    std::optional<std::int64_t> clockOffset_us; // Of frames: their way makes it smaller.
    std::vector<PolicyReport> policies; // Of the last frame.
    std::map<std::pair<std::string, std::string>, VerdictActivity> verdicts; // By kind and subject.
};

// An event that goes on: until its counterpart comes, or until it is not repeated any more.
struct OpenPolicy
{
    Marker marker;
    store::OpenEvent stored; // Null: nothing is written.
    std::int64_t last_us = 0;
    PolicyPhase phase = PolicyPhase::Begins;
};

using PolicyKey = std::tuple<std::string, std::string, std::string>; // Node, family, subject.

// A topology of the past while it is put together, one answer of the store after another.
struct PastAsk
{
    std::int64_t time_us = 0;
    std::int64_t revision = 0;
    std::shared_ptr<const model::Document> document; // Null: not read yet, or it cannot be.
    std::vector<store::LayoutPosition> positions;
};

struct PastTopology
{
    PastMoment moment;
    Topology topology;
};

// An engine that is no part of the live mesh.
struct ExtraEngine
{
    std::unique_ptr<api::EventSink> sink; // Outlives the engine, so it stands first.
    std::unique_ptr<api::Engine> engine;
    NodeReads reads = {};
};

// What the audit says of something a person asked of a node, which is its subject.
struct NodeAudit
{
    QString action; // "node.drain"; with ".refused" when the node would not.
    QString detail;
};

// A command that a node has not answered yet.
struct NodeCommand
{
    QString done; // What to say when it has.
    NodeAudit audit;
};

// To go back to what a node ran, without asking it.
inline constexpr std::size_t kSentDocumentsMax = 16;

// One apply from the click to the last answer.
struct PendingApply
{
    std::int64_t revision = 0;
    std::string hash;
    std::shared_ptr<const model::Document> document;
    std::map<std::string, std::optional<CommandId>> waiting; // Extra engines without an answer.
    bool isMeshWaiting = false;
    QStringList failures;
    std::int64_t deadline_us = 0;
};

// The second a frame is booked on: the one after the node's last, as long as the clock agrees
// within a second, so that jitter makes neither holes nor double seconds.
[[nodiscard]] std::int64_t bookedSecond(
    std::int64_t end_us, std::int64_t interval_us, std::int64_t lastSecond
);

// The state and the steps of a session, in four parts: document, measurement, change, faults.
class MeshSession::Private
{
public:
    Private(MeshSession& session, SessionOptions options);
    ~Private();

    // Document (session_document.cpp).
    // openedFolder: the temporary folder it stands in; null: a place of the user's.
    Result<void> adopt(
        std::unique_ptr<store::MeshDocument> opened, std::unique_ptr<QTemporaryDir> openedFolder
    );
    Result<std::unique_ptr<store::MeshDocument>> makeDocument(const QString& path, bool isOpening);
    Result<void> importText(const QString& text, const QString& path, const QString& message);
    void setConfiguration(std::shared_ptr<const model::Document> document, std::string text);
    void close();
    void setBanner(BannerKind kind, const QString& text, const QString& detail);
    void clearBanner(BannerKind kind);
    Result<void> startMesh();
    void onMeshStarted(Result<std::unique_ptr<simulator::LiveMesh>> outcome);
    void stopMesh();
    void stopExtraEngines();
    store::OpenOptions storeOptions();
    // Runs `work` on the GUI thread unless another document was opened since.
    void post(std::function<void()> work);

    // Measurement (session_measurement.cpp).
    void onWake();
    void drain();
    void take(const std::string& node, const api::StatsEvent& event);
    void take(const std::string& node, const api::StateEvent& event);
    void take(const std::string& node, const api::HealthEvent& event);
    void take(const std::string& node, const api::PolicyEvent& event);
    void take(const std::string& node, const api::AccessEvent& event);
    void take(const std::string& node, const api::CommandDone& event);
    void evaluate();
    void publishLive();
    void publish(TopologyOutcome outcome);
    TopologyInput inputAt(const std::vector<store::SeriesTotal>& series, double seconds);
    void announceTopology();
    void updateNodes();
    void updateHonesty();
    std::int64_t liveEnd_s() const;
    std::set<std::string> expectedNodes() const;
    int requestSeries(const QString& subject, std::int64_t begin_us, std::int64_t end_us);

    // Nodes (session_nodes.cpp).
    void readFigures(NodeStatus& status, const telemetry::StatsFrame& frame);
    void addEngine(const std::string& name, std::unique_ptr<api::Engine> engine, NodeReads reads);
    void followNodes(); // Those of the document that have an admin address.
    void readCertificates();
    // Nodes as a configuration describes them, sorted by name; nobody has measured them.
    static std::vector<NodeRow> configuredNodes(const model::Document& of);
    void addNodeFacts(NodeRow& row, const NodeStatus& status) const;
    void command(
        const QString& node, api::Command command, const QString& done, const NodeAudit& audit
    );
    void finishCommand(const std::string& node, const api::CommandDone& event);
    void adopt(const QString& node);
    void answerCommand(const QString& node, bool isSuccess, const QString& words);
    // The past (session_past.cpp).
    void publishPast();
    void askPast(std::int64_t time_us, std::function<void(PastTopology)> answer);
    void askWindow(const std::shared_ptr<PastAsk>& ask, std::function<void(PastTopology)> answer);
    std::vector<NodeRow> nodesOf(const PastAsk& ask, const store::WindowTotals& window) const;
    PastTopology pastOf(const PastAsk& ask, const store::WindowTotals& window) const;
    std::vector<FaultRow> faultsAt(std::int64_t time_us) const; // By the events.
    void showPast(PastTopology past);
    void showComparison(PastTopology one, PastTopology other);
    void forgetPast(); // The document is another one.

    // What is remembered besides (session_memory.cpp).
    void noteNodeStates();
    void backUpWhenDue();

    // Requests (session_tap.cpp).
    void keepSample(const std::string& node, const api::AccessEvent& event);
    void writeSamples();
    // Lower case, sorted: of the configuration's routes, then of what somebody filters by.
    [[nodiscard]] std::vector<std::string> tapHeaders() const;
    void askTapHeaders(); // Of every engine that has not been asked for exactly these.

    // Policies (session_policies.cpp).
    void readPolicies(NodeStatus& status, const telemetry::StatsFrame& frame);
    std::vector<PolicyReport> policiesNow() const;
    std::vector<PolicyReport> policiesAt(std::int64_t time_us) const; // By the events.
    // Tells an event that goes on, here and in the document; endEvent() ends it.
    OpenPolicy beginEvent(Marker marker, std::int64_t last_us, PolicyPhase phase);
    void endEvent(const OpenPolicy& open, std::int64_t end_us);
    void endQuietPolicies();
    void endAllPolicies(); // The engines are gone.
    void addAppliedEvent(const std::string& node, const api::PolicyEvent& event);

    // Change (session_change.cpp).
    void setDraft(const QString& text);
    void readDraft();
    void updateProblems();
    void apply(const QString& message);
    void sendToEngines(PendingApply pending);
    void checkApply();
    void finishApply(bool isSuccess, const QString& text);
    void addRevisionRow(const store::Revision& revision);
    void saveRevision(
        std::shared_ptr<const model::Document> next,
        const QString& message,
        std::function<void(Result<std::int64_t>)> onSaved
    );
    void makeLinks();
    Result<CommandId> submit(const std::string& node, api::Command command);
    ProblemRow toRow(const config::Problem& problem, const model::Document& of) const;
    QSet<QString> subjectsOf(const std::vector<model::ObjectChange>& changes) const;

    // Faults and events (session_faults.cpp).
    void changeFaults(
        const QString& instance, const std::function<void(simulator::InstanceFaults&)>& change
    );
    void readFaults();
    void readEvents(const std::vector<store::EventRecord>& stored);
    void addEvent(Marker marker);
    void trimEvents();
    void beginFaultEvent(const FaultRow& fault);
    void endFaultEvent(const FaultRow& fault);

    [[nodiscard]] std::int64_t now_us() const;

    MeshSession& q;
    SessionOptions options;
    SystemClock systemClock;
    const Clock& clock;
    QObject receiver; // Of everything that other threads send; goes after they have ended.
    ViewContext context;
    WriteGate gate;
    std::atomic<bool> isWoken = false;
    QTimer drainTimer;
    QTimer evaluationTimer;
    int refresh_ms = 1000;
    std::int64_t published_us = 0; // When topologyChanged() came last.
    EngineInbox inbox;
    std::unique_ptr<EngineLinks> links;
    // What nodes have been given, by hash, the newest kSentDocumentsMax.
    std::vector<std::pair<std::string, std::shared_ptr<const model::Document>>> sent;

    std::unique_ptr<QTemporaryDir> folder; // Of a temporary document.
    std::unique_ptr<store::MeshDocument> file;
    int generation = 0; // Counts opened documents; answers for an older one are dropped.
    std::shared_ptr<const model::Document> document = std::make_shared<model::Document>();
    std::string hash;
    QString text;
    std::vector<RevisionRow> revisions; // Newest first.
    std::map<QString, std::vector<MeshSession::Position>> positions;
    std::map<QString, QString> settings;
    store::TimeRange recorded;
    std::vector<Banner> banners;

    std::unique_ptr<SessionRecords> records; // Outlives the file.
    std::unique_ptr<Replay> replay;
    PastMoment moment;
    TopologyDiff comparison;
    std::map<std::int64_t, std::shared_ptr<const model::Document>> pastDocuments; // By revision.
    bool isAskingPast = false;
    bool isPastDue = false; // The cursor has moved since the store was asked.
    std::vector<store::SampleRecord> samples; // Not written yet.
    std::int64_t sampleSecond = 0;
    std::size_t samplesInSecond = 0;
    std::map<QString, NodeState> nodeStatesNoted;
    std::int64_t backedUp_us = 0;
    std::int64_t revisionBackedUp = 0;
    QString draftBackedUp;

    QString draft;
    std::optional<model::Document> draftDocument;
    std::vector<ProblemRow> draftProblems;
    std::vector<ProblemRow> nodeProblems;
    std::vector<ProblemRow> problems; // Both.
    QSet<QString> draftSubjects;
    int draftChanges = 0;
    std::optional<PendingApply> pending;

    std::unique_ptr<simulator::LiveMesh> live;
    std::map<std::string, ExtraEngine> extras;
    std::map<std::string, std::string> followed; // Those of them that followNodes() made: address.
    Thread job; // Starting or changing the live mesh, one at a time.
    bool isStarting = false;

    std::map<std::string, NodeStatus> nodes;
    std::map<std::string, std::vector<NodeCertificateRow>> certificates; // By node.
    std::map<std::pair<std::string, CommandId>, NodeCommand> nodeCommands; // Not answered yet.
    std::map<std::string, std::int64_t> revisionOfHash; // The newest one of each.
    Thread reader; // Of what a node runs.
    WindowSums sums;
    ZoneTraffic zoneTraffic;
    EdgeCarriage carriage;
    HealthTracker tracker;
    std::vector<store::MetricRow> unsaved;
    std::int64_t firstSecond = 0;
    bool isAskingStore = false;
    Topology topology;
    std::vector<NodeRow> nodeRows;
    HonestyFigures honesty;
    std::int64_t cpuBefore_us = 0;
    std::int64_t evaluatedAt_us = 0;
    std::vector<TapRow> tap;
    QStringList headersWanted; // By filters; the newest first.
    std::map<std::string, std::vector<std::string>> headersAsked; // By node.
    bool isTapNew = false;
    std::vector<Marker> events;
    bool isEventNew = false;
    std::map<PolicyKey, OpenPolicy> openPolicies;
    std::optional<OpenPolicy> openPush; // The one of this console that goes on.
    std::vector<FaultRow> faults;
    std::map<std::pair<QString, FaultKind>, store::OpenEvent> faultEvents;
    int lastRequest = 0;
};

} // namespace mesh::bridge
