// Goal: the demo's scenario of traffic policies makes them act through real engines: an instance is
// ejected, a breaker opens, traffic fails over to the other zone, a retry budget is used up; each
// has its badge, its reason and its event.
// Method: the demo with real proxies on loopback; every condition is waited for with a deadline.
#include "app/bridge/mesh_session.h"
#include "app/bridge/policy_words.h"
#include "app/graph/policy_marks.h"
#include "proxyengine/api/engine_options.h"
#include "proxyengine/proxy/local_engine.h"

#include <QtTest>

#include <algorithm>

using namespace mesh;
using namespace mesh::bridge;

namespace {

constexpr int kDeadline_ms = 60'000;

} // namespace

class PoliciesLiveTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void theScenarioMakesEveryPolicyAct();

private:
    [[nodiscard]] bool hasActed(const char* service, PolicyKind kind, const char* event) const
    {
        const QString id = QStringLiteral("service:") + QString::fromLatin1(service);
        const auto& entities = m_session->topology().entities;
        const auto entity = std::ranges::find(entities, id, &EntityRow::id);
        if (entity == entities.end()) {
            return false;
        }
        const auto policy = std::ranges::find(entity->policies, kind, &PolicyRow::kind);
        const auto isIt = [&](const Marker& marker) {
            return marker.subject == id && marker.policy == QString::fromLatin1(event);
        };
        return policy != entity->policies.end() && !policy->reason.isEmpty()
               && !graph::nodeTags(*entity).empty()
               && std::ranges::any_of(m_session->events(), isIt);
    }

    std::unique_ptr<MeshSession> m_session;
};

void PoliciesLiveTest::theScenarioMakesEveryPolicyAct()
{
    SessionOptions options;
    options.engineFactory = [](const api::EngineOptions& engine,
                               const std::shared_ptr<const model::Document>&) {
        return proxy::makeLocalEngine(engine);
    };
    m_session = std::make_unique<MeshSession>(options);
    const auto started = m_session->startDemo(
        QStringLiteral(MESH_SOURCE_DIR "/resources/demo/storefront.yaml"),
        QStringLiteral("policies")
    );
    QVERIFY2(started, started ? "" : toText(started.error()).c_str());
    struct Wanted
    {
        const char* service;
        PolicyKind kind;
        const char* event;
        bool hasActed = false;
    };
    Wanted wanted[] = {
        {"cart", PolicyKind::Ejection, "ejected"},
        {"catalog", PolicyKind::Failover, "failover_started"},
        {"search", PolicyKind::BudgetExhausted, "budget_exhausted"},
        {"payment", PolicyKind::BreakerOpen, "breaker_opened"}};
    // They overlap, but which comes when is the engines' business.
    const auto allHaveActed = [&] {
        for (Wanted& act : wanted) {
            act.hasActed = act.hasActed || hasActed(act.service, act.kind, act.event);
        }
        return std::ranges::all_of(wanted, &Wanted::hasActed);
    };
    const bool isComplete = QTest::qWaitFor(allHaveActed, kDeadline_ms);
    for (const Wanted& act : wanted) {
        QVERIFY2(act.hasActed, act.event);
    }
    QVERIFY(isComplete);
    for (const Marker& event : m_session->events()) {
        const bool isKnown =
            event.kind != Marker::Kind::Policy || policyWord(event.policy.toStdString()) != nullptr;
        QVERIFY2(isKnown, qPrintable(event.policy)); // Nothing is told that has no word.
    }
}

QTEST_MAIN(PoliciesLiveTest)
#include "policies_live_test.moc"
