// Goal: what engines tell about traffic policies shows on the right services, edges and instances,
// becomes events that begin and end, and is there again when the time is turned back.
// Method: a document and hand-written reports; then a session with an engine that the test speaks
// for.
#include "app/bridge/event_records.h"
#include "app/bridge/mesh_session.h"
#include "app/bridge/policy_words.h"
#include "app/bridge/topology_builder.h"
#include "app/bridge/view_context.h"
#include "proxyengine/api/engine.h"

#include <QTemporaryDir>
#include <QtTest>

#include <algorithm>
#include <set>

using namespace mesh;
using namespace mesh::bridge;

namespace {

const QString kShop = QStringLiteral(R"(_format_version: "3.0"
mesh: {name: shop}
nodes:
- {name: edge-1, role: gateway, zone: a}
- {name: vm-1, role: sidecar}
workloads:
- {name: shadow-1, service: shadow, node: vm-1, address: "10.0.0.9:7001"}
services:
- name: cart
  host: cart
  resilience:
    breaker: {}
    mirror: {service: shadow, percent: 10}
  routes:
  - name: cart
    paths: [/cart]
    split: [{service: cart, weight: 90}, {service: cart-next, weight: 10}]
- name: cart-next
  host: cart
- name: shadow
  host: shadow.local
upstreams:
- name: cart
  targets:
  - {target: "10.0.0.1:7001", tags: [zone:a]}
  - {target: "10.0.0.2:7001", tags: [zone:b]}
)");

class TellingEngine final : public api::Engine
{
public:
    Result<CommandId> submit(api::Command) override { return CommandId(++m_last); }
    void subscribe(api::EventSink& sink) override { m_sink = &sink; }
    void stop(Duration) override { m_sink = nullptr; }

    void tell(std::int64_t time_us, const char* kind, const char* subject, const char* reason)
    {
        m_sink->onEvent(api::PolicyEvent{
            "edge-1", WallTime(std::chrono::microseconds(time_us)), kind, subject, reason});
    }
    void measure(
        std::int64_t end_us,
        std::vector<telemetry::PolicyState> states,
        std::vector<telemetry::PolicyCount> counts = {}
    )
    {
        auto frame = std::make_shared<telemetry::StatsFrame>();
        frame->node = "edge-1";
        frame->time = WallTime(std::chrono::microseconds(end_us));
        frame->interval = std::chrono::seconds(1);
        telemetry::RequestSeries series;
        series.source = "edge-1";
        series.service = "cart";
        series.answers[2] = 100;
        frame->requests.push_back(series);
        frame->states = std::move(states);
        frame->policy = std::move(counts);
        m_sink->onEvent(api::StatsEvent{frame});
    }

private:
    api::EventSink* m_sink = nullptr;
    std::uint64_t m_last = 0;
};

const PolicyRow* policyOf(const std::vector<PolicyRow>& rows, PolicyKind kind)
{
    const auto found = std::ranges::find(rows, kind, &PolicyRow::kind);
    return found == rows.end() ? nullptr : &*found;
}

std::int64_t nowUs() { return QDateTime::currentMSecsSinceEpoch() * 1000; }

} // namespace

class PoliciesTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_folder = std::make_unique<QTemporaryDir>();
        SessionOptions options;
        options.evaluationInterval_ms = 20;
        m_session = std::make_unique<MeshSession>(options);
        const auto imported =
            m_session->importText(kShop, m_folder->filePath(QStringLiteral("shop.mesh")));
        QVERIFY2(imported, imported ? "" : toText(imported.error()).c_str());
        auto engine = std::make_unique<TellingEngine>();
        m_engine = engine.get();
        m_session->addEngine(u"edge-1"_qs, std::move(engine));
    }
    void cleanup()
    {
        m_session.reset();
        m_folder.reset();
    }

    void everyEventOfTheEngineIsKnown();
    void aStateShowsOnItsServiceAndOnTheEdgesOfItsNode();
    void splitsAndMirrorsComeFromTheConfiguration();
    void anEjectedTargetIsCountedWithItsReason();
    void aBreakersEventsEndEachOther();
    void repeatedVerdictsAreOneEvent();
    void failedHandshakesAndRefusalsStandAtTheirService();
    void theTimeTurnedBackShowsThePoliciesOfThatTime();
    void eventsSurviveTheDocument();

