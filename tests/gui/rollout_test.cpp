// Goal: a push as the window tells it: what was not read back is never called done, a refusal has
// the node's words, an absent node is hatched, Stop reaches the runner from anywhere, a push that
// was cut short is found again.
// Method: rollouts are values the test writes; engines do as told; the real session and window.
#include "app/bridge/policy_words.h"
#include "app/bridge/rollout_private.h"
#include "app/pages/rollout_grid.h"
#include "app/pages/rollout_page.h"
#include "app/theme/tables.h"
#include "app/theme/theme.h"
#include "tests/gui/rollout_sample.h"

#include <QLabel>
#include <QPushButton>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <optional>

namespace mesh::pages {

namespace {

using bridge::RolloutSession;
using fleet::NodePhase;

const bridge::RolloutNodeRow& nodeOf(const bridge::RolloutRows& rows, const char* name)
{
    const auto found =
        std::ranges::find(rows.nodes, QString::fromLatin1(name), &bridge::RolloutNodeRow::name);
    return *found;
}

QStringList wordsOf(const QWidget& root)
{
    QStringList words;
    for (const QLabel* label : root.findChildren<QLabel*>()) {
        words << label->text();
    }
    for (const QAbstractButton* button : root.findChildren<QAbstractButton*>()) {
        words << button->text();
    }
    return words;
}

struct Push
{
    test::ToldMesh mesh;
    test::ToldFleet fleet;
    RolloutSession session{mesh.session, fleet.options()};
    RolloutPage page{mesh.session, session, nullptr, nullptr};

    Push()
    {
        page.setEnvironment(QStringLiteral("LOCAL"));
        page.resize(1376, 804);
        page.show();
    }

