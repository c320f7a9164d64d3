#include "proxyengine/policy/outlier.h"

#include <QTest>

#include <string_view>

// Goal: what ejects, for how long, what holds an ejection back, and the words for each.
// Method: time is a number we choose; outcomes are spelled one letter each.
namespace mesh::policy {

using namespace std::chrono_literals;

class OutlierTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void ejectsAfterFailuresInARow_data();
    void ejectsAfterFailuresInARow();
    void countsBatchesOfSuccesses();
    void allowsAsManyAsThePercentageSays_data();
    void allowsAsManyAsThePercentageSays();
    void tellsASuppressedEjectionOnce();
    void saysThatTheOnlyHostStays();
    void returnsAtTheSweepAfterItsTime();
    void staysOutLongerEachTime();
    void addsJitterToTheEjection();
    void ejectsByFailurePercentage();
    void ejectsBySuccessRate();
    void judgesOnlyEnoughHostsWithEnoughRequests();
    void ejectsByAnswersAtAll();
    void countsWhatIsNotEnforced();
    void listensToActiveChecksAndOperators();
    void keepsItsStateAcrossANewListOfTargets();
};

namespace {

QByteArray toBytes(std::string_view text)
{
    return {text.data(), static_cast<qsizetype>(text.size())};
}

// s success, f HTTP 500, g HTTP 503, c connection failure, t timeout.
OutlierOutcome toOutcome(char letter)
{
    using Kind = OutlierOutcome::Kind;
    switch (letter) {
    case 'f':
        return {Kind::Answer5xx, 500};
    case 'g':
        return {Kind::Answer5xx, 503};
    case 'c':
        return {Kind::ConnectFailure, 0};
    case 't':
        return {Kind::Timeout, 0};
    default:
        return {};
    }
}

// The last verdict, if there was one.
std::optional<OutlierVerdict> feed(
    OutlierDetector& detector, TimePoint now, std::size_t host, std::string_view outcomes
)
{
    Random random(Seed{1});
    std::optional<OutlierVerdict> last;
    for (const char letter : outcomes) {
        if (auto verdict = detector.observe(now, host, toOutcome(letter), random)) {
            last = std::move(verdict);
        }
    }
    return last;
}

// So many requests of a host, failures first; the consecutive detectors must be off.
void feedShare(OutlierDetector& detector, std::size_t host, int all, int failed)
{
    feed(detector, TimePoint(0s), host, std::string(static_cast<std::size_t>(failed), 'f'));
    detector.observeSuccesses(host, static_cast<std::uint32_t>(all - failed));
}

model::OutlierDetection makeRateSettings()
{
    model::OutlierDetection settings;
    settings.consecutive5xx = 0;
    settings.consecutiveGatewayFailure = 0;
    settings.maxEjectionPercent = 50;
    return settings;
}

} // namespace

void OutlierTest::ejectsAfterFailuresInARow_data()
{
    QTest::addColumn<QByteArray>("outcomes");
    QTest::addColumn<bool>("split");
    QTest::addColumn<double>("gateway"); // Enforcing, percent.
    QTest::addColumn<QByteArray>("reason"); // Empty: not ejected.

    const auto row =
        [](const char* name, const char* outcomes, bool split, double gateway, const char* reason) {
            QTest::newRow(name) << QByteArray(outcomes) << split << gateway << QByteArray(reason);
        };
    row("four of five", "gggg", false, 0, "");
    row("five", "fffff", false, 0, "5 consecutive 5xx (500); back in 30 s");
    row("the last status is told", "ffffg", false, 0, "5 consecutive 5xx (503); back in 30 s");
    row("a success forgives", "ffffsffff", false, 0, "");
    row("no answer is a 5xx",
        "gctfc",
        false,
        0,
        "5 consecutive 5xx (connection failure); back in 30 s");
    row("gateway failures",
        "ggggg",
        false,
        100,
        "5 consecutive gateway failures (503); back in 30 s");
    row("timeouts are gateway failures",
        "ttttt",
        false,
        100,
        "5 consecutive gateway failures (timeout); back in 30 s");
    row("a 500 is none", "ggfgg", false, 100, "5 consecutive 5xx (503); back in 30 s");
    row("split: no answer is not a 5xx", "ggggcg", true, 0, "5 consecutive 5xx (503); back in 30 s"
    );
    row("split: no answer is counted apart", "gcgcgc", true, 0, "");
    row("split: in a row",
        "ccctt",
        true,
        0,
        "5 consecutive failures without an answer (timeout); back in 30 s");
    row("split: any answer forgives", "ccccgcccc", true, 0, "");
}