private:
    [[nodiscard]] EntityRow entity(const QString& id) const
    {
        const auto& entities = m_session->topology().entities;
        const auto found = std::ranges::find(entities, id, &EntityRow::id);
        return found == entities.end() ? EntityRow{} : *found;
    }
    [[nodiscard]] EntityRow cart() const { return entity(u"service:cart"_qs); }
    [[nodiscard]] std::vector<Marker> policyEvents() const
    {
        std::vector<Marker> found;
        std::ranges::copy_if(
            m_session->events(),
            std::back_inserter(found),
            [](const Marker& event) { return event.kind == Marker::Kind::Policy; }
        );
        return found;
    }

    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<MeshSession> m_session;
    TellingEngine* m_engine = nullptr;
};

// The names of api/event.h, written out a second time so that a change there is noticed.
void PoliciesTest::everyEventOfTheEngineIsKnown()
{
    for (const char* kind :
         {"ejected",
          "returned",
          "ejection_suppressed",
          "breaker_opened",
          "breaker_closed",
          "retried",
          "breaker_half_opened",
          "budget_exhausted",
          "hedged",
          "timed_out",
          "rate_limited",
          "concurrency_limited",
          "shed",
          "fault_injected",
          "mirrored",
          "fallback_served",
          "limit_reached",
          "panic_entered",
          "panic_left",
          "failover_started",
          "failover_ended",
          "tls_failed",
          "certificate_refused",
          "plaintext_refused",
          "peer_refused"}) {
        QVERIFY2(policyWord(kind) != nullptr, kind);
        QVERIFY2(!policyEventText(QString::fromLatin1(kind)).contains(u'_'), kind);
    }
    for (const char* state :
         {"breaker_open",
          "breaker_half_open",
          "panic",
          "failover",
          "ejected",
          "budget_exhausted",
          "limit_reached",
          "fault",
          "shedding"}) {
        QVERIFY2(policyWord(state) != nullptr && policyWord(state)->kind, state);
    }
    std::set<QString> icons;
    for (int kind = 0; kind < kPolicyKindCount; ++kind) {
        QVERIFY(!policyText(static_cast<PolicyKind>(kind)).isEmpty());
        QVERIFY(!policyHelp(static_cast<PolicyKind>(kind)).isEmpty());
        icons.insert(policyIcon(static_cast<PolicyKind>(kind)));
    }
    QCOMPARE(icons.size(), std::size_t(kPolicyKindCount)); // Told apart without colour.
}

void PoliciesTest::aStateShowsOnItsServiceAndOnTheEdgesOfItsNode()
{
    const std::int64_t now = nowUs();
    telemetry::PolicyState open;
    open.kind = "breaker_open";
    open.subject = "service:cart";
    open.reason = "12 of 20 requests failed";
    open.since = WallTime(std::chrono::microseconds(now - 3'000'000));
    m_engine->measure(now, {open});

    QTRY_VERIFY(policyOf(cart().policies, PolicyKind::BreakerOpen) != nullptr);
    const EntityRow row = cart();
    const PolicyRow& policy = *policyOf(row.policies, PolicyKind::BreakerOpen);
    QCOMPARE(policy.reason, u"12 of 20 requests failed"_qs);
    QCOMPARE(policy.since_us, now - 3'000'000);
    QCOMPARE(policy.nodes, QStringList{u"edge-1"_qs});
    QCOMPARE(row.policies.front().kind, PolicyKind::BreakerOpen); // The most urgent.
    const auto& edges = m_session->topology().edges;
    QCOMPARE(edges.size(), std::size_t(1));
    QVERIFY(policyOf(edges.front().policies, PolicyKind::BreakerOpen) != nullptr);

    m_engine->measure(nowUs() + 1'000'000, {});
    QTRY_VERIFY(policyOf(cart().policies, PolicyKind::BreakerOpen) == nullptr);
}

