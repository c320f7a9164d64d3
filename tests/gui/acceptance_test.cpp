// Goal: the acceptance tests of the console (T3, T4, T13, T15, T16, T19, T20). T1, T2, T12 and T18
// are in graph_test, T6 and T7 in forms_test.
// Method: the window over a session with an engine that the test speaks for, in the test's time.
#include "app/bridge/alert_watch.h"
#include "app/bridge/mesh_session.h"
#include "app/bridge/profile.h"
#include "app/bridge/view_context.h"
#include "app/graph/topology_view.h"
#include "app/pages/alerts_view.h"
#include "app/pages/filter_chips.h"
#include "app/pages/find_field.h"
#include "app/pages/graph_table.h"
#include "app/pages/inspector.h"
#include "app/pages/table_view.h"
#include "app/pages/topology_page.h"
#include "app/pages/write_guard.h"
#include "app/shell/locator.h"
#include "app/shell/main_window.h"
#include "app/theme/theme.h"
#include "proxyengine/api/engine.h"

#include <QAbstractButton>
#include <QAction>
#include <QApplication>
#include <QDateTime>
#include <QDir>
#include <QLabel>
#include <QListView>
#include <QPlainTextEdit>
#include <QSignalSpy>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <memory>

namespace mesh::shell {

namespace {

using bridge::HealthState;
using bridge::SafetyLevel;

const QString kShop = QStringLiteral(R"(_format_version: "3.0"
mesh: {name: shop}
nodes:
- {name: edge-1, role: gateway, zone: a}
services:
- name: cart
  host: cart
  routes:
  - {name: cart, paths: [/cart]}
- name: search
  host: search
  routes:
  - {name: search, paths: [/search]}
upstreams:
- {name: cart, targets: [{target: "10.0.0.1:7001"}]}
- {name: search, targets: [{target: "10.0.0.2:7001"}]}
)");

// Reports what the test says.
class SpokenEngine final : public api::Engine
{
public:
    Result<CommandId> submit(api::Command) override { return CommandId(++m_last); }
    void subscribe(api::EventSink& sink) override { m_sink = &sink; }
    void stop(Duration) override { m_sink = nullptr; }

    // One second of traffic that ends at `end_us`, for each service.
    void report(std::int64_t end_us, const std::vector<std::string>& services, int good, int bad)
    {
        auto frame = std::make_shared<telemetry::StatsFrame>();
        frame->node = "edge-1";
        frame->time = WallTime{std::chrono::microseconds(end_us)};
        frame->interval = std::chrono::seconds(1);
        for (const std::string& service : services) {
            telemetry::RequestSeries series;
            series.source = "edge-1";
            series.service = service;
            series.answers[2] = static_cast<std::uint64_t>(good);
            series.answers[5] = static_cast<std::uint64_t>(bad);
            frame->requests.push_back(series);
        }
        m_sink->onEvent(api::StatsEvent{frame});
    }

private:
    api::EventSink* m_sink = nullptr;
    std::uint64_t m_last = 0;
};

std::int64_t now_us() { return QDateTime::currentMSecsSinceEpoch() * 1000; }

// A session, its engine and its window; the window goes first.
struct Shop
{
    std::unique_ptr<bridge::MeshSession> session;
    SpokenEngine* engine = nullptr;
    std::unique_ptr<MainWindow> window;
    std::int64_t second_us = now_us() / 1'000'000 * 1'000'000; // End of the last reported second.