void OutlierTest::ejectsAfterFailuresInARow()
{
    QFETCH(const QByteArray, outcomes);
    QFETCH(const bool, split);
    QFETCH(const double, gateway);
    QFETCH(const QByteArray, reason);
    model::OutlierDetection settings;
    settings.splitLocalOrigin = split;
    settings.enforcingConsecutiveGatewayFailure = gateway;
    OutlierDetector detector(settings, 3, TimePoint(0s));

    const auto verdict = feed(
        detector, TimePoint(1s), 1, {outcomes.data(), static_cast<std::size_t>(outcomes.size())}
    );

    QCOMPARE(detector.isEjected(1), !reason.isEmpty());
    QCOMPARE(toBytes(detector.reason(TimePoint(1s), 1)), reason);
    QCOMPARE(verdict.has_value(), !reason.isEmpty());
    if (verdict) {
        QVERIFY(verdict->kind == OutlierVerdict::Kind::Ejected);
        QCOMPARE(verdict->host, std::size_t{1});
        QVERIFY(verdict->until == TimePoint(31s));
        QCOMPARE(toBytes(verdict->reason), reason);
    }
}

void OutlierTest::countsBatchesOfSuccesses()
{
    OutlierDetector detector(model::OutlierDetection(), 3, TimePoint(0s));
    feed(detector, TimePoint(1s), 0, "ffff");
    detector.observeSuccesses(0, 0);
    QVERIFY(feed(detector, TimePoint(1s), 0, "f"));

    feed(detector, TimePoint(1s), 1, "ffff");
    detector.observeSuccesses(1, 1);
    QVERIFY(!feed(detector, TimePoint(1s), 1, "ffff"));
}

void OutlierTest::allowsAsManyAsThePercentageSays_data()
{
    QTest::addColumn<int>("hosts");
    QTest::addColumn<double>("percent");
    QTest::addColumn<int>("allowed");

    const auto row = [](const char* name, int hosts, double percent, int allowed) {
        QTest::newRow(name) << hosts << percent << allowed;
    };
    row("no host", 0, 100, 0);
    row("the only host", 1, 10, 0);
    row("the only host and everything allowed", 1, 100, 1);
    row("always one of two", 2, 0, 1);
    row("always one of three", 3, 10, 1);
    row("rounded down", 19, 10, 1);
    row("exactly two", 20, 10, 2);
    row("exact in percent", 25, 28, 7);
    row("half", 5, 50, 2);
    row("all", 5, 100, 5);
}

void OutlierTest::allowsAsManyAsThePercentageSays()
{
    QFETCH(const int, hosts);
    QFETCH(const double, percent);
    QFETCH(const int, allowed);
    model::OutlierDetection settings;
    settings.maxEjectionPercent = percent;
    OutlierDetector detector(settings, static_cast<std::size_t>(hosts), TimePoint(0s));

    for (std::size_t host = 0; host < detector.size(); ++host) {
        feed(detector, TimePoint(1s), host, "fffff");
    }

    QCOMPARE(detector.ejectedCount(), static_cast<std::size_t>(allowed));
    QCOMPARE(detector.ejectedMax(), static_cast<std::size_t>(allowed));
    const auto& counts = detector.counts(OutlierDetectorKind::Consecutive5xx);
    QCOMPARE(counts.detected, static_cast<std::uint64_t>(hosts));
    QCOMPARE(counts.enforced, static_cast<std::uint64_t>(allowed));
    QCOMPARE(counts.overflow, static_cast<std::uint64_t>(hosts - allowed));
}

