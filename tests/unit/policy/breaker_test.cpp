#include "proxyengine/policy/breaker.h"

#include <QTest>

#include <string_view>

// Goal: every arrow of the diagram in breaker.h, the window, the ramp's shares and the words.
// Method: time is a number we choose; outcomes are spelled one letter each.
namespace mesh::policy {

using namespace std::chrono_literals;

class BreakerTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void opensWhenARatioIsReached_data();
    void opensWhenARatioIsReached();
    void forgetsWhatLeftTheWindow();
    void sendsProbesAfterTheOpenTime();
    void opensAgainWhenOneProbeFails();
    void takesASlowProbeForAFailureOnlyIfToldSo();
    void givesAProbeBackThatNobodyAnswered();
    void ignoresOutcomesOfAnEarlierRound();
    void letsMoreAndMoreThroughWhileRamping();
    void judgesAgainWhileRamping();
    void closesAtOnceWithoutARamp();
    void packsTheGateIntoOneWord();
};

namespace {

model::Breaker makeSettings()
{
    model::Breaker settings;
    settings.errorRatio = 0.5;
    settings.minRequests = 4;
    settings.window = 10s;
    settings.slow = 1s;
    settings.open = 5s;
    settings.probes = 3;
    settings.ramp = 10s;
    return settings;
}

QByteArray toBytes(std::string_view text)
{
    return {text.data(), static_cast<qsizetype>(text.size())};
}

// s success, f failure, w slow success, x slow failure.
void feed(CircuitBreaker& breaker, TimePoint now, std::string_view outcomes)
{
    for (const char letter : outcomes) {
        const bool isFailed = letter == 'f' || letter == 'x';
        const bool isSlow = letter == 'w' || letter == 'x';
        breaker.onOutcome(
            now,
            breaker.gate().round(),
            isFailed ? BreakerOutcome::Failed : BreakerOutcome::Succeeded,
            isSlow ? Duration(1001ms) : Duration(1s)
        );
    }
}

// A breaker that opened at 0 s.
CircuitBreaker makeOpen(const model::Breaker& settings)
{
    CircuitBreaker breaker(settings, TimePoint(0s));
    feed(breaker, TimePoint(0s), "ffff");
    return breaker;
}

// A breaker whose probes succeeded at 5 s.
CircuitBreaker makeRamping(const model::Breaker& settings, Random& random)
{
    CircuitBreaker breaker = makeOpen(settings);
    for (int i = 0; i < settings.probes; ++i) {
        static_cast<void>(breaker.admit(TimePoint(5s), random));
    }
    feed(breaker, TimePoint(5s), "sss");
    return breaker;
}

} // namespace

void BreakerTest::opensWhenARatioIsReached_data()
{
    QTest::addColumn<QByteArray>("outcomes");
    QTest::addColumn<double>("errorRatio");
    QTest::addColumn<double>("slowRatio"); // 0: not judged.
    QTest::addColumn<QByteArray>("reason"); // Empty: closed.

    const auto row = [](const char* name,
                        const char* outcomes,
                        double errorRatio,
                        double slowRatio,
                        const char* reason) {
        QTest::newRow(name) << QByteArray(outcomes) << errorRatio << slowRatio
                            << QByteArray(reason);
    };
    row("nothing", "", 0.5, 0, "");
    row("too few to judge", "fff", 0.5, 0, "");
    row("below the ratio", "fsss", 0.5, 0, "");
    row("the ratio is reached", "ffss", 0.5, 0, "2 of 4 requests failed in 10 s; probes in 5 s");
    row("a success makes them enough",
        "fffs",
        0.5,
        0,
        "3 of 4 requests failed in 10 s; probes in 5 s");
    // 0.07 * 100 is more than 7 in floating point.
    const QByteArray hundred = QByteArray(93, 's') + QByteArray(7, 'f');
    row("exact in hundredths",
        hundred.constData(),
        0.07,
        0,
        "7 of 100 requests failed in 10 s; probes in 5 s");
    row("everything failed", "ffff", 1, 0, "4 of 4 requests failed in 10 s; probes in 5 s");
    row("nearly everything failed", "sffffffff", 1, 0, "");
    row("slow answers do not count unasked", "wwww", 0.5, 0, "");
    row("slow answers",
        "wwss",
        0.9,
        0.5,
        "2 of 4 requests took longer than 1 s in 10 s; probes in 5 s");
    row("slow failures are both", "xxss", 0.5, 0.9, "2 of 4 requests failed in 10 s; probes in 5 s"
    );
}

