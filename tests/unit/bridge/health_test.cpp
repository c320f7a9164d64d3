// Goal: the state follows the written rules at their borders, and does not flicker.
// Method: evidence in, verdict out; the tracker is driven second by second.
#include "app/bridge/health.h"

#include <QtTest>

using namespace mesh::bridge;

namespace {

HealthEvidence traffic(std::uint64_t requests, std::uint64_t server, std::uint64_t client = 0)
{
    HealthEvidence evidence;
    evidence.silentFor_s = 0.5;
    evidence.requests = requests;
    evidence.serverErrors = server;
    evidence.clientErrors = client;
    return evidence;
}

HealthState judged(const HealthEvidence& evidence, HealthState previous = HealthState::Healthy)
{
    return judge(evidence, HealthRules{}, previous).state;
}

} // namespace

class HealthTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aRatioAtTheBorderBelongsToTheWorseState()
    {
        QCOMPARE(judged(traffic(100'000, 99)), HealthState::Healthy);
        QCOMPARE(judged(traffic(100'000, 100)), HealthState::Degraded);
        QCOMPARE(judged(traffic(100'000, 9'999)), HealthState::Degraded);
        QCOMPARE(judged(traffic(100'000, 10'000)), HealthState::Failure);
        QCOMPARE(judged(traffic(1000, 0, 99)), HealthState::Healthy);
        QCOMPARE(judged(traffic(1000, 0, 100)), HealthState::Degraded);
        QCOMPARE(judged(traffic(1000, 0, 199)), HealthState::Degraded);
        QCOMPARE(judged(traffic(1000, 0, 200)), HealthState::Failure);
    }

    void tooLittleEvidenceKeepsThePreviousState()
    {
        const auto few = judge(traffic(19, 2), HealthRules{}, HealthState::Failure);

        QCOMPARE(few.state, HealthState::Failure);
        QVERIFY(few.isLowTraffic);
        QCOMPARE(judged(traffic(19, 2), HealthState::Healthy), HealthState::Healthy);
        QCOMPARE(judged(traffic(19, 2), HealthState::NoData), HealthState::Healthy);
    }

    void twentyRequestsOrThreeErrorsAreEvidence()
    {
        QCOMPARE(judged(traffic(20, 2)), HealthState::Failure);
        QCOMPARE(judged(traffic(3, 3)), HealthState::Failure);
        QVERIFY(!judge(traffic(20, 0), HealthRules{}, HealthState::Healthy).isLowTraffic);
    }

    void idleNoDataAndStaleDiffer()
    {
        HealthEvidence never;
        HealthEvidence silent = traffic(1000, 0);
        silent.silentFor_s = 3.1;
        HealthEvidence late = traffic(1000, 0);
        late.silentFor_s = 3.0;

        QCOMPARE(judged(never), HealthState::NoData);
        QCOMPARE(judged(traffic(0, 0)), HealthState::Idle);
        QCOMPARE(judged(silent), HealthState::Stale);
        QCOMPARE(judged(late), HealthState::Healthy);
    }

    void theWorstRuleWinsAndIsSaidInWords()
    {
        HealthEvidence evidence = traffic(1977, 89);
        evidence.instances = 3;

        const auto byTraffic = judge(evidence, HealthRules{}, HealthState::Healthy);
        evidence.instancesOut = 3;
        evidence.instanceReason = u"cart-1: killed"_qs;
        const auto byInstances = judge(evidence, HealthRules{}, HealthState::Healthy);

        QCOMPARE(byTraffic.state, HealthState::Degraded);
        QCOMPARE(byTraffic.why, u"5xx on 4.5\u202F% of 1\u2009977 requests in 60\u202Fs"_qs);
        QCOMPARE(byTraffic.rule, u"rule: degraded ≥ 0.1\u202F%"_qs);
        QCOMPARE(byInstances.state, HealthState::Failure);
        QVERIFY(byInstances.why.contains(u"cart-1: killed"_qs));
    }

    void worseningTakesTwoEvaluationsAndImprovingThree()
    {
        HealthTracker tracker;
        const auto bad = traffic(1000, 500);
        const auto good = traffic(1000, 0);
        QCOMPARE(tracker.evaluate(u"a"_qs, good, 1).verdict.state, HealthState::Healthy);

        QCOMPARE(tracker.evaluate(u"a"_qs, bad, 2).verdict.state, HealthState::Healthy);
        const auto worse = tracker.evaluate(u"a"_qs, bad, 3);
        QCOMPARE(worse.verdict.state, HealthState::Failure);
        QVERIFY(worse.isChanged);
        QCOMPARE(worse.since_us, 3);
        QCOMPARE(tracker.evaluate(u"a"_qs, good, 4).verdict.state, HealthState::Failure);
        QCOMPARE(tracker.evaluate(u"a"_qs, good, 5).verdict.state, HealthState::Failure);
        QCOMPARE(tracker.evaluate(u"a"_qs, good, 6).verdict.state, HealthState::Healthy);
    }

    void aSingleBadEvaluationInBetweenStartsTheCountAgain()
    {
        HealthTracker tracker;
        const auto bad = traffic(1000, 500);
        const auto good = traffic(1000, 0);
        tracker.evaluate(u"a"_qs, good, 1);

        for (int round = 0; round < 5; ++round) {
            QCOMPARE(tracker.evaluate(u"a"_qs, bad, 2).verdict.state, HealthState::Healthy);
            QCOMPARE(tracker.evaluate(u"a"_qs, good, 3).verdict.state, HealthState::Healthy);
        }
    }

    void anInstanceThatIsOutTurnsItsServiceAtOnceAndBack()
    {
        HealthTracker tracker;
        HealthEvidence evidence = traffic(1000, 0);
        evidence.instances = 3;
        tracker.evaluate(u"a"_qs, evidence, 1);
        evidence.instancesOut = 1;

        QCOMPARE(tracker.evaluate(u"a"_qs, evidence, 2).verdict.state, HealthState::Degraded);
        evidence.instancesOut = 3;
        QCOMPARE(tracker.evaluate(u"a"_qs, evidence, 3).verdict.state, HealthState::Failure);
        evidence.instancesOut = 0;
        QCOMPARE(tracker.evaluate(u"a"_qs, evidence, 4).verdict.state, HealthState::Healthy);
    }

    void silenceIsNeverHealthy()
    {
        HealthTracker tracker;
        tracker.evaluate(u"a"_qs, traffic(1000, 0), 1);
        HealthEvidence silent = traffic(1000, 0);
        silent.silentFor_s = 4;

        QCOMPARE(tracker.evaluate(u"a"_qs, silent, 2).verdict.state, HealthState::Stale);
    }
};

QTEST_APPLESS_MAIN(HealthTest)
#include "health_test.moc"
