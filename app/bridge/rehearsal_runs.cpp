#include "app/bridge/mesh_session.h"
#include "app/bridge/rehearsal_private.h"
#include "app/bridge/rehearsal_view.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/base/version.h"
#include "proxyengine/config/codec.h"
#include "simulator/report/html.h"
#include "simulator/report/json.h"
#include "simulator/report/junit.h"
#include "simulator/scenario/patch.h"

#include <QDateTime>

#include <algorithm>

// The runs of a rehearsal session: begun, followed, kept, compared and told.
namespace mesh::bridge {

void RehearsalSession::Private::markOutdated()
{
    bool isAny = false;
    for (FinishedRun& run : finished) {
        const bool isOther = run.isRestored
                                 ? run.revisionHash.isEmpty() || run.revisionHash != revisionHash()
                                 : run.document != document && !(*run.document == *document);
        const bool isOutdated = run.text != text || isOther;
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

void RehearsalSession::Private::onLiveProgress(const simulator::LiveProgress& told)
{
    if (progress.isRunning) {
        progress.done = static_cast<int>(toSeconds(told.passed));
        progress.all = static_cast<int>(toSeconds(told.length));
        Q_EMIT q.progressChanged();
    }
}

void RehearsalSession::Private::onLiveFinished(int id, Result<simulator::LiveRehearsal> outcome)
{
    progress = {};
    FinishedRun* run = find(id);
    if (!outcome && outcome.error().code != ErrorCode::Cancelled) {
        Q_EMIT q.runFailed(QString::fromStdString(outcome.error().message));
    } else if (outcome && run != nullptr) {
        auto compared = std::make_shared<simulator::Rehearsal>(*run->result);
        simulator::compareWithLive(*compared, *outcome);
        run->result = std::move(compared);
        run->row.trust = runRow(*run->result, run->shown).trust;
        if (run->row.isKept) {
            storeRun(*run);
        }
        publishRuns();
    }
    Q_EMIT q.progressChanged();
}

void RehearsalSession::Private::addRun(simulator::Rehearsal&& rehearsal)
{
    FinishedRun run;
    run.result = std::make_shared<simulator::Rehearsal>(std::move(rehearsal));
    run.document = runDocument;
    run.text = runText;
    run.revisionHash = runHash;
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
    runHash = revisionHash();
    runName.clear();
    progress = {};
    progress.isRunning = true;
    simulator::RehearsalRequest wanted = request();
    wanted.waterfalls = simulator::kReportWaterfalls;
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

Result<void> RehearsalSession::runLive()
{
    Private& d = *m_private;
    const FinishedRun* run = d.find(d.currentId);
    if (run == nullptr) {
        return fail(ErrorCode::NotFound, "no run has finished");
    }
    if (run->isRestored) {
        return fail(ErrorCode::Unsupported, "the run was kept earlier; run the scenario again");
    }
    if (d.jobs.isRunning()) {
        return fail(ErrorCode::Overloaded, "a rehearsal runs already");
    }
    simulator::LiveRehearsalRequest wanted;
    wanted.scenario = run->result->scenario;
    wanted.document = run->document;
    wanted.engineFactory = d.mesh.engineFactory();
    // The twin is of the first variant, as the verdict is.
    if (!wanted.scenario.policies.empty() && wanted.scenario.policies.front().patch.isMap()) {
        MESH_TRY(
            model::Document patched,
            simulator::applyPatch(*run->document, wanted.scenario.policies.front().patch)
        );
        wanted.document = std::make_shared<model::Document>(std::move(patched));
    }
    const auto errors = simulator::checkLive(wanted);
    if (!errors.empty()) {
        return tl::unexpected(errors.front());
    }
    d.progress = {};
    d.progress.isRunning = true;
    d.progress.isLive = true;
    d.jobs.startLive(
        *this,
        std::move(wanted),
        [this](const simulator::LiveProgress& told) { m_private->onLiveProgress(told); },
        [this, id = run->row.id](Result<simulator::LiveRehearsal> outcome) {
            m_private->onLiveFinished(id, std::move(outcome));
        }
    );
    Q_EMIT progressChanged();
    return {};
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
        m_private->storeRun(*run);
        m_private->publishRuns();
    }
}

void RehearsalSession::renameRun(int id, const QString& name)
{
    FinishedRun* run = m_private->find(id);
    if (run != nullptr && !name.trimmed().isEmpty()) {
        run->row.name = name.trimmed();
        run->row.isKept = true; // Who names a run wants it again.
        m_private->storeRun(*run);
        m_private->publishRuns();
    }
}

void RehearsalSession::closeRun(int id)
{
    Private& d = *m_private;
    if (FinishedRun* run = d.find(id); run != nullptr && run->row.isKept) {
        run->row.isKept = false;
        d.storeRun(*run);
    }
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
    return {QStringLiteral("html"), QStringLiteral("json"), QStringLiteral("xml")};
}

QString RehearsalSession::report(const QString& format) const
{
    const FinishedRun* run = std::as_const(*m_private).find(m_private->currentId);
    if (run == nullptr) {
        return {};
    }
    if (run->isRestored) {
        return format == QStringLiteral("json") ? run->report : QString();
    }
    if (format == QStringLiteral("html")) {
        simulator::HtmlOptions page;
        page.version = mesh::version();
        page.meshHash = config::hashOf(*run->document);
        page.document = run->document;
        return QString::fromStdString(simulator::renderHtml(*run->result, page));
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
