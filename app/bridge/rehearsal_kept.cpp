#include "app/bridge/mesh_session.h"
#include "app/bridge/rehearsal_private.h"
#include "app/bridge/run_records.h"
#include "app/bridge/session_records.h"
#include "simulator/report/json.h"

#include <QPointer>

#include <algorithm>
#include <iterator>

// Runs that people keep: stored in the document, shown again after a restart.
namespace mesh::bridge {

namespace {

const QString kRunKind = QStringLiteral("run");

// No two runs end in the same microsecond.
QString keyOf(const RunRow& row) { return QString::number(row.time_us); }

} // namespace

QString RehearsalSession::Private::revisionHash() const
{
    const bool isDraft = mesh.isDraftChanged() && !mesh.hasDraftErrors();
    return isDraft || mesh.revisions().empty() ? QString() : mesh.revisions().front().hash;
}

void RehearsalSession::Private::storeRun(const FinishedRun& run)
{
    if (!mesh.isOpen()) {
        return;
    }
    if (!run.row.isKept) {
        mesh.records().removeItem(kRunKind, keyOf(run.row));
        return;
    }
    KeptRun kept;
    kept.row = run.row;
    kept.scenario = run.text;
    kept.revisionHash = run.revisionHash;
    kept.report =
        run.isRestored ? run.report : QString::fromStdString(simulator::toJson(*run.result));
    mesh.records().saveItem(kRunKind, keyOf(run.row), QString::fromUtf8(toJson(kept)));
}

void RehearsalSession::Private::restoreRuns()
{
    if (!mesh.isOpen()) {
        return;
    }
    const QPointer<RehearsalSession> asked(&q);
    mesh.records().askItems(kRunKind, [this, asked](const std::vector<ItemRow>& items) {
        if (!asked) {
            return;
        }
        std::vector<FinishedRun> restored;
        for (const ItemRow& item : items) {
            auto kept = keptRunFromJson(item.text.toUtf8());
            const bool isThere = kept && std::ranges::any_of(finished, [&](const FinishedRun& run) {
                                     return run.row.time_us == kept->row.time_us;
                                 });
            if (!kept || isThere) {
                continue; // Of a version that is not known: it stays in the document.
            }
            FinishedRun run;
            run.row = std::move(kept->row);
            run.row.id = ++lastId;
            run.result = std::make_shared<simulator::Rehearsal>();
            run.document = std::make_shared<model::Document>();
            run.text = kept->scenario;
            run.isRestored = true;
            run.report = kept->report;
            run.revisionHash = kept->revisionHash;
            restored.push_back(std::move(run));
        }
        if (restored.empty()) {
            return;
        }
        // They are older than what has been run since.
        finished.insert(
            finished.begin(),
            std::make_move_iterator(restored.begin()),
            std::make_move_iterator(restored.end())
        );
        currentId = currentId == 0 ? finished.back().row.id : currentId;
        markOutdated();
        publishRuns();
    });
}

} // namespace mesh::bridge
