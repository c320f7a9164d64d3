#pragma once

#include "app/bridge/edge_carriage.h"
#include "app/bridge/engine_inbox.h"
#include "app/bridge/health.h"
#include "app/bridge/mesh_session.h"
#include "app/bridge/policy_words.h"
#include "app/bridge/profile.h"
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
    std::uint64_t connections = 0;
    std::vector<PolicyReport> policies; // Of the last frame.
    std::map<std::pair<std::string, std::string>, VerdictActivity> verdicts; // By kind and subject.
};

// The row of an event in the document, which is known a little later than the event.
struct StoredEvent
{
    std::int64_t id = 0; // 0: not yet.
    std::int64_t end_us = 0; // 0: it goes on.
};

// A policy event that goes on: until its counterpart comes, or until it is not repeated any more.
struct OpenPolicy
{
    Marker marker;
    std::shared_ptr<StoredEvent> stored;
    std::int64_t last_us = 0;
    PolicyPhase phase = PolicyPhase::Begins;
};

using PolicyKey = std::tuple<std::string, std::string, std::string>; // Node, family, subject.

// An engine that is no part of the live mesh.
struct ExtraEngine
{
    std::unique_ptr<api::EventSink> sink; // Outlives the engine, so it stands first.
    std::unique_ptr<api::Engine> engine;
};

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
    void publishPast();
    void publish(TopologyOutcome outcome);
    TopologyInput inputAt(const std::vector<store::SeriesTotal>& series, double seconds);
    void announceTopology();
    void updateNodes();
    void updateHonesty();
    std::int64_t liveEnd_s() const;
    std::set<std::string> expectedNodes() const;
    int requestSeries(const QString& subject, std::int64_t begin_us, std::int64_t end_us);

    // Policies (session_policies.cpp).
    void readPolicies(NodeStatus& status, const telemetry::StatsFrame& frame);
    std::vector<PolicyReport> policiesNow() const;
    std::vector<PolicyReport> policiesAt(std::int64_t time_us) const; // By the events.
    void endPolicyEvent(const OpenPolicy& open, std::int64_t end_us);
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
    Thread job; // Starting or changing the live mesh, one at a time.
    bool isStarting = false;

    std::map<std::string, NodeStatus> nodes;
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
    bool isTapNew = false;
    std::vector<Marker> events;
    bool isEventNew = false;
    std::map<PolicyKey, OpenPolicy> openPolicies;
    std::vector<FaultRow> faults;
    std::map<std::pair<QString, FaultKind>, std::shared_ptr<std::int64_t>>
        faultEvents; // Store ids.
    int lastRequest = 0;
};

} // namespace mesh::bridge
