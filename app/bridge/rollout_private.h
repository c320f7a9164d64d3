#pragma once

#include "app/bridge/mesh_session.h"
#include "app/bridge/node_second.h"
#include "app/bridge/rollout_session.h"
#include "app/store/records.h"
#include "proxyengine/base/thread.h"
#include "proxyengine/model/diff.h"

#include <QPointer>
#include <QTimer>

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace mesh::bridge {

inline constexpr std::int64_t kFiguresKept_s = 600; // For the minute before, and the two charts.
inline constexpr std::int64_t kUndoWindow_us = 600LL * 1'000'000; // "Ten minutes" of undo.

// A push that was kept in the document: enough to go on, and its outcome for the history.
struct KeptPush
{
    std::int64_t revision = 0;
    std::int64_t revisionBefore = 0;
    fleet::RolloutState state = fleet::RolloutState::Running;
    std::size_t expected = 0;
    std::size_t converged = 0;
    std::int64_t endedAt_us = 0;
};

[[nodiscard]] store::PushRecord recordOf(const fleet::Rollout& rollout, const std::string& json);

// Seconds of one node, oldest first.
using NodeSeconds = std::deque<NodeSecond>;

// The sum of the seconds in [begin, end).
[[nodiscard]] fleet::NodeFigures figuresOf(
    const NodeSeconds& seconds, std::int64_t begin_s, std::int64_t end_s
);

// A second of all nodes, those with the change apart from those without it.
struct SecondSums
{
    std::uint64_t requests = 0;
    std::uint64_t errors = 0;
    HistogramCounts latency;
};

// What a rollout is shown with beside itself.
struct RolloutContext
{
    std::map<std::string, NodeSeconds> seconds; // Of each node, at most kFiguresKept_s.
    std::vector<RolloutPoint> points; // Made once a second.
    std::int64_t now_us = 0;
    bool isFound = false;
};

// Of each second in [begin, end) the sums over five seconds, by whether the node ran `hash`.
[[nodiscard]] std::vector<RolloutPoint> pointsOf(
    const std::map<std::string, NodeSeconds>& seconds,
    const std::string& hash,
    std::int64_t begin_s,
    std::int64_t end_s
);

// --- Values of fleet as rows (rollout_rows.cpp) --------------------------------------------------
[[nodiscard]] RolloutRows rowsOf(const fleet::Rollout& rollout, const RolloutContext& context);
[[nodiscard]] RolloutVerdict verdictOf(fleet::RolloutState state);
[[nodiscard]] QString outcomeText(fleet::RolloutState state); // "rolled back"
// "vm-1, vm-2, 3" -> "vm-1, 2, 4–7": runs of numbers behind one stem are drawn together.
[[nodiscard]] QString nodesText(const QStringList& names);

// --- Values of a review as rows (review_view.cpp) ------------------------------------------------
[[nodiscard]] EffectiveRow rowOf(
    const fleet::EffectiveGroup& group, const model::Document& document
);
[[nodiscard]] BehaviourRows rowsOf(
    const fleet::Behaviour& behaviour, const std::vector<fleet::RequestSample>& samples
);
[[nodiscard]] FindingRow rowOf(const fleet::ReviewFinding& finding);

// Fills what is empty with app/fleet (rollout_fleet.cpp).
void useFleet(RolloutOptions& options);

class RolloutSession::Private
{
public:
    Private(RolloutSession& session, MeshSession& mesh, RolloutOptions options);
    ~Private();

    // Change set and review (rollout_session.cpp).
    void onDraftChanged();
    void onDocumentChanged();
    void readChanges();
    void startReview();
    void onReviewed(int asked, fleet::Review review);
    void markFindings();
    [[nodiscard]] Result<model::Document> included() const; // What a push would make.
    [[nodiscard]] static std::vector<fleet::RequestSample> samplesOf(const std::vector<TapRow>& told
    );
    // The second half of a review: on its thread, the longer parts, with these requests.
    void routeSamples(
        int number, std::shared_ptr<const model::Document> document, const std::vector<TapRow>& told
    );

    // Plan and push (rollout_push.cpp).
    void makePlan();
    [[nodiscard]] fleet::RolloutPlan fleetPlan() const;
    [[nodiscard]] std::vector<fleet::ExpectedNode> expectedNodes() const;
    Result<void> push();
    void begin(std::int64_t revision, std::shared_ptr<const model::Document> next);
    [[nodiscard]] fleet::RolloutRunner::Callbacks callbacks();
    void onRollout(const fleet::Rollout& rollout);
    void onOver();
    void resume(); // Goes on with what findKept() has found.
    void findKept(); // A push that was going on when the console ended.
    void onSecond(const NodeSecond& second);
    void tellFigures();
    void refreshRollout();
    void endRunner();

    // Somebody else's change (rollout_merge.cpp).
    void checkBase();
    void compareWithNodes();
    void makeMerge(std::shared_ptr<const model::Document> theirs, const QString& text);

    // History (rollout_history.cpp).
    void readHistory();
    void textOf(std::int64_t revision, std::function<void(Result<model::Document>)> then);
    void answerText(std::int64_t revision, const QString& text);
    void proposeDraft(const model::Document& document, const QString& from, const QString& words);
    // Runs `work` on the GUI thread while this lives.
    void post(std::function<void()> work);
    // The same for answers that may come when this is gone: from the store, from links.
    [[nodiscard]] std::function<void(std::function<void()>)> poster();
    // For callbacks on this thread that may come then; null once this is gone.
    [[nodiscard]] QPointer<QObject> alive() { return &receiver; }

    RolloutSession& q;
    MeshSession& mesh;
    RolloutOptions options;
    QObject receiver;
    int generation = 0; // Counts opened documents.
    QString path; // Of the document that is open.

    std::shared_ptr<const model::Document> draft; // Null while it has errors.
    std::vector<model::ObjectChange> objectChanges;
    std::vector<ChangeRow> changes;
    std::set<QString> excluded;
    std::set<QString> accepted;
    std::map<QString, QString> muted;
    QString message;
    QString origin;
    ReviewRows review;
    std::vector<fleet::ReviewFinding> findings; // In the order of review.findings.
    bool isReviewed = false;
    int asked = 0; // Reviews asked for.
    bool isReviewing = false;
    std::vector<fleet::RequestSample> samples; // That the review routes.
    bool isReviewStale = false;
    QTimer reviewDelay;
    Thread reviewJob;

    PlanRows plan;
    std::optional<PlanKind> chosenPlan;

    std::shared_ptr<const model::Document> draftBase; // What the draft was made on.
    std::int64_t draftBaseRevision = 0;
    MergeRows merge;
    std::shared_ptr<const model::Document> theirs;
    std::vector<fleet::MergeConflict> conflicts;

    std::unique_ptr<fleet::RolloutRunner> runner;
    std::optional<fleet::Rollout> rollout;
    std::shared_ptr<const model::Document> pushed;
    std::shared_ptr<const model::Document> pushedBefore;
    RolloutRows rows;
    RolloutContext context;
    QTimer figuresTimer;
    bool isFound = false;
    bool isSaving = false;

    std::vector<HistoryRow> history;
    std::map<std::int64_t, KeptPush> pushes;
    HistoryDiff historyDiff;
    int diffAsked = 0;
    std::multimap<std::int64_t, std::function<void(Result<model::Document>)>> waitingTexts;
};

} // namespace mesh::bridge
