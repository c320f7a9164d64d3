#include "app/bridge/rehearsal_session.h"

#include "app/bridge/fault_offers.h"
#include "app/bridge/mesh_session.h"
#include "app/bridge/rehearsal_jobs.h"
#include "app/bridge/rehearsal_view.h"
#include "app/bridge/scenario_template.h"
#include "app/bridge/scenario_text.h"
#include "proxyengine/base/duration_text.h"
#include "proxyengine/base/file.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/config/codec.h"
#include "simulator/report/json.h"
#include "simulator/report/junit.h"
#include "simulator/scenario/patch.h"

#include <QDateTime>
#include <QPointer>

#include <algorithm>
#include <cmath>

namespace mesh::bridge {

namespace {

const QString kTextKey = QStringLiteral("rehearse.scenario");
constexpr std::size_t kUndoMax = 200; // Texts of some kilobytes.

ProblemRow rowOf(const config::Problem& problem)
{
    ProblemRow row;
    row.path = QString::fromStdString(problem.path);
    row.message = QString::fromStdString(problem.message);
    row.severity = static_cast<ProblemSeverity>(problem.severity);
    row.origin = QStringLiteral("scenario");
    if (problem.place) {
        row.line = problem.place->line;
        row.column = problem.place->column;
    }
    return row;
}

ProblemRow rowOf(const Error& error)
{
    ProblemRow row;
    row.message = QString::fromStdString(error.message);
    row.origin = QStringLiteral("scenario");
    if (const auto* place = std::get_if<LineColumn>(&error.place)) {
        row.line = place->line;
        row.column = place->column;
    }
    return row;
}

std::string seconds(double value)
{
    return toDurationText(fromSeconds(std::max(0.0, std::round(value))));
}

} // namespace

// One finished run and what it was made of.
struct FinishedRun
{
    RunRow row;
    std::shared_ptr<const simulator::Rehearsal> result;
    std::shared_ptr<const model::Document> document;
    QString text;
    std::size_t shown = 0; // Variant.
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
    void addRun(simulator::Rehearsal&& rehearsal);
    void trimRuns();
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
    QString runPath; // Of the document it was begun on.
    StabilityRows stability;
    RehearsalJobs jobs; // Last: joined before the rest goes.
};

void RehearsalSession::Private::chooseDocument()
{
    const bool isDraft = mesh.isOpen() && mesh.isDraftChanged() && !mesh.hasDraftErrors();
    const std::int64_t revision = mesh.revisions().empty() ? 0 : mesh.revisions().front().id;
    source = RehearsalSession::tr("open document, rev %1").arg(revision);
    if (!isDraft) {
        document = mesh.document();
        documentText.clear();
        return;
    }
    source = RehearsalSession::tr("open document, rev %1 + draft").arg(revision);
    if (documentText == mesh.draftText()) {
        return;
    }
    auto decoded = config::decode(mesh.draftText().toStdString());
    if (!config::hasErrors(decoded.problems)) {
        document = std::make_shared<model::Document>(std::move(decoded.document));
        documentText = mesh.draftText();
    }
}

simulator::RehearsalRequest RehearsalSession::Private::request() const
{
    simulator::RehearsalRequest wanted;
    wanted.scenario = parsed;
    wanted.document = document;
    wanted.threads = jobs.threads();
    return wanted;
}

void RehearsalSession::Private::parse()
{
    problems.clear();
    chooseDocument();
    auto read = simulator::parseScenario(text.toStdString());
    for (const config::Problem& problem : read.problems) {
        problems.push_back(rowOf(problem));
    }
    hasErrors = config::hasErrors(read.problems);
    if (!hasErrors) {
        parsed = std::move(read.scenario);
        scenario = scenarioRow(parsed);
        for (const Error& error : jobs.check(request())) {
            problems.push_back(rowOf(error));
        }
        hasErrors = !problems.empty() && std::ranges::any_of(problems, [](const ProblemRow& row) {
            return row.severity == ProblemSeverity::Error;
        });
    }
    markOutdated();
    Q_EMIT q.scenarioChanged();
}

void RehearsalSession::Private::adopt(const QString& changed, bool isTyped)
{
    if (changed == text) {
        return;
    }
    if (isTyped) {
        past.push_back(text);
        future.clear();
        if (past.size() > kUndoMax) {
            past.erase(past.begin());
        }
    }
    text = changed;
    if (mesh.isOpen() && !mesh.isReadOnly()) {
        mesh.setSetting(kTextKey, text);
    }
    parse();
}

void RehearsalSession::Private::take(std::optional<std::string> edited)
{
    if (edited) {
        adopt(QString::fromStdString(*edited), true);
    }
}

void RehearsalSession::Private::markOutdated()
{
    bool isAny = false;
    for (FinishedRun& run : finished) {
        const bool isOutdated = run.text != text || !(*run.document == *document);
        isAny = isAny || isOutdated != run.row.isOutdated;
        run.row.isOutdated = isOutdated;
    }
    if (isAny) {
        publishRuns();
    }
}

FinishedRun* RehearsalSession::Private::find(int id)
{
    const auto found =
        std::ranges::find_if(finished, [id](const FinishedRun& run) { return run.row.id == id; });
    return found == finished.end() ? nullptr : &*found;
}

const FinishedRun* RehearsalSession::Private::find(int id) const
{
    const auto found =
        std::ranges::find_if(finished, [id](const FinishedRun& run) { return run.row.id == id; });
    return found == finished.end() ? nullptr : &*found;
}

void RehearsalSession::Private::publishRuns()
{
    rows.clear();
    for (const FinishedRun& run : finished) {
        rows.push_back(run.row);
    }
    Q_EMIT q.runsChanged();
}

void RehearsalSession::Private::onProgress(const simulator::RehearsalProgress& told)
{
    if (!progress.isRunning) {
        return;
    }
    progress.done = static_cast<int>(told.runsDone);
    progress.all = static_cast<int>(told.runsAll);
    std::vector<std::string> entries;
    for (const simulator::RunSeries& series : told.preview) {
        entries.push_back(series.name);
    }
    progress.preview = secondsOf(told.preview, entries, 1);
    Q_EMIT q.progressChanged();
}

void RehearsalSession::Private::onFinished(Result<simulator::Rehearsal> outcome)
{
    progress = {};
    if (outcome && runPath == openPath) {
        addRun(*std::move(outcome));
    } else if (!outcome && outcome.error().code != ErrorCode::Cancelled) {
        Q_EMIT q.runFailed(QString::fromStdString(outcome.error().message));
    }
    Q_EMIT q.progressChanged();
}

void RehearsalSession::Private::addRun(simulator::Rehearsal&& rehearsal)
{
    FinishedRun run;
    run.result = std::make_shared<simulator::Rehearsal>(std::move(rehearsal));
    run.document = runDocument;
    run.text = runText;
    // A candidate is what the run is about; without one there is only the first.
    run.shown = run.result->variants.size() > 1 ? 1 : 0;
    run.row = runRow(*run.result, run.shown);
    run.row.id = ++lastId;
    run.row.name = runName.isEmpty() ? RehearsalSession::tr("Run %1").arg(lastId) : runName;
    run.row.time_us = QDateTime::currentMSecsSinceEpoch() * 1000;
    run.row.source = runSource;
    run.row.isOutdated = runText != text;
    currentId = run.row.id;
    finished.push_back(std::move(run));
    trimRuns();
    publishRuns();
}

// Runs nobody keeps make room for newer ones.
void RehearsalSession::Private::trimRuns()
{
    while (finished.size() > kRehearsalRunsMax) {
        const auto oldest = std::ranges::find_if(finished, [this](const FinishedRun& run) {
            return !run.row.isKept && run.row.id != currentId;
        });
        if (oldest == finished.end()) {
            return;
        }
        finished.erase(oldest);
    }
}

RehearsalSession::RehearsalSession(MeshSession& mesh, RehearsalOptions options)
    : m_private(std::make_unique<Private>(*this, mesh, std::move(options)))
{
    const auto open = [this] {
        Private& d = *m_private;
        if (d.openPath != d.mesh.path()) {
            // Another document: its own scenario, no runs of the former.
            d.jobs.cancel();
            d.openPath = d.mesh.path();
            d.finished.clear();
            d.past.clear();
            d.future.clear();
            d.stability = {};
            d.currentId = 0;
            d.text = d.mesh.isOpen() ? d.mesh.setting(kTextKey) : QString();
            d.publishRuns();
        }
        d.parse();
    };
    connect(&mesh, &MeshSession::documentChanged, this, open);
    connect(&mesh, &MeshSession::draftChanged, this, [this] { m_private->parse(); });
    open();
}

RehearsalSession::~RehearsalSession() { m_private->jobs.end(); }

const QString& RehearsalSession::text() const { return m_private->text; }

void RehearsalSession::setText(const QString& text) { m_private->adopt(text, true); }

void RehearsalSession::undo()
{
    Private& d = *m_private;
    if (!d.past.empty()) {
        const QString before = d.past.back();
        d.past.pop_back();
        d.future.push_back(d.text);
        d.adopt(before, false);
    }
}

void RehearsalSession::redo()
{
    Private& d = *m_private;
    if (!d.future.empty()) {
        const QString after = d.future.back();
        d.future.pop_back();
        d.past.push_back(d.text);
        d.adopt(after, false);
    }
}

bool RehearsalSession::canUndo() const { return !m_private->past.empty(); }

bool RehearsalSession::canRedo() const { return !m_private->future.empty(); }

Result<void> RehearsalSession::loadFile(const QString& path)
{
    MESH_TRY(const std::string text, readFile(path.toStdString(), kConfigBytesMax));
    m_private->adopt(QString::fromStdString(text), true);
    return {};
}

void RehearsalSession::useTemplate(const QString& offer, const QString& target)
{
    Private& d = *m_private;
    const FaultOffer* found = findFaultOffer(offer);
    const EntryMembers members =
        found != nullptr ? entryOf(*found, target, kTemplateFault_s) : EntryMembers();
    const model::Document& document = *d.mesh.document();
    QString name =
        document.mesh ? QString::fromStdString(document.mesh->name) : QStringLiteral("mesh");
    if (!members.empty()) {
        const QString words = targetKindOf(target) == TargetKind::Edge ? target.section(u':', 2)
                                                                       : target.section(u':', 1);
        name += QStringLiteral("-%1-%2").arg(words, QString(offer).replace(u'_', u'-'));
    }
    const std::string entry = members.empty() ? std::string() : flowEntry(members);
    d.adopt(scenarioWith(document, d.mesh.topology(), name, entry), !d.text.isEmpty());
}

const ScenarioRow& RehearsalSession::scenario() const { return m_private->scenario; }

const std::vector<ProblemRow>& RehearsalSession::problems() const { return m_private->problems; }

bool RehearsalSession::hasErrors() const { return m_private->hasErrors; }

QStringList RehearsalSession::zones() const { return zonesOf(*m_private->mesh.document()); }

QString RehearsalSession::source() const { return m_private->source; }

int RehearsalSession::addFault(const QString& offer, const QString& target, double at_s)
{
    Private& d = *m_private;
    const FaultOffer* found = findFaultOffer(offer);
    const EntryMembers members = found != nullptr ? entryOf(*found, target, at_s) : EntryMembers();
    if (members.empty()) {
        return -1;
    }
    const auto edited = addEntry(d.text.toStdString(), "timeline", members);
    if (!edited) {
        return -1;
    }
    d.take(edited);
    return static_cast<int>(d.scenario.clips.size()) - 1;
}

int RehearsalSession::moveClip(int index, double at_s, std::optional<double> length_s)
{
    Private& d = *m_private;
    const auto& clips = d.scenario.clips;
    if (index < 0 || index >= static_cast<int>(clips.size())) {
        return -1;
    }
    const ClipRow& clip = clips[static_cast<std::size_t>(index)];
    std::string text = d.text.toStdString();
    const auto place = static_cast<std::size_t>(index);
    if (std::llround(at_s) != std::llround(clip.at_s)) {
        const auto edited = setEntryMember(text, "timeline", place, "at", seconds(at_s));
        text = edited.value_or(text);
    }
    if (length_s && (!clip.length_s || std::llround(*length_s) != std::llround(*clip.length_s))) {
        const std::string wanted = seconds(std::max(1.0, *length_s));
        const auto edited = setEntryMember(text, "timeline", place, "for", wanted);
        text = edited.value_or(text);
    }
    d.take(text);
    return index;
}

bool RehearsalSession::removeClip(int index)
{
    Private& d = *m_private;
    if (index < 0) {
        return false;
    }
    const auto edited =
        removeEntry(d.text.toStdString(), "timeline", static_cast<std::size_t>(index));
    d.take(edited);
    return edited.has_value();
}

int RehearsalSession::lineOfClip(int index) const
{
    return index < 0 ? 0
                     : lineOfEntry(
                         m_private->text.toStdString(), "timeline", static_cast<std::size_t>(index)
                     );
}

void RehearsalSession::setSeed(std::uint64_t seed)
{
    m_private->take(setTopMember(m_private->text.toStdString(), "seed", std::to_string(seed)));
}

void RehearsalSession::setReplications(int count)
{
    m_private->take(
        setTopMember(m_private->text.toStdString(), "replications", std::to_string(count))
    );
}

Result<void> RehearsalSession::compareDraft()
{
    Private& d = *m_private;
    if (!d.mesh.isDraftChanged() || d.mesh.hasDraftErrors()) {
        return fail(ErrorCode::Conflict, "there is no draft without errors");
    }
    const auto draft = config::decode(d.mesh.draftText().toStdString());
    MESH_TRY(const std::string patch, patchBetween(*d.mesh.document(), draft.document));
    const std::string policies = "\n  baseline: {}\n  candidate: {patch: " + patch + "}";
    d.take(setTopMember(d.text.toStdString(), "policies", policies));
    return {};
}

Result<void> RehearsalSession::Private::begin(const std::optional<StabilityCell>& cell)
{
    if (jobs.isRunning()) {
        return fail(ErrorCode::Overloaded, "a rehearsal runs already");
    }
    parse();
    if (hasErrors) {
        return fail(ErrorCode::InvalidArgument, problems.front().message.toStdString());
    }
    runText = text;
    runDocument = document;
    runSource = source;
    runPath = openPath;
    runName.clear();
    progress = {};
    progress.isRunning = true;
    simulator::RehearsalRequest wanted = request();
    if (cell) {
        wanted.scenario = cellScenario(parsed, *cell);
        runName =
            RehearsalSession::tr("load ×%1, %2").arg(cell->load).arg(spanText(cell->length_s));
    }
    jobs.startRun(
        q,
        std::move(wanted),
        [this](const simulator::RehearsalProgress& told) { onProgress(told); },
        [this](Result<simulator::Rehearsal> outcome) { onFinished(std::move(outcome)); }
    );
    Q_EMIT q.progressChanged();
    return {};
}

Result<void> RehearsalSession::run() { return m_private->begin(std::nullopt); }

Result<void> RehearsalSession::runCell(double load, double length_s)
{
    StabilityCell cell;
    cell.load = load;
    cell.length_s = length_s;
    return m_private->begin(cell);
}

void RehearsalSession::cancel() { m_private->jobs.cancel(); }

const RehearsalProgressRow& RehearsalSession::progress() const { return m_private->progress; }

bool RehearsalSession::isRunning() const { return m_private->progress.isRunning; }

const std::vector<RunRow>& RehearsalSession::runs() const { return m_private->rows; }

const RunRow* RehearsalSession::current() const
{
    const FinishedRun* run = std::as_const(*m_private).find(m_private->currentId);
    return run != nullptr ? &run->row : nullptr;
}

void RehearsalSession::selectRun(int id)
{
    if (m_private->find(id) != nullptr && id != m_private->currentId) {
        m_private->currentId = id;
        m_private->publishRuns();
    }
}

void RehearsalSession::showVariant(const QString& name)
{
    FinishedRun* run = m_private->find(m_private->currentId);
    if (run == nullptr) {
        return;
    }
    const auto& variants = run->result->variants;
    const auto found =
        std::ranges::find(variants, name.toStdString(), &simulator::VariantResult::name);
    if (found == variants.end()) {
        return;
    }
    run->shown = static_cast<std::size_t>(found - variants.begin());
    RunRow row = runRow(*run->result, run->shown);
    row.id = run->row.id;
    row.name = run->row.name;
    row.isKept = run->row.isKept;
    row.isOutdated = run->row.isOutdated;
    row.time_us = run->row.time_us;
    row.source = run->row.source;
    run->row = std::move(row);
    m_private->publishRuns();
}

void RehearsalSession::keepRun(int id, bool isKept)
{
    if (FinishedRun* run = m_private->find(id)) {
        run->row.isKept = isKept;
        m_private->publishRuns();
    }
}

void RehearsalSession::renameRun(int id, const QString& name)
{
    FinishedRun* run = m_private->find(id);
    if (run != nullptr && !name.trimmed().isEmpty()) {
        run->row.name = name.trimmed();
        run->row.isKept = true; // Who names a run wants it again.
        m_private->publishRuns();
    }
}

void RehearsalSession::closeRun(int id)
{
    Private& d = *m_private;
    std::erase_if(d.finished, [id](const FinishedRun& run) { return run.row.id == id; });
    if (d.currentId == id) {
        d.currentId = d.finished.empty() ? 0 : d.finished.back().row.id;
    }
    d.publishRuns();
}

StageState RehearsalSession::stageAt(double second) const
{
    const FinishedRun* run = std::as_const(*m_private).find(m_private->currentId);
    if (run == nullptr || run->result->variants.empty()) {
        return {};
    }
    const auto& variant = run->result->variants[run->shown];
    return bridge::stageAt(*run->result, variant.record, *run->document, second);
}

bool RehearsalSession::hasPatch(const QString& variant) const
{
    const FinishedRun* run = std::as_const(*m_private).find(m_private->currentId);
    if (run == nullptr) {
        return false;
    }
    return std::ranges::any_of(
        run->result->scenario.policies,
        [&variant](const simulator::PolicyVariant& one) {
            return QString::fromStdString(one.name) == variant && one.patch.isMap()
                   && !one.patch.map().empty();
        }
    );
}

Result<QString> RehearsalSession::policyText(const QString& variant) const
{
    const FinishedRun* run = std::as_const(*m_private).find(m_private->currentId);
    if (run == nullptr) {
        return fail(ErrorCode::NotFound, "no run has finished");
    }
    for (const simulator::PolicyVariant& one : run->result->scenario.policies) {
        if (QString::fromStdString(one.name) == variant) {
            MESH_TRY(
                const model::Document patched, simulator::applyPatch(*run->document, one.patch)
            );
            return QString::fromStdString(config::toYaml(patched));
        }
    }
    return fail(ErrorCode::NotFound, "the run has no variant " + variant.toStdString());
}

std::optional<ComparisonRow> RehearsalSession::compare(
    int firstRun, const QString& firstVariant, int secondRun, const QString& secondVariant
) const
{
    const auto variantOf = [this](int id, const QString& name) {
        const FinishedRun* run = std::as_const(*m_private).find(id);
        const simulator::VariantResult* found = nullptr;
        if (run != nullptr) {
            for (const auto& variant : run->result->variants) {
                found = QString::fromStdString(variant.name) == name ? &variant : found;
            }
        }
        return std::pair{run, found};
    };
    const auto [runA, a] = variantOf(firstRun, firstVariant);
    const auto [runB, b] = variantOf(secondRun, secondVariant);
    if (a == nullptr || b == nullptr || runA->result->entries.empty()) {
        return std::nullopt;
    }
    ComparisonRow row;
    row.first = runA->row.name + QStringLiteral(", ") + firstVariant;
    row.second = runB->row.name + QStringLiteral(", ") + secondVariant;
    const auto& one = runA->result->scenario;
    const auto& other = runB->result->scenario;
    row.firstSeconds = secondsOf(a->series, runA->result->entries, one.replications);
    row.secondSeconds = secondsOf(b->series, runB->result->entries, other.replications);
    row.windows = differenceLines(*a, *b, runA->result->entries.front());
    row.isSameLuck = one.seed == other.seed && one.replications == other.replications;
    return row;
}

QStringList RehearsalSession::reportFormats()
{
    return {QStringLiteral("json"), QStringLiteral("xml")};
}

QString RehearsalSession::report(const QString& format) const
{
    const FinishedRun* run = std::as_const(*m_private).find(m_private->currentId);
    if (run == nullptr) {
        return {};
    }
    const bool isJunit = format == QStringLiteral("xml");
    return QString::fromStdString(
        isJunit ? simulator::toJunit(*run->result) : simulator::toJson(*run->result)
    );
}

Result<void> RehearsalSession::runStability()
{
    Private& d = *m_private;
    if (d.jobs.isRunning()) {
        return fail(ErrorCode::Overloaded, "a rehearsal runs already");
    }
    d.parse();
    if (d.hasErrors) {
        return fail(ErrorCode::InvalidArgument, d.problems.front().message.toStdString());
    }
    if (d.parsed.timeline.empty()) {
        return fail(ErrorCode::InvalidArgument, "the scenario has no fault to vary");
    }
    d.stability = stabilityGrid();
    d.stability.isRunning = true;
    d.jobs.startStability(*this, d.request(), d.stability, [this](const StabilityRows& rows) {
        m_private->stability = rows;
        Q_EMIT stabilityChanged();
    });
    Q_EMIT stabilityChanged();
    return {};
}

const StabilityRows& RehearsalSession::stability() const { return m_private->stability; }

} // namespace mesh::bridge