void BreakerTest::opensWhenARatioIsReached()
{
    QFETCH(const QByteArray, outcomes);
    QFETCH(const double, errorRatio);
    QFETCH(const double, slowRatio);
    QFETCH(const QByteArray, reason);
    model::Breaker settings = makeSettings();
    settings.errorRatio = errorRatio;
    if (slowRatio > 0) {
        settings.slowRatio = slowRatio;
    }
    CircuitBreaker breaker(settings, TimePoint(0s));

    feed(breaker, TimePoint(1s), {outcomes.data(), static_cast<std::size_t>(outcomes.size())});

    QCOMPARE(toBytes(breaker.reason(TimePoint(1s))), reason);
    QCOMPARE(
        toBytes(toText(breaker.state())),
        reason.isEmpty() ? QByteArray("closed") : QByteArray("open")
    );
}

void BreakerTest::forgetsWhatLeftTheWindow()
{
    CircuitBreaker breaker(makeSettings(), TimePoint(0s));
    feed(breaker, TimePoint(0s), "fff");
    feed(breaker, TimePoint(10s), "f");
    QVERIFY(breaker.state() == BreakerState::Closed);

    feed(breaker, TimePoint(10500ms), "ff");
    feed(breaker, TimePoint(19900ms), "f");
    QVERIFY(breaker.state() == BreakerState::Open);
    QVERIFY(breaker.since() == TimePoint(19900ms));
}

void BreakerTest::sendsProbesAfterTheOpenTime()
{
    Random random(Seed{1});
    CircuitBreaker breaker = makeOpen(makeSettings());
    QVERIFY(breaker.nextChangeAt() == TimePoint(5s));
    QVERIFY(!breaker.admit(TimePoint(4999ms), random).isAdmitted());
    QCOMPARE(
        toBytes(breaker.reason(TimePoint(2s))),
        QByteArray("4 of 4 requests failed in 10 s; probes in 3 s")
    );

    for (int i = 0; i < 3; ++i) {
        QVERIFY(breaker.admit(TimePoint(5s), random).verdict == BreakerVerdict::AdmitAsProbe);
    }
    QVERIFY(!breaker.admit(TimePoint(5s), random).isAdmitted());
    QVERIFY(breaker.state() == BreakerState::HalfOpen);

    feed(breaker, TimePoint(6s), "ss");
    QCOMPARE(
        toBytes(breaker.reason(TimePoint(6s))),
        QByteArray("4 of 4 requests failed in 10 s; 2 of 3 probes succeeded")
    );
    QVERIFY(!breaker.admit(TimePoint(6s), random).isAdmitted());
    feed(breaker, TimePoint(6s), "s");
    QVERIFY(breaker.state() == BreakerState::Ramping);
}

void BreakerTest::opensAgainWhenOneProbeFails()
{
    Random random(Seed{1});
    CircuitBreaker breaker = makeOpen(makeSettings());
    const BreakerAdmission probe = breaker.admit(TimePoint(5s), random);

    const auto entered =
        breaker.onOutcome(TimePoint(6s), probe.round(), BreakerOutcome::Failed, 10ms);

    QVERIFY(entered == BreakerState::Open);
    QVERIFY(breaker.nextChangeAt() == TimePoint(11s));
    QCOMPARE(toBytes(breaker.reason(TimePoint(6s))), QByteArray("a probe failed; probes in 5 s"));
    QVERIFY(!breaker.admit(TimePoint(10s), random).isAdmitted());
    QVERIFY(breaker.admit(TimePoint(11s), random).isAdmitted());
}

void BreakerTest::takesASlowProbeForAFailureOnlyIfToldSo()
{
    Random random(Seed{1});
    model::Breaker settings = makeSettings();
    settings.probes = 1;
    for (const bool isJudged : {false, true}) {
        if (isJudged) {
            settings.slowRatio = 0.9;
        }
        CircuitBreaker breaker = makeOpen(settings);
        static_cast<void>(breaker.admit(TimePoint(5s), random));
        feed(breaker, TimePoint(7s), "w");
        QVERIFY(breaker.state() == (isJudged ? BreakerState::Open : BreakerState::Ramping));
    }
}

void BreakerTest::givesAProbeBackThatNobodyAnswered()
{
    Random random(Seed{1});
    model::Breaker settings = makeSettings();
    settings.probes = 1;
    CircuitBreaker breaker = makeOpen(settings);
    const BreakerAdmission probe = breaker.admit(TimePoint(5s), random);
    QVERIFY(!breaker.admit(TimePoint(6s), random).isAdmitted());

    breaker.onAbandoned(probe.round() - 1);
    QVERIFY(!breaker.admit(TimePoint(6s), random).isAdmitted());
    breaker.onAbandoned(probe.round());
    QVERIFY(breaker.admit(TimePoint(6s), random).isAdmitted());
    QVERIFY(!breaker.admit(TimePoint(6s), random).isAdmitted());
}

