// Somebody else has changed what the draft was made on.
#include "app/bridge/object_diff.h"
#include "app/bridge/rollout_private.h"
#include "app/fleet/node_link.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/config/tree.h"

#include <algorithm>

namespace mesh::bridge {

namespace {

QString valueText(const model::Value& value)
{
    if (value.isNull()) {
        return RolloutSession::tr("not set");
    }
    return QString::fromStdString(config::toJson(value));
}

QString conflictKey(const fleet::MergeConflict& conflict)
{
    return keyOf(conflict.object) + u'\n' + QString::fromStdString(conflict.path);
}

// Puts a value at a path of members, "resilience.retry.attempts"; null takes it out.
void setAt(model::Value& record, std::string_view path, const model::Value& value)
{
    const std::size_t dot = path.find('.');
    const std::string_view head = path.substr(0, dot);
    if (dot == std::string_view::npos) {
        if (value.isNull()) {
            record.remove(head);
        } else {
            record.set(head, value);
        }
        return;
    }
    model::Value* inner = record.find(head);
    if (inner == nullptr) {
        record.set(head, model::Value());
        inner = record.find(head);
    }
    setAt(*inner, path.substr(dot + 1), value);
}

// The other side's choice of one conflict.
Result<void> takeTheirs(
    model::Document& merged, const model::Document& theirs, const fleet::MergeConflict& conflict
)
{
    const model::ObjectRef& object = conflict.object;
    model::Value other = model::objectAt(theirs, object);
    model::Value own = model::objectAt(merged, object);
    if (other.isNull()) {
        return model::removeObject(merged, object);
    }
    if (own.isNull()) {
        MESH_TRY_VOID(model::addObject(merged, object.kind, object.parent, other));
        return {};
    }
    if (conflict.path.empty()) {
        return model::replaceObject(merged, object, other);
    }
    setAt(own, conflict.path, conflict.theirs);
    return model::replaceObject(merged, object, own);
}

} // namespace

void RolloutSession::Private::checkBase()
{
    if (!draftBase) {
        draftBase = mesh.document();
        const auto& revisions = mesh.revisions();
        const std::int64_t newest = revisions.empty() ? 0 : revisions.front().id;
        const QString key = QStringLiteral("draft.base");
        // A draft that was found in the file was made on what was newest then.
        const std::int64_t kept = mesh.setting(key).toLongLong();
        const bool isFoundDraft = kept > 0 && kept < newest && changes.empty();
        draftBaseRevision = isFoundDraft ? kept : newest;
        if (isFoundDraft) {
            const int opened = generation;
            textOf(kept, [this, opened](Result<model::Document> text) {
                if (opened == generation && text && draftBase) {
                    draftBase = std::make_shared<const model::Document>(std::move(*text));
                    checkBase();
                    Q_EMIT q.changesChanged();
                }
            });
            return;
        }
        mesh.setSetting(key, QString::number(newest));
        return;
    }
    const auto now = mesh.document();
    const bool isMoved =
        draft && config::hashOf(*mesh.pushable(*draftBase)) != config::hashOf(*mesh.pushable(*now));
    if (!isMoved) {
        if (theirs && merge.isNeeded && config::hashOf(*theirs) == config::hashOf(*now)) {
            merge = {};
            Q_EMIT q.mergeChanged();
        }
        return;
    }
    const auto& newest = mesh.revisions().front();
    makeMerge(
        now,
        RolloutSession::tr("Revision %1 by %2 came after revision %3, on which these changes were "
                           "made.")
            .arg(newest.id)
            .arg(newest.author)
            .arg(draftBaseRevision)
    );
}

void RolloutSession::Private::compareWithNodes()
{
    if (merge.isNeeded || !draft) {
        return;
    }
    std::set<QString> known;
    for (const RevisionRow& revision : mesh.revisions()) {
        known.insert(revision.hash);
    }
    for (const NodeRow& node : mesh.nodes()) {
        const bool isForeign =
            node.state == NodeState::Running && !node.hash.isEmpty() && known.count(node.hash) == 0;
        if (!isForeign) {
            continue;
        }
        const auto links = mesh.nodeLinks();
        const auto link = links.find(node.name.toStdString());
        if (link == links.end()) {
            continue;
        }
        merge.isNeeded = true;
        merge.text = RolloutSession::tr("%1 runs a configuration that did not come from this "
                                        "document; it is being read.")
                         .arg(node.name);
        Q_EMIT q.mergeChanged();
        const int opened = generation;
        const QString name = node.name;
        link->second->readDocument([this, opened, name, tell = poster(), kept = link->second](
                                       Result<std::shared_ptr<const model::Document>> read
                                   ) {
            auto shared =
                std::make_shared<Result<std::shared_ptr<const model::Document>>>(std::move(read));
            post([this, opened, name, shared] {
                if (opened != generation || !draft) {
                    return;
                }
                if (!*shared) {
                    merge.text = RolloutSession::tr("%1 runs a configuration that did not come "
                                                    "from this document, and it cannot be "
                                                    "read: %2")
                                     .arg(name, QString::fromStdString((*shared).error().message));
                    Q_EMIT q.mergeChanged();
                    return;
                }
                makeMerge(
                    **shared,
                    RolloutSession::tr("%1 runs a configuration that did not come from this "
                                       "document.")
                        .arg(name)
                );
            });
        });
        return;
    }
}

void RolloutSession::Private::makeMerge(
    std::shared_ptr<const model::Document> other, const QString& text
)
{
    const model::Document& base = draftBase ? *draftBase : *mesh.document();
    fleet::Merge made = fleet::merge(base, *draft, *other);
    theirs = std::move(other);
    merge = {};
    merge.isNeeded = true;
    merge.text = text;
    merge.mine = static_cast<int>(model::diff(base, *draft).size());
    merge.theirs = static_cast<int>(model::diff(base, *theirs).size());
    conflicts = std::move(made.conflicts);
    for (const fleet::MergeConflict& conflict : conflicts) {
        ConflictRow row;
        row.key = conflictKey(conflict);
        const QString kind = changeRowOf({model::ChangeKind::Updated, conflict.object, {}}
        ).detail.section(QStringLiteral(" · "), 0, 0);
        row.object = QString::fromStdString(conflict.object.name) + QStringLiteral(" · ") + kind;
        row.field = QString::fromStdString(conflict.path);
        row.base = conflict.path.empty() ? QString() : valueText(conflict.base);
        row.mine = conflict.path.empty() && conflict.mine.isNull() ? RolloutSession::tr("deleted")
                                                                   : valueText(conflict.mine);
        row.theirs = conflict.path.empty() && conflict.theirs.isNull()
                         ? RolloutSession::tr("deleted")
                         : valueText(conflict.theirs);
        merge.conflicts.push_back(std::move(row));
    }
    Q_EMIT q.mergeChanged();
}

void RolloutSession::chooseTheirs(const QString& key, bool isTheirs)
{
    for (ConflictRow& row : m_private->merge.conflicts) {
        if (row.key == key) {
            row.takesTheirs = isTheirs;
        }
    }
    Q_EMIT mergeChanged();
}

Result<void> RolloutSession::takeMerge()
{
    Private& own = *m_private;
    if (!own.merge.isNeeded || !own.theirs || !own.draft) {
        return fail(ErrorCode::NotFound, "there is nothing to merge");
    }
    const model::Document& base = own.draftBase ? *own.draftBase : *own.mesh.document();
    model::Document merged = fleet::merge(base, *own.draft, *own.theirs).merged;
    for (std::size_t i = 0; i < own.conflicts.size(); ++i) {
        if (own.merge.conflicts[i].takesTheirs) {
            MESH_TRY_VOID(takeTheirs(merged, *own.theirs, own.conflicts[i]));
        }
    }
    const auto problems = config::validate(merged);
    if (config::hasErrors(problems)) {
        return fail(ErrorCode::InvalidArgument, problems.front().message);
    }
    const QString text = QString::fromStdString(config::toYaml(merged));
    const auto finish = [this, text] {
        m_private->draftBase = m_private->mesh.document();
        m_private->draftBaseRevision =
            m_private->mesh.revisions().empty() ? 0 : m_private->mesh.revisions().front().id;
        m_private->merge = {};
        m_private->theirs.reset();
        m_private->conflicts.clear();
        Q_EMIT draftProposed(text);
        Q_EMIT mergeChanged();
        Q_EMIT changesChanged();
    };
    const auto theirs = own.mesh.pushable(*own.theirs);
    if (config::hashOf(*theirs) == config::hashOf(*own.mesh.pushable(*own.mesh.document()))) {
        finish();
        return {};
    }
    // What the nodes run becomes the newest revision, so that the history has it.
    own.draftBase = theirs;
    const int opened = own.generation;
    own.mesh.saveRevision(
        theirs,
        tr("Taken over from the nodes"),
        [this, opened, finish, guard = own.alive()](const Result<std::int64_t>& saved) {
            if (!guard || opened != m_private->generation) {
                return;
            }
            if (!saved) {
                Q_EMIT failed(
                    tr("What the nodes run was not taken over."),
                    QString::fromStdString(saved.error().message)
                );
                return;
            }
            finish();
        }
    );
    return {};
}

} // namespace mesh::bridge