void PoliciesTest::splitsAndMirrorsComeFromTheConfiguration()
{
    m_engine->measure(nowUs(), {});

    QTRY_VERIFY(policyOf(cart().policies, PolicyKind::Split) != nullptr);
    QCOMPARE(policyOf(cart().policies, PolicyKind::Split)->text, u"split 90 / 10"_qs);
    const EntityRow row = cart();
    const PolicyRow* mirror = policyOf(row.policies, PolicyKind::Mirror);
    QVERIFY(mirror != nullptr);
    QVERIFY(mirror->reason.contains(u"shadow"_qs));
}

void PoliciesTest::anEjectedTargetIsCountedWithItsReason()
{
    model::Document document = *m_session->document();
    const std::vector<store::SeriesTotal> none;
    TopologyInput input;
    input.document = &document;
    input.series = &none;
    telemetry::TargetHealth out;
    out.upstream = "cart";
    out.target = "10.0.0.2:7001";
    out.state = telemetry::TargetState::Unhealthy;
    out.isEjected = true;
    out.reason = "5 x 503 in a row";
    telemetry::TargetHealth held = out;
    held.target = "10.0.0.1:7001";
    held.state = telemetry::TargetState::Healthy;
    held.isEjected = false;
    held.suppressed = "50 % are out already";
    input.targetHealth = {out, held};

    const Topology topology = buildTopology(input, nullptr).topology;

    const auto row = std::ranges::find(topology.entities, u"service:cart"_qs, &EntityRow::id);
    QVERIFY(row != topology.entities.end());
    const PolicyRow* ejection = policyOf(row->policies, PolicyKind::Ejection);
    QVERIFY(ejection != nullptr);
    QCOMPARE(ejection->text, u"1 of 2 ejected"_qs);
    QVERIFY(ejection->reason.contains(u"5 x 503 in a row"_qs));
    QVERIFY(policyOf(row->policies, PolicyKind::EjectionSuppressed) != nullptr);
    QCOMPARE(row->instances[0].suppressed, u"50 % are out already"_qs);
    QVERIFY(row->instances[1].isEjected);
}

void PoliciesTest::aBreakersEventsEndEachOther()
{
    const std::int64_t begin = nowUs();
    m_engine->tell(begin, "breaker_opened", "service:cart", "12 of 20 requests failed");
    QTRY_COMPARE(policyEvents().size(), std::size_t(1));
    QCOMPARE(policyEvents()[0].end_us, 0);
    QCOMPARE(policyEvents()[0].label, u"cart breaker opened"_qs);
    QCOMPARE(policyEvents()[0].subject, u"service:cart"_qs);

    m_engine->tell(begin + 5'000'000, "breaker_half_opened", "service:cart", "5 s are over");
    m_engine->tell(begin + 6'000'000, "breaker_closed", "service:cart", "3 probes succeeded");

    QTRY_COMPARE(policyEvents().size(), std::size_t(3));
    QCOMPARE(policyEvents()[0].end_us, begin + 5'000'000);
    QCOMPARE(policyEvents()[1].end_us, begin + 6'000'000);
    QCOMPARE(policyEvents()[2].end_us, policyEvents()[2].begin_us);
}

void PoliciesTest::repeatedVerdictsAreOneEvent()
{
    const std::int64_t begin = nowUs();
    for (int i = 0; i < 4; ++i) {
        m_engine->tell(begin + i * 1'000'000, "rate_limited", "service:cart", "100 in 1 s");
    }
    m_engine->tell(begin, "rate_limited", "route:cart", "100 in 1 s");

    QTRY_COMPARE(policyEvents().size(), std::size_t(2));
    QCOMPARE(policyEvents()[0].end_us, 0); // It goes on until it is not told for a while.
    QCOMPARE(policyEvents()[1].subject, u"service:cart"_qs); // The service of the route.
}