void BreakerTest::ignoresOutcomesOfAnEarlierRound()
{
    Random random(Seed{1});
    CircuitBreaker breaker = makeOpen(makeSettings());
    const BreakerAdmission probe = breaker.admit(TimePoint(5s), random);
    const std::uint32_t earlier = probe.round() - 1;

    // What was sent before the breaker opened is answered only now.
    breaker.onOutcome(TimePoint(5s), earlier, BreakerOutcome::Failed, 10ms);
    QVERIFY(breaker.state() == BreakerState::HalfOpen);
    for (int i = 0; i < 3; ++i) {
        breaker.onOutcome(TimePoint(5s), earlier, BreakerOutcome::Succeeded, 10ms);
    }
    QVERIFY(breaker.state() == BreakerState::HalfOpen);
}

void BreakerTest::letsMoreAndMoreThroughWhileRamping()
{
    Random random(Seed{1});
    CircuitBreaker breaker = makeRamping(makeSettings(), random);
    const auto shareAt = [&](Duration since) {
        breaker.advance(TimePoint(5s) + since);
        return breaker.gate().share();
    };
    QCOMPARE(breaker.gate().share(), 500U);
    QVERIFY(breaker.nextChangeAt() == TimePoint(5500ms));
    QCOMPARE(shareAt(499ms), 500U);
    QCOMPARE(shareAt(500ms), 1000U);
    QCOMPARE(shareAt(5s), 5500U);
    QCOMPARE(
        toBytes(breaker.reason(TimePoint(10s))), QByteArray("recovering: 55 % of requests admitted")
    );
    QCOMPARE(shareAt(9999ms), 10'000U);
    QVERIFY(breaker.state() == BreakerState::Ramping);
    QVERIFY(breaker.nextChangeAt() == TimePoint(15s));

    QVERIFY(breaker.advance(TimePoint(15s)) == BreakerState::Closed);
    QVERIFY(breaker.nextChangeAt() == TimePoint::max());
    QVERIFY(breaker.reason(TimePoint(15s)).empty());

    // A share is a share of the requests.
    CircuitBreaker half = makeRamping(makeSettings(), random);
    int admitted = 0;
    for (int i = 0; i < 10'000; ++i) {
        admitted += half.admit(TimePoint(9500ms), random).isAdmitted() ? 1 : 0;
    }
    QVERIFY(admitted > 4800 && admitted < 5200);
}

void BreakerTest::judgesAgainWhileRamping()
{
    Random random(Seed{1});
    CircuitBreaker breaker = makeRamping(makeSettings(), random);

    feed(breaker, TimePoint(6s), "fff");
    QVERIFY(breaker.state() == BreakerState::Ramping);
    feed(breaker, TimePoint(6s), "s");

    QVERIFY(breaker.state() == BreakerState::Open);
    QCOMPARE(
        toBytes(breaker.reason(TimePoint(6s))),
        QByteArray("3 of 4 requests failed in 10 s; probes in 5 s")
    );
}

void BreakerTest::closesAtOnceWithoutARamp()
{
    Random random(Seed{1});
    model::Breaker settings = makeSettings();
    settings.ramp = Duration::zero();
    CircuitBreaker breaker = makeRamping(settings, random);

    QVERIFY(breaker.state() == BreakerState::Closed);
    QVERIFY(breaker.admit(TimePoint(5s), random).verdict == BreakerVerdict::Admit);
    feed(breaker, TimePoint(5s), "fff");
    QVERIFY(breaker.state() == BreakerState::Closed);
}

void BreakerTest::packsTheGateIntoOneWord()
{
    const BreakerGate gate(BreakerState::HalfOpen, 4'000'000'000U, 9'999, 65'535);
    const BreakerGate copy = BreakerGate::fromWord(gate.word());
    QVERIFY(copy == gate);
    QVERIFY(copy.state() == BreakerState::HalfOpen);
    QCOMPARE(copy.round(), 4'000'000'000U);
    QCOMPARE(copy.share(), 9'999U);
    QCOMPARE(copy.probesLeft(), 65'535U);

    QVERIFY(BreakerGate().state() == BreakerState::Closed);
    QCOMPARE(BreakerGate().share(), BreakerGate::kWholeShare);
    QVERIFY(returnProbe(gate, gate.round()) == gate);
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::BreakerTest)
#include "breaker_test.moc"
