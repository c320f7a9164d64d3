#include "app/bridge/session_private.h"
#include "proxyengine/api/command.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/base/log.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/model/canonical.h"
#include "simulator/scenario/scenario.h"

#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QFileInfo>

#include <algorithm>
#include <future>

namespace mesh::bridge {

namespace {

constexpr Duration kStopGrace = std::chrono::milliseconds(500); // For the last requests.
constexpr double kDefaultLoad = 50; // Requests a second for a document without a scenario.
constexpr auto kScenarioKey = "scenario";

// Waits for the one answer that opening a document needs at once.
template <typename T, typename Ask>
Result<T> waitFor(Ask ask)
{
    auto promise = std::make_shared<std::promise<Result<T>>>();
    auto answer = promise->get_future();
    ask(store::Answer<T>([promise](Result<T> result) { promise->set_value(std::move(result)); }));
    return answer.get();
}

BannerKind bannerOf(store::AccessReason reason)
{
    return reason == store::AccessReason::NewerVersion ? BannerKind::NewerVersion
                                                       : BannerKind::ReadOnly;
}

// Load for a document that nobody has written a scenario for: its first routed service.
std::vector<simulator::Load> defaultLoad(const model::Document& document)
{
    for (const model::Service& service : document.services) {
        if (service.name && !service.routes.empty()) {
            simulator::Load load;
            load.entry = *service.name;
            load.rate = {{Duration{}, kDefaultLoad}};
            return {load};
        }
    }
    return {};
}

} // namespace

MeshSession::Private::Private(MeshSession& session, SessionOptions sessionOptions)
    : q(session)
    , options(std::move(sessionOptions))
    , clock(options.clock != nullptr ? *options.clock : systemClock)
    , gate({
          [this](const QString& key) {
              const auto found = settings.find(key);
              return found == settings.end() ? QString() : found->second;
          },
          [this](const QString& key, const QString& value) { q.setSetting(key, value); },
      })
    , inbox([this] { onWake(); })
{
    if (options.author.isEmpty()) {
        options.author = QStringLiteral("operator");
    }
    makeLinks();
    records = std::make_unique<SessionRecords>(q);
    replay = std::make_unique<Replay>(context, clock, [this] {
        return recorded.end_s * std::int64_t(1'000'000);
    });
    constexpr int kDrainInterval_ms = 100; // Ten batches a second.
    drainTimer.setSingleShot(true);
    drainTimer.setInterval(kDrainInterval_ms);
    QObject::connect(&drainTimer, &QTimer::timeout, &receiver, [this] { drain(); });
    evaluationTimer.setInterval(options.evaluationInterval_ms);
    QObject::connect(&evaluationTimer, &QTimer::timeout, &receiver, [this] { evaluate(); });
    QObject::connect(&context, &ViewContext::timeChanged, &receiver, [this] {
        if (context.timeMode() == TimeMode::Live) {
            publishLive();
        } else {
            publishPast();
        }
    });
}

MeshSession::Private::~Private()
{
    links->close();
    close();
}

std::int64_t MeshSession::Private::now_us() const
{
    return clock.wallNow().time_since_epoch().count();
}

void MeshSession::Private::post(std::function<void()> work)
{
    const int asked = generation;
    QMetaObject::invokeMethod(
        &receiver,
        [this, asked, work = std::move(work)] {
            if (asked == generation) {
                work();
            }
        },
        Qt::QueuedConnection
    );
}

store::OpenOptions MeshSession::Private::storeOptions()
{
    store::OpenOptions storeOptions;
    const int opened = generation + 1;
    storeOptions.onWriteFailure = [this,
                                   opened](const std::optional<store::WriteFailure>& failure) {
        const QString detail = failure ? QString::fromStdString(toText(failure->error)) : QString();
        QMetaObject::invokeMethod(
            &receiver,
            [this, opened, detail] {
                if (opened != generation) {
                    return;
                }
                if (detail.isEmpty()) {
                    clearBanner(BannerKind::StoreFailed);
                } else {
                    setBanner(
                        BannerKind::StoreFailed,
                        MeshSession::tr("History is not being recorded: the document cannot be "
                                        "written. The mesh goes on. Free space on its disk."),
                        detail
                    );
                }
            },
            Qt::QueuedConnection
        );
    };
    return storeOptions;
}

Result<std::unique_ptr<store::MeshDocument>> MeshSession::Private::makeDocument(
    const QString& path, bool isOpening
)
{
    const std::string native = QFile::encodeName(path).toStdString();
    return isOpening ? store::MeshDocument::open(native, storeOptions())
                     : store::MeshDocument::create(native, storeOptions());
}

Result<void> MeshSession::Private::adopt(
    std::unique_ptr<store::MeshDocument> opened, std::unique_ptr<QTemporaryDir> openedFolder
)
{
    MESH_TRY(store::Opening opening, waitFor<store::Opening>([&](auto answer) {
                 opened->opening(std::move(answer));
             }));
    auto configuration = std::make_shared<model::Document>();
    if (!opening.text.empty()) {
        config::DecodeResult decoded = config::decode(opening.text);
        if (config::hasErrors(decoded.problems)) {
            const std::string first =
                decoded.problems.empty() ? "" : decoded.problems.front().message;
            return fail(ErrorCode::Unsupported, "the newest revision cannot be read: " + first);
        }
        *configuration = std::move(decoded.document);
    }
    MESH_TRY(const auto stored, waitFor<std::vector<store::EventRecord>>([&](auto answer) {
                 opened->events(0, now_us(), std::move(answer));
             }));
    close();
    folder = std::move(openedFolder);
    file = std::move(opened);
    recorded = opening.recorded;
    for (const auto& [view, position] : opening.positions) {
        positions[QString::fromStdString(view)].push_back(
            {QString::fromStdString(position.id), position.x, position.y, position.isPinned}
        );
    }
    for (const auto& [key, value] : opening.settings) {
        settings[QString::fromStdString(key)] = QString::fromStdString(value);
    }
    for (const store::Revision& revision : opening.revisions) {
        addRevisionRow(revision);
    }
    readEvents(stored);
    gate.load();
    setConfiguration(std::move(configuration), std::move(opening.text));
    setDraft(opening.draft ? QString::fromStdString(*opening.draft) : text);
    const store::Access& access = file->access();
    if (!access.isWritable()) {
        setBanner(
            bannerOf(access.reason),
            MeshSession::tr("The document is read-only: %1. Changes cannot be saved.")
                .arg(QString::fromStdString(access.text)),
            QString::fromStdString(file->path())
        );
    }
    evaluationTimer.start();
    Q_EMIT q.revisionsChanged();
    Q_EMIT q.documentChanged();
    Q_EMIT q.markersChanged();
    Q_EMIT q.eventsChanged();
    evaluate();
    return {};
}

Result<void> MeshSession::Private::importText(
    const QString& source, const QString& path, const QString& message
)
{
    config::DecodeResult decoded = config::decode(source.toStdString());
    if (config::hasErrors(decoded.problems)) {
        draftProblems.clear();
        for (const config::Problem& problem : decoded.problems) {
            draftProblems.push_back(toRow(problem, decoded.document));
        }
        updateProblems();
        const config::Problem& first = decoded.problems.front();
        return fail(
            ErrorCode::InvalidArgument,
            config::toText(first, "import")
                + (decoded.problems.size() > 1 ? ", and more; see Problems" : "")
        );
    }
    std::unique_ptr<QTemporaryDir> made;
    QString target = path;
    if (target.isEmpty()) {
        made = std::make_unique<QTemporaryDir>();
        if (!made->isValid()) {
            return fail(ErrorCode::Io, "no temporary folder: " + made->errorString().toStdString());
        }
        target = made->filePath(QStringLiteral("demo.mesh"));
    }
    MESH_TRY(auto opened, makeDocument(target, false));
    store::NewRevision revision;
    revision.author = options.author.toStdString();
    revision.message = message.toStdString();
    revision.time = clock.wallNow();
    revision.hash = config::hashOf(decoded.document);
    revision.text = config::toYaml(decoded.document);
    MESH_TRY(const store::Revision first, waitFor<store::Revision>([&](auto answer) {
                 opened->addRevision(revision, std::move(answer));
             }));
    return adopt(std::move(opened), std::move(made));
}

void MeshSession::Private::setConfiguration(
    std::shared_ptr<const model::Document> configuration, std::string yaml
)
{
    document = std::move(configuration);
    zoneTraffic.setDocument(*document);
    readCertificates();
    text = QString::fromStdString(yaml);
    hash = yaml.empty() ? std::string() : config::hashOf(*document);
    sent.emplace_back(hash, document);
    if (sent.size() > kSentDocumentsMax) {
        sent.erase(sent.begin());
    }
    if (file) {
        followNodes();
        askTapHeaders();
    }
}

void MeshSession::Private::close()
{
    if (file) {
        Q_EMIT q.documentClosing();
    }
    if (openPush) {
        endEvent(*openPush, now_us());
        openPush.reset();
    }
    stopMesh();
    reader.join();
    stopExtraEngines();
    evaluationTimer.stop();
    drainTimer.stop();
    if (file) {
        file->addMetrics(std::exchange(unsaved, {}));
        if (!samples.empty()) {
            file->addSamples(std::exchange(samples, {})); // Due or not.
        }
        file->close();
        file.reset();
    }
    ++generation;
    const bool hadDocument = !text.isEmpty() || !revisions.empty();
    folder.reset();
    setConfiguration(std::make_shared<model::Document>(), {});
    revisions.clear();
    revisionOfHash.clear();
    nodeCommands.clear();
    headersWanted.clear();
    positions.clear();
    settings.clear();
    gate.load();
    recorded = {};
    banners.clear();
    draft.clear();
    draftDocument.reset();
    draftProblems.clear();
    nodeProblems.clear();
    problems.clear();
    draftSubjects.clear();
    draftChanges = 0;
    pending.reset();
    nodes.clear();
    sums.clear();
    zoneTraffic.clear();
    carriage.clear();
    tracker.clear();
    unsaved.clear();
    firstSecond = 0;
    isAskingStore = false;
    forgetPast();
    topology = {};
    nodeRows.clear();
    honesty = {};
    tap.clear();
    events.clear();
    faults.clear();
    faultEvents.clear();
    openPolicies.clear();
    if (hadDocument) {
        Q_EMIT q.documentChanged();
    }
}

void MeshSession::Private::setBanner(BannerKind kind, const QString& words, const QString& detail)
{
    const Banner banner{kind, words, detail};
    const auto found = std::ranges::find(banners, kind, &Banner::kind);
    if (found == banners.end()) {
        banners.push_back(banner);
    } else if (*found == banner) {
        return;
    } else {
        *found = banner;
    }
    Q_EMIT q.bannersChanged();
}

void MeshSession::Private::clearBanner(BannerKind kind)
{
    if (std::erase_if(banners, [&](const Banner& banner) { return banner.kind == kind; }) > 0) {
        Q_EMIT q.bannersChanged();
    }
}

Result<void> MeshSession::Private::startMesh()
{
    if (!file || !options.engineFactory) {
        return fail(ErrorCode::Unsupported, "no document is open, or no engine can be made");
    }
    if (gate.isRefused(WriteAction::StartMesh)) {
        return fail(ErrorCode::PermissionDenied, "the profile of this mesh is read-only");
    }
    if (live || isStarting) {
        return fail(ErrorCode::AlreadyExists, "the mesh runs already");
    }
    simulator::LiveMeshOptions start;
    start.document = *document;
    start.engineFactory = options.engineFactory;
    start.sink = &inbox;
    start.clock = &clock;
    const auto scenario = settings.find(QString::fromLatin1(kScenarioKey));
    if (scenario != settings.end()) {
        auto parsed = simulator::parseScenario(scenario->second.toStdString());
        if (config::hasErrors(parsed.problems)) {
            return fail(
                ErrorCode::InvalidArgument, config::toText(parsed.problems.front(), "scenario")
            );
        }
        start.load = std::move(parsed.scenario.load);
        start.timeline = std::move(parsed.scenario.timeline);
        start.seed = parsed.scenario.seed;
    } else {
        start.load = defaultLoad(*document);
    }
    isStarting = true;
    job.join();
    const int asked = generation;
    job = Thread("mesh-start", [this, asked, start = std::move(start)]() mutable {
        using Outcome = Result<std::unique_ptr<simulator::LiveMesh>>;
        auto outcome = std::make_shared<Outcome>(simulator::LiveMesh::start(std::move(start)));
        QMetaObject::invokeMethod(
            &receiver,
            [this, asked, outcome] {
                if (asked == generation) {
                    onMeshStarted(std::move(*outcome));
                }
            },
            Qt::QueuedConnection
        );
    });
    Q_EMIT q.meshRunningChanged();
    return {};
}

void MeshSession::Private::onMeshStarted(Result<std::unique_ptr<simulator::LiveMesh>> outcome)
{
    isStarting = false;
    if (!outcome) {
        setBanner(
            BannerKind::NodeRefused,
            MeshSession::tr("The mesh could not be started."),
            QString::fromStdString(toText(outcome.error()))
        );
        Q_EMIT q.meshRunningChanged();
        return;
    }
    clearBanner(BannerKind::NodeRefused);
    live = std::move(*outcome);
    const bool wasChanged = draft != text;
    const auto running =
        std::make_shared<const model::Document>(model::canonical(*live->document()));
    const bool isNew = config::hashOf(*running) != hash;
    setConfiguration(running, config::toYaml(*running));
    if (isNew) {
        store::NewRevision revision;
        revision.author = options.author.toStdString();
        revision.message = MeshSession::tr("Start on free ports").toStdString();
        revision.time = clock.wallNow();
        revision.hash = hash;
        revision.text = text.toStdString();
        file->addRevision(revision, [this](const Result<store::Revision>& saved) {
            if (saved) {
                post([this, row = *saved] {
                    addRevisionRow(row);
                    Q_EMIT q.revisionsChanged();
                });
            }
        });
    }
    if (!wasChanged) {
        setDraft(text);
    }
    readFaults();
    askTapHeaders();
    Q_EMIT q.documentChanged();
    Q_EMIT q.meshRunningChanged();
}

void MeshSession::Private::stopMesh()
{
    job.join();
    isStarting = false;
    if (!live) {
        return;
    }
    live->stop();
    live.reset();
    drain(); // What the engines said last.
    endAllPolicies();
    faults.clear();
    Q_EMIT q.faultsChanged();
    Q_EMIT q.meshRunningChanged();
}

void MeshSession::Private::addEngine(
    const std::string& name, std::unique_ptr<api::Engine> engine, NodeReads reads
)
{
    const auto former = extras.find(name);
    if (former != extras.end()) {
        former->second.engine->stop(kStopGrace);
        extras.erase(former);
    }
    ExtraEngine& extra = extras[name];
    extra.sink = inbox.makeSink(name);
    extra.engine = std::move(engine);
    extra.reads = std::move(reads);
    extra.engine->subscribe(*extra.sink);
    headersAsked.erase(name);
    askTapHeaders();
}

void MeshSession::Private::stopExtraEngines()
{
    for (auto& [name, extra] : extras) {
        extra.engine->stop(kStopGrace);
    }
    extras.clear();
    headersAsked.clear();
    followed.clear();
}

// --- The public door ----------------------------------------------------------------------------

MeshSession::MeshSession(SessionOptions options, QObject* parent)
    : QObject(parent)
    , m_private(std::make_unique<Private>(*this, std::move(options)))
{}

MeshSession::~MeshSession()
{
    // Nobody hears what a session says while it ends.
    blockSignals(true);
    m_private.reset();
}

Result<void> MeshSession::createDocument(const QString& path)
{
    MESH_TRY(auto made, m_private->makeDocument(path, false));
    return m_private->adopt(std::move(made), nullptr);
}

Result<void> MeshSession::openDocument(const QString& path)
{
    MESH_TRY(auto opened, m_private->makeDocument(path, true));
    return m_private->adopt(std::move(opened), nullptr);
}

Result<void> MeshSession::importFile(const QString& name, const QString& path)
{
    QFile input(name);
    if (!input.open(QIODevice::ReadOnly)) {
        return fail(
            ErrorCode::NotFound, (name + QStringLiteral(": ") + input.errorString()).toStdString()
        );
    }
    if (input.size() > static_cast<qint64>(kConfigBytesMax)) {
        return fail(ErrorCode::LimitExceeded, name.toStdString() + " is too large");
    }
    const QString message = tr("Import %1").arg(QFileInfo(name).fileName());
    return m_private->importText(QString::fromUtf8(input.readAll()), path, message);
}

Result<void> MeshSession::importText(const QString& text, const QString& path)
{
    return m_private->importText(text, path, tr("Import"));
}

Result<void> MeshSession::startMesh() { return m_private->startMesh(); }

Result<void> MeshSession::startDemo(const QString& name, const QString& scenario)
{
    MESH_TRY_VOID(importFile(name));
    const QFileInfo info(name);
    const QString part = scenario.isEmpty() ? QString() : QLatin1Char('.') + scenario;
    QFile file(
        info.path() + QLatin1Char('/') + info.completeBaseName() + part
        + QStringLiteral(".scenario.yaml")
    );
    if (file.open(QIODevice::ReadOnly)) {
        setSetting(QString::fromLatin1(kScenarioKey), QString::fromUtf8(file.readAll()));
    } else if (!scenario.isEmpty()) {
        return fail(
            ErrorCode::NotFound,
            (file.fileName() + QStringLiteral(": ") + file.errorString()).toStdString()
        );
    }
    return startMesh();
}

const EngineFactory& MeshSession::engineFactory() const { return m_private->options.engineFactory; }

void MeshSession::stopMesh() { m_private->stopMesh(); }

void MeshSession::addEngine(const QString& node, std::unique_ptr<api::Engine> engine)
{
    addEngine(node, std::move(engine), NodeReads{});
}

void MeshSession::addEngine(
    const QString& node, std::unique_ptr<api::Engine> engine, NodeReads reads
)
{
    m_private->addEngine(node.toStdString(), std::move(engine), std::move(reads));
    m_private->updateNodes();
}

void MeshSession::closeDocument() { m_private->close(); }

bool MeshSession::isOpen() const { return m_private->file != nullptr; }

bool MeshSession::isReadOnly() const
{
    return !m_private->file || !m_private->file->access().isWritable();
}

bool MeshSession::isTemporary() const { return m_private->folder != nullptr; }

bool MeshSession::isMeshRunning() const { return m_private->live != nullptr; }

bool MeshSession::isMeshStarting() const { return m_private->isStarting; }

QString MeshSession::path() const
{
    return m_private->file ? QFile::decodeName(m_private->file->path().c_str()) : QString();
}

QString MeshSession::name() const
{
    const auto& mesh = m_private->document->mesh;
    if (mesh && !mesh->name.empty()) {
        return QString::fromStdString(mesh->name);
    }
    return QFileInfo(path()).completeBaseName();
}

void MeshSession::saveCopy(const QString& path)
{
    if (!m_private->file) {
        Q_EMIT copyFinished(false, tr("No document is open."));
        return;
    }
    Private& session = *m_private;
    session.file->copyTo(
        QFile::encodeName(path).toStdString(),
        [&session, path](Result<void> done) {
            const QString problem = done ? QString() : QString::fromStdString(toText(done.error()));
            session.post([&session, path, problem] {
                const bool isSuccess = problem.isEmpty();
                Q_EMIT session.q.copyFinished(isSuccess, isSuccess ? path : problem);
            });
        }
    );
}

ViewContext& MeshSession::context() const { return m_private->context; }

std::shared_ptr<const model::Document> MeshSession::document() const { return m_private->document; }

QString MeshSession::documentText() const { return m_private->text; }

const std::vector<RevisionRow>& MeshSession::revisions() const { return m_private->revisions; }

const std::vector<Banner>& MeshSession::banners() const { return m_private->banners; }

std::vector<MeshSession::Position> MeshSession::positions(const QString& view) const
{
    const auto found = m_private->positions.find(view);
    return found == m_private->positions.end() ? std::vector<Position>{} : found->second;
}

void MeshSession::savePositions(const QString& view, const std::vector<Position>& positions)
{
    m_private->positions[view] = positions;
    if (!m_private->file) {
        return;
    }
    std::vector<store::LayoutPosition> rows;
    for (const Position& position : positions) {
        rows.push_back({position.id.toStdString(), position.x, position.y, position.isPinned});
    }
    m_private->file->addLayoutMoves(view.toStdString(), m_private->now_us(), rows);
    m_private->file->saveLayout(view.toStdString(), std::move(rows));
}

WriteGate& MeshSession::gate() const { return m_private->gate; }

QString MeshSession::setting(const QString& key, const QString& fallback) const
{
    const auto found = m_private->settings.find(key);
    return found == m_private->settings.end() ? fallback : found->second;
}

void MeshSession::setSetting(const QString& key, const QString& value)
{
    m_private->settings[key] = value;
    if (m_private->file) {
        m_private->file->saveSetting(key.toStdString(), value.toStdString());
    }
}

} // namespace mesh::bridge