void OutlierTest::tellsASuppressedEjectionOnce()
{
    Random random(Seed{1});
    OutlierDetector detector(model::OutlierDetection(), 3, TimePoint(0s));
    feed(detector, TimePoint(1s), 0, "ggggg");

    const auto verdict = feed(detector, TimePoint(1s), 1, "ggggg");

    QVERIFY(verdict && verdict->kind == OutlierVerdict::Kind::Suppressed);
    const QByteArray words = "would be ejected for 5 consecutive 5xx (503), but 1 of 3 is already "
                             "ejected and max_ejection_percent is 10";
    QCOMPARE(toBytes(verdict->reason), words);
    QCOMPARE(toBytes(detector.suppressed(1)), words);
    QVERIFY(!feed(detector, TimePoint(2s), 1, "ggggg"));
    QVERIFY(detector.sweep(TimePoint(10s), random).empty());
    QVERIFY(!feed(detector, TimePoint(12s), 1, "ggggg"));
    QVERIFY(detector.sweep(TimePoint(20s), random).empty());
    QCOMPARE(toBytes(detector.suppressed(1)), words);
    QCOMPARE(detector.counts(OutlierDetectorKind::Consecutive5xx).overflow, 3U);

    // An interval without cause ends it.
    QVERIFY(detector.sweep(TimePoint(30s), random).empty());
    QVERIFY(detector.suppressed(1).empty());
    QVERIFY(feed(detector, TimePoint(30s), 1, "ggggg"));

    // So does room for one more.
    QCOMPARE(detector.sweep(TimePoint(40s), random).size(), std::size_t{1});
    QVERIFY(detector.suppressed(1).empty());
    const auto late = feed(detector, TimePoint(40s), 1, "ggggg");
    QVERIFY(late && late->kind == OutlierVerdict::Kind::Ejected);
}

void OutlierTest::saysThatTheOnlyHostStays()
{
    OutlierDetector detector(model::OutlierDetection(), 1, TimePoint(0s));
    feed(detector, TimePoint(1s), 0, "fffff");
    QCOMPARE(
        toBytes(detector.suppressed(0)),
        QByteArray("would be ejected for 5 consecutive 5xx (500), but it is the only host")
    );
}

void OutlierTest::returnsAtTheSweepAfterItsTime()
{
    Random random(Seed{1});
    OutlierDetector detector(model::OutlierDetection(), 3, TimePoint(0s));
    QVERIFY(detector.nextSweepAt() == TimePoint(10s));
    feed(detector, TimePoint(1s), 2, "fffff");

    for (const Duration at : {10s, 20s, 30s}) {
        QVERIFY(detector.sweep(TimePoint(at), random).empty());
    }
    QCOMPARE(
        toBytes(detector.reason(TimePoint(30500ms), 2)),
        QByteArray("5 consecutive 5xx (500); back in 500 ms")
    );
    QCOMPARE(
        toBytes(detector.reason(TimePoint(31s), 2)),
        QByteArray("5 consecutive 5xx (500); back at the next sweep")
    );
    const auto verdicts = detector.sweep(TimePoint(40s), random);

    QCOMPARE(verdicts.size(), std::size_t{1});
    QVERIFY(verdicts[0].kind == OutlierVerdict::Kind::Returned);
    QCOMPARE(verdicts[0].host, std::size_t{2});
    QVERIFY(!detector.isEjected(2));
    QVERIFY(detector.reason(TimePoint(40s), 2).empty());
    QVERIFY(!feed(detector, TimePoint(41s), 2, "ffff"));
}

void OutlierTest::staysOutLongerEachTime()
{
    Random random(Seed{1});
    model::OutlierDetection settings;
    settings.maxEjection = 70s;
    OutlierDetector detector(settings, 3, TimePoint(0s));
    TimePoint now(0s);
    for (const Duration length : {30s, 60s, 70s, 70s}) {
        const auto verdict = feed(detector, now, 0, "fffff");
        QVERIFY(verdict);
        QVERIFY(verdict->until - now == length);
        now = verdict->until;
        QCOMPARE(detector.sweep(now, random).size(), std::size_t{1});
    }
    QCOMPARE(detector.timesEjected(0), 4U);

    // Each sweep in peace forgives one ejection.
    for (int i = 0; i < 3; ++i) {
        QVERIFY(detector.sweep(now += 10s, random).empty());
    }
    const auto verdict = feed(detector, now, 0, "fffff");
    QVERIFY(verdict && verdict->until - now == 60s);
}

void OutlierTest::addsJitterToTheEjection()
{
    model::OutlierDetection settings;
    settings.ejectionJitter = 10s;
    Random random(Seed{3});
    Duration least = Duration::max();
    Duration most = Duration::min();
    for (int i = 0; i < 200; ++i) {
        OutlierDetector detector(settings, 2, TimePoint(0s));
        for (int j = 0; j < 5; ++j) {
            static_cast<void>(detector.observe(TimePoint(0s), 0, toOutcome('f'), random));
        }
        const Duration length = detector.ejection(0)->until - TimePoint(0s);
        least = std::min(least, length);
        most = std::max(most, length);
    }
    QVERIFY(least >= 30s && least < 31s);
    QVERIFY(most <= 40s && most > 39s);
}

