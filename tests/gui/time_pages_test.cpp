// Goal: nobody takes the past for now: bar, strip, frame and table say which moment is shown, and
// lead to the next marker, to a comparison and back to now.
// Method: the topology page and the time bar over a session with a past; keys, clicks and the words
// on screen; pictures of both themes for people to look at.
#include "app/bridge/nodes_session.h"
#include "app/charts/time_bar.h"
#include "app/charts/time_chart.h"
#include "app/pages/events_view.h"
#include "app/pages/nodes_model.h"
#include "app/pages/nodes_page.h"
#include "app/pages/rows_table.h"
#include "app/pages/tap_view.h"
#include "app/pages/time_strip.h"
#include "app/pages/topology_page.h"
#include "app/theme/controls.h"
#include "app/theme/theme.h"
#include "tests/gui/time_sample.h"

#include <QAbstractButton>
#include <QApplication>
#include <QComboBox>
#include <QDir>
#include <QtTest>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>
#include <memory>

using namespace mesh;
using namespace mesh::bridge;
using mesh::test::ShopWithPast;

namespace {

constexpr std::int64_t kSecond = 1'000'000;

// What the window has of time: the page, the bar and the frame.
class TimeWindow : public QWidget
{
public:
    explicit TimeWindow(MeshSession& shown)
        : session(shown)
        , page(new pages::TopologyPage(session, this))
        , bar(new charts::TimeBar(&session.context(), this))
        , frame(new pages::ReplayFrame(session, this))
    {
        auto* column = new QVBoxLayout(this);
        column->setContentsMargins(0, 0, 0, 0);
        column->setSpacing(0);
        column->addWidget(page, 1);
        column->addWidget(bar);
        pages::connectTime(*bar, session);
        resize(1200, 700);
        show();
    }

    void fillBar(std::int64_t now_us)
    {
        Series series;
        for (std::int64_t at = now_us - 120 * kSecond; at < now_us; at += kSecond) {
            series.points.push_back({at, 100, 0, at % (7 * kSecond) == 0 ? 9.0 : 0.0, {}, {}, {}});
        }
        bar->setSeries(series, now_us);
        bar->setMarkers(session.markers(0, now_us));
        bar->setShown(120);
    }

    template <typename Child>
    [[nodiscard]] Child* child(const char* name) const
    {
        return findChild<Child*>(QLatin1String(name));
    }

    MeshSession& session;
    pages::TopologyPage* page;
    charts::TimeBar* bar;
    pages::ReplayFrame* frame;
};

// Of the one node of the shop.
QString textOfNode(pages::NodesPage& page, int column)
{
    const QModelIndex node = page.model().indexOf(u"edge-1"_qs);
    return node.siblingAtColumn(column).data().toString();
}

} // namespace

class TimePagesTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_shop = std::make_unique<ShopWithPast>();
        QVERIFY(m_shop->live());
        m_window = std::make_unique<TimeWindow>(*m_shop->session);
        m_window->fillBar(m_shop->now_us());
    }
    void cleanup()
    {
        m_window.reset();
        m_shop.reset();
    }

    void liveNothingOfItIsThere()
    {
        QVERIFY(!m_window->child<QWidget>("timeStrip")->isVisible());
        QVERIFY(!m_window->child<QWidget>("changes")->isVisible());
        QVERIFY(!m_window->frame->isVisible());
        QVERIFY(!m_window->child<QWidget>("goLive")->isEnabled());
    }

    void aPauseSaysWhichMomentAndWhichRevision()
    {
        context().pauseAt(m_shop->begin_us + 30 * kSecond);

        QTRY_VERIFY(words().contains(u"revision 1 (now 2)"_qs));
        QVERIFY(m_window->frame->isVisible());
        QCOMPARE(m_window->frame->geometry(), m_window->rect());
        QTest::mouseClick(m_window->child<QAbstractButton>("backToLive"), Qt::LeftButton);
        QCOMPARE(context().timeMode(), TimeMode::Live);
        QVERIFY(!m_window->frame->isVisible());
    }

    // T4
    void nodesTapAndEventsStandStillWhileTimeIsPaused()
    {
        MeshSession& session = *m_shop->session;
        NodesSession nodes(session);
        pages::NodesPage nodesPage(session, nodes, nullptr);
        pages::TapView tap(session, pages::TapView::Form::Page, nullptr);
        pages::EventsView events(session, nullptr);
        for (QWidget* page : std::initializer_list<QWidget*>{&nodesPage, &tap, &events}) {
            page->resize(1000, 600);
            page->show();
        }
        events.refresh();
        const auto& requests = *tap.findChild<pages::RowsTable*>(u"tap"_qs);
        m_shop->engine->answer(m_shop->clock.wallNow(), "/cart/then");
        QTRY_COMPARE(requests.rowCount(), 1);

        context().pauseAt(m_shop->now_us());
        QTRY_COMPARE(nodes.nodes().size(), std::size_t{1});
        QTRY_COMPARE(session.moment().time_us, context().cursor_us());
        const int eventsThen = events.count(); // Health is not judged while time stands.
        const double rps = nodes.nodes().front().rps;
        const QString rate = textOfNode(nodesPage, pages::NodesModel::Rate);
        m_shop->measureSeconds(5, "cart", 900, 0);
        m_shop->engine->answer(m_shop->clock.wallNow(), "/cart/later");
        Marker late;
        late.begin_us = late.end_us = m_shop->now_us();
        late.label = u"late"_qs;
        session.addMarker(late);
        QTRY_COMPARE(session.tap().size(), std::size_t{2});
        QTRY_COMPARE(session.nodes().front().rps, 900.0);
        events.refresh();

        QCOMPARE(nodes.now_us(), context().cursor_us());
        QCOMPARE(nodes.nodes().front().rps, rps);
        QCOMPARE(textOfNode(nodesPage, pages::NodesModel::Rate), rate);
        QCOMPARE(requests.rowCount(), 1);
        QCOMPARE(events.count(), eventsThen);
        context().goLive();
        QTRY_COMPARE(requests.rowCount(), 2);
        QVERIFY(events.count() > eventsThen);
        QCOMPARE(nodes.nodes().front().rps, 900.0);
    }

    void nodesOfThePastAreThoseOfThen()
    {
        NodesSession nodes(*m_shop->session);
        context().setWindow(30);

        context().pauseAt(m_shop->begin_us + 50 * kSecond);
        QTRY_COMPARE(m_shop->session->moment().time_us, context().cursor_us());
        QCOMPARE(nodes.nodes().size(), std::size_t{1});
        const NodeRow& early = nodes.nodes().front();
        QCOMPARE(early.state, NodeState::Running);
        QVERIFY2(std::abs(early.rps - 100) < 5, qPrintable(QString::number(early.rps)));
        QCOMPARE(early.errorRatio.value_or(-1), 0.0);
        QVERIFY(early.hash.isEmpty()); // Not recorded, so not shown.

        context().pauseAt(m_shop->now_us());
        QTRY_COMPARE(m_shop->session->moment().time_us, context().cursor_us());
        QVERIFY(nodes.nodes().front().errorRatio.value_or(-1) > 0.4);
    }

    void whatTheTapHasForgottenTheDocumentTells()
    {
        MeshSession& session = *m_shop->session;
        const std::int64_t then_us = m_shop->now_us();
        m_shop->engine->answer(m_shop->clock.wallNow(), "/cart/kept");
        m_shop->clock.advance(std::chrono::seconds(5));
        m_shop->engine->answer(m_shop->clock.wallNow(), "/cart/newer");
        QTRY_COMPARE(session.tap().size(), std::size_t{2});
        m_window.reset();
        session.closeDocument();
        QVERIFY(session.openDocument(m_shop->path()));
        QVERIFY(session.tap().empty());
        pages::TapView tap(session, pages::TapView::Form::Page, nullptr);
        tap.show();

        context().pauseAt(then_us + kSecond);

        const auto& requests = *tap.findChild<pages::RowsTable*>(u"tap"_qs);
        QTRY_COMPARE(requests.rowCount(), 1);
        QVERIFY(requests.item(0, 4)->text().contains(u"/cart/kept"_qs));
    }

    void spacePausesReplaysAndPausesAgain()
    {
        m_window->bar->setFocus();

        QTest::keyClick(m_window->bar, Qt::Key_Space);
        QCOMPARE(context().timeMode(), TimeMode::Paused);
        QTest::keyClick(m_window->bar, Qt::Key_Left);
        QTest::keyClick(m_window->bar, Qt::Key_Left);
        QCOMPARE(context().cursor_us(), m_shop->now_us() - 2 * kSecond);
        QTest::keyClick(m_window->bar, Qt::Key_Space);
        QCOMPARE(context().timeMode(), TimeMode::Replay);
        QTest::keyClick(m_window->bar, Qt::Key_Space);
        QCOMPARE(context().timeMode(), TimeMode::Paused);
        QTest::keyClick(m_window->bar, Qt::Key_Home);
        QCOMPARE(context().timeMode(), TimeMode::Live);
    }

    void altArrowsGoFromMarkerToMarker()
    {
        QTest::keyClick(m_window->bar, Qt::Key_Left, Qt::AltModifier);

        QCOMPARE(context().timeMode(), TimeMode::Paused);
        const auto all = m_shop->session->markers(0, m_shop->now_us());
        QVERIFY(std::ranges::any_of(all, [this](const Marker& marker) {
            return marker.begin_us == context().cursor_us();
        }));
    }

    void theSpeedStandsWhereTheRefreshStoodAndIsTaken()
    {
        auto* speed = m_window->child<QComboBox>("replaySpeed");
        QVERIFY(!speed->isVisible());

        context().pauseAt(m_shop->now_us() - 60 * kSecond);
        QVERIFY(speed->isVisible());
        QVERIFY(!m_window->child<QComboBox>("refreshInterval")->isVisible());
        speed->setFocus();
        QTest::keyClick(speed, Qt::Key_End);

        QCOMPARE(context().speed(), kSpeedMax);
    }

    void shiftClickComparesAndTheTableSaysWhatChanged()
    {
        context().setWindow(20);
        context().pauseAt(m_shop->changed_us + 40 * kSecond);
        const QPoint early(m_window->bar->width() / 3, 34);

        QTest::mouseClick(m_window->bar, Qt::LeftButton, Qt::ShiftModifier, early);

        QVERIFY(context().second_us());
        QTRY_VERIFY(m_window->child<QWidget>("changes")->isVisible());
        QVERIFY(words().startsWith(u"A "_qs));
        auto* table = m_window->child<pages::RowsTable>("changesTable");
        QVERIFY(table->rowCount() >= 2);
        table->setCurrentCell(0, 0);
        QVERIFY(!context().selection().isEmpty());
        QTest::mouseClick(m_window->child<QAbstractButton>("endComparison"), Qt::LeftButton);
        QVERIFY(!context().second_us());
        QTRY_VERIFY(!m_window->child<QWidget>("changes")->isVisible());
    }

    void comparingRevisionsFillsBothCursors()
    {
        QVERIFY(pages::compareRevisions(*m_shop->session, 1, 2));

        QCOMPARE(*context().second_us(), m_shop->changed_us - kSecond);
        QVERIFY(context().cursor_us() > m_shop->changed_us);
        QVERIFY(!pages::compareRevisions(*m_shop->session, 1, 9));
    }

    // Scrubbing fades things in and out; nothing that is there in both moments jumps about by
    // itself, and the places of now are not touched.
    void thePlacesOfNowSurviveTheOnesOfThen()
    {
        context().pauseAt(m_shop->begin_us + 30 * kSecond);
        QTRY_COMPARE(placeOf(ShopWithPast::cartId()), QPointF(100, 100));
        context().goLive();

        QTRY_COMPARE(placeOf(ShopWithPast::cartId()), QPointF(300, 300));
        QCOMPARE(m_shop->session->positions(u"topology"_qs).front().x, 300.0);
    }

    // T3. Only what moved is told; what did not keeps its place in the document.
    void draggingOneKeepsThePlacesOfTheOthers()
    {
        auto& view = m_window->page->view();
        QTRY_VERIFY(view.positions().contains(u"gateway:edge-1"_qs));
        graph::Positions moved;
        moved[ShopWithPast::paymentId()] = {QPointF(640, 120), true};

        Q_EMIT view.positionsChanged(moved, graph::MoveReason::Drag);

        const auto kept = m_shop->session->positions(u"topology"_qs);
        const auto placeIn = [&kept](const QString& id) {
            const auto found = std::ranges::find(kept, id, &MeshSession::Position::id);
            return found == kept.end() ? QPointF() : QPointF(found->x, found->y);
        };
        QCOMPARE(placeIn(ShopWithPast::paymentId()), QPointF(640, 120));
        QCOMPARE(placeIn(ShopWithPast::cartId()), QPointF(300, 300));
        QVERIFY(!placeIn(u"gateway:edge-1"_qs).isNull());
    }

    void everyControlHasAName()
    {
        context().pauseAt(m_shop->begin_us + 30 * kSecond);

        for (const QAbstractButton* button :
             m_window->bar->findChildren<QAbstractButton*>(Qt::FindDirectChildrenOnly)) {
            QVERIFY2(!button->accessibleName().isEmpty(), qPrintable(button->objectName()));
        }
    }

    void picturesOfBothThemes()
    {
        QDir().mkpath(QStringLiteral(MESH_PICTURE_DIR));
        context().setWindow(20);
        context().pauseAt(m_shop->changed_us + 40 * kSecond);
        context().compareWith(m_shop->begin_us + 30 * kSecond);
        QTRY_VERIFY(m_window->child<QWidget>("changes")->isVisible());
        for (const auto choice : {theme::Choice::Light, theme::Choice::Dark}) {
            theme::current().setTheme(choice);
            QCoreApplication::processEvents();
            const QString name = choice == theme::Choice::Light ? u"light"_qs : u"dark"_qs;
            QVERIFY(m_window->grab().save(
                QStringLiteral(MESH_PICTURE_DIR "/time-compare-%1.png").arg(name)
            ));
        }
    }

private:
    [[nodiscard]] ViewContext& context() const { return m_shop->session->context(); }

    [[nodiscard]] QString words() const
    {
        return m_window->child<theme::ElidedLabel>("timeStripText")->text();
    }

    [[nodiscard]] QPointF placeOf(const QString& id) const
    {
        return m_window->page->view().positions().value(id).point;
    }

    std::unique_ptr<ShopWithPast> m_shop;
    std::unique_ptr<TimeWindow> m_window;
};

int main(int argc, char* argv[])
{
    QApplication application(argc, argv);
    theme::apply(application, theme::Choice::Dark);
    TimePagesTest test;
    return QTest::qExec(&test, argc, argv);
}

#include "time_pages_test.moc"