void PoliciesTest::failedHandshakesAndRefusalsStandAtTheirService()
{
    const std::int64_t now = nowUs();
    const telemetry::PolicyCount failed{
        "tls_failed", "target:cart/10.0.0.2:7001", 3, "certificate_expired"};
    m_engine->measure(now, {}, {failed, {"plaintext_refused", "listener:shadow-1 inbound", 2, {}}});
    m_engine->tell(
        now, "tls_failed", "target:cart/10.0.0.2:7001", "the upstream's certificate has expired"
    );
    QTRY_VERIFY(policyOf(cart().policies, PolicyKind::TlsFailure) != nullptr);
    QVERIFY(policyOf(entity(u"service:shadow"_qs).policies, PolicyKind::Refusal) != nullptr);
    bool isOnEdge = false;
    for (const EdgeRow& edge : m_session->topology().edges) {
        isOnEdge = isOnEdge || policyOf(edge.policies, PolicyKind::TlsFailure) != nullptr;
        QVERIFY(policyOf(edge.policies, PolicyKind::Refusal) == nullptr); // Callers are not known.
    }
    QVERIFY(isOnEdge);
    QTRY_COMPARE(policyEvents().size(), std::size_t{1});
    QVERIFY(policyEvents().front().detail.endsWith(u"the upstream's certificate has expired"));
}

void PoliciesTest::theTimeTurnedBackShowsThePoliciesOfThatTime()
{
    const std::int64_t begin = nowUs() - 20'000'000;
    for (int i = 0; i < 15; ++i) {
        m_engine->measure(begin + i * 1'000'000, {});
    }
    m_engine->tell(begin + 4'000'000, "ejected", "target:cart/10.0.0.2:7001", "5 x 503 in a row");
    m_engine->tell(begin + 9'000'000, "returned", "target:cart/10.0.0.2:7001", "time is over");
    QTRY_COMPARE(policyEvents().size(), std::size_t(2));

    m_session->context().pauseAt(begin + 6'000'000);
    QTRY_VERIFY(policyOf(cart().policies, PolicyKind::Ejection) != nullptr);
    QVERIFY(cart().instances[1].isEjected);
    QVERIFY(cart().instances[1].reason.contains(u"5 x 503 in a row"_qs));

    m_session->context().pauseAt(begin + 11'000'000);
    QTRY_VERIFY(policyOf(cart().policies, PolicyKind::Ejection) == nullptr);
}

void PoliciesTest::eventsSurviveTheDocument()
{
    Marker marker;
    marker.kind = Marker::Kind::Policy;
    marker.policy = u"failover_started"_qs;
    marker.begin_us = 5;
    marker.end_us = 9;
    marker.label = u"cart failover started"_qs;
    marker.detail = u"edge-1: 0 of 1 targets available in zone a"_qs;
    marker.subject = u"service:cart"_qs;
    marker.target = u"upstream:cart"_qs;
    marker.node = u"edge-1"_qs;

    const Marker read = toMarker(toRecord(marker));

    QCOMPARE(read.kind, marker.kind);
    QCOMPARE(read.policy, marker.policy);
    QCOMPARE(read.subject, marker.subject);
    QCOMPARE(read.target, marker.target);
    QCOMPARE(read.node, marker.node);
    QCOMPARE(read.end_us, marker.end_us);

    const std::int64_t begin = nowUs();
    m_engine->tell(begin, "panic_entered", "upstream:cart", "1 of 4 targets available");
    m_engine->tell(begin + 1000, "panic_left", "upstream:cart", "4 of 4");
    QTRY_COMPARE(policyEvents().size(), std::size_t(2));
    const QString path = m_session->path();
    m_session->closeDocument();
    const auto opened = m_session->openDocument(path);
    QVERIFY2(opened, opened ? "" : toText(opened.error()).c_str());
    QCOMPARE(policyEvents().size(), std::size_t(2));
    QCOMPARE(policyEvents()[0].policy, u"panic_entered"_qs);
    QCOMPARE(policyEvents()[0].end_us, begin + 1000);
}

QTEST_GUILESS_MAIN(PoliciesTest)
#include "policies_test.moc"
