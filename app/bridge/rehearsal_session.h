#pragma once

#include "app/bridge/rehearsal_rows.h"
#include "app/bridge/session_rows.h"
#include "proxyengine/base/error.h"
#include "proxyengine/model/document.h"
#include "simulator/report/rehearsal.h"

#include <QObject>
#include <QString>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace mesh::bridge {

class MeshSession;

struct RehearsalOptions
{
    // What runs a request; empty: the simulator. Tests hand in their own.
    std::function<Result<simulator::Rehearsal>(const simulator::RehearsalRequest&)> run;
    std::function<std::vector<Error>(const simulator::RehearsalRequest&)> check;
    unsigned threads = 0; // Of one run; 0: one less than the machine has, at least one.
};

// The scenario of the open document and what came of running it, in virtual time.
//
// The text is the truth: what is dropped or dragged goes into the text, and from there to the
// clips. One thing runs at a time, a rehearsal or the stability map, on a thread of its own; all
// signals come on the GUI's thread, progress at most ten times a second. Nothing here reaches a
// live node. Lifetime: the mesh session outlives this.
class RehearsalSession : public QObject
{
    Q_OBJECT

public:
    explicit RehearsalSession(MeshSession& mesh, RehearsalOptions options = {});
    ~RehearsalSession() override; // Cancels and waits.

    // --- The scenario -------------------------------------------------------------------------
    [[nodiscard]] const QString& text() const;
    // As typed; can be undone. Kept in the document.
    void setText(const QString& text);
    void undo();
    void redo();
    [[nodiscard]] bool canUndo() const;
    [[nodiscard]] bool canRedo() const;
    // A file of resources/scenarios or of the user's. Errors: it cannot be read.
    [[nodiscard]] Result<void> loadFile(const QString& path);
    // A scenario in which this happens to that after a quiet time, with what should hold, made from
    // the open document and the rates it sees. An offer that does not fit: nothing happens yet.
    void useTemplate(const QString& offer = {}, const QString& target = {});
    // The last text that could be read; drawn quieter while the text has errors.
    [[nodiscard]] const ScenarioRow& scenario() const;
    [[nodiscard]] const std::vector<ProblemRow>& problems() const; // With lines.
    [[nodiscard]] bool hasErrors() const;
    [[nodiscard]] QStringList zones() const; // Of the open document, sorted.
    // "open document, rev 42 + draft"
    [[nodiscard]] QString source() const;

    // Edits of the text in place. Each gives the place in the timeline, -1 when it was refused:
    // the text has errors, or the target is not one for this fault.
    int addFault(const QString& offer, const QString& target, double at_s);
    int moveClip(int index, double at_s, std::optional<double> length_s);
    bool removeClip(int index);
    [[nodiscard]] int lineOfClip(int index) const; // 1-based; 0: none.
    void setSeed(std::uint64_t seed);
    void setReplications(int count);
    // Puts the draft into the scenario as the variant "candidate" beside "baseline". Errors: there
    // is no draft, it has errors, or it adds or removes objects, which a variant cannot.
    [[nodiscard]] Result<void> compareDraft();

    // --- Running ------------------------------------------------------------------------------
    // Errors: the first problem; Overloaded while something runs.
    [[nodiscard]] Result<void> run();
    void cancel();
    [[nodiscard]] const RehearsalProgressRow& progress() const;
    [[nodiscard]] bool isRunning() const;

    // --- Finished runs ------------------------------------------------------------------------
    [[nodiscard]] const std::vector<RunRow>& runs() const; // Oldest first.
    [[nodiscard]] const RunRow* current() const; // Null: none has finished.
    void selectRun(int id);
    void showVariant(const QString& name); // Of the current run: verdict, table and stage.
    void keepRun(int id, bool isKept);
    void renameRun(int id, const QString& name);
    void closeRun(int id);
    // The graph of the current run's shown variant at this second, of its worst replication.
    [[nodiscard]] StageState stageAt(double second) const;
    [[nodiscard]] bool hasPatch(const QString& variant) const; // Of the current run.
    // The run's document with the variant's patch, as YAML to review. Errors: NotFound.
    [[nodiscard]] Result<QString> policyText(const QString& variant) const;
    [[nodiscard]] std::optional<ComparisonRow> compare(
        int firstRun, const QString& firstVariant, int secondRun, const QString& secondVariant
    ) const;
    // File endings of the reports that can be written, "json" first.
    [[nodiscard]] static QStringList reportFormats();
    // The current run as a report; empty when there is none.
    [[nodiscard]] QString report(const QString& format) const;

    // --- Stability map ------------------------------------------------------------------------
    // Runs the scenario's faults at other loads and lengths, once each. Errors: as run().
    [[nodiscard]] Result<void> runStability();
    // One cell of the map as a run of its own. Errors: as run().
    [[nodiscard]] Result<void> runCell(double load, double length_s);
    [[nodiscard]] const StabilityRows& stability() const;

Q_SIGNALS:
    void scenarioChanged(); // Text, clips or problems.
    void progressChanged();
    void runsChanged(); // A run finished, was selected, kept, named or closed.
    void runFailed(const QString& text); // Cancelled runs do not fail.
    void stabilityChanged();

private:
    class Private;
    std::unique_ptr<Private> m_private;
};

} // namespace mesh::bridge
