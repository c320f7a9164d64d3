#include "app/bridge/fault_offers.h"
#include "app/bridge/mesh_session.h"
#include "app/bridge/rehearsal_private.h"
#include "app/bridge/rehearsal_view.h"
#include "app/bridge/scenario_template.h"
#include "app/bridge/scenario_text.h"
#include "proxyengine/base/duration_text.h"
#include "proxyengine/base/file.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/config/codec.h"
#include "simulator/scenario/patch.h"

#include <algorithm>
#include <cmath>

namespace mesh::bridge {

namespace {

const QString kTextKey = QStringLiteral("rehearse.scenario");
constexpr int kDraftPause_ms = 300;
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
            d.restoreRuns();
        }
        d.parse();
    };
    connect(&mesh, &MeshSession::documentChanged, this, open);
    // The draft changes with every key in the mode Edit.
    m_private->draftPause.setSingleShot(true);
    m_private->draftPause.setInterval(kDraftPause_ms);
    connect(&m_private->draftPause, &QTimer::timeout, this, [this] { m_private->parse(); });
    connect(&mesh, &MeshSession::draftChanged, this, [this] { m_private->draftPause.start(); });
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

} // namespace mesh::bridge
