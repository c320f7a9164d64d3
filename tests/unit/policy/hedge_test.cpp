#include "proxyengine/policy/hedge.h"

#include <QTest>

// Goal: hedges start when they may, one answer wins, and nothing is left running.
// Method: small races told step by step.
namespace mesh::policy {

using namespace std::chrono_literals;

class HedgeTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void startsAfterADurationOrAPercentile();
    void cancelsTheLosers();
    void waitsForTheOthersWhenOneFails();
    void endsEverythingWithTheClient();
    void startsNoHedgeBesideNothing();
    void startsNoMoreThanAllowed();
    void ignoresReportsThatCrossTheDecision();
    void isOverWhenTheWinnerBreaks();
    void usesSlotsAgain();
    void countsTheDelayFromTheNewestAttempt();
};

namespace {

using Role = HedgeRace::Role;
using State = HedgeRace::State;
using Failed = HedgeRace::Failed;

const TimePoint kBegin{10s};

} // namespace

void HedgeTest::startsAfterADurationOrAPercentile()
{
    const model::HedgeAfter plain{Duration(200ms)};
    const model::HedgeAfter percentile{99.5};

    QVERIFY(hedgeDelay(plain, std::nullopt) == Duration(200ms));
    QVERIFY(!hedgePercentile(plain));
    QVERIFY(hedgePercentile(percentile) == 99.5);
    QVERIFY(hedgeDelay(percentile, Duration(7ms)) == Duration(7ms));
    QVERIFY(!hedgeDelay(percentile, std::nullopt)); // Too few samples: no hedge.
}

void HedgeTest::cancelsTheLosers()
{
    HedgeRace race(2);
    const auto first = race.onStarted(Role::Main, kBegin);
    const auto second = race.onStarted(Role::Hedge, kBegin + 1s);
    const auto third = race.onStarted(Role::Hedge, kBegin + 2s);
    QVERIFY(first && second && third);

    AttemptSet losers = race.onWon(*second);

    QCOMPARE(losers.size(), 2);
    QVERIFY(losers.takeFirst() == *first && losers.takeFirst() == *third && losers.isEmpty());
    QCOMPARE(race.state(), State::Decided);
    QVERIFY(race.isHedge(*second) && !race.isHedge(*first));
    QVERIFY(race.onClientGone() == AttemptSet{1U << second->index});
    QCOMPARE(race.state(), State::Over);
}

void HedgeTest::waitsForTheOthersWhenOneFails()
{
    HedgeRace race(1);
    const auto first = race.onStarted(Role::Main, kBegin);
    const auto second = race.onStarted(Role::Hedge, kBegin);

    QCOMPARE(race.onFailed(*first), Failed::OthersRun);
    QCOMPARE(race.onFailed(*second), Failed::NoneRuns);
    QCOMPARE(race.state(), State::Waiting);
    QVERIFY(race.onStarted(Role::Main, kBegin)); // A retry.
    QCOMPARE(race.state(), State::Running);
}

void HedgeTest::endsEverythingWithTheClient()
{
    HedgeRace race(1);
    QVERIFY(race.onStarted(Role::Main, kBegin) && race.onStarted(Role::Hedge, kBegin));

    QCOMPARE(race.onClientGone().size(), 2);

    QVERIFY(race.running().isEmpty());
    QVERIFY(!race.onStarted(Role::Main, kBegin));
    QVERIFY(!race.onStarted(Role::Hedge, kBegin));
    QVERIFY(!race.nextHedgeAt(1s));
    QVERIFY(race.onClientGone().isEmpty());
}

void HedgeTest::startsNoHedgeBesideNothing()
{
    HedgeRace race(1);

    QVERIFY(!race.onStarted(Role::Hedge, kBegin));
    QVERIFY(!race.nextHedgeAt(1s));
    const auto first = race.onStarted(Role::Main, kBegin);
    QCOMPARE(race.onFailed(*first), Failed::NoneRuns);
    QVERIFY(!race.onStarted(Role::Hedge, kBegin)); // In the wait before a retry.
}

void HedgeTest::startsNoMoreThanAllowed()
{
    HedgeRace none(0);
    QVERIFY(none.onStarted(Role::Main, kBegin) && !none.onStarted(Role::Hedge, kBegin));

    HedgeRace race(1);
    QVERIFY(race.onStarted(Role::Main, kBegin));
    const auto hedge = race.onStarted(Role::Hedge, kBegin);
    QVERIFY(hedge);
    QCOMPARE(race.onFailed(*hedge), Failed::OthersRun);
    QVERIFY(!race.onStarted(Role::Hedge, kBegin)); // For the whole request, not at once.

    HedgeRace wide(1000);
    for (int i = 0; i < HedgeRace::kAttemptsMax; ++i) {
        QVERIFY(wide.onStarted(i == 0 ? Role::Main : Role::Hedge, kBegin));
    }
    QVERIFY(!wide.onStarted(Role::Hedge, kBegin) && !wide.onStarted(Role::Main, kBegin));
    QVERIFY(!wide.nextHedgeAt(1s));
}

void HedgeTest::ignoresReportsThatCrossTheDecision()
{
    HedgeRace race(1);
    const auto first = race.onStarted(Role::Main, kBegin);
    const auto second = race.onStarted(Role::Hedge, kBegin);
    QCOMPARE(race.onWon(*first).size(), 1);

    QVERIFY(race.onWon(*second).isEmpty());
    QCOMPARE(race.onFailed(*second), Failed::Ignored);
    QCOMPARE(race.state(), State::Decided);
    QVERIFY(race.running().contains(*first));
}

void HedgeTest::isOverWhenTheWinnerBreaks()
{
    HedgeRace race(1);
    const auto first = race.onStarted(Role::Main, kBegin);
    QVERIFY(race.onWon(*first).isEmpty());

    QCOMPARE(race.onFailed(*first), Failed::NoneRuns);

    QCOMPARE(race.state(), State::Over);
    QVERIFY(!race.onStarted(Role::Main, kBegin));
}

void HedgeTest::usesSlotsAgain()
{
    HedgeRace race(5);
    const auto first = race.onStarted(Role::Main, kBegin);
    const auto second = race.onStarted(Role::Hedge, kBegin);
    QCOMPARE(race.onFailed(*first), Failed::OthersRun);

    const auto third = race.onStarted(Role::Hedge, kBegin);

    QVERIFY(third == first && third != second);
    QVERIFY(race.isHedge(*third));
    QCOMPARE(race.hedgesStarted(), 2);
}

void HedgeTest::countsTheDelayFromTheNewestAttempt()
{
    HedgeRace race(2);
    QVERIFY(race.onStarted(Role::Main, kBegin));
    QVERIFY(race.nextHedgeAt(300ms) == kBegin + 300ms);

    QVERIFY(race.onStarted(Role::Hedge, kBegin + 400ms));

    QVERIFY(race.nextHedgeAt(300ms) == kBegin + 700ms);
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::HedgeTest)
#include "hedge_test.moc"
