#include "app/bridge/session_private.h"
#include "proxyengine/api/command.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/model/canonical.h"

#include <algorithm>
#include <charconv>

namespace mesh::bridge {

namespace {

constexpr std::int64_t kApplyMax_us = 10'000'000; // A node answers in milliseconds, or not at all.

ProblemSeverity severityOf(config::Severity severity)
{
    switch (severity) {
    case config::Severity::Error:
        return ProblemSeverity::Error;
    case config::Severity::Warning:
        return ProblemSeverity::Warning;
    case config::Severity::Info:
        return ProblemSeverity::Info;
    }
    return ProblemSeverity::Error;
}

// "services[3].routes[0]" -> {"services", 3}; absent without an index.
std::optional<std::pair<std::string, std::size_t>> headOf(const std::string& path)
{
    const std::size_t open = path.find('[');
    if (open == std::string::npos) {
        return std::nullopt;
    }
    std::size_t index = 0;
    const char* first = path.data() + open + 1;
    const auto parsed = std::from_chars(first, path.data() + path.size(), index);
    if (parsed.ec != std::errc()) {
        return std::nullopt;
    }
    return std::pair{path.substr(0, open), index};
}

QString serviceOfHost(const model::Document& document, const std::string& host)
{
    return serviceId(EntityNames(document).serviceOfUpstream(host));
}

// The entity that an object of a document belongs to; empty when it is none.
QString subjectAt(const model::Document& document, const std::string& path)
{
    const auto head = headOf(path);
    if (!head) {
        return {};
    }
    const auto& [kind, index] = *head;
    if (kind == "services" && index < document.services.size()) {
        const auto& name = document.services[index].name;
        return name ? serviceId(*name) : QString();
    }
    if (kind == "upstreams" && index < document.upstreams.size()) {
        return serviceOfHost(document, document.upstreams[index].name);
    }
    if (kind == "workloads" && index < document.workloads.size()) {
        return serviceId(document.workloads[index].service);
    }
    if (kind == "models" && index < document.models.size()) {
        return serviceId(document.models[index].service);
    }
    if (kind == "nodes" && index < document.nodes.size()) {
        return gatewayId(document.nodes[index].name);
    }
    return {};
}

// What a person edits need not carry the addresses that a running mesh has chosen.
void takeAddresses(model::Document& document, const model::Document& running)
{
    for (model::Workload& workload : document.workloads) {
        const auto found =
            std::ranges::find(running.workloads, workload.name, &model::Workload::name);
        if (found != running.workloads.end()) {
            workload.address = found->address;
            workload.inbound = found->inbound;
            workload.outbound = found->outbound;
        }
    }
}

} // namespace

ProblemRow MeshSession::Private::toRow(const config::Problem& problem, const model::Document& of)
    const
{
    ProblemRow row;
    row.severity = severityOf(problem.severity);
    row.path = QString::fromStdString(problem.path);
    if (problem.place) {
        row.line = problem.place->line;
        row.column = problem.place->column;
    }
    const std::string_view code = toText(problem.code);
    row.code = QString::fromUtf8(code.data(), static_cast<qsizetype>(code.size()));
    row.message = QString::fromStdString(problem.message);
    row.origin = QStringLiteral("draft");
    row.subject = subjectAt(of, problem.path);
    return row;
}

QSet<QString> MeshSession::Private::subjectsOf(const std::vector<model::ObjectChange>& changes
) const
{
    QSet<QString> subjects;
    for (const model::ObjectChange& change : changes) {
        const model::ObjectRef& object = change.object;
        if (object.kind == "services" || object.kind == "models") {
            subjects.insert(serviceId(object.name));
        } else if (object.kind == "routes") {
            subjects.insert(serviceId(object.parent));
        } else if (object.kind == "upstreams" || object.kind == "targets") {
            const bool isTarget = object.kind == "targets";
            subjects.insert(serviceOfHost(*document, isTarget ? object.parent : object.name));
        } else if (object.kind == "nodes") {
            subjects.insert(gatewayId(object.name));
        } else if (object.kind == "workloads") {
            for (const model::Workload& workload : document->workloads) {
                if (workload.name == object.name) {
                    subjects.insert(serviceId(workload.service));
                }
            }
        }
    }
    return subjects;
}

void MeshSession::Private::setDraft(const QString& newText)
{
    draft = newText;
    readDraft();
    Q_EMIT q.draftChanged();
}

void MeshSession::Private::readDraft()
{
    draftProblems.clear();
    draftDocument.reset();
    if (draft == text) {
        draftDocument = *document;
        draftSubjects.clear();
        draftChanges = 0;
        updateProblems();
        return;
    }
    config::DecodeResult decoded = config::decode(draft.toStdString());
    for (const config::Problem& problem : decoded.problems) {
        draftProblems.push_back(toRow(problem, decoded.document));
    }
    std::ranges::stable_sort(draftProblems, {}, [](const ProblemRow& row) {
        return std::pair(row.severity, std::pair(row.line, row.column));
    });
    if (!config::hasErrors(decoded.problems)) {
        draftDocument = std::move(decoded.document);
        const auto changes = model::diff(*document, *draftDocument);
        draftSubjects = subjectsOf(changes);
        draftChanges = static_cast<int>(changes.size());
    }
    updateProblems();
}

void MeshSession::Private::updateProblems()
{
    std::vector<ProblemRow> all = draftProblems;
    all.insert(all.end(), nodeProblems.begin(), nodeProblems.end());
    if (all != problems) {
        problems = std::move(all);
        Q_EMIT q.problemsChanged();
    }
}

void MeshSession::Private::addRevisionRow(const store::Revision& revision)
{
    RevisionRow row;
    row.id = revision.id;
    row.parent = revision.parent;
    row.author = QString::fromStdString(revision.author);
    row.message = QString::fromStdString(revision.message);
    row.time_us = revision.time.time_since_epoch().count();
    row.hash = QString::fromStdString(revision.hash);
    std::int64_t& newest = revisionOfHash[revision.hash];
    newest = std::max(newest, revision.id);
    if (!revisions.empty()) {
        revisions.front().isRunning = false;
    }
    // Not insert(): GCC 12 sees a null pointer in it that is not there.
    revisions.push_back(std::move(row));
    std::rotate(revisions.begin(), revisions.end() - 1, revisions.end());
}

void MeshSession::Private::apply(const QString& message)
{
    const auto refuse = [this](const QString& reason) { Q_EMIT q.applyFinished(false, reason); };
    if (!file || !file->access().isWritable()) {
        refuse(MeshSession::tr("The document is read-only; nothing was changed."));
        return;
    }
    if (const WriteAnswer answer = gate.mayWrite(WriteAction::Apply);
        answer.permit == WritePermit::Refused) {
        refuse(answer.reason);
        return;
    }
    if (pending || isStarting) {
        refuse(MeshSession::tr("Another change is on its way."));
        return;
    }
    if (!draftDocument) {
        refuse(MeshSession::tr("The draft has errors; nothing was changed."));
        return;
    }
    model::Document changed = *draftDocument;
    if (live) {
        takeAddresses(changed, *live->document());
    }
    auto next = std::make_shared<const model::Document>(model::canonical(std::move(changed)));
    store::NewRevision revision;
    revision.author = options.author.toStdString();
    revision.message = message.toStdString();
    revision.time = clock.wallNow();
    revision.hash = config::hashOf(*next);
    revision.text = config::toYaml(*next);
    pending.emplace();
    pending->hash = revision.hash;
    pending->document = next;
    pending->deadline_us = now_us() + kApplyMax_us;
    const std::string yaml = revision.text;
    file->addRevision(revision, [this, next, yaml](Result<store::Revision> saved) {
        auto shared = std::make_shared<Result<store::Revision>>(std::move(saved));
        post([this, next, yaml, shared] {
            if (!*shared) {
                finishApply(
                    false,
                    MeshSession::tr("The revision cannot be saved; nothing was changed: %1.")
                        .arg(QString::fromStdString(shared->error().message))
                );
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
            setConfiguration(next, yaml);
            file->saveDraft(std::nullopt);
            setDraft(text);
            Q_EMIT q.revisionsChanged();
            Q_EMIT q.documentChanged();
            pending->revision = row.id;
            sendToEngines(std::move(*pending));
        });
    });
}

void MeshSession::Private::sendToEngines(PendingApply next)
{
    nodeProblems.clear();
    updateProblems();
    pending = std::move(next);
    for (auto& [name, extra] : extras) {
        const auto id = extra.engine->submit(api::ApplyDocument{pending->document});
        if (id) {
            pending->waiting[name] = *id;
        } else {
            pending->failures.append(QStringLiteral("%1: %2").arg(
                QString::fromStdString(name), QString::fromStdString(id.error().message)
            ));
        }
    }
    if (live) {
        pending->isMeshWaiting = true;
        job.join();
        const int asked = generation;
        job = Thread("mesh-apply", [this, asked, mesh = live.get(), wanted = pending->document] {
            const Result<void> outcome = mesh->apply(*wanted);
            const QString failure =
                outcome ? QString() : QString::fromStdString(outcome.error().message);
            QMetaObject::invokeMethod(
                &receiver,
                [this, asked, failure] {
                    if (asked != generation || !pending) {
                        return;
                    }
                    pending->isMeshWaiting = false;
                    if (!failure.isEmpty()) {
                        pending->failures.append(failure);
                    }
                    drain();
                    checkApply();
                },
                Qt::QueuedConnection
            );
        });
    }
    checkApply();
}

void MeshSession::Private::take(const std::string& node, const api::CommandDone& event)
{
    for (const api::CommandDone::Problem& problem : event.problems) {
        ProblemRow row;
        row.path = QString::fromStdString(problem.path);
        row.line = problem.line;
        row.column = problem.column;
        row.code = QString::fromStdString(problem.code);
        row.message = QString::fromStdString(problem.message);
        row.origin = QString::fromStdString(node);
        row.subject = subjectAt(*document, problem.path);
        nodeProblems.push_back(std::move(row));
    }
    updateProblems();
    if (event.result && !event.result->hash.empty()) {
        nodes[node].hash = event.result->hash;
    }
    links->onDone(node, event);
    finishCommand(node, event);
    if (!pending) {
        return;
    }
    const auto waiting = pending->waiting.find(node);
    if (waiting == pending->waiting.end() || waiting->second != event.id) {
        return;
    }
    pending->waiting.erase(waiting);
    const QString name = QString::fromStdString(node);
    if (!event.result) {
        pending->failures.append(
            QStringLiteral("%1: %2").arg(name, QString::fromStdString(event.result.error().message))
        );
    } else if (event.result->hash != pending->hash) {
        pending->failures.append(MeshSession::tr("%1 runs another configuration").arg(name));
    }
}

void MeshSession::Private::checkApply()
{
    if (!pending || pending->revision == 0) {
        return;
    }
    QStringList behind;
    if (live && !pending->isMeshWaiting) {
        for (const simulator::LiveMesh::Node& node : live->nodes()) {
            const auto found = nodes.find(node.name);
            if (found == nodes.end() || found->second.hash != pending->hash) {
                behind.append(QString::fromStdString(node.name));
            }
        }
    }
    for (const auto& [name, id] : pending->waiting) {
        behind.append(QString::fromStdString(name));
    }
    const bool isLate = now_us() > pending->deadline_us;
    const bool isWaiting = pending->isMeshWaiting || !behind.isEmpty();
    if (isWaiting && !isLate && pending->failures.isEmpty()) {
        return;
    }
    if (pending->isMeshWaiting && !isLate) {
        return;
    }
    if (!pending->failures.isEmpty()) {
        finishApply(
            false,
            MeshSession::tr("Revision %1 is saved, but not every node runs it: %2.")
                .arg(pending->revision)
                .arg(pending->failures.join(QStringLiteral("; ")))
        );
    } else if (isWaiting) {
        finishApply(
            false,
            MeshSession::tr("Revision %1 is saved, but these nodes did not answer: %2.")
                .arg(pending->revision)
                .arg(behind.join(QStringLiteral(", ")))
        );
    } else if (live || !extras.empty()) {
        finishApply(
            true, MeshSession::tr("Revision %1 runs on every node.").arg(pending->revision)
        );
    } else {
        finishApply(
            true,
            MeshSession::tr("Revision %1 is saved; no node is running.").arg(pending->revision)
        );
    }
}

void MeshSession::Private::finishApply(bool isSuccess, const QString& words)
{
    if (pending && pending->revision != 0) {
        records->addAudit(
            isSuccess ? QStringLiteral("apply.done") : QStringLiteral("apply.failed"),
            QStringLiteral("revision %1").arg(pending->revision),
            words
        );
    }
    pending.reset();
    updateNodes();
    Q_EMIT q.applyFinished(isSuccess, words);
}

void MeshSession::requestRevisionText(std::int64_t revision)
{
    if (!m_private->file) {
        return;
    }
    Private& session = *m_private;
    session.file->revisionText(revision, [&session, revision](Result<std::string> found) {
        if (found) {
            session.post([&session, revision, words = QString::fromStdString(*found)] {
                Q_EMIT session.q.revisionTextReady(revision, words);
            });
        }
    });
}

const QString& MeshSession::draftText() const { return m_private->draft; }

void MeshSession::setDraftText(const QString& text)
{
    if (text == m_private->draft) {
        return;
    }
    if (m_private->file && !isReadOnly()) {
        m_private->file->saveDraft(
            text == m_private->text ? std::nullopt : std::optional(text.toStdString())
        );
    }
    m_private->setDraft(text);
}

void MeshSession::discardDraft() { setDraftText(m_private->text); }

bool MeshSession::isDraftChanged() const { return m_private->draft != m_private->text; }

bool MeshSession::hasDraftErrors() const { return m_private->file && !m_private->draftDocument; }

const std::vector<ProblemRow>& MeshSession::problems() const { return m_private->problems; }

void MeshSession::apply(const QString& message) { m_private->apply(message); }

bool MeshSession::isApplying() const { return m_private->pending.has_value(); }

void MeshSession::rollBackTo(std::int64_t revision)
{
    if (!m_private->file) {
        Q_EMIT applyFinished(false, tr("No document is open."));
        return;
    }
    if (const WriteAnswer answer = gate().mayWrite(WriteAction::RollBack);
        answer.permit == WritePermit::Refused) {
        Q_EMIT applyFinished(false, answer.reason);
        return;
    }
    Private& session = *m_private;
    session.file->revisionText(revision, [&session, revision](Result<std::string> found) {
        auto shared = std::make_shared<Result<std::string>>(std::move(found));
        session.post([&session, revision, shared] {
            if (!*shared) {
                Q_EMIT session.q.applyFinished(
                    false, MeshSession::tr("There is no revision %1.").arg(revision)
                );
                return;
            }
            session.q.setDraftText(QString::fromStdString(**shared));
            session.apply(MeshSession::tr("Roll back to revision %1").arg(revision));
        });
    });
}

} // namespace mesh::bridge
