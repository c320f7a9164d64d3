#include "app/bridge/rollout_session.h"

#include "app/bridge/object_diff.h"
#include "app/bridge/profile.h"
#include "app/bridge/rollout_private.h"
#include "app/bridge/session_records.h"
#include "app/fleet/limits.h"
#include "proxyengine/config/codec.h"

#include <QCoreApplication>
#include <QJsonDocument>
#include <QJsonObject>

#include <algorithm>

namespace mesh::bridge {

namespace {

constexpr std::int64_t kSamplesSpan_us = 3600LL * 1'000'000; // Traffic of yesterday says little.
constexpr int kReviewDelay_ms = 250; // After typing; the forms wait as long.
const QString kMessageKey = QStringLiteral("draft.message");
const QString kOriginKey = QStringLiteral("draft.origin");
const QString kBaseKey = QStringLiteral("draft.base");
const QString kMutedKey = QStringLiteral("findings.muted");

// The services whose traffic a change touches; several kinds name theirs.
void addServices(
    const model::Document& document, const model::ObjectRef& object, std::set<std::string>& services
)
{
    if (object.kind == "services" || object.kind == "models") {
        services.insert(object.name);
    } else if (object.kind == "routes") {
        services.insert(object.parent);
    } else if (object.kind == "upstreams" || object.kind == "targets") {
        const std::string& upstream = object.kind == "targets" ? object.parent : object.name;
        for (const model::Service& service : document.services) {
            if (service.name && service.host == upstream) {
                services.insert(*service.name);
            }
        }
    } else if (object.kind == "workloads") {
        for (const model::Workload& workload : document.workloads) {
            if (workload.name == object.name) {
                services.insert(workload.service);
            }
        }
    }
}

} // namespace

RolloutSession::Private::Private(
    RolloutSession& session, MeshSession& meshSession, RolloutOptions rolloutOptions
)
    : q(session)
    , mesh(meshSession)
    , options(std::move(rolloutOptions))
{
    reviewDelay.setSingleShot(true);
    reviewDelay.setInterval(kReviewDelay_ms);
    connect(&reviewDelay, &QTimer::timeout, &receiver, [this] { startReview(); });
    constexpr int kFigures_ms = 1000;
    figuresTimer.setInterval(kFigures_ms);
    connect(&figuresTimer, &QTimer::timeout, &receiver, [this] { tellFigures(); });
    connect(&mesh, &MeshSession::documentClosing, &receiver, [this] { endRunner(); });
    connect(&mesh, &MeshSession::draftChanged, &receiver, [this] { onDraftChanged(); });
    connect(&mesh, &MeshSession::documentChanged, &receiver, [this] { onDocumentChanged(); });
    connect(&mesh, &MeshSession::revisionsChanged, &receiver, [this] { readHistory(); });
    connect(&mesh, &MeshSession::nodesChanged, &receiver, [this] {
        if (!q.isRunning()) {
            makePlan();
        }
    });
    connect(&mesh, &MeshSession::nodeMeasured, &receiver, [this](const NodeSecond& second) {
        onSecond(second);
    });
    connect(
        &mesh,
        &MeshSession::revisionTextReady,
        &receiver,
        [this](qint64 revision, const QString& text) { answerText(revision, text); }
    );
    onDocumentChanged();
}

RolloutSession::Private::~Private()
{
    endRunner();
    reviewJob.join();
}

void RolloutSession::Private::post(std::function<void()> work)
{
    QMetaObject::invokeMethod(&receiver, std::move(work), Qt::QueuedConnection);
}

std::function<void(std::function<void()>)> RolloutSession::Private::poster()
{
    // The mesh session outlives the store's thread and every link.
    return [target = &mesh, guard = alive()](std::function<void()> work) {
        QMetaObject::invokeMethod(
            target,
            [guard, work = std::move(work)] {
                if (guard) {
                    work();
                }
            },
            Qt::QueuedConnection
        );
    };
}

void RolloutSession::Private::onDocumentChanged()
{
    const QString opened = mesh.isOpen() ? mesh.path() : QString();
    if (opened != path) {
        endRunner();
        path = opened;
        ++generation;
        isReviewing = false; // Its answer is dropped.
        rollout.reset();
        rows = {};
        isFound = false;
        excluded.clear();
        accepted.clear();
        muted.clear();
        pushes.clear();
        waitingTexts.clear();
        context = {};
        chosenPlan.reset();
        draftBase.reset();
        merge = {};
        message = mesh.setting(kMessageKey);
        origin = mesh.setting(kOriginKey);
        const QJsonObject kept = QJsonDocument::fromJson(mesh.setting(kMutedKey).toUtf8()).object();
        for (auto at = kept.begin(); at != kept.end(); ++at) {
            muted[at.key()] = at.value().toString();
        }
        if (mesh.isOpen()) {
            findKept();
        }
        Q_EMIT q.rolloutChanged();
    }
    onDraftChanged();
    makePlan();
    readHistory();
}

void RolloutSession::Private::onDraftChanged()
{
    const auto made = mesh.draftDocument();
    draft = made ? mesh.pushable(*made) : nullptr;
    if (!mesh.isDraftChanged()) {
        draftBase.reset();
        merge = {};
        if (!mesh.setting(kBaseKey).isEmpty()) {
            mesh.setSetting(kBaseKey, {}); // The next draft is made on what is newest then.
        }
        if (!message.isEmpty() || !origin.isEmpty()) {
            message.clear();
            origin.clear();
            mesh.setSetting(kMessageKey, {});
            mesh.setSetting(kOriginKey, {});
        }
        excluded.clear();
        accepted.clear();
    } else {
        checkBase();
    }
    readChanges();
}

void RolloutSession::Private::readChanges()
{
    if (draft || !mesh.isDraftChanged()) {
        objectChanges =
            draft ? model::diff(*mesh.document(), *draft) : std::vector<model::ObjectChange>{};
    }
    changes.clear();
    for (const model::ObjectChange& change : objectChanges) {
        ChangeRow row = changeRowOf(change);
        row.isIncluded = excluded.count(row.key) == 0;
        changes.push_back(std::move(row));
    }
    isReviewStale = true;
    review.isReady = false;
    if (isReviewed) {
        reviewDelay.start();
    }
    Q_EMIT q.changesChanged();
}

Result<model::Document> RolloutSession::Private::included() const
{
    if (!draft) {
        return fail(ErrorCode::InvalidArgument, "the draft has errors");
    }
    std::vector<model::ObjectRef> objects;
    for (std::size_t i = 0; i < changes.size(); ++i) {
        if (changes[i].isIncluded) {
            objects.push_back(objectChanges[i].object);
        }
    }
    if (objects.size() == changes.size()) {
        return *draft;
    }
    return fleet::withChanges(*mesh.document(), *draft, objects);
}

std::vector<fleet::RequestSample> RolloutSession::Private::samplesOf(const std::vector<TapRow>& told
)
{
    std::vector<fleet::RequestSample> samples;
    samples.reserve(told.size());
    for (const TapRow& row : told) {
        fleet::RequestSample sample;
        sample.node = row.node.toStdString();
        sample.method = row.method.toStdString();
        sample.host = row.host.toStdString();
        sample.path = row.path.toStdString();
        sample.status = row.status;
        sample.latency_ms = row.latency_ms;
        for (const auto& [name, value] : row.headers) {
            sample.headers.emplace_back(name.toStdString(), value.toStdString());
        }
        samples.push_back(std::move(sample));
    }
    return samples;
}

void RolloutSession::Private::startReview()
{
    if (isReviewing) {
        isReviewStale = true;
        return;
    }
    isReviewStale = false;
    ReviewRows next;
    for (std::size_t i = 0; i < changes.size(); ++i) {
        if (changes[i].isIncluded) {
            next.created += changes[i].sign == ChangeSign::Created ? 1 : 0;
            next.updated += changes[i].sign == ChangeSign::Updated ? 1 : 0;
            next.deleted += changes[i].sign == ChangeSign::Deleted ? 1 : 0;
        }
    }
    const auto after = included();
    if (!after || changes.empty()) {
        next.isReady = true;
        next.failure = after ? QString() : QString::fromStdString(after.error().message);
        review = std::move(next);
        findings.clear();
        Q_EMIT q.reviewChanged();
        return;
    }
    next.objects = objectDiffs(*mesh.document(), *after);
    std::set<std::string> services;
    for (const ObjectDiff& diff : next.objects) {
        next.lines += diff.changed;
    }
    for (const model::ObjectChange& change : objectChanges) {
        if (excluded.count(keyOf(change.object)) == 0) {
            addServices(*draft, change.object, services);
            addServices(*mesh.document(), change.object, services);
        }
    }
    services.erase("");
    next.services = static_cast<int>(services.size());
    for (const EntityRow& entity : mesh.topology().entities) {
        if (entity.kind == EntityKind::Service && services.count(entity.name.toStdString()) > 0) {
            next.rpsTouched += entity.figures.rps;
        }
    }
    // The parts that take longer stay as they were until they are there.
    next.effective = review.effective;
    next.behaviour = review.behaviour;
    next.findings = review.findings;
    next.nodesAffected = review.nodesAffected;
    next.nodesUnchanged = review.nodesUnchanged;
    review = std::move(next);
    Q_EMIT q.reviewChanged();

    isReviewing = true;
    const int number = ++asked;
    const int opened = generation;
    auto document = std::make_shared<const model::Document>(*after);
    if (mesh.file() == nullptr) {
        routeSamples(number, document, mesh.tap());
        return;
    }
    const std::int64_t now_us = mesh.clock().wallNow().time_since_epoch().count();
    mesh.records().askSamples(
        now_us - kSamplesSpan_us,
        now_us + kSamplesSpan_us, // Clocks of nodes may be ahead.
        kReviewSamplesMax,
        [this, number, opened, document, guard = alive()](const std::vector<TapRow>& kept) {
            if (guard && opened == generation) {
                // A document that cannot be written keeps none of what comes in.
                routeSamples(number, document, kept.empty() ? mesh.tap() : kept);
            }
        }
    );
}

void RolloutSession::Private::routeSamples(
    int number, std::shared_ptr<const model::Document> document, const std::vector<TapRow>& told
)
{
    samples = samplesOf(told);
    const int opened = generation;
    reviewJob.join();
    reviewJob = Thread(
        "review",
        [this, number, opened, before = mesh.document(), document, routed = samples] {
            auto made = std::make_shared<fleet::Review>(options.review(*before, *document, routed));
            post([this, number, opened, made] {
                if (opened == generation) {
                    isReviewing = false;
                    onReviewed(number, std::move(*made));
                }
            });
        }
    );
}

void RolloutSession::Private::onReviewed(int number, fleet::Review made)
{
    if (isReviewStale || number != asked) {
        reviewDelay.start();
        return;
    }
    review.effective.clear();
    review.nodesAffected = 0;
    for (const fleet::EffectiveGroup& group : made.groups) {
        review.effective.push_back(rowOf(group, *mesh.document()));
        review.nodesAffected += static_cast<int>(group.nodes.size());
    }
    review.nodesUnchanged = static_cast<int>(made.nodesUnchanged);
    review.behaviour = rowsOf(made.behaviour, samples);
    findings = std::move(made.findings);
    markFindings();
    review.isReady = true;
    Q_EMIT q.reviewChanged();
}

void RolloutSession::Private::markFindings()
{
    review.findings.clear();
    for (const fleet::ReviewFinding& finding : findings) {
        FindingRow row = rowOf(finding);
        row.isAccepted = accepted.count(row.key) > 0;
        const auto known = muted.find(row.key);
        if (known != muted.end()) {
            row.isMuted = true;
            row.mutedBecause = known->second;
        }
        review.findings.push_back(std::move(row));
    }
}

// --- The public door ----------------------------------------------------------------------------

RolloutSession::RolloutSession(MeshSession& mesh, RolloutOptions options)
{
    useFleet(options);
    m_private = std::make_unique<Private>(*this, mesh, std::move(options));
}

RolloutSession::~RolloutSession()
{
    blockSignals(true); // Nobody hears what a session says while it ends.
    m_private.reset();
}

const std::vector<ChangeRow>& RolloutSession::changes() const { return m_private->changes; }

int RolloutSession::includedCount() const
{
    return static_cast<int>(std::ranges::count(m_private->changes, true, &ChangeRow::isIncluded));
}

void RolloutSession::setIncluded(const QString& key, bool isIncluded)
{
    if (isIncluded) {
        m_private->excluded.erase(key);
    } else {
        m_private->excluded.insert(key);
    }
    m_private->readChanges();
}

Result<void> RolloutSession::discardChange(const QString& key)
{
    if (!m_private->draft) {
        return fail(ErrorCode::InvalidArgument, "the draft has errors");
    }
    std::vector<model::ObjectRef> kept;
    for (const model::ObjectChange& change : m_private->objectChanges) {
        if (keyOf(change.object) != key) {
            kept.push_back(change.object);
        }
    }
    if (kept.empty()) {
        Q_EMIT draftProposed(m_private->mesh.documentText());
        return {};
    }
    MESH_TRY(
        const model::Document rest,
        fleet::withChanges(*m_private->mesh.document(), *m_private->draft, kept)
    );
    Q_EMIT draftProposed(QString::fromStdString(config::toYaml(rest)));
    return {};
}

Result<void> RolloutSession::applyFix(const QString& findingKey)
{
    const auto& rows = m_private->review.findings;
    for (std::size_t i = 0; i < rows.size() && i < m_private->findings.size(); ++i) {
        if (rows[i].key == findingKey && m_private->findings[i].fixed) {
            Q_EMIT draftProposed(QString::fromStdString(config::toYaml(*m_private->findings[i].fixed
            )));
            return {};
        }
    }
    return fail(ErrorCode::NotFound, "no fix is known for this finding");
}

void RolloutSession::acceptFinding(const QString& key, bool isAccepted)
{
    if (isAccepted) {
        m_private->accepted.insert(key);
    } else {
        m_private->accepted.erase(key);
    }
    m_private->markFindings();
    Q_EMIT reviewChanged();
}

void RolloutSession::muteFinding(const QString& key, const QString& reason)
{
    if (reason.isEmpty()) {
        m_private->muted.erase(key);
    } else {
        m_private->muted[key] = reason;
    }
    QJsonObject kept;
    for (const auto& [finding, words] : m_private->muted) {
        kept.insert(finding, words);
    }
    m_private->mesh.setSetting(
        kMutedKey, QString::fromUtf8(QJsonDocument(kept).toJson(QJsonDocument::Compact))
    );
    m_private->markFindings();
    Q_EMIT reviewChanged();
}

const ReviewRows& RolloutSession::review() const { return m_private->review; }

void RolloutSession::setReviewed(bool isShown)
{
    const bool isNew = isShown && !m_private->isReviewed;
    m_private->isReviewed = isShown;
    if (isNew && !m_private->review.isReady) {
        m_private->startReview();
    }
    if (isNew && m_private->mesh.isDraftChanged()) {
        m_private->compareWithNodes();
    }
}

bool RolloutSession::isMessageRequired() const
{
    if (m_private->options.isMessageRequired) {
        return m_private->options.isMessageRequired();
    }
    return m_private->mesh.gate().level() != SafetyLevel::Silent;
}

const QString& RolloutSession::message() const { return m_private->message; }

void RolloutSession::setMessage(const QString& message)
{
    if (message != m_private->message) {
        m_private->message = message;
        m_private->mesh.setSetting(kMessageKey, message);
        Q_EMIT planChanged();
    }
}

const QString& RolloutSession::origin() const { return m_private->origin; }

QString RolloutSession::whyNotPush() const
{
    const Private& own = *m_private;
    if (!own.mesh.isOpen() || own.mesh.isReadOnly()) {
        return tr("The document is read-only.");
    }
    if (const WriteAnswer answer = own.mesh.gate().mayWrite(WriteAction::Push);
        answer.permit == WritePermit::Refused) {
        return answer.reason;
    }
    if (isRunning()) {
        return tr("A push is going on; stop it or let it end.");
    }
    if (own.isSaving || own.mesh.isApplying() || own.mesh.isMeshStarting()) {
        return tr("Another change is on its way.");
    }
    if (!own.draft) {
        return tr("The draft has errors; Problems (Alt+1) lists them.");
    }
    if (includedCount() == 0) {
        return own.changes.empty() ? tr("Nothing is changed.")
                                   : tr("No object is ticked; Space ticks one.");
    }
    if (own.merge.isNeeded) {
        return tr("Somebody else has changed the mesh; merge first.");
    }
    if (!own.review.failure.isEmpty()) {
        return tr("These changes do not stand alone: %1").arg(own.review.failure);
    }
    for (const FindingRow& finding : own.review.findings) {
        if (finding.severity == FindingSeverity::Error && !finding.isMuted) {
            return tr("%1: %2").arg(finding.code, finding.title);
        }
        const bool mustAccept =
            isMessageRequired() && finding.severity == FindingSeverity::Warning && finding.isNew;
        if (mustAccept && !finding.isAccepted && !finding.isMuted) {
            return tr("%1 is not accepted: %2").arg(finding.code, finding.title);
        }
    }
    for (const EffectiveRow& row : own.review.effective) {
        if (!row.errors.isEmpty()) {
            return tr("%1 cannot run it: %2").arg(row.nodes, row.errors.front());
        }
    }
    if (isMessageRequired() && own.message.trimmed().isEmpty()) {
        return tr("This environment asks for a message.");
    }
    return {};
}

QString RolloutSession::pushLabel(const QString& environment) const
{
    const int count = includedCount();
    const QString objects = tr("%n change(s)", nullptr, count);
    const auto nodes = static_cast<int>(m_private->expectedNodes().size());
    if (nodes == 0) {
        return tr("Save %1 of %2 as a revision").arg(objects, m_private->mesh.name());
    }
    return tr("Push %1 to %2 %3 (%4)")
        .arg(objects, environment, m_private->mesh.name(), tr("%n node(s)", nullptr, nodes));
}

const MergeRows& RolloutSession::merge() const { return m_private->merge; }

const PlanRows& RolloutSession::plan() const { return m_private->plan; }

const RolloutRows& RolloutSession::rollout() const { return m_private->rows; }

const std::vector<HistoryRow>& RolloutSession::history() const { return m_private->history; }

const HistoryDiff& RolloutSession::historyDiff() const { return m_private->historyDiff; }

} // namespace mesh::bridge
