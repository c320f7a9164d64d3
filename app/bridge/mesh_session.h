#pragma once

#include "app/bridge/moments.h"
#include "app/bridge/node_reads.h"
#include "app/bridge/session_rows.h"
#include "app/bridge/topology.h"
#include "app/bridge/topology_diff.h"
#include "proxyengine/base/error.h"
#include "proxyengine/model/document.h"

#include <QObject>
#include <QString>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mesh {
class Clock;
}

namespace mesh::api {
class Engine;
struct EngineOptions;
} // namespace mesh::api

namespace mesh::fleet {
class NodeLink;
}

namespace mesh::store {
class MeshDocument;
}

namespace mesh::bridge {

class SessionRecords;
class ViewContext;
class WriteGate;
struct NodeSecond;

// Makes an engine that runs this document as the node named in the options. Handed in by the
// console, because bridge does not know the proxy.
using EngineFactory = std::function<Result<std::unique_ptr<api::Engine>>(
    const api::EngineOptions& options, std::shared_ptr<const model::Document> document
)>;

// An engine elsewhere, and how to ask it what it runs.
struct FollowedNode
{
    std::unique_ptr<api::Engine> engine;
    NodeReads reads;
};

// Follows the node with this name at its admin address; returns at once. Handed in by the console,
// because bridge does not know the admin API.
using NodeFollower =
    std::function<Result<FollowedNode>(const std::string& node, const std::string& admin)>;

struct SessionOptions
{
    EngineFactory engineFactory; // Empty: no mesh can be started, documents can still be read.
    NodeFollower nodeFollower{}; // Empty: nodes elsewhere are not followed.
    const Clock* clock = nullptr; // Null: the machine's clocks.
    QString author; // Of revisions; empty: "operator".
    int evaluationInterval_ms = 1000; // How often topology and health are published.
};

// One open mesh document and the engines that run it: everything the console can know and do.
//
// All views read from here and from context(); they listen to the signals below, which come at most
// ten times a second each. Nothing here blocks but the opening of a file and closeDocument().
// Lifetime: options.clock outlives the session. The destructor stops engines and closes the file.
class MeshSession : public QObject
{
    Q_OBJECT

public:
    explicit MeshSession(SessionOptions options, QObject* parent = nullptr);
    ~MeshSession() override;

    // --- The document -------------------------------------------------------------------------
    // Each replaces what was open. Errors: the reason as the store or the decoder gives it; then
    // nothing has changed. A document that cannot be written opens read-only with a banner.
    [[nodiscard]] Result<void> createDocument(const QString& path);
    [[nodiscard]] Result<void> openDocument(const QString& path);
    // A declarative file (YAML or JSON) as the first revision of a new document at `path`
    // (empty: a temporary document). The problems of a refused file are in problems().
    [[nodiscard]] Result<void> importFile(const QString& file, const QString& path = {});
    // The text of a declarative file; otherwise as importFile().
    [[nodiscard]] Result<void> importText(const QString& text, const QString& path = {});
    // Starts instances, load and one engine per node for what the document describes (workloads
    // with models). The document then has real ports, as a new revision. Errors: as the parts.
    // It takes seconds and runs beside: meshRunningChanged() tells the end, a banner a failure.
    [[nodiscard]] Result<void> startMesh();
    // importFile(file) into a temporary document, then startMesh(). The load and the faults come
    // from the scenario beside it: "storefront.scenario.yaml" beside "storefront.yaml", or
    // "storefront.policies.scenario.yaml" when `scenario` is "policies".
    [[nodiscard]] Result<void> startDemo(const QString& file, const QString& scenario = {});
    void stopMesh(); // Blocks until every engine has stopped.
    // What makes engines here; empty: none can be started.
    [[nodiscard]] const EngineFactory& engineFactory() const;
    // An engine that runs elsewhere, or that the caller has started, as this node. Applies go to it
    // too. Replaces an engine of the same name.
    void addEngine(const QString& node, std::unique_ptr<api::Engine> engine);
    // The same for a node that can be asked what it runs.
    void addEngine(const QString& node, std::unique_ptr<api::Engine> engine, NodeReads reads);
    void closeDocument();

    [[nodiscard]] bool isOpen() const;
    [[nodiscard]] bool isReadOnly() const; // True also when nothing is open.
    [[nodiscard]] bool isTemporary() const;
    [[nodiscard]] bool isMeshRunning() const;
    [[nodiscard]] bool isMeshStarting() const;
    [[nodiscard]] QString path() const; // Of the open document; empty: none.
    [[nodiscard]] QString name() const; // mesh.name of the configuration, or the file's base name.
    // What can be done about a document that openDocument() refused as damaged: its last automatic
    // backup. Empty: there is none, or the file can be read.
    [[nodiscard]] std::optional<BackupOffer> backupOffer(const QString& path) const;
    // Puts the backup in the document's place and opens it. The damaged file is kept beside it.
    [[nodiscard]] Result<void> openBackup(const QString& path);
    // Writes a copy of the whole document. The answer comes as copyFinished().
    void saveCopy(const QString& path);