void OutlierTest::ejectsByFailurePercentage()
{
    Random random(Seed{1});
    model::OutlierDetection settings = makeRateSettings();
    settings.failurePercentage = model::OutlierDetection::FailurePercentage();
    OutlierDetector detector(settings, 5, TimePoint(0s));
    feedShare(detector, 0, 100, 85);
    feedShare(detector, 1, 100, 84);
    for (const std::size_t host : {2U, 3U, 4U}) {
        feedShare(detector, host, 100, 0);
    }

    const auto verdicts = detector.sweep(TimePoint(10s), random);

    QCOMPARE(verdicts.size(), std::size_t{1});
    QCOMPARE(verdicts[0].host, std::size_t{0});
    QVERIFY(verdicts[0].until == TimePoint(40s));
    QCOMPARE(
        toBytes(verdicts[0].reason),
        QByteArray("85.0 % of 100 requests failed, the limit being 85 %; back in 30 s")
    );
    // The next sweep sees only what came since.
    QVERIFY(detector.sweep(TimePoint(20s), random).empty());
}

void OutlierTest::ejectsBySuccessRate()
{
    Random random(Seed{1});
    model::OutlierDetection settings = makeRateSettings();
    settings.successRate = model::OutlierDetection::SuccessRate();
    OutlierDetector detector(settings, 10, TimePoint(0s));
    for (std::size_t host = 0; host < 9; ++host) {
        feedShare(detector, host, 100, 0);
    }
    feedShare(detector, 9, 100, 50);

    // Mean 95, deviation 15: the limit is 95 - 1.9 * 15 = 66.5.
    const auto verdicts = detector.sweep(TimePoint(10s), random);

    QCOMPARE(verdicts.size(), std::size_t{1});
    QCOMPARE(verdicts[0].host, std::size_t{9});
    QCOMPARE(
        toBytes(verdicts[0].reason),
        QByteArray("a success rate of 50.0 % in 100 requests, below 66.5 %; back in 30 s")
    );

    // Hosts that are all alike are none of them outliers, whatever the rounding.
    OutlierDetector alike(settings, 7, TimePoint(0s));
    for (std::size_t host = 0; host < 7; ++host) {
        feedShare(alike, host, 103, 31);
    }
    QVERIFY(alike.sweep(TimePoint(10s), random).empty());
}

void OutlierTest::judgesOnlyEnoughHostsWithEnoughRequests()
{
    Random random(Seed{1});
    model::OutlierDetection settings = makeRateSettings();
    settings.failurePercentage = model::OutlierDetection::FailurePercentage();
    for (const int volume : {49, 50}) {
        OutlierDetector detector(settings, 5, TimePoint(0s));
        for (std::size_t host = 0; host < 5; ++host) {
            feedShare(detector, host, host == 0 ? volume : 50, host == 0 ? volume : 0);
        }
        // Below the volume there are only four hosts to judge, one less than needed.
        QCOMPARE(detector.sweep(TimePoint(10s), random).size(), std::size_t(volume == 50 ? 1 : 0));
    }
}

void OutlierTest::ejectsByAnswersAtAll()
{
    Random random(Seed{1});
    model::OutlierDetection settings = makeRateSettings();
    settings.splitLocalOrigin = true;
    settings.consecutiveLocalOriginFailure = 0;
    settings.successRate = model::OutlierDetection::SuccessRate();
    OutlierDetector detector(settings, 10, TimePoint(0s));
    for (std::size_t host = 0; host < 9; ++host) {
        feedShare(detector, host, 200, 100);
    }
    feed(detector, TimePoint(1s), 9, std::string(100, 'c') + std::string(100, 'g'));

    const auto verdicts = detector.sweep(TimePoint(10s), random);

    // By statuses host 9 is below the others, too; but what it did not answer is no status.
    QCOMPARE(verdicts.size(), std::size_t{1});
    QCOMPARE(verdicts[0].host, std::size_t{9});
    QVERIFY(verdicts[0].detector == OutlierDetectorKind::SuccessRate);
    QCOMPARE(detector.counts(OutlierDetectorKind::LocalOriginSuccessRate).detected, 0U);

    detector = OutlierDetector(settings, 10, TimePoint(0s));
    for (std::size_t host = 0; host < 9; ++host) {
        feedShare(detector, host, 200, 0);
    }
    feed(detector, TimePoint(1s), 9, std::string(100, 'c'));
    detector.observeSuccesses(9, 100);
    const auto local = detector.sweep(TimePoint(10s), random);
    QCOMPARE(local.size(), std::size_t{1});
    QVERIFY(local[0].detector == OutlierDetectorKind::LocalOriginSuccessRate);
    QCOMPARE(
        toBytes(local[0].reason),
        QByteArray("answers to 50.0 % of 200 requests, below 66.5 %; back in 30 s")
    );
}

