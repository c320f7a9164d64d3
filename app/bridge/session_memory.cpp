#include "app/bridge/session_private.h"
#include "app/store/document_repair.h"
#include "proxyengine/base/limits.h"

#include <QFile>

#include <algorithm>

namespace mesh::bridge {

namespace {

constexpr std::int64_t kMemorySecond_us = 1'000'000;
// As often as an hour of work may be lost to a broken disk; with kAutomaticBackupsMax of them.
constexpr std::int64_t kBackupEvery_us = 3600 * kMemorySecond_us;

// How a change of a node's state is told; empty: it is not.
QString wordsOf(NodeState before, NodeState after)
{
    switch (after) {
    case NodeState::Stale:
        return MeshSession::tr("%1 silent");
    case NodeState::Draining:
        return MeshSession::tr("%1 draining");
    case NodeState::Stopped:
        return MeshSession::tr("%1 stopped");
    case NodeState::Running:
        return before == NodeState::Stale || before == NodeState::Unreachable
                       || before == NodeState::Stopped || before == NodeState::Draining
                   ? MeshSession::tr("%1 back")
                   : QString();
    case NodeState::Unreachable: // Told when it was found out.
    case NodeState::Starting:
    case NodeState::NotStarted:
        break;
    }
    return {};
}

} // namespace

void MeshSession::Private::noteNodeStates()
{
    for (const NodeRow& row : nodeRows) {
        const auto noted = nodeStatesNoted.find(row.name);
        if (noted == nodeStatesNoted.end()) {
            nodeStatesNoted.emplace(row.name, row.state);
            continue;
        }
        const NodeState before = std::exchange(noted->second, row.state);
        const QString words = before == row.state ? QString() : wordsOf(before, row.state);
        if (words.isEmpty()) {
            continue;
        }
        Marker marker;
        marker.kind = Marker::Kind::Node;
        marker.begin_us = marker.end_us = now_us();
        marker.label = words.arg(row.name);
        if (row.role == NodeRoleKind::Gateway) {
            marker.subject = gatewayId(row.name.toStdString());
        }
        addEvent(std::move(marker));
    }
}

void MeshSession::Private::backUpWhenDue()
{
    const std::int64_t now = now_us();
    const std::int64_t revision = revisions.empty() ? 0 : revisions.front().id;
    if (backedUp_us == 0) {
        // What was there when it was opened was there an hour ago as well.
        backedUp_us = now;
        revisionBackedUp = revision;
        draftBackedUp = draft;
        const auto last = folder ? std::nullopt : store::newestBackup(file->path());
        const bool isOld = !last || now - last->time.time_since_epoch().count() > kBackupEvery_us;
        if (isOld && !folder && revision != 0 && (!last || last->revision != revision)) {
            revisionBackedUp = 0;
            backedUp_us = now - kBackupEvery_us;
        }
    }
    const bool isChanged = revision != revisionBackedUp || draft != draftBackedUp;
    const bool isKept = !folder && file->access().isWritable(); // A temporary document goes anyway.
    if (isChanged && isKept && now - backedUp_us >= kBackupEvery_us) {
        backedUp_us = now;
        revisionBackedUp = revision;
        draftBackedUp = draft;
        file->backUp();
    }
}

std::optional<BackupOffer> MeshSession::backupOffer(const QString& path) const
{
    const std::string name = QFile::encodeName(path).toStdString();
    const auto backup = store::newestBackup(name);
    if (!backup) {
        return std::nullopt;
    }
    store::OpenOptions reading;
    reading.mode = store::OpenMode::ReadOnly;
    if (store::MeshDocument::open(name, reading)) {
        return std::nullopt; // It can be read.
    }
    return BackupOffer{
        path,
        QFile::decodeName(backup->path.c_str()),
        backup->time.time_since_epoch().count(),
        backup->revision};
}

Result<void> MeshSession::openBackup(const QString& path)
{
    const std::string name = QFile::encodeName(path).toStdString();
    const auto backup = store::newestBackup(name);
    if (!backup) {
        return fail(ErrorCode::NotFound, "there is no automatic backup of " + name);
    }
    MESH_TRY(const std::string kept, store::restoreBackup(name, *backup));
    MESH_TRY_VOID(openDocument(path));
    records().addAudit(
        QStringLiteral("document.restored"),
        QFile::decodeName(backup->path.c_str()),
        kept.empty() ? QString() : QFile::decodeName(kept.c_str())
    );
    return {};
}

SessionRecords& MeshSession::records() const { return *m_private->records; }

} // namespace mesh::bridge
