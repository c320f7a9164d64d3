#pragma once

#include "app/bridge/review_rows.h"
#include "app/fleet/merge.h"
#include "app/fleet/review.h"
#include "app/fleet/rollout_runner.h"
#include "proxyengine/base/error.h"

#include <QObject>
#include <QString>

#include <functional>
#include <memory>
#include <vector>

namespace mesh::bridge {

class MeshSession;

// What carries the work out; empty: app/fleet. Tests hand in their own.
struct RolloutOptions
{
    std::function<fleet::Review(
        const model::Document& before,
        const model::Document& after,
        const std::vector<fleet::RequestSample>& samples
    )>
        review;
    std::function<std::unique_ptr<fleet::RolloutRunner>(
        const Clock& clock, fleet::RolloutRequest request, fleet::RolloutRunner::Callbacks callbacks
    )>
        start;
    std::function<std::unique_ptr<fleet::RolloutRunner>(
        const Clock& clock,
        fleet::RolloutRequest request,
        fleet::Rollout kept,
        fleet::RolloutRunner::Callbacks callbacks
    )>
        resume;
    // Whether the profile asks for a message; empty: every level above Silent does.
    std::function<bool()> isMessageRequired;
};

// From a draft to nodes that run it and back: the change set, its review, the push, the history.
//
// The draft is the session's; what this class changes in it goes out as draftProposed(), so that
// the window's undo holds it. A push is carried out by fleet::RolloutRunner; what is shown of it is
// what the runner read back. All signals come on the GUI's thread.
// Lifetime: the mesh session outlives this. The destructor stops a running push: nothing more is
// sent, and what was kept says where it was.
class RolloutSession : public QObject
{
    Q_OBJECT

public:
    explicit RolloutSession(MeshSession& mesh, RolloutOptions options = {});
    ~RolloutSession() override;

    // --- Change set -----------------------------------------------------------------------------
    [[nodiscard]] const std::vector<ChangeRow>& changes() const; // Of the draft.
    [[nodiscard]] int includedCount() const;
    void setIncluded(const QString& key, bool isIncluded);
    // Out of the draft. Errors: another change needs it; the draft has errors.
    [[nodiscard]] Result<void> discardChange(const QString& key);
    // An edit of a path of the draft: the finding's fix. Errors: NotFound.
    [[nodiscard]] Result<void> applyFix(const QString& findingKey);
    void acceptFinding(const QString& key, bool isAccepted);
    // For good, kept in the document. An empty reason takes it back.
    void muteFinding(const QString& key, const QString& reason);

    // --- Review ---------------------------------------------------------------------------------
    // Diff 1 at once; 2, 3 and findings follow from a thread of their own.
    [[nodiscard]] const ReviewRows& review() const;
    void setReviewed(bool isShown); // Nothing is computed while nobody looks.
    [[nodiscard]] bool isMessageRequired() const;
    [[nodiscard]] const QString& message() const;
    void setMessage(const QString& message); // Kept with the draft.
    // A note about where the draft came from: "Back to revision 41"; empty: edits.
    [[nodiscard]] const QString& origin() const;
    // Why it cannot be pushed now; empty: it can.
    [[nodiscard]] QString whyNotPush() const;
    // "Push 3 changes to PROD shop-eu (12 nodes)"; `environment`: "PROD".
    [[nodiscard]] QString pushLabel(const QString& environment) const;

    // --- Plan -----------------------------------------------------------------------------------
    [[nodiscard]] const PlanRows& plan() const;
    void setPlanKind(PlanKind kind);
    void setBake(int seconds);
    void setGates(const PlanGates& gates);
    void setRollsBack(bool rollsBack);
    void setAppliesOnReturn(bool isSent);

    // --- Somebody else's change -----------------------------------------------------------------
    [[nodiscard]] const MergeRows& merge() const;
    void chooseTheirs(const QString& conflictKey, bool isTheirs);
    // The draft becomes both sides together, on what runs now. Errors: it does not validate.
    [[nodiscard]] Result<void> takeMerge();

    // --- Push -----------------------------------------------------------------------------------
    // Saves the revision, then sends. Errors: whyNotPush().
    [[nodiscard]] Result<void> push();
    [[nodiscard]] const RolloutRows& rollout() const;
    [[nodiscard]] bool isRunning() const;
    void hold();
    void continueNow();
    void stop(); // Always wins.
    void rollBack();

    // --- History --------------------------------------------------------------------------------
    [[nodiscard]] const std::vector<HistoryRow>& history() const; // Newest first.
    // 0: what runs now. The answer comes as historyDiffReady().
    void requestDiff(std::int64_t from, std::int64_t to);
    [[nodiscard]] const HistoryDiff& historyDiff() const;
    // The draft becomes what that revision had, of these objects (empty: all); to be reviewed.
    void goBackTo(std::int64_t revision, const QStringList& keys = {});
    // The last push from here within ten minutes can be taken back; 0: none.
    [[nodiscard]] std::int64_t undoable() const;
    void undoLastPush(); // The inverse change as a draft, to be reviewed.

Q_SIGNALS:
    void changesChanged();
    void reviewChanged();
    void planChanged();
    void mergeChanged();
    void rolloutChanged();
    void historyChanged();
    void historyDiffReady();
    void draftProposed(const QString& text); // To become the draft, so that it can be undone.
    void reviewProposed(); // Show the review: goBackTo() has made a draft.
    void failed(const QString& what, const QString& why);

private:
    class Private;
    std::unique_ptr<Private> m_private;
};

} // namespace mesh::bridge