void OutlierTest::countsWhatIsNotEnforced()
{
    model::OutlierDetection settings;
    settings.enforcingConsecutive5xx = 0;
    OutlierDetector detector(settings, 3, TimePoint(0s));

    QVERIFY(!feed(detector, TimePoint(1s), 0, "gggggggggg"));

    const OutlierDetector::Counts expected{2, 0, 0};
    QVERIFY(detector.counts(OutlierDetectorKind::Consecutive5xx) == expected);
    QVERIFY(detector.counts(OutlierDetectorKind::ConsecutiveGatewayFailure) == expected);
    QVERIFY(!detector.isEjected(0));
    QVERIFY(detector.suppressed(0).empty());
}

void OutlierTest::listensToActiveChecksAndOperators()
{
    for (const bool isHeard : {false, true}) {
        model::OutlierDetection settings;
        settings.unejectOnActiveSuccess = isHeard;
        OutlierDetector detector(settings, 3, TimePoint(0s));
        QVERIFY(!detector.onActiveSuccess(0));
        feed(detector, TimePoint(1s), 0, "fffff");
        QCOMPARE(detector.onActiveSuccess(0).has_value(), isHeard);
        QCOMPARE(detector.isEjected(0), !isHeard);
    }

    OutlierDetector detector(model::OutlierDetection(), 3, TimePoint(0s));
    feed(detector, TimePoint(1s), 0, "fffff");
    const auto verdict = detector.onOperatorHealthy(0);
    QVERIFY(verdict && verdict->kind == OutlierVerdict::Kind::Returned);
    QCOMPARE(toBytes(verdict->reason), QByteArray("set by an operator"));
    QVERIFY(!detector.onOperatorHealthy(0));
    QVERIFY(feed(detector, TimePoint(2s), 0, "fffff")->until == TimePoint(32s));
}

void OutlierTest::keepsItsStateAcrossANewListOfTargets()
{
    constexpr std::size_t kNoHost = OutlierDetector::kNoHost;
    model::OutlierDetection settings;
    settings.maxEjectionPercent = 50;
    OutlierDetector before(settings, 4, TimePoint(0s));
    feed(before, TimePoint(1s), 3, "fffff");
    feed(before, TimePoint(2s), 1, "fffff");
    feed(before, TimePoint(2s), 0, "ffff");

    const std::vector<std::size_t> grown = {1, kNoHost, 0, 3, kNoHost};
    OutlierDetector after(settings, 5, TimePoint(5s));
    QVERIFY(after.adopt(TimePoint(5s), before, grown).empty());
    QVERIFY(after.isEjected(0) && after.isEjected(3));
    QCOMPARE(after.ejectedCount(), std::size_t{2});
    QVERIFY(after.ejection(3)->until == TimePoint(31s));
    QVERIFY(after.nextSweepAt() == TimePoint(10s));
    QCOMPARE(after.counts(OutlierDetectorKind::Consecutive5xx).enforced, 2U);
    QVERIFY(feed(after, TimePoint(6s), 2, "f")->kind == OutlierVerdict::Kind::Suppressed);

    // Two of two is too many; the one whose time is over first returns.
    const std::vector<std::size_t> shrunk = {3, 1};
    OutlierDetector fewer(settings, 2, TimePoint(5s));
    const auto verdicts = fewer.adopt(TimePoint(5s), before, shrunk);
    QCOMPARE(verdicts.size(), std::size_t{1});
    QCOMPARE(verdicts[0].host, std::size_t{0});
    QVERIFY(fewer.isEjected(1));

    // A shorter ejection is shorter at once.
    settings.baseEjection = 1s;
    settings.maxEjection = 2s;
    OutlierDetector shorter(settings, 4, TimePoint(5s));
    const std::vector<std::size_t> same = {0, 1, 2, 3};
    QVERIFY(shorter.adopt(TimePoint(5s), before, same).empty());
    QVERIFY(shorter.ejection(1)->until == TimePoint(7s));
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::OutlierTest)
#include "outlier_test.moc"