    Shop()
    {
        bridge::SessionOptions options;
        options.evaluationInterval_ms = 20;
        session = std::make_unique<bridge::MeshSession>(options);
        WindowOptions shown;
        shown.isPersistent = false;
        window = std::make_unique<MainWindow>(*session, shown);
        window->resize(1440, 900);
        window->show();
    }
    void attach()
    {
        auto made = std::make_unique<SpokenEngine>();
        engine = made.get();
        session->addEngine(QStringLiteral("edge-1"), std::move(made));
    }
    void report(int good, int bad)
    {
        second_us += 1'000'000;
        engine->report(second_us, {"cart", "search"}, good, bad);
    }
    [[nodiscard]] const bridge::EntityRow* entity(const QString& id) const
    {
        for (const bridge::EntityRow& row : session->topology().entities) {
            if (row.id == id) {
                return &row;
            }
        }
        return nullptr;
    }
    [[nodiscard]] HealthState stateOfEdge() const
    {
        const auto& edges = session->topology().edges;
        return edges.empty() ? HealthState::NoData : edges.front().state;
    }
};

// What may write although nothing may: enabled and in reach.
QStringList openWriters(const MainWindow& window)
{
    QStringList open;
    for (const QAction* action : window.findChildren<QAction*>()) {
        if (action->property(pages::kWritesProperty).isValid() && action->isEnabled()) {
            open << action->objectName();
        }
    }
    for (const QWidget* widget : window.findChildren<QWidget*>()) {
        const auto* text = qobject_cast<const QPlainTextEdit*>(widget);
        const bool isRead = text != nullptr && text->isReadOnly();
        if (widget->property(pages::kWritesProperty).isValid() && widget->isEnabled() && !isRead) {
            open << widget->objectName();
        }
    }
    return open;
}

int writerCount(const MainWindow& window)
{
    int count = 0;
    for (const QObject* object : window.findChildren<QObject*>()) {
        count += object->property(pages::kWritesProperty).isValid() ? 1 : 0;
    }
    return count;
}

// All rows of one kind, in the order of their numbers.
class Numbers : public pages::TableSource
{
public:
    explicit Numbers(int count)
        : m_count(count)
    {}
    [[nodiscard]] std::vector<pages::GridColumn> columns() const override
    {
        return {{QStringLiteral("Name"), 0}};
    }
    [[nodiscard]] int count() const override { return m_count; }
    [[nodiscard]] QString key(int row) const override { return QStringLiteral("r%1").arg(row); }
    [[nodiscard]] pages::GridCell cell(int row, int /*column*/) const override
    {
        pages::GridCell cell;
        cell.text = key(row);
        return cell;
    }
    [[nodiscard]] int rowState(int /*row*/) const override { return -1; }
    [[nodiscard]] bool matches(int /*row*/, const bridge::FindLanguage&) const override
    {
        return true;
    }

private:
    int m_count;
};

} // namespace

class AcceptanceTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { theme::apply(*qApp, theme::Choice::Dark); }

    // Pictures for people; that they are drawn is the test.
    void drawsFindTablesSettingsAndAlerts_data()
    {
        QTest::addColumn<int>("choice");
        QTest::newRow("dark") << static_cast<int>(theme::Choice::Dark);
        QTest::newRow("light") << static_cast<int>(theme::Choice::Light);
    }
    void drawsFindTablesSettingsAndAlerts()
    {
        QFETCH(int, choice);
        theme::current().setTheme(static_cast<theme::Choice>(choice));
        Shop shop;
        QVERIFY(shop.session->importText(kShop));
        shop.attach();
        pages::saveFilter(*shop.session, {QStringLiteral("zone a"), QStringLiteral("zone = a")});
        pages::saveFilter(*shop.session, {QStringLiteral("bad"), QStringLiteral("error% > 1")});
        shop.session->gate().setProfile(
            {QStringLiteral("PROD EU"), QStringLiteral("production"), SafetyLevel::ReadOnly}
        );
        shop.second_us -= 60'000'000;
        for (int i = 0; i < 20; ++i) {
            shop.report(70, 30);
        }
        QTRY_COMPARE(shop.stateOfEdge(), HealthState::Failure);
        bridge::AlertRule rule;
        rule.name = QStringLiteral("Service fails");
        rule.holds_s = 0;
        QVERIFY(shop.window->alerts().setRules({rule}));
        shop.window->alerts().evaluate();
        const auto draw = [&](const char* name) {
            QApplication::processEvents();
            const QString file =
                QStringLiteral(MESH_PICTURE_DIR "/%1-%2.png")
                    .arg(QLatin1String(name), QLatin1String(QTest::currentDataTag()));
            return shop.window->writePicture(file);
        };
        QDir().mkpath(QStringLiteral(MESH_PICTURE_DIR));
        pages::TopologyPage& page = shop.window->topologyPage();
        shop.session->context().setFind(QStringLiteral("error% > 1 and zone = a"));
        shop.session->context().setHide(QStringLiteral("rps > fast"));
        QVERIFY(draw("find"));
        shop.session->context().setHide({});
        shop.session->context().setFind({});
        page.setForm(pages::TopologyForm::Table);
        for (QAction* action : shop.window->actionList()) {
            if (action->objectName() == QStringLiteral("pane.6")) {
                action->trigger();
            }
        }
        QVERIFY(draw("table"));
        shop.window->setMode(Mode::Settings);
        QVERIFY(draw("settings"));
        pages::AlertRulesDialog rules(*shop.session, shop.window->alerts(), shop.window.get());
        rules.show();
        QVERIFY(rules.grab().save(QStringLiteral(MESH_PICTURE_DIR "/rules-%1.png")
                                      .arg(QLatin1String(QTest::currentDataTag()))));
        Locator& locator = *shop.window->findChild<Locator*>();
        locator.setFocus();
        QTest::keyClicks(&locator, QStringLiteral("car"));
        QVERIFY(locator.list().grab().save(QStringLiteral(MESH_PICTURE_DIR "/locator-%1.png")
                                               .arg(QLatin1String(QTest::currentDataTag()))));
        theme::current().setTheme(theme::Choice::Dark);
    }

