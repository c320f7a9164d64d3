#pragma once

#include "app/bridge/rehearsal_jobs.h"
#include "app/bridge/rehearsal_session.h"

#include <QTimer>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// What RehearsalSession keeps: the scenario's text and what it means, and the runs made of it.
namespace mesh::bridge {

// One finished run and what it was made of.
struct FinishedRun
{
    RunRow row;
    std::shared_ptr<const simulator::Rehearsal> result;
    std::shared_ptr<const model::Document> document;
    QString text;
    std::size_t shown = 0; // Variant.
    // Of a run that was kept by an earlier start: `result` and `document` are empty, and what it
    // says is what it said then.
    bool isRestored = false;
    QString report{}; // As JSON.
    QString revisionHash{}; // As of KeptRun.
};

class RehearsalSession::Private
{
public:
    Private(RehearsalSession& session, MeshSession& meshSession, RehearsalOptions&& wanted)
        : q(session)
        , mesh(meshSession)
        , options(std::move(wanted))
        , jobs(options)
    {}

    void adopt(const QString& changed, bool isTyped);
    void parse();
    void chooseDocument();
    void take(std::optional<std::string> edited);
    Result<void> begin(const std::optional<StabilityCell>& cell);
    void onProgress(const simulator::RehearsalProgress& told);
    void onFinished(Result<simulator::Rehearsal> outcome);
    void onLiveProgress(const simulator::LiveProgress& told);
    void onLiveFinished(int id, Result<simulator::LiveRehearsal> outcome);
    void addRun(simulator::Rehearsal&& rehearsal);
    void trimRuns();
    void storeRun(const FinishedRun& run); // Or takes it out of the document.
    void restoreRuns();
    [[nodiscard]] QString revisionHash() const; // Of `document`; empty: it is a draft.
    void markOutdated();
    [[nodiscard]] FinishedRun* find(int id);
    [[nodiscard]] const FinishedRun* find(int id) const;
    void publishRuns();
    [[nodiscard]] simulator::RehearsalRequest request() const;

    RehearsalSession& q;
    MeshSession& mesh;
    RehearsalOptions options;
    QString text;
    std::vector<QString> past;
    std::vector<QString> future;
    simulator::Scenario parsed;
    ScenarioRow scenario;
    std::vector<ProblemRow> problems;
    bool hasErrors = false;
    std::shared_ptr<const model::Document> document = std::make_shared<model::Document>();
    QString source;
    QString documentText; // What `document` was read from, so that it is read once.
    QString openPath;
    RehearsalProgressRow progress;
    std::vector<FinishedRun> finished;
    std::vector<RunRow> rows;
    int currentId = 0;
    int lastId = 0;
    QString runText; // Of what runs now.
    std::shared_ptr<const model::Document> runDocument;
    QString runSource;
    QString runName; // Empty: by its number.
    QString runHash;
    QString runPath; // Of the document it was begun on.
    StabilityRows stability;
    QTimer draftPause;
    RehearsalJobs jobs; // Last: joined before the rest goes.
};

} // namespace mesh::bridge
