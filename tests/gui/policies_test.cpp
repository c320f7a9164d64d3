// Goal: each thing a traffic policy does has a badge with words on the graph, a reason in the
// inspector, a sign on the charts and a row in Events that leads to its object.
// Method: the window over a session with an engine that the test speaks for.
#include "app/bridge/mesh_session.h"
#include "app/bridge/policy_words.h"
#include "app/bridge/view_context.h"
#include "app/charts/flags.h"
#include "app/graph/policy_marks.h"
#include "app/graph/topology_view.h"
#include "app/pages/events_view.h"
#include "app/pages/inspector.h"
#include "app/pages/policy_notes.h"
#include "app/pages/rows_table.h"
#include "app/shell/main_window.h"
#include "app/theme/theme.h"
#include "proxyengine/api/engine.h"

#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QtTest>

#include <algorithm>

namespace mesh::shell {

namespace {

using bridge::PolicyKind;

const QString kShop = QStringLiteral(R"(_format_version: "3.0"
mesh: {name: shop}
nodes:
- {name: edge-1, role: gateway, zone: a}
services:
- name: cart
  host: cart
  resilience: {breaker: {}}
  routes:
  - {name: cart, paths: [/cart]}
- name: search
  host: search.local
upstreams:
- name: cart
  targets:
  - {target: "10.0.0.1:7001", tags: [zone:a]}
  - {target: "10.0.0.2:7001", tags: [zone:b]}
  - {target: "10.0.0.3:7001", tags: [zone:b]}
)");
const QString kCart = QStringLiteral("service:cart");

// What an engine tells when a policy acts.
struct Act
{
    const char* event;
    const char* state;
    const char* subject;
    const char* reason;
    PolicyKind kind;
    const char* text; // On the badge.
    const char* word; // In Events.
};

constexpr Act kActs[] = {
    {"ejected",
     "ejected",
     "target:cart/10.0.0.2:7001",
     "5 answers 503 in a row",
     PolicyKind::Ejection,
     "1 of 3 ejected",
     "ejected"},
    {"breaker_opened",
     "breaker_open",
     "service:cart",
     "12 of 20 requests failed in 10 s",
     PolicyKind::BreakerOpen,
     "breaker open",
     "breaker opened"},
    {"failover_started",
     "failover",
     "upstream:cart",
     "0 of 1 targets available in zone a; 100 % to zone b",
     PolicyKind::Failover,
     "failover",
     "failover started"},
    {"budget_exhausted",
     "budget_exhausted",
     "service:cart",
     "3 retries in flight of 3 allowed",
     PolicyKind::BudgetExhausted,
     "retry budget used up",
     "retry budget used up"}};

class TellingEngine final : public api::Engine
{
public:
    Result<CommandId> submit(api::Command) override { return CommandId(++m_last); }
    void subscribe(api::EventSink& sink) override { m_sink = &sink; }
    void stop(Duration) override { m_sink = nullptr; }

    void act(std::int64_t now_us, const Act& act)
    {
        const WallTime now{std::chrono::microseconds(now_us)};
        auto frame = std::make_shared<telemetry::StatsFrame>();
        frame->node = "edge-1";
        frame->time = now;
        frame->interval = std::chrono::seconds(1);
        telemetry::RequestSeries series;
        series.source = "edge-1";
        series.service = "cart";
        series.answers[2] = 100;
        frame->requests.push_back(series);
        telemetry::PolicyState state;
        state.kind = act.state;
        state.subject = act.subject;
        state.reason = act.reason;
        state.since = now;
        frame->states.push_back(state);
        if (act.kind == PolicyKind::Ejection) {
            telemetry::TargetHealth health;
            health.upstream = "cart";
            health.target = "10.0.0.2:7001";
            health.state = telemetry::TargetState::Unhealthy;
            health.isEjected = true;
            health.reason = act.reason;
            health.since = now;
            frame->health.push_back(health);
        }
        m_sink->onEvent(api::PolicyEvent{"edge-1", now, act.event, act.subject, act.reason});
        m_sink->onEvent(api::StatsEvent{frame});
    }

private:
    api::EventSink* m_sink = nullptr;
    std::uint64_t m_last = 0;
};

} // namespace

class PoliciesTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void everyActShowsEverywhere_data();
    void everyActShowsEverywhere();
    void eventsAreFilteredByWordsAndByGroup();
    void tagsKeepToTheirNumber();

private:
    [[nodiscard]] bridge::EntityRow cart() const
    {
        for (const bridge::EntityRow& entity : m_session->topology().entities) {
            if (entity.id == kCart) {
                return entity;
            }
        }
        return {};
    }
    [[nodiscard]] bool acts(PolicyKind kind) const
    {
        const bridge::EntityRow row = cart();
        return std::ranges::any_of(row.policies, [kind](const bridge::PolicyRow& policy) {
            return policy.kind == kind;
        });
    }
    static std::int64_t now() { return QDateTime::currentMSecsSinceEpoch() * 1000; }