    bool begin()
    {
        mesh.replace(QStringLiteral("read_timeout: 10000"), QStringLiteral("read_timeout: 3000"));
        session.setReviewed(true);
        if (!QTest::qWaitFor([this] { return session.review().isReady; }, 10'000)) {
            return false;
        }
        if (const auto begun = session.push(); !begun) {
            qWarning("%s", begun.error().message.c_str());
            return false;
        }
        return QTest::qWaitFor([this] { return !fleet.requests.empty(); }, 10'000);
    }
};

} // namespace

class RolloutTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { theme::apply(*qApp, theme::Choice::Dark); }
    void acknowledgedIsNotApplied();
    void aNodeThatRefusesMakesThePushPartial();
    void anAbsentNodeIsHatchedAndSaysSince();
    void gatesAreShownWithTheirFigures();
    void thePushGoesToEveryNodeWithWhatItRuns();
    void stopAndRollBackReachTheRunner();
    void whatWasRolledBackIsADraftAgain();
    void aPushThatWasCutShortIsFoundAgain();
    void aHoleInTheFiguresIsNoZero();
    void numbersOfNodesAreDrawnTogether();
    void aPushIsABandOnTheTimeAxisUntilItIsOver();
};

void RolloutTest::aPushIsABandOnTheTimeAxisUntilItIsOver()
{
    Push push;
    QVERIFY(push.begin());
    const auto bandOf = [&push]() -> std::optional<bridge::Marker> {
        for (const bridge::Marker& marker : push.mesh.session.events()) {
            if (marker.kind == bridge::Marker::Kind::Push && bridge::isOnAxis(marker)) {
                return marker;
            }
        }
        return std::nullopt;
    };
    QVERIFY(bandOf());
    QCOMPARE(bandOf()->label, QStringLiteral("push 2"));
    QCOMPARE(bandOf()->end_us, 0);

    fleet::Rollout rollout = test::rolloutSample();
    rollout.revision = 2;
    rollout.state = fleet::RolloutState::Done;
    push.fleet.tell(rollout);

    QTRY_VERIFY(bandOf()->end_us != 0);
    QVERIFY(bandOf()->end_us >= bandOf()->begin_us);
}

void RolloutTest::acknowledgedIsNotApplied()
{
    fleet::Rollout rollout = test::rolloutSample();
    rollout.nodes[0].phase = NodePhase::Acknowledged;

    const bridge::RolloutRows rows = bridge::rowsOf(rollout, {});

    const bridge::RolloutNodeRow& node = nodeOf(rows, "vm-1");
    QCOMPARE(node.state, QStringLiteral("acknowledged"));
    QVERIFY(!node.hasRevision);
    QCOMPARE(node.revision, QStringLiteral("42"));
    QCOMPARE(rows.converged, 0);
    rollout.nodes[0].phase = NodePhase::Baking;
    rollout.nodes[0].hashNow = rollout.hash;
    const bridge::RolloutRows later = bridge::rowsOf(rollout, {});
    QVERIFY(nodeOf(later, "vm-1").hasRevision);
    QCOMPARE(nodeOf(later, "vm-1").revision, QStringLiteral("43"));
    QCOMPARE(later.waves[0].words, QStringLiteral("39 of 60 s"));
    QCOMPARE(later.converged, 1);
}

void RolloutTest::aNodeThatRefusesMakesThePushPartial()
{
    Push push;
    QVERIFY(push.begin());
    fleet::Rollout rollout = test::rolloutSample();
    rollout.nodes[0].phase = NodePhase::Rejected;
    rollout.nodes[0].text = "retries must be at most 5";
    for (std::size_t i = 1; i < rollout.nodes.size(); ++i) {
        rollout.nodes[i].phase = NodePhase::Done;
        rollout.nodes[i].hashNow = rollout.hash;
    }
    rollout.state = fleet::RolloutState::Partial;
    push.fleet.tell(rollout);

    QTRY_COMPARE(push.session.rollout().verdict, bridge::RolloutVerdict::Partial);
    const auto& rows = push.session.rollout();
    QVERIFY(nodeOf(rows, "vm-1").isBad);
    QCOMPARE(nodeOf(rows, "vm-1").text, QStringLiteral("retries must be at most 5"));
    QCOMPARE(rows.state, QStringLiteral("partial, 2 of 3 read back"));
    for (const QString& words : wordsOf(push.page.current())) {
        QVERIFY2(!words.contains(QStringLiteral("converged")), qPrintable(words));
        QVERIFY2(!words.contains(QStringLiteral("success")), qPrintable(words));
    }
    QVERIFY(!push.session.isRunning());
}

void RolloutTest::anAbsentNodeIsHatchedAndSaysSince()
{
    fleet::Rollout rollout = test::rolloutSample();
    rollout.nodes[2].phase = NodePhase::SetAside;
    rollout.nodes[2].seenAt = rollout.startedAt;
    bridge::RolloutContext context;
    context.now_us = rollout.startedAt.time_since_epoch().count() + 298'000'000;

    const bridge::RolloutRows rows = bridge::rowsOf(rollout, context);

    const bridge::RolloutNodeRow& node = nodeOf(rows, "vm-2");
    QVERIFY(node.isAway);
    QVERIFY2(node.text.contains(QStringLiteral("silent 4")), qPrintable(node.text));
    QVERIFY(node.text.contains(QStringLiteral("applied when it returns")));
    QCOMPARE(rows.nodes.back().name, QStringLiteral("vm-2"));
    RolloutGrid grid(nullptr);
    grid.setRollout(rows);
    QCOMPARE(grid.rowCount(), 5); // Two waves and three nodes.
    QCOMPARE(
        grid.item(4, 0)->data(theme::kRowStateRole).toInt(), static_cast<int>(theme::State::Stale)
    );
}

void RolloutTest::gatesAreShownWithTheirFigures()
{
    fleet::Rollout rollout = test::rolloutSample();

    const bridge::RolloutRows rows = bridge::rowsOf(rollout, {});

    QCOMPARE(rows.gates.size(), std::size_t{1});
    QCOMPARE(rows.gates[0].measured, QStringLiteral("+0.01\u202Fpp"));
    QCOMPARE(rows.gates[0].limit, QStringLiteral("≤ 0.5\u202Fpp"));
    QCOMPARE(rows.gates[0].sign, bridge::GateSign::Holds);
    QVERIFY(rows.errorLimit.has_value());
    rollout.gates[0].state = fleet::GateState::NoData;
    QCOMPARE(bridge::rowsOf(rollout, {}).gates[0].measured, QStringLiteral("–"));
}

void RolloutTest::thePushGoesToEveryNodeWithWhatItRuns()
{
    Push push;
    push.session.setPlanKind(bridge::PlanKind::Canary);
    QVERIFY(push.begin());

    const fleet::RolloutRequest& request = push.fleet.requests.front();

    QCOMPARE(request.nodes.size(), std::size_t{3});
    QCOMPARE(request.links.size(), std::size_t{3});
    QVERIFY(!request.nodes[0].hash.empty());
    QCOMPARE(request.plan.waves.size(), std::size_t{3});
    QCOMPARE(request.plan.waves[0].nodes.size(), std::size_t{1});
    QCOMPARE(request.revision, push.mesh.session.revisions().front().id);
    QVERIFY(!push.mesh.session.isDraftChanged());
}

void RolloutTest::stopAndRollBackReachTheRunner()
{
    Push push;
    QVERIFY(push.begin());
    push.fleet.tell(test::rolloutSample());
    QTRY_VERIFY(push.session.isRunning());
    push.page.setView(RolloutView::Current);

    QTest::mouseClick(push.page.findChild<QPushButton*>(QStringLiteral("hold")), Qt::LeftButton);
    QTest::mouseClick(
        push.page.findChild<QPushButton*>(QStringLiteral("rollBack")), Qt::LeftButton
    );
    push.session.stop();

    QCOMPARE(push.fleet.commands.size(), std::size_t{3});
    QCOMPARE(push.fleet.commands[0], std::string("hold"));
    QVERIFY(push.fleet.commands[1].starts_with("roll back"));
    QCOMPARE(push.fleet.commands[2], std::string("stop"));
}

void RolloutTest::whatWasRolledBackIsADraftAgain()
{
    Push push;
    QSignalSpy proposed(&push.session, &RolloutSession::draftProposed);
    QVERIFY(push.begin());
    const auto before = push.mesh.session.revisions().size();
    fleet::Rollout rollout = test::rolloutSample();
    rollout.revision = push.mesh.session.revisions().front().id;
    rollout.revisionBefore = rollout.revision - 1;
    push.fleet.tell(rollout);
    rollout.state = fleet::RolloutState::RolledBack;
    push.fleet.tell(rollout);

    QTRY_COMPARE(push.mesh.session.revisions().size(), before + 1);
    QTRY_COMPARE(proposed.count(), 1);
    QCOMPARE(push.mesh.session.document()->services[1].readTimeout, std::chrono::seconds(10));
    QVERIFY(proposed[0][0].toString().contains(QStringLiteral("3000")));
}

void RolloutTest::aPushThatWasCutShortIsFoundAgain()
{
    QTemporaryDir folder;
    const QString path = folder.filePath(QStringLiteral("shop.mesh"));
    {
        test::ToldMesh mesh(path);
        test::ToldFleet told;
        RolloutSession session(mesh.session, told.options());
        mesh.replace(QStringLiteral("retries: 4"), QStringLiteral("retries: 2"));
        session.setReviewed(true);
        QTRY_VERIFY(session.review().isReady);
        QVERIFY(session.push());
        QTRY_VERIFY(!told.requests.empty());
        fleet::Rollout rollout = test::rolloutSample();
        rollout.revision = mesh.session.revisions().front().id;
        rollout.revisionBefore = rollout.revision - 1;
        rollout.nodes[0].hashNow = rollout.hash;
        told.callbacks.keep(fleet::toJson(rollout));
    }
    bridge::MeshSession mesh{bridge::SessionOptions{}};
    QVERIFY(mesh.openDocument(path));
    test::ToldFleet told;
    RolloutSession session(mesh, told.options());
    RolloutPage page(mesh, session, nullptr, nullptr);

    QTRY_VERIFY(session.rollout().isFound);
    QVERIFY(session.rollout().state.contains(QStringLiteral("when the console ended")));
    QCOMPARE(session.rollout().converged, 1);
    QVERIFY(session.rollout().canContinue);
    session.continueNow();
    QTRY_COMPARE(told.resumed, 1);
    QVERIFY(!session.rollout().isFound);
}

void RolloutTest::aHoleInTheFiguresIsNoZero()
{
    std::map<std::string, bridge::NodeSeconds> seconds;
    bridge::NodeSecond one;
    one.node = "vm-1";
    one.time_s = 100;
    one.hash = "new";
    one.requests = 10;
    one.errors = 1;
    one.latency.record(20'000, 10);
    seconds["vm-1"].push_back(one);

    const auto points = bridge::pointsOf(seconds, "new", 99, 102);

    QCOMPARE(points.size(), std::size_t{3});
    QVERIFY(!points[0].errorsNow);
    QCOMPARE(points[1].errorsNow, std::optional(10.0));
    QVERIFY(!points[1].errorsBefore);
    QVERIFY(!points[2].p95Now_ms);
}

void RolloutTest::numbersOfNodesAreDrawnTogether()
{
    const QStringList names = {
        QStringLiteral("vm-1"),
        QStringLiteral("vm-4"),
        QStringLiteral("vm-5"),
        QStringLiteral("vm-6"),
        QStringLiteral("vm-10"),
        QStringLiteral("edge-1")};
    QCOMPARE(bridge::nodesText(names), QStringLiteral("edge-1, vm-1, 4–6, 10"));
}

} // namespace mesh::pages

QTEST_MAIN(mesh::pages::RolloutTest)
#include "rollout_test.moc"
