// What a session gives to whoever pushes: links, revisions, documents as they are sent.
#include "app/bridge/session_private.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/model/canonical.h"

#include <algorithm>

namespace mesh::bridge {

void MeshSession::Private::makeLinks()
{
    EngineLinks::Door door;
    door.submit = [this](const std::string& node, api::Command command) {
        return submit(node, std::move(command));
    };
    door.documentOf = [this](const std::string& wanted) {
        const auto found = std::ranges::find_if(sent, [&wanted](const auto& known) {
            return known.first == wanted;
        });
        return found == sent.end() ? nullptr : found->second;
    };
    door.now = [this] { return clock.wallNow(); };
    links = std::make_unique<EngineLinks>(std::move(door));
}

Result<CommandId> MeshSession::Private::submit(const std::string& node, api::Command command)
{
    if (live && !isStarting) {
        for (const simulator::LiveMesh::Node& own : live->nodes()) {
            if (own.name == node) {
                return own.engine->submit(std::move(command));
            }
        }
    }
    const auto extra = extras.find(node);
    if (extra == extras.end()) {
        return fail(ErrorCode::NotFound, "no engine of this console runs or follows " + node);
    }
    return extra->second.engine->submit(std::move(command));
}

void MeshSession::Private::saveRevision(
    std::shared_ptr<const model::Document> next,
    const QString& message,
    std::function<void(Result<std::int64_t>)> onSaved
)
{
    if (!file || !file->access().isWritable()) {
        onSaved(fail(ErrorCode::PermissionDenied, "the document is read-only"));
        return;
    }
    store::NewRevision revision;
    revision.author = options.author.toStdString();
    revision.message = message.toStdString();
    revision.time = clock.wallNow();
    revision.hash = config::hashOf(*next);
    revision.text = config::toYaml(*next);
    const std::string yaml = revision.text;
    file->addRevision(
        std::move(revision),
        [this, next, yaml, onSaved = std::move(onSaved)](Result<store::Revision> saved) {
            auto shared = std::make_shared<Result<store::Revision>>(std::move(saved));
            post([this, next, yaml, shared, onSaved] {
                if (!*shared) {
                    onSaved(tl::unexpected<Error>(shared->error()));
                    return;
                }
                const store::Revision& row = **shared;
                addRevisionRow(row);
                Marker marker;
                marker.kind = Marker::Kind::Revision;
                marker.begin_us = marker.end_us = row.time.time_since_epoch().count();
                marker.label = MeshSession::tr("rev %1").arg(row.id);
                marker.detail = QString::fromStdString(row.message);
                addEvent(std::move(marker));
                records->addAudit(
                    QStringLiteral("revision.saved"),
                    QStringLiteral("revision %1").arg(row.id),
                    QString::fromStdString(row.message)
                );
                const bool isSame =
                    draftDocument && config::hashOf(*q.pushable(*draftDocument)) == row.hash;
                setConfiguration(next, yaml);
                if (isSame) {
                    file->saveDraft(std::nullopt);
                    setDraft(text);
                } else {
                    readDraft();
                    Q_EMIT q.draftChanged();
                }
                Q_EMIT q.revisionsChanged();
                Q_EMIT q.documentChanged();
                onSaved(row.id);
            });
        }
    );
}

void MeshSession::beginPushMarker(std::int64_t revision, const QString& detail)
{
    endPushMarker(); // A newer push supersedes it.
    Marker marker;
    marker.kind = Marker::Kind::Push;
    marker.policy = QLatin1String(kPushOfFleet);
    marker.begin_us = m_private->now_us();
    marker.label = tr("push %1").arg(revision);
    marker.detail = detail;
    m_private->openPush =
        m_private->beginEvent(std::move(marker), m_private->now_us(), PolicyPhase::Begins);
    m_private->isEventNew = false;
    Q_EMIT eventsChanged();
    Q_EMIT markersChanged();
}

void MeshSession::endPushMarker()
{
    if (!m_private->openPush) {
        return;
    }
    m_private->endEvent(*m_private->openPush, m_private->now_us());
    m_private->openPush.reset();
    m_private->isEventNew = false;
    Q_EMIT eventsChanged();
    Q_EMIT markersChanged();
}

std::map<std::string, std::shared_ptr<fleet::NodeLink>> MeshSession::nodeLinks() const
{
    std::map<std::string, std::shared_ptr<fleet::NodeLink>> made;
    if (m_private->live) {
        for (const simulator::LiveMesh::Node& node : m_private->live->nodes()) {
            made[node.name] = m_private->links->link(node.name, {});
        }
    }
    for (const auto& [name, extra] : m_private->extras) {
        made[name] = m_private->links->link(name, extra.reads);
    }
    return made;
}

void MeshSession::releaseLinks()
{
    m_private->links->close();
    m_private->makeLinks();
}

std::shared_ptr<const model::Document> MeshSession::pushable(model::Document document) const
{
    if (m_private->live) {
        document = m_private->live->withRealAddresses(std::move(document));
    }
    return std::make_shared<const model::Document>(model::canonical(std::move(document)));
}

void MeshSession::saveRevision(
    std::shared_ptr<const model::Document> document,
    const QString& message,
    std::function<void(Result<std::int64_t>)> onSaved
)
{
    m_private->saveRevision(std::move(document), message, std::move(onSaved));
}

void MeshSession::useModels(std::shared_ptr<const model::Document> document)
{
    if (m_private->live) {
        m_private->live->useModels(std::move(document));
    }
}

void MeshSession::setNodeProblems(std::vector<ProblemRow> problems)
{
    m_private->nodeProblems = std::move(problems);
    m_private->updateProblems();
}

std::shared_ptr<const model::Document> MeshSession::draftDocument() const
{
    return m_private->draftDocument
               ? std::make_shared<const model::Document>(*m_private->draftDocument)
               : nullptr;
}

store::MeshDocument* MeshSession::file() const { return m_private->file.get(); }

const Clock& MeshSession::clock() const { return m_private->clock; }

QString MeshSession::author() const { return m_private->options.author; }

} // namespace mesh::bridge