    std::unique_ptr<bridge::MeshSession> m_session;
    std::unique_ptr<MainWindow> m_window;
    TellingEngine* m_engine = nullptr;
};

void PoliciesTest::init()
{
    theme::apply(*qApp, theme::Choice::Dark);
    bridge::SessionOptions options;
    options.evaluationInterval_ms = 20;
    m_session = std::make_unique<bridge::MeshSession>(options);
    WindowOptions window;
    window.isPersistent = false;
    m_window = std::make_unique<MainWindow>(*m_session, window);
    m_window->resize(1440, 900);
    const auto imported = m_session->importText(kShop);
    QVERIFY2(imported, imported ? "" : toText(imported.error()).c_str());
    auto engine = std::make_unique<TellingEngine>();
    m_engine = engine.get();
    m_session->addEngine(QStringLiteral("edge-1"), std::move(engine));
    m_window->show();
    m_window->setMode(Mode::Topology);
}

void PoliciesTest::cleanup()
{
    m_window.reset();
    m_session.reset();
}

void PoliciesTest::everyActShowsEverywhere_data()
{
    QTest::addColumn<int>("act");
    for (int i = 0; i < static_cast<int>(std::size(kActs)); ++i) {
        QTest::newRow(kActs[i].event) << i;
    }
}