    // --- What is seen -------------------------------------------------------------------------
    [[nodiscard]] ViewContext& context() const;
    // At the context's time: live, from the last window; paused, from the store.
    [[nodiscard]] const Topology& topology() const;
    // Of the topology when the context is not live: the configuration and the layout of then.
    [[nodiscard]] const PastMoment& moment() const;
    // What changed between the context's cursor and its second cursor; empty without one. The
    // topology is then the later one with what has vanished, each marked by its `change`.
    [[nodiscard]] const TopologyDiff& comparison() const;
    // How often topologyChanged() comes while live, 1000 ms at first; health and events are
    // evaluated each second all the same.
    void setRefreshInterval(int milliseconds);
    [[nodiscard]] int refreshInterval() const;
    void refreshNow(); // topologyChanged() at once.
    // Of an entity ("service:cart", "gateway:edge-1"), an edge ("gateway:edge-1 -> service:cart")
    // or an instance ("cart-2"); empty: all traffic that enters the mesh. The answer comes as
    // seriesReady() with this number. Times are wall time, microseconds; the step follows the span:
    // 1 s up to 15 min, 10 s up to 4 h, 60 s above.
    int requestSeries(const QString& subject, std::int64_t begin_us, std::int64_t end_us);
    // First and last second the document holds data of; equal: none.
    [[nodiscard]] std::pair<std::int64_t, std::int64_t> recordedRange_us() const;
    // Sorted by begin; those that overlap the range.
    [[nodiscard]] std::vector<Marker> markers(std::int64_t begin_us, std::int64_t end_us) const;
    // The newest events, oldest first, at most kEventRowsMax.
    [[nodiscard]] const std::vector<Marker>& events() const;
    [[nodiscard]] const std::vector<TapRow>& tap() const;
    // Requests carry these headers too, from the next ones on; what routes match on is always asked
    // for. At most kTapHeadersMax, of which the newest question counts most; secrets are masked.
    void wantTapHeaders(const QStringList& names);
    [[nodiscard]] const std::vector<NodeRow>& nodes() const; // Sorted by name.
    // What a node says of its targets, sorted by upstream and target; empty: it has not told.
    [[nodiscard]] std::vector<NodeTargetRow> targets(const QString& node) const;
    // What it shows by the configuration, the one that ends first at the top.
    [[nodiscard]] const std::vector<NodeCertificateRow>& certificates(const QString& node) const;
    // What a node runs with the newest revision, value by value, sorted by object and field; with
    // the reason in `problem` when it does not compile for it.
    [[nodiscard]] std::vector<NodeValueRow> effectiveValues(const QString& node, QString* problem)
        const;
    [[nodiscard]] const HonestyFigures& honesty() const;

    // --- One node -----------------------------------------------------------------------------
    // Each is answered by nodeCommandFinished().
    void setTargetHealth(
        const QString& node, const QString& upstream, const QString& target, TargetOverride health
    );
    void drainNode(const QString& node); // It finishes what it has and ends.
    // On: its gateway listeners take nothing new until it is off again; the node goes on.
    void setNodeMaintenance(const QString& node, NodeMaintenance maintenance);
    void setNodeLogLevel(const QString& node, const QString& level); // "debug", "info", ...
    void restoreNode(const QString& node); // The newest revision is sent to it.
    // Its configuration becomes the draft.
    void adoptNode(const QString& node);
    // Connects to it anew, without waiting for the next attempt.
    void tryNode(const QString& node);
    [[nodiscard]] const std::vector<Banner>& banners() const;

    // --- Configuration ------------------------------------------------------------------------
    // What runs, or should run: the newest revision. Never null; empty when nothing is open.
    [[nodiscard]] std::shared_ptr<const model::Document> document() const;
    [[nodiscard]] QString documentText() const; // Its canonical YAML.
    [[nodiscard]] const std::vector<RevisionRow>& revisions() const; // Newest first.
    // The answer comes as revisionTextReady().
    void requestRevisionText(std::int64_t revision);
    // The text being edited; kept in the document, so that it survives a restart.
    [[nodiscard]] const QString& draftText() const;
    void setDraftText(const QString& text);
    void discardDraft();
    [[nodiscard]] bool isDraftChanged() const;
    [[nodiscard]] bool hasDraftErrors() const;
    // Null while the draft has errors.
    [[nodiscard]] std::shared_ptr<const model::Document> draftDocument() const;
    // Of the draft, errors first by place; then refusals of nodes.
    [[nodiscard]] const std::vector<ProblemRow>& problems() const;
    // Makes the draft a revision and every running engine run it. The answer comes as
    // applyFinished(): success only after every engine answered with the hash of its new
    // configuration. Refused at once (the same signal) while the draft has errors or another apply
    // is on its way.
    void apply(const QString& message);
    [[nodiscard]] bool isApplying() const;
    // The text of an older revision becomes the draft and is applied.
    void rollBackTo(std::int64_t revision);

