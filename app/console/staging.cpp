#include "app/console/staging.h"

#include "app/bridge/mesh_session.h"
#include "app/bridge/profile.h"
#include "app/bridge/rollout_session.h"
#include "app/pages/rollout_page.h"
#include "app/shell/main_window.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/model/objects.h"

#include <string_view>

namespace mesh::console {
namespace {

constexpr int kPushesOfHistory = 2;
constexpr int kBake_s = 25;

// One member of one object of the demo.
void change(
    model::Document& document,
    const model::ObjectRef& object,
    std::string_view holder,
    std::string_view key,
    model::Value value
)
{
    model::Value record = model::objectAt(document, object);
    model::Value* place = holder.empty() ? &record : record.find(holder);
    if (record.isNull() || place == nullptr) {
        return;
    }
    place->set(key, std::move(value));
    static_cast<void>(model::replaceObject(document, object, record));
}

} // namespace

Staging::Staging(bridge::MeshSession& session, shell::MainWindow& window, const QString& scene)
    : m_session(session)
    , m_window(window)
    , m_scene(scene)
{
    bridge::Profile profile;
    profile.environment = QStringLiteral("production");
    profile.level = bridge::SafetyLevel::Confirm;
    session.gate().setProfile(profile);
}

void Staging::edit()
{
    model::Document document = *m_session.document();
    if (m_pushes == 0) {
        change(
            document,
            {"upstreams", "cart", ""},
            "outlier_detection",
            "consecutive_5xx",
            model::Value(3)
        );
        change(
            document, {"upstreams", "cart", ""}, "outlier_detection", "max_ejection_percent", 25
        );
        change(document, {"upstreams", "catalog", ""}, "limits", "max_pending", model::Value(32));
        change(document, {"services", "checkout", ""}, "", "read_timeout", model::Value(3000));
    } else {
        change(document, {"services", "search", ""}, "", "read_timeout", model::Value(2500));
    }
    m_window.draft().editText(QString::fromStdString(config::toYaml(document)));
    m_window.setMode(shell::Mode::Rollout);
    m_window.rolloutPage().setView(pages::RolloutView::Review);
    m_window.rollout().setMessage(
        m_pushes == 0
            ? QStringLiteral("Eject bad cart instances sooner, cap checkout at 3 s, queue less")
            : QStringLiteral("Search answers within 2.5 s")
    );
}

bool Staging::push()
{
    bridge::RolloutSession& rollout = m_window.rollout();
    const bool isHistory = m_scene == QStringLiteral("history");
    rollout.setPlanKind(isHistory ? bridge::PlanKind::AllAtOnce : bridge::PlanKind::Canary);
    rollout.setBake(isHistory ? 0 : kBake_s);
    // A demo on a busy machine jumps; a scene is no verdict about it.
    bridge::PlanGates gates;
    gates.errorPoints = 3;
    gates.p95Percent = 300;
    rollout.setGates(gates);
    // What is a warning here was seen by whoever wrote the scene.
    const auto findings = rollout.review().findings;
    for (const bridge::FindingRow& finding : findings) {
        rollout.acceptFinding(finding.key, true);
    }
    if (const auto begun = rollout.push(); !begun) {
        m_problem = QString::fromStdString(begun.error().message);
        return false;
    }
    ++m_pushes;
    m_window.rolloutPage().setView(pages::RolloutView::Current);
    return true;
}

bool Staging::isReady()
{
    const bridge::RolloutRows& rows = m_window.rollout().rollout();
    switch (m_step) {
    case Step::Edit:
        edit();
        m_step = Step::Review;
        return false;
    case Step::Review:
        if (!m_window.rollout().review().isReady) {
            return false;
        }
        m_step = m_scene == QStringLiteral("review") ? Step::Done : Step::Push;
        return m_step == Step::Done;
    case Step::Push:
        m_step = push() ? Step::Watch : Step::Push;
        return false;
    case Step::Watch:
        if (m_scene == QStringLiteral("current")) {
            // The middle of the second wave says most.
            const bool isInside =
                rows.wave == 2 && rows.waves.size() > 1 && rows.waves[1].share > 0.4;
            m_step = isInside ? Step::Done : Step::Watch;
            return isInside;
        }
        // The rows of the push before stand until the next one has begun.
        if (rows.verdict != bridge::RolloutVerdict::Converged || m_session.revisions().empty()
            || rows.revision != m_session.revisions().front().id) {
            return false;
        }
        if (m_pushes < kPushesOfHistory) {
            m_step = Step::Edit;
            return false;
        }
        m_window.rolloutPage().setView(pages::RolloutView::History);
        m_step = Step::Diff;
        return false;
    case Step::Diff:
        return m_window.rollout().historyDiff().title.endsWith(
            QString::number(m_session.revisions().front().id)
        );
    case Step::Done:
        return true;
    }
    return true;
}

QString Staging::waitsFor() const
{
    return m_problem.isEmpty() ? QStringLiteral("the scene does not stand yet: ")
                                     + m_window.rollout().rollout().state
                               : m_problem;
}

} // namespace mesh::console