void PoliciesTest::everyActShowsEverywhere()
{
    QFETCH(const int, act);
    const Act& told = kActs[act];
    const QString reason = QString::fromLatin1(told.reason);
    m_session->context().select(kCart);
    m_engine->act(now(), told);
    QTRY_VERIFY(acts(told.kind));

    // The badge: sign and words beside the node, all of it in the tool tip.
    const auto tags = graph::nodeTags(cart());
    QCOMPARE(tags.size(), std::size_t(1));
    QCOMPARE(tags[0].text, QString::fromLatin1(told.text));
    QCOMPARE(tags[0].icon, bridge::policyIcon(told.kind));
    QVERIFY(graph::policyLines(cart().policies).contains(reason));
    auto* page = m_window->findChild<QWidget*>(QStringLiteral("topologyPage"));
    QVERIFY(page != nullptr);
    auto* view = page->findChild<graph::TopologyView*>(); // Rehearse has one of its own.
    QVERIFY(view != nullptr);
    QTRY_VERIFY(view->positions().contains(kCart));
    const QPointF at = view->toWidget(view->positions()[kCart].point);
    QTRY_VERIFY(view->toolTipAt(at.toPoint()).contains(reason));

    // The inspector: the policy below the reason, on its tab, and the ejected target in Endpoints.
    auto* notes =
        m_window->inspector().findChild<pages::PolicyNotes*>(QStringLiteral("policyNotes"));
    QTRY_COMPARE(notes->count(), 1);
    QVERIFY(notes->isVisible());
    auto* list = m_window->inspector().findChild<pages::PolicyNotes*>(QStringLiteral("policyList"));
    bool isSaid = false;
    for (const QLabel* label : list->findChildren<QLabel*>()) {
        isSaid = isSaid || label->text().contains(reason);
    }
    QVERIFY(isSaid);
    if (told.kind == PolicyKind::Ejection) {
        auto* endpoints =
            m_window->inspector().findChild<pages::RowsTable*>(QStringLiteral("endpoints"));
        endpoints->setCurrentKey(QStringLiteral("10.0.0.2:7001"));
        QVERIFY(endpoints->item(endpoints->currentRow(), 2)->text().contains(reason));
    }

    // The charts: one marker of the policy at its time, with hover text.
    const auto markers = m_session->markers(now() - 60'000'000, now());
    const auto marker =
        std::ranges::find(markers, QString::fromLatin1(told.event), &bridge::Marker::policy);
    QVERIFY(marker != markers.end());
    QVERIFY(bridge::isOnAxis(*marker));
    const auto toX = [&](std::int64_t time_us) {
        return 100.0 + static_cast<double>(time_us - marker->begin_us) / 1e6;
    };
    const auto flags =
        charts::placeFlags(markers, toX, QRectF(0, 0, 300, 14), theme::font(theme::Role::Axis));
    const bool hasSign = std::ranges::any_of(flags, [](const charts::Flag& flag) {
        return flag.shape == charts::FlagShape::Icon && !flag.isHidden;
    });
    QVERIFY(hasSign);
    QVERIFY(charts::wordsAt(markers, toX, 100).join(u'\n').contains(reason));

    // Events: kind in words, reason, node; the row leads to its object.
    auto* events = m_window->findChild<pages::EventsView*>(QStringLiteral("eventsPane"));
    m_session->context().select({});
    events->refresh();
    const auto matches =
        events->table().findItems(QString::fromLatin1(told.word), Qt::MatchExactly);
    QCOMPARE(matches.size(), 1);
    const int row = matches[0]->row();
    QVERIFY(events->table().item(row, 3)->text().contains(reason));
    QCOMPARE(events->table().item(row, 4)->text(), QStringLiteral("edge-1"));
    events->table().selectRow(row);
    QCOMPARE(m_session->context().selection(), kCart);
}

void PoliciesTest::eventsAreFilteredByWordsAndByGroup()
{
    for (const Act& told : kActs) {
        m_engine->act(now(), told);
    }
    auto* events = m_window->findChild<pages::EventsView*>(QStringLiteral("eventsPane"));
    auto* filter = events->findChild<QLineEdit*>(QStringLiteral("eventsFilter"));
    auto* group = events->findChild<QComboBox*>(QStringLiteral("eventsGroup"));
    group->setCurrentIndex(1); // Traffic policies.
    const auto count = [events] {
        events->refresh();
        return events->count();
    };
    QTRY_COMPARE(count(), 4);

    QTest::keyClicks(filter, QStringLiteral("BREAKER cart"));
    QCOMPARE(events->count(), 1);
    filter->setText(QStringLiteral("no such thing"));
    QCOMPARE(events->count(), 0);
    filter->clear();
    group->setCurrentIndex(2); // Faults.
    QCOMPARE(events->count(), 0);
}

void PoliciesTest::tagsKeepToTheirNumber()
{
    bridge::EntityRow row;
    row.faults = {QStringLiteral("cart-1 killed")};
    for (const PolicyKind kind :
         {PolicyKind::BreakerOpen, PolicyKind::Panic, PolicyKind::Failover, PolicyKind::Split}) {
        row.policies.push_back({kind, bridge::policyText(kind), {}, {}, {}, 0});
    }

    const auto tags = graph::nodeTags(row);

    QCOMPARE(tags.size(), std::size_t(graph::kNodeTagsMax));
    QVERIFY(tags.back().text.endsWith(QStringLiteral("+1"))); // The split has a badge, no tag.
}

} // namespace mesh::shell

QTEST_MAIN(mesh::shell::PoliciesTest)
#include "policies_test.moc"
