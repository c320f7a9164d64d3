// Revisions, what lies between them, and the way back.
#include "app/bridge/object_diff.h"
#include "app/bridge/rollout_private.h"
#include "proxyengine/base/clock.h"
#include "proxyengine/config/codec.h"

#include <algorithm>

namespace mesh::bridge {

namespace {

bool isBadEnd(fleet::RolloutState state)
{
    return state == fleet::RolloutState::Failed || state == fleet::RolloutState::Partial
           || state == fleet::RolloutState::RolledBack || state == fleet::RolloutState::Stopped;
}

} // namespace

void RolloutSession::Private::readHistory()
{
    history.clear();
    std::set<QString> running;
    for (const NodeRow& node : mesh.nodes()) {
        if (node.state == NodeState::Running) {
            running.insert(node.hash);
        }
    }
    for (const RevisionRow& revision : mesh.revisions()) {
        HistoryRow row;
        row.id = revision.id;
        row.parent = revision.parent;
        row.time_us = revision.time_us;
        row.author = revision.author;
        row.message = revision.message;
        // Of two revisions that say the same the newer one is the one that runs.
        row.isRunning = running.size() == 1 && *running.begin() == revision.hash
                        && std::ranges::none_of(history, &HistoryRow::isRunning);
        const auto known = pushes.find(revision.id);
        if (known != pushes.end()) {
            row.outcome = outcomeText(known->second.state);
            row.isBad = isBadEnd(known->second.state);
            row.convergence =
                QStringLiteral("%1/%2").arg(known->second.converged).arg(known->second.expected);
        }
        history.push_back(std::move(row));
    }
    Q_EMIT q.historyChanged();
}

void RolloutSession::Private::textOf(
    std::int64_t revision, std::function<void(Result<model::Document>)> then
)
{
    if (revision == 0) {
        then(*mesh.document());
        return;
    }
    const bool isKnown =
        std::ranges::find(mesh.revisions(), revision, &RevisionRow::id) != mesh.revisions().end();
    if (!isKnown) {
        then(fail(ErrorCode::NotFound, "there is no revision " + std::to_string(revision)));
        return;
    }
    waitingTexts.emplace(revision, std::move(then));
    mesh.requestRevisionText(revision);
}

void RolloutSession::Private::answerText(std::int64_t revision, const QString& text)
{
    const auto [begin, end] = waitingTexts.equal_range(revision);
    std::vector<std::function<void(Result<model::Document>)>> waiting;
    for (auto at = begin; at != end; ++at) {
        waiting.push_back(std::move(at->second));
    }
    waitingTexts.erase(begin, end);
    if (waiting.empty()) {
        return;
    }
    config::DecodeResult decoded = config::decode(text.toStdString());
    for (const auto& then : waiting) {
        if (config::hasErrors(decoded.problems)) {
            then(fail(ErrorCode::Syntax, decoded.problems.front().message));
        } else {
            then(decoded.document);
        }
    }
}

void RolloutSession::Private::proposeDraft(
    const model::Document& document, const QString& from, const QString& words
)
{
    draftBase = mesh.document();
    draftBaseRevision = mesh.revisions().empty() ? 0 : mesh.revisions().front().id;
    Q_EMIT q.draftProposed(QString::fromStdString(config::toYaml(document)));
    if (!mesh.isDraftChanged()) {
        Q_EMIT q.failed(
            RolloutSession::tr("There is nothing to take back."),
            RolloutSession::tr("The newest revision says the same already.")
        );
        return;
    }
    origin = from;
    mesh.setSetting(QStringLiteral("draft.origin"), origin);
    q.setMessage(words);
    Q_EMIT q.changesChanged();
    Q_EMIT q.reviewProposed();
}

void RolloutSession::requestDiff(std::int64_t from, std::int64_t to)
{
    const int asked = ++m_private->diffAsked;
    const int opened = m_private->generation;
    m_private->textOf(from, [this, asked, opened, from, to](Result<model::Document> first) {
        auto before = std::make_shared<Result<model::Document>>(std::move(first));
        m_private->textOf(
            to,
            [this, asked, opened, from, to, before](Result<model::Document> second) {
                if (asked != m_private->diffAsked || opened != m_private->generation) {
                    return;
                }
                HistoryDiff diff;
                const auto nameOf = [](std::int64_t id) {
                    return id == 0 ? tr("running") : QString::number(id);
                };
                diff.title = tr("%1 → %2").arg(nameOf(from), nameOf(to));
                if (!*before || !second) {
                    diff.failure = QString::fromStdString(
                        !*before ? before->error().message : second.error().message
                    );
                    m_private->historyDiff = std::move(diff);
                    Q_EMIT historyDiffReady();
                    return;
                }
                for (const model::ObjectChange& change : model::diff(**before, *second)) {
                    diff.created += change.kind == model::ChangeKind::Created ? 1 : 0;
                    diff.updated += change.kind == model::ChangeKind::Updated ? 1 : 0;
                    diff.deleted += change.kind == model::ChangeKind::Deleted ? 1 : 0;
                    diff.changes.push_back(changeRowOf(change));
                }
                diff.objects = objectDiffs(**before, *second);
                m_private->historyDiff = std::move(diff);
                Q_EMIT historyDiffReady();
            }
        );
    });
}

void RolloutSession::goBackTo(std::int64_t revision, const QStringList& keys)
{
    const int opened = m_private->generation;
    m_private->textOf(revision, [this, opened, revision, keys](Result<model::Document> found) {
        if (opened != m_private->generation) {
            return;
        }
        const auto tell = [this, revision](const Error& error) {
            Q_EMIT failed(
                tr("Revision %1 cannot be gone back to.").arg(revision),
                QString::fromStdString(error.message)
            );
        };
        if (!found) {
            tell(found.error());
            return;
        }
        const auto now = m_private->mesh.document();
        model::Document wanted = *m_private->mesh.pushable(std::move(*found));
        if (!keys.isEmpty()) {
            std::vector<model::ObjectRef> objects;
            for (const model::ObjectChange& change : model::diff(*now, wanted)) {
                if (keys.contains(keyOf(change.object))) {
                    objects.push_back(change.object);
                }
            }
            auto part = fleet::withChanges(*now, wanted, objects);
            if (!part) {
                tell(part.error());
                return;
            }
            wanted = std::move(*part);
        }
        QStringList undone;
        for (const RevisionRow& row : m_private->mesh.revisions()) {
            if (row.id > revision) {
                undone.prepend(QString::number(row.id));
            }
        }
        const QString from = keys.isEmpty() && !undone.isEmpty()
                                 ? tr("Back to revision %1; this undoes %2")
                                       .arg(revision)
                                       .arg(undone.join(QStringLiteral(", ")))
                                 : tr("Some objects as in revision %1").arg(revision);
        m_private->proposeDraft(wanted, from, tr("Roll back to revision %1").arg(revision));
    });
}

std::int64_t RolloutSession::undoable() const
{
    const auto& revisions = m_private->mesh.revisions();
    if (revisions.size() < 2 || isRunning()) {
        return 0;
    }
    const auto known = m_private->pushes.find(revisions.front().id);
    const std::int64_t now = m_private->mesh.clock().wallNow().time_since_epoch().count();
    const bool isOurs =
        known != m_private->pushes.end() && known->second.state != fleet::RolloutState::RolledBack;
    const std::int64_t ended = isOurs && known->second.endedAt_us > 0 ? known->second.endedAt_us
                                                                      : revisions.front().time_us;
    return isOurs && now - ended <= kUndoWindow_us ? revisions.front().id : 0;
}

void RolloutSession::undoLastPush()
{
    const std::int64_t last = undoable();
    if (last == 0) {
        Q_EMIT failed(
            tr("There is no push to undo."),
            tr("A push can be undone for ten minutes; History (mode Rollout) goes back further.")
        );
        return;
    }
    const auto& revisions = m_private->mesh.revisions();
    const auto known = m_private->pushes.find(last);
    const std::int64_t before = known != m_private->pushes.end() && known->second.revisionBefore > 0
                                    ? known->second.revisionBefore
                                    : revisions[1].id;
    goBackTo(before);
}

void RolloutSession::Private::resume()
{
    if (!rollout || runner) {
        return;
    }
    const std::int64_t after = rollout->revision;
    const std::int64_t before = rollout->revisionBefore;
    const int opened = generation;
    textOf(before, [this, opened, after](Result<model::Document> first) {
        auto earlier = std::make_shared<Result<model::Document>>(std::move(first));
        textOf(after, [this, opened, earlier](Result<model::Document> second) {
            if (opened != generation || !rollout || runner) {
                return;
            }
            if (!*earlier || !second) {
                Q_EMIT q.failed(
                    RolloutSession::tr("The push cannot go on."),
                    QString::fromStdString(
                        !*earlier ? earlier->error().message : second.error().message
                    )
                );
                return;
            }
            pushedBefore = mesh.pushable(std::move(**earlier));
            pushed = mesh.pushable(std::move(*second));
            fleet::RolloutRequest request;
            request.before = pushedBefore;
            request.after = pushed;
            request.revision = rollout->revision;
            request.revisionBefore = rollout->revisionBefore;
            request.message = rollout->message;
            request.plan = rollout->plan;
            request.nodes = expectedNodes();
            request.links = mesh.nodeLinks();
            isFound = false;
            runner = options.resume(mesh.clock(), std::move(request), *rollout, callbacks());
            figuresTimer.start();
            refreshRollout();
        });
    });
}

} // namespace mesh::bridge
