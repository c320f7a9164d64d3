// Goal: live requests are filtered in the find language, stand still when asked to, and one of them
// tells its way and goes into the route tester.
// Method: a session whose node the test speaks for; the view driven through its controls.
#include "app/pages/find_field.h"
#include "app/pages/rows_table.h"
#include "app/pages/tap_view.h"
#include "app/theme/theme.h"
#include "tests/gui/fleet_session.h"

#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>

#include <algorithm>
#include <variant>

namespace mesh::pages {

namespace {

using test::FleetSession;
using test::kFleet;

api::AccessEvent requestOf(const std::string& path, int status)
{
    api::AccessEvent event;
    event.node = "edge-1";
    event.time = WallTime(std::chrono::seconds(1'767'225'600));
    event.method = "GET";
    event.host = "shop.test";
    event.path = path;
    event.status = status;
    event.route = "cart";
    event.service = "cart";
    event.target = "10.0.0.1:7001";
    event.attempts = 2;
    event.latencyTotal_ms = 30;
    event.tries = {
        {"10.0.0.1:7001", 0, 10, 0, "connect_failed"},
        {"10.0.0.2:7001", 12, 18, status, "answered"}};
    event.policies = {"retried"};
    event.why = "path prefix /cart";
    event.requestId = path + std::to_string(status);
    return event;
}

} // namespace

class TapTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { theme::apply(*qApp, theme::Choice::Dark); }

    void init()
    {
        m_fleet = std::make_unique<FleetSession>(kFleet);
        m_view = std::make_unique<TapView>(*m_fleet->session, TapView::Form::Page, nullptr);
        m_view->resize(1200, 600);
        m_view->show();
        tell("/cart", 200);
        tell("/cart/pay", 503);
        QTRY_COMPARE(table().rowCount(), 2);
    }

    void cleanup()
    {
        m_view.reset();
        m_fleet.reset();
    }

    void theFilterTakesTheFindLanguage()
    {
        m_view->setFilter(QStringLiteral("status >= 500"));

        QCOMPARE(table().rowCount(), 1);
        QCOMPARE(table().item(0, 3)->text(), QStringLiteral("503"));
        m_view->setFilter(QStringLiteral("path contains pay and node = edge-1"));
        QCOMPARE(table().rowCount(), 1);
    }

    void whileItIsPausedAChipCountsWhatIsNew()
    {
        auto* pause = m_view->findChild<QPushButton*>(QStringLiteral("tapPause"));
        auto* chip = m_view->findChild<QAbstractButton*>(QStringLiteral("tapNew"));
        pause->click();

        tell("/cart/more", 200);
        tell("/cart/most", 200);

        QTRY_COMPARE(chip->text(), QStringLiteral("2 new"));
        QCOMPARE(table().rowCount(), 2);
        chip->click();
        QCOMPARE(table().rowCount(), 4);
    }

    void anOpenRequestTellsItsWay()
    {
        Q_EMIT table().keyActivated(table().keyAt(0));

        auto* detail = m_view->findChild<TapDetail*>();
        QVERIFY(detail->isVisible());
        const auto* facts = detail->findChild<QLabel*>(QStringLiteral("tapDetailFacts"));
        QVERIFY(facts->text().contains(QStringLiteral("path prefix /cart")));
        QVERIFY(facts->text().contains(QStringLiteral("retried")));
        const auto* waterfall = detail->findChild<QWidget*>(QStringLiteral("tapWaterfall"));
        QVERIFY(waterfall->accessibleDescription().contains(QStringLiteral("connect failed")));
        QVERIFY(waterfall->accessibleDescription().contains(QStringLiteral("10.0.0.2:7001")));
    }

    void anOpenRequestGoesIntoTheRouteTester()
    {
        Q_EMIT table().keyActivated(table().keyAt(0));
        QSignalSpy asked(m_view.get(), &TapView::routeTestRequested);

        m_view->findChild<QPushButton*>(QStringLiteral("tapRouteTest"))->click();

        QCOMPARE(asked.count(), 1);
        const auto request = asked[0][0].value<bridge::TapRow>();
        QCOMPARE(request.host, QStringLiteral("shop.test"));
    }

    void aHeaderThatIsFilteredByIsAskedOfEveryNode()
    {
        m_view->setFilter(QStringLiteral("header:X-User = 7"));

        for (const auto& [name, engine] : m_fleet->engines) {
            const auto command = engine->takeCommand();
            QVERIFY2(command, name.c_str());
            const auto* asked = std::get_if<api::SetTapHeaders>(&command->second);
            QVERIFY(asked != nullptr);
            QCOMPARE(asked->names, std::vector<std::string>{"x-user"});
            QVERIFY(!engine->takeCommand()); // Once is enough.
        }
        api::AccessEvent event = requestOf("/cart/mine", 200);
        event.requestHeaders = {{"x-user", "7"}};
        m_fleet->engines.at("edge-1")->tell(event);
        QTRY_COMPARE(table().rowCount(), 1);
        QVERIFY(table().item(0, 4)->text().contains(QStringLiteral("/cart/mine")));
    }

    void whatRoutesMatchOnIsAskedByItself()
    {
        QString text = kFleet;
        text.replace(
            QStringLiteral("paths: [/cart]}"),
            QStringLiteral("paths: [/cart], headers: {X-Version: [\"2\"]}}")
        );
        FleetSession fleet(text);

        const auto command = fleet.engines.at("edge-1")->takeCommand();

        QVERIFY(command);
        const auto* asked = std::get_if<api::SetTapHeaders>(&command->second);
        QVERIFY(asked != nullptr);
        QCOMPARE(asked->names, std::vector<std::string>{"x-version"});
    }

    void theFieldCompletesAndCounts()
    {
        m_view->setFilter(QStringLiteral("status >= 500"));

        const auto* find = m_view->findChild<FindField*>(QStringLiteral("tapFind"));
        QVERIFY(find != nullptr);
        const auto notes = find->findChildren<QLabel*>();
        QVERIFY(std::any_of(notes.begin(), notes.end(), [](const QLabel* note) {
            return note->text() == QStringLiteral("1 of 2");
        }));
    }

    void aWrongFilterIsToldAndShowsEverything()
    {
        m_view->setFilter(QStringLiteral("status > fast"));

        QCOMPARE(table().rowCount(), 2);
        const auto* find = m_view->findChild<QLineEdit*>(QStringLiteral("tapFind"));
        QVERIFY(!find->toolTip().isEmpty());
    }

private:
    void tell(const std::string& path, int status)
    {
        m_fleet->engines.at("edge-1")->tell(requestOf(path, status));
    }
    RowsTable& table() { return *m_view->findChild<RowsTable*>(QStringLiteral("tap")); }

    std::unique_ptr<FleetSession> m_fleet;
    std::unique_ptr<TapView> m_view;
};

} // namespace mesh::pages

QTEST_MAIN(mesh::pages::TapTest)
#include "tap_test.moc"
