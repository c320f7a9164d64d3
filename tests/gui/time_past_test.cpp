// Goal: what is shown of a past moment is of that moment: measurement, configuration, layout; and
// what happened is remembered.
// Method: a session with a document in a temporary folder, an engine that measures what the test
// says, and a clock that the test moves.
#include "app/bridge/session_records.h"
#include "tests/gui/time_sample.h"

#include <QFile>
#include <QtTest>

#include <algorithm>

using namespace mesh;
using namespace mesh::bridge;
using mesh::test::ShopWithPast;

namespace {

constexpr std::int64_t kSecond = 1'000'000;

} // namespace

class TimePastTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_shop = std::make_unique<ShopWithPast>();
        QVERIFY(m_shop->live());
    }
    void cleanup() { m_shop.reset(); }

    // T4: whatever a pane shows is of the same moment.
    void aPauseIsTheSameMomentForEveryPane()
    {
        context().setWindow(10);
        const std::int64_t at = m_shop->begin_us + 30 * kSecond;

        context().pauseAt(at);

        QTRY_COMPARE(session().topology().time_us, at);
        QCOMPARE(session().moment().time_us, at);
        QCOMPARE(m_shop->entity(ShopWithPast::cartId())->figures.requests, std::uint64_t(1000));
        // The end of the window is read in steps of ten seconds here: that is not silence.
        QCOMPARE(m_shop->entity(ShopWithPast::cartId())->state, HealthState::Healthy);
    }

    void whoSaysNothingAnyMoreWasSilentThenToo()
    {
        context().setWindow(30);
        m_shop->clock.advance(std::chrono::seconds(20));

        context().pauseAt(m_shop->now_us());

        QTRY_COMPARE(session().topology().time_us, m_shop->now_us());
        QCOMPARE(m_shop->entity(ShopWithPast::cartId())->state, HealthState::Stale);
    }

    void thePastHasTheConfigurationOfThen()
    {
        context().setWindow(10);
        context().pauseAt(m_shop->begin_us + 30 * kSecond);
        QTRY_COMPARE(session().moment().revision, std::int64_t(1));

        QVERIFY(m_shop->entity(ShopWithPast::cartId()) != nullptr);
        QVERIFY(m_shop->entity(ShopWithPast::paymentId()) == nullptr);

        context().pauseAt(m_shop->changed_us + 20 * kSecond);
        QTRY_COMPARE(session().moment().revision, std::int64_t(2));
        QVERIFY(m_shop->entity(ShopWithPast::paymentId()) != nullptr);
        QVERIFY(session().moment().isConfigurationKnown);
    }

    void thePastHasTheLayoutOfThenAndPlacesForWhatCameLater()
    {
        context().pauseAt(m_shop->begin_us + 30 * kSecond);
        QTRY_COMPARE(session().moment().revision, std::int64_t(1));

        QCOMPARE(placeOf(ShopWithPast::cartId()), QPointF(100, 100));
        QCOMPARE(placeOf(ShopWithPast::paymentId()), QPointF(500, 100));

        context().pauseAt(m_shop->changed_us + 20 * kSecond);
        QTRY_COMPARE(session().moment().revision, std::int64_t(2));
        QCOMPARE(placeOf(ShopWithPast::cartId()), QPointF(300, 300));
        context().goLive();
        QTRY_COMPARE(session().moment().time_us, std::int64_t(0));
        QCOMPARE(session().positions(u"topology"_qs).front().x, 300.0);
    }

    void scrubbingFastEndsWhereTheCursorIs()
    {
        for (int second = 10; second <= 55; ++second) {
            context().pauseAt(m_shop->begin_us + second * kSecond);
        }

        QTRY_COMPARE(session().topology().time_us, m_shop->begin_us + 55 * kSecond);
    }

    void aReplayMovesAtItsSpeedAndGoesLiveAtTheEnd()
    {
        const std::int64_t from = m_shop->begin_us + 30 * kSecond;
        context().setSpeed(10);
        context().replayFrom(from);

        // Two seconds go by; the steps between are those of a real timer.
        QSignalSpy moved(&context(), &ViewContext::timeChanged);
        m_shop->clock.advance(std::chrono::seconds(2));
        QTRY_COMPARE(context().cursor_us(), from + 20 * kSecond);
        QCOMPARE(context().timeMode(), TimeMode::Replay);
        QTRY_COMPARE(session().topology().time_us, from + 20 * kSecond);

        context().setSpeed(kSpeedMax);
        m_shop->clock.advance(std::chrono::seconds(5));
        QTRY_COMPARE(context().timeMode(), TimeMode::Live);
        QTRY_COMPARE(session().moment().time_us, std::int64_t(0));
    }

    void twoMomentsDifferByWhatAppearedAndWhatIsWorse()
    {
        context().setWindow(20);
        context().pauseAt(m_shop->changed_us + 40 * kSecond);

        context().compareWith(m_shop->begin_us + 30 * kSecond);

        QTRY_VERIFY(!session().comparison().isEmpty());
        const TopologyDiff diff = session().comparison();
        QCOMPARE(diff.before_us, m_shop->begin_us + 30 * kSecond);
        QCOMPARE(diff.revisionBefore, std::int64_t(1));
        QCOMPARE(diff.revisionAfter, std::int64_t(2));
        QCOMPARE(changeOf(diff, ShopWithPast::paymentId()), Change::Appeared);
        QCOMPARE(changeOf(diff, ShopWithPast::cartId()), Change::Worse);
        QCOMPARE(m_shop->entity(ShopWithPast::cartId())->change, Change::Worse);
        QVERIFY(diff.changes.front().change == Change::Worse);
        QCOMPARE(session().topology().time_us, diff.after_us);
        context().compareWith(std::nullopt);
        QTRY_VERIFY(session().comparison().isEmpty());
        QCOMPARE(m_shop->entity(ShopWithPast::cartId())->change, Change::None);
    }

    void theOtherWayRoundItVanished()
    {
        context().setWindow(10);
        // A second cursor that is later: the order on the axis counts, not that of the clicks.
        context().pauseAt(m_shop->changed_us + 25 * kSecond);
        context().compareWith(m_shop->changed_us + 55 * kSecond);

        QTRY_VERIFY(!session().comparison().isEmpty());

        QCOMPARE(
            changeOf(session().comparison(), u"gateway:edge-1 -> service:payment"_qs),
            Change::Vanished
        );
        QCOMPARE(
            changeOf(session().comparison(), u"gateway:edge-1 -> service:cart"_qs), Change::Appeared
        );
    }

    void revisionsNameTheMomentsThatShowTheirChange()
    {
        const auto moments = momentsOf(session().revisions(), 1, 2, 20 * kSecond, m_shop->now_us());

        QVERIFY(moments);
        QCOMPARE(moments->first, m_shop->changed_us - kSecond);
        QCOMPARE(moments->second, m_shop->changed_us + 21 * kSecond);
        QVERIFY(!momentsOf(session().revisions(), 1, 7, kSecond, m_shop->now_us()));
    }

    void aSpanThatWasDraggedIsTheWindow()
    {
        const std::int64_t end = m_shop->begin_us + 50 * kSecond;

        context().showSpan(end - 25 * kSecond, end);

        QCOMPARE(context().window_s(), 25);
        QCOMPARE(context().cursor_us(), end);
        QCOMPARE(context().timeMode(), TimeMode::Paused);
    }

    void whatIsWrittenIsInTheAuditWithItsAuthor()
    {
        std::vector<AuditRow> rows;
        std::optional<std::int64_t> broken = 7;
        session().records().askAudit(0, m_shop->now_us(), [&](const std::vector<AuditRow>& found) {
            rows = found;
        });
        session().records().verifyAudit([&](std::optional<std::int64_t> row) { broken = row; });

        QTRY_VERIFY(!rows.empty());
        QVERIFY(rows.back().actor.startsWith(u"ada@"_qs));
        const auto saved = std::ranges::find(rows, u"revision.saved"_qs, &AuditRow::action);
        QVERIFY(saved != rows.end());
        QCOMPARE(saved->subject, u"revision 2"_qs);
        QCOMPARE(saved->detail, u"Add payment"_qs);
        QTRY_VERIFY(!broken);
    }

    void itemsPeopleKeepAreThereAfterARestart()
    {
        session().records().saveItem(u"filter"_qs, u"slow"_qs, u"p95 > 1s"_qs);
        reopen();
        std::vector<ItemRow> items;

        session().records().askItems(u"filter"_qs, [&](const std::vector<ItemRow>& found) {
            items = found;
        });

        QTRY_COMPARE(items.size(), std::size_t(1));
        QVERIFY(items.front() == (ItemRow{u"slow"_qs, u"p95 > 1s"_qs}));
    }

    void aNodeThatFallsSilentAndComesBackIsAMarker()
    {
        m_shop->engine->turn(api::EngineState::Running);
        m_shop->measureSeconds(1, "cart", 1, 0);
        QTRY_COMPARE(session().nodes().front().state, NodeState::Running);

        m_shop->clock.advance(std::chrono::seconds(10));
        QTRY_VERIFY(hasMarker(u"edge-1 silent"_qs));
        m_shop->measureSeconds(1, "cart", 1, 0);

        QTRY_VERIFY(hasMarker(u"edge-1 back"_qs));
    }

    void aDamagedDocumentIsOfferedItsBackupAndKept()
    {
        // At once what there was, and an hour later what was changed since, by itself.
        QTRY_VERIFY(QFile::exists(m_shop->path() + u".backup-0001"_qs));
        m_shop->clock.advance(std::chrono::hours(2));
        QTRY_VERIFY(QFile::exists(m_shop->path() + u".backup-0002"_qs));
        m_shop->session.reset();
        QFile file(m_shop->path());
        QVERIFY(file.open(QIODevice::ReadWrite));
        file.write(QByteArray(4096, 'x'));
        file.close();
        MeshSession next{SessionOptions{}};

        QVERIFY(!next.openDocument(m_shop->path()));
        const auto offer = next.backupOffer(m_shop->path());
        QVERIFY(offer);
        QCOMPARE(offer->revision, std::int64_t(2));
        const auto opened = next.openBackup(m_shop->path());

        QVERIFY2(opened, opened ? "" : toText(opened.error()).c_str());
        QCOMPARE(next.revisions().size(), std::size_t(2));
        QVERIFY(QFile::exists(m_shop->path() + u".broken-1"_qs));
        QVERIFY(!next.backupOffer(m_shop->path()));
    }

private:
    [[nodiscard]] MeshSession& session() const { return *m_shop->session; }
    [[nodiscard]] ViewContext& context() const { return m_shop->session->context(); }

    void reopen()
    {
        m_shop->session.reset();
        SessionOptions options;
        options.clock = &m_shop->clock;
        m_shop->session = std::make_unique<MeshSession>(options);
        QVERIFY(m_shop->session->openDocument(m_shop->path()));
    }

    [[nodiscard]] QPointF placeOf(const QString& id) const
    {
        for (const PastPosition& position : session().moment().positions) {
            if (position.id == id) {
                return {position.x, position.y};
            }
        }
        return {};
    }

    static Change changeOf(const TopologyDiff& diff, const QString& id)
    {
        const auto found = std::ranges::find(diff.changes, id, &TopologyChange::subject);
        return found == diff.changes.end() ? Change::None : found->change;
    }

    [[nodiscard]] bool hasMarker(const QString& label) const
    {
        return std::ranges::any_of(session().events(), [&](const Marker& marker) {
            return marker.label == label;
        });
    }

    std::unique_ptr<ShopWithPast> m_shop;
};

QTEST_GUILESS_MAIN(TimePastTest)
#include "time_past_test.moc"