    // T3
    void aDraggedServiceIsThereAfterARestart()
    {
        QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("shop.mesh"));
        graph::Positions before;
        {
            Shop shop;
            QVERIFY(shop.session->importText(kShop, path));
            shop.attach();
            shop.report(100, 0);
            graph::TopologyView& view = shop.window->topologyPage().view();
            QTRY_VERIFY(view.positions().contains(QStringLiteral("service:cart")));
            graph::Positions moved = view.positions();
            moved[QStringLiteral("service:cart")].point += QPointF(120, 75);
            moved[QStringLiteral("service:cart")].isPinned = true;
            view.setPositions(moved);
            Q_EMIT view.positionsChanged(moved, graph::MoveReason::Layout);
            before = view.positions();
        }
        Shop again;
        QVERIFY(again.session->openDocument(path));
        again.attach();
        again.report(100, 0);
        graph::TopologyView& view = again.window->topologyPage().view();
        QTRY_VERIFY(view.positions().contains(QStringLiteral("service:search")));

        for (const QString& id : before.keys()) {
            QCOMPARE(view.positions()[id].point, before[id].point);
        }
        QVERIFY(view.positions()[QStringLiteral("service:cart")].isPinned);
    }

    // T4
    void whileTimeIsPausedNothingShowsANewerMoment()
    {
        Shop shop;
        QVERIFY(shop.session->importText(kShop));
        shop.attach();
        shop.second_us -= 5'000'000;
        for (int i = 0; i < 3; ++i) {
            shop.report(100, 0);
        }
        QTRY_VERIFY(shop.entity(QStringLiteral("service:cart")) != nullptr);
        QTRY_VERIFY(shop.entity(QStringLiteral("service:cart"))->figures.requests == 300);
        const std::int64_t cursor = shop.second_us;
        shop.window->topologyPage().setForm(pages::TopologyForm::Table);
        shop.session->context().select(QStringLiteral("service:cart"));

        shop.session->context().pauseAt(cursor);
        QTRY_COMPARE(shop.session->topology().time_us, cursor);
        const bridge::Topology paused = shop.session->topology();
        pages::GridModel& table =
            shop.window->topologyPage().table().table(pages::GraphRows::Entities).model();
        const int row = table.rowOf(QStringLiteral("service:cart"));
        const QString rate = table.index(row, 5).data().toString();
        QSignalSpy evaluated(shop.session.get(), &bridge::MeshSession::honestyChanged);
        for (int i = 0; i < 3; ++i) {
            shop.report(900, 100);
        }
        QTRY_VERIFY(evaluated.size() >= 2);
        shop.session->refreshNow();

        QCOMPARE(shop.session->topology().time_us, cursor);
        QCOMPARE(shop.entity(QStringLiteral("service:cart"))->figures.requests, 300U);
        QCOMPARE(table.index(row, 5).data().toString(), rate);
        shop.session->context().goLive();
        QTRY_VERIFY(shop.entity(QStringLiteral("service:cart"))->figures.requests > 300);
        QVERIFY(table.index(row, 5).data().toString() != rate);
    }

    // T13
    void everyObjectIsReachableInEveryList_data()
    {
        QTest::addColumn<int>("count");
        QTest::newRow("101") << 101;
        QTest::newRow("1 001") << 1'001;
        QTest::newRow("10 001") << 10'001;
    }
    void everyObjectIsReachableInEveryList()
    {
        QFETCH(int, count);
        pages::TableView table(QStringLiteral("t"), std::make_unique<Numbers>(count), nullptr);
        table.resize(400, 300);
        table.show();

        QCOMPARE(table.model().rowCount(), count);
        for (const int row : {0, count / 2, count - 1}) {
            const QString key = QStringLiteral("r%1").arg(row);
            table.setCurrentKey(key);
            QCOMPARE(table.currentKey(), key);
            QVERIFY(table.view().viewport()->rect().intersects(
                table.view().visualRect(table.view().currentIndex())
            ));
        }
        std::vector<QString> names;
        for (int i = 0; i < count; ++i) {
            names.push_back(QStringLiteral("object %1.").arg(i));
        }
        const LocatorHits all = locate(QStringLiteral("object"), names, names.size());
        QCOMPARE(static_cast<int>(all.rows.size()), count);
        const QString last = QStringLiteral("object %1.").arg(count - 1);
        QCOMPARE(locate(last, names, 1).rows, std::vector<int>({count - 1}));
    }

    // Beside T13: what is read does not move.
    void rowsOfTheTableHoldStillWhileItIsPointedAt()
    {
        Shop shop;
        QVERIFY(shop.session->importText(kShop));
        shop.attach();
        shop.second_us -= 20'000'000;
        shop.engine->report(shop.second_us, {"cart"}, 100, 0);
        shop.engine->report(shop.second_us, {"search"}, 10, 0);
        QTRY_VERIFY(shop.entity(QStringLiteral("service:search")) != nullptr);
        pages::TopologyPage& page = shop.window->topologyPage();
        page.setForm(pages::TopologyForm::Table);
        pages::TableView& table = page.table().table(pages::GraphRows::Entities);
        table.sortBy(5, Qt::DescendingOrder);
        const auto rowOf = [&table](const char* id) {
            return table.model().rowOf(QLatin1String(id));
        };
        QTRY_VERIFY(rowOf("service:cart") < rowOf("service:search"));
        QEvent enter(QEvent::Enter);
        QCoreApplication::sendEvent(table.view().viewport(), &enter);

        shop.report(0, 0);
        shop.engine->report(shop.second_us, {"search"}, 900, 0);
        QTRY_VERIFY(shop.entity(QStringLiteral("service:search"))->figures.requests > 900);

        QVERIFY(rowOf("service:cart") < rowOf("service:search"));
        QEvent leave(QEvent::Leave);
        QCoreApplication::sendEvent(table.view().viewport(), &leave);
        QVERIFY(rowOf("service:search") < rowOf("service:cart"));
    }

    // T15
    void aReadOnlyProfileHasNoEnabledWriteControl()
    {
        Shop shop;
        QVERIFY(shop.session->importText(kShop));
        shop.attach();
        shop.report(100, 0);
        QTRY_VERIFY(shop.entity(QStringLiteral("service:cart")) != nullptr);
        shop.session->context().select(QStringLiteral("service:cart"));
        QString edited = shop.window->draft().text();
        edited.replace(QStringLiteral("/search"), QStringLiteral("/find"));
        shop.window->draft().editText(edited);
        QVERIFY(shop.window->findChild<QAbstractButton*>(QStringLiteral("push"))->isEnabled());
        for (int mode = 0; mode < kModeCount; ++mode) {
            shop.window->setMode(static_cast<Mode>(mode));
        }
        QVERIFY(!openWriters(*shop.window).isEmpty());
        QVERIFY(writerCount(*shop.window) >= 10);

        shop.session->gate().setProfile(
            {QStringLiteral("PROD"), QStringLiteral("production"), SafetyLevel::ReadOnly}
        );

        for (int mode = 0; mode < kModeCount; ++mode) {
            shop.window->setMode(static_cast<Mode>(mode));
            shop.report(100, 0);
            shop.session->refreshNow();
            QCOMPARE(openWriters(*shop.window), QStringList());
        }
        for (const char* name : {"push", "discard"}) {
            auto* button = shop.window->findChild<QAbstractButton*>(QLatin1String(name));
            QVERIFY2(!button->isEnabled(), name);
        }
        for (const char* name : {"killInstance", "freezeInstance", "form", "addObject"}) {
            auto* control = shop.window->findChild<QWidget*>(QLatin1String(name));
            QVERIFY2(control != nullptr && !control->isEnabled(), name);
        }
    }

    // T16
    void anOverrideOfAProtectedProfileDoesNotSurviveARestart()
    {
        QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("shop.mesh"));
        {
            bridge::MeshSession session{bridge::SessionOptions{}};
            QVERIFY(session.importText(kShop, path));
            session.gate().setProfile(
                {QStringLiteral("PROD"), QStringLiteral("production"), SafetyLevel::ReadOnly}
            );
            session.gate().overrideLevel(SafetyLevel::Silent);
            QCOMPARE(session.gate().level(), SafetyLevel::Silent);
            QVERIFY(session.gate().isOverridden());
            QVERIFY(session.openDocument(path) || session.isReadOnly());
        }
        bridge::MeshSession again{bridge::SessionOptions{}};
        QVERIFY(again.openDocument(path));
        QCOMPARE(again.gate().level(), SafetyLevel::ReadOnly);
        QCOMPARE(again.gate().profile().name, QStringLiteral("PROD"));
        QVERIFY(!again.gate().isOverridden());
        again.gate().overrideLevel(SafetyLevel::Silent);
        QVERIFY(again.importText(kShop)); // Another document: nothing is left of it.
        QVERIFY(!again.gate().isOverridden());
    }

    // T19
    void anEdgeThatRecoversLosesItsColour()
    {
        Shop shop;
        QVERIFY(shop.session->importText(kShop));
        shop.attach();
        shop.session->context().setWindow(10);
        shop.second_us -= 100'000'000;
        shop.report(50, 50);
        QTRY_COMPARE(shop.stateOfEdge(), HealthState::Failure);

        // The errors leave the window.
        for (int i = 0; i < 12; ++i) {
            shop.report(100, 0);
        }

        QTRY_COMPARE(shop.stateOfEdge(), HealthState::Healthy);
        QTRY_COMPARE(shop.entity(QStringLiteral("service:cart"))->state, HealthState::Healthy);
    }

    // T20
    void theInspectorLetsGoOfWhatIsDeleted()
    {
        Shop shop;
        QVERIFY(shop.session->importText(kShop));
        shop.attach();
        shop.report(100, 0);
        QTRY_VERIFY(shop.entity(QStringLiteral("service:search")) != nullptr);
        shop.session->context().select(QStringLiteral("service:search"));
        pages::Inspector& inspector = shop.window->inspector();
        QTRY_VERIFY(inspector.isVisible());

        // Another document without it: nothing of the old one may stand there.
        QString small = kShop;
        const qsizetype begin = small.indexOf(QStringLiteral("- name: search"));
        small.remove(begin, small.indexOf(QStringLiteral("upstreams:")) - begin);
        QVERIFY(shop.session->importText(small));
        shop.attach();
        shop.second_us = now_us();
        shop.engine->report(shop.second_us, {"cart"}, 100, 0);

        QTRY_VERIFY(shop.entity(QStringLiteral("service:cart")) != nullptr);
        QVERIFY(shop.entity(QStringLiteral("service:search")) == nullptr);
        QTRY_VERIFY(std::ranges::none_of(
            inspector.findChildren<QLabel*>(),
            [](const QLabel* label) {
                return label->isVisible() && label->text() == QStringLiteral("search");
            }
        ));
    }
};

} // namespace mesh::shell

QTEST_MAIN(mesh::shell::AcceptanceTest)
#include "acceptance_test.moc"