    // --- For a push: RolloutSession ------------------------------------------------------------
    // The way to every engine that runs or is followed, by node. Answers come while engines are
    // there; releaseLinks() answers what waits, so that nobody waits for this thread.
    [[nodiscard]] std::map<std::string, std::shared_ptr<fleet::NodeLink>> nodeLinks() const;
    void releaseLinks();
    // As it is sent to nodes: canonical, with the addresses a running mesh has chosen.
    [[nodiscard]] std::shared_ptr<const model::Document> pushable(model::Document document) const;
    // Appends a revision that becomes document(); a draft that says the same is gone, any other
    // stays. No engine is told. Answered when it is on the disk, with its number.
    void saveRevision(
        std::shared_ptr<const model::Document> document,
        const QString& message,
        std::function<void(Result<std::int64_t>)> onSaved
    );
    // Simulated instances behave from now on as this document says.
    void useModels(std::shared_ptr<const model::Document> document);
    // A band on the time axis while a push goes on, and an event; one at a time.
    void beginPushMarker(std::int64_t revision, const QString& detail);
    void endPushMarker(); // Nothing when none goes on.
    // What a node said about places in its configuration when it refused it; until the next push.
    void setNodeProblems(std::vector<ProblemRow> problems);
    // The open file, null when there is none; for records that only a push keeps.
    [[nodiscard]] store::MeshDocument* file() const;
    [[nodiscard]] const Clock& clock() const;
    [[nodiscard]] QString author() const;

    // What else the document remembers: the audit, requests, small things people keep.
    [[nodiscard]] SessionRecords& records() const;

    // --- Safety ---------------------------------------------------------------------------------
    // The profile of the open document and who may write; apply, rollBackTo, faults and startMesh
    // do nothing while it refuses.
    [[nodiscard]] WriteGate& gate() const;
    // Something the console itself has found out, as an alert: it goes to events and markers.
    void addMarker(const Marker& marker);

    // --- Faults of simulated instances ---------------------------------------------------------
    [[nodiscard]] const std::vector<FaultRow>& faults() const; // Sorted by instance, then kind.
    void killInstance(const QString& instance);
    void freezeInstance(const QString& instance);
    void addLatency(const QString& instance, int milliseconds); // 0 takes it back.
    void setErrorRate(const QString& instance, double ratio); // 0..1; 0 takes it back.
    void restoreInstance(const QString& instance); // Takes every fault of it back.
    void stopAllFaults();

    // --- Layout and settings of the document ---------------------------------------------------
    struct Position
    {
        QString id; // EntityRow::id
        double x = 0;
        double y = 0;
        bool isPinned = false; // Placed by a person.
    };
    // Of one view ("topology"). Read once at opening, so it answers at once.
    [[nodiscard]] std::vector<Position> positions(const QString& view) const;
    void savePositions(const QString& view, const std::vector<Position>& positions);
    [[nodiscard]] QString setting(const QString& key, const QString& fallback = {}) const;
    void setSetting(const QString& key, const QString& value);

Q_SIGNALS:
    void documentClosing(); // The file and the engines are still there.
    void documentChanged(); // Another document, or its configuration has a new revision.
    void topologyChanged(const mesh::bridge::Topology& topology); // At most once a second.
    void seriesReady(int request, const mesh::bridge::Series& series);
    void markersChanged();
    void eventsChanged();
    void tapChanged();
    void nodesChanged();
    void nodeMeasured(const mesh::bridge::NodeSecond& second); // Each frame of each node.
    void honestyChanged();
    void bannersChanged();
    void revisionsChanged();
    void revisionTextReady(qint64 revision, const QString& text);
    void draftChanged();
    void problemsChanged();
    void faultsChanged();
    void meshRunningChanged();
    void applyFinished(bool isSuccess, const QString& text); // Failure: what happened and where.
    void copyFinished(bool isSuccess, const QString& text);
    void nodeCommandFinished(const QString& node, bool isSuccess, const QString& text);

private:
    class Private;
    std::unique_ptr<Private> m_private;
};

} // namespace mesh::bridge
