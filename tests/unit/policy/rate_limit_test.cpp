#include "proxyengine/policy/rate_limit.h"

#include "proxyengine/base/random.h"

#include <QTest>

#include <fmt/format.h>

#include <limits>

// Goal: each algorithm admits what its limit says, and tells the client the truth about it.
// Method: the reference's vectors; hand-made times. What must hold of every run is in
// tests/property/rate_limit_property.cpp.
namespace mesh::policy {

using namespace std::chrono_literals;
using model::RateAlgorithm;

class RateLimitTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void refusesTheSixtyFirstOfAMinute();
    void alignsWindowsToUtc_data();
    void alignsWindowsToUtc();
    void countsALaggingClockIntoTheNewestWindow();
    void beginsAnewWhenTheClockWasSetBack();
    void refillsABucketSteadily();
    void letsABurstDifferFromTheRate();
    void tellsTheTruthAboutWaiting_data();
    void tellsTheTruthAboutWaiting();
    void admitsAWholeWindowFromRest_data();
    void admitsAWholeWindowFromRest();
    void admitsMostOfTheLimitUnderPressure_data();
    void admitsMostOfTheLimitUnderPressure();
    void givesBackWhatAnotherLimitRefused_data();
    void givesBackWhatAnotherLimitRefused();
    void isAtRestAgainInTime_data();
    void isAtRestAgainInTime();
    void namesItsHeaders();
    void picksTheTighterLimit();
    void keepsHugeSettingsInRange();
};

namespace {

RateRule ruleOf(RateAlgorithm algorithm, int requests, Duration per, std::optional<int> burst = {})
{
    model::RateLimit settings;
    settings.algorithm = algorithm;
    settings.requests = requests;
    settings.per = per;
    settings.burst = burst;
    return RateRule(settings);
}

// Both clocks at this many seconds after their beginning.
RateNow at(Duration time)
{
    return {TimePoint(time), WallTime(std::chrono::duration_cast<WallTime::duration>(time))};
}

int admittedOf(const RateRule& rule, std::uint64_t& word, RateNow now, int asked)
{
    int admitted = 0;
    for (int i = 0; i < asked; ++i) {
        admitted += rule.take(word, now).isAdmitted ? 1 : 0;
    }
    return admitted;
}

void eachAlgorithm()
{
    QTest::addColumn<int>("algorithm");
    QTest::newRow("token bucket") << static_cast<int>(RateAlgorithm::TokenBucket);
    QTest::newRow("fixed window") << static_cast<int>(RateAlgorithm::FixedWindow);
    QTest::newRow("sliding window") << static_cast<int>(RateAlgorithm::SlidingWindow);
}

} // namespace

void RateLimitTest::refusesTheSixtyFirstOfAMinute()
{
    const RateRule rule = ruleOf(RateAlgorithm::FixedWindow, 60, 60s);
    const RateNow now = at(1'700'000'012s); // 28 s before the next UTC minute.
    std::uint64_t word = 0;
    for (int i = 0; i < 60; ++i) {
        const RateVerdict verdict = rule.take(word, now);
        QVERIFY(verdict.isAdmitted);
        QCOMPARE(verdict.remaining, std::int64_t{59 - i});
        QCOMPARE(verdict.limit, std::int64_t{60});
    }

    const RateVerdict refused = rule.take(word, now);

    QVERIFY(!refused.isAdmitted);
    QCOMPARE(refused.remaining, std::int64_t{0});
    QVERIFY(refused.retryAfter == 28s);
    QCOMPARE(refused.resetSeconds, std::int64_t{28});
    QVERIFY(rule.take(word, at(1'700'000'040s)).isAdmitted);
}

void RateLimitTest::alignsWindowsToUtc_data()
{
    QTest::addColumn<int>("window");
    QTest::addColumn<qint64>("begin");
    QTest::addColumn<qint64>("end");
    QTest::newRow("second") << 1 << qint64{1'709'210'096} << qint64{1'709'210'097};
    QTest::newRow("seven seconds") << 7 << qint64{1'709'210'090} << qint64{1'709'210'097};
    QTest::newRow("hour") << 3600 << qint64{1'709'208'000} << qint64{1'709'211'600};
    QTest::newRow("day") << 86'400 << qint64{1'709'164'800} << qint64{1'709'251'200};
    // February and the year of 2024, which has a 29th.
    QTest::newRow("month") << -1 << qint64{1'706'745'600} << qint64{1'709'251'200};
    QTest::newRow("year") << -2 << qint64{1'704'067'200} << qint64{1'735'689'600};
}

void RateLimitTest::alignsWindowsToUtc()
{
    QFETCH(const int, window);
    QFETCH(const qint64, begin);
    QFETCH(const qint64, end);
    const RateRule rule = window == -1 ? RateRule(1, RateRule::Calendar::Month)
                          : window == -2
                              ? RateRule(1, RateRule::Calendar::Year)
                              : ruleOf(RateAlgorithm::FixedWindow, 1, std::chrono::seconds(window));
    std::uint64_t word = 0;

    QVERIFY(rule.take(word, at(std::chrono::seconds(begin) - 1us)).isAdmitted);
    const RateVerdict first = rule.take(word, at(std::chrono::seconds(begin)));
    const RateVerdict last = rule.take(word, at(std::chrono::seconds(end) - 1us));

    QVERIFY(first.isAdmitted && !last.isAdmitted);
    QCOMPARE(first.resetSeconds, std::int64_t{end - begin});
    QVERIFY(last.retryAfter == 1us);
    QCOMPARE(last.resetSeconds, std::int64_t{1});
    QVERIFY(rule.take(word, at(std::chrono::seconds(end))).isAdmitted);
}

void RateLimitTest::countsALaggingClockIntoTheNewestWindow()
{
    const RateRule rule = ruleOf(RateAlgorithm::FixedWindow, 2, 1s);
    std::uint64_t word = 0;

    QVERIFY(rule.take(word, at(100s)).isAdmitted);
    const RateVerdict lagging = rule.take(word, at(99'990ms));
    QVERIFY(lagging.isAdmitted);
    QCOMPARE(lagging.resetSeconds, std::int64_t{2}); // 1.01 s to the end of the newest window.
    QVERIFY(!rule.take(word, at(99'990ms)).isAdmitted);
    QVERIFY(!rule.take(word, at(100s)).isAdmitted);
    QVERIFY(rule.take(word, at(101s)).isAdmitted);
}

void RateLimitTest::beginsAnewWhenTheClockWasSetBack()
{
    const RateRule rule = ruleOf(RateAlgorithm::FixedWindow, 1, 1s);
    std::uint64_t word = 0;
    QVERIFY(rule.take(word, at(10'000s)).isAdmitted);

    QVERIFY(rule.take(word, at(6'400s)).isAdmitted);

    QVERIFY(!rule.take(word, at(6'400s)).isAdmitted);
}

void RateLimitTest::refillsABucketSteadily()
{
    const RateRule rule = ruleOf(RateAlgorithm::TokenBucket, 10, 1s);
    std::uint64_t word = 0;

    QCOMPARE(admittedOf(rule, word, at(50s), 100), 10);
    QCOMPARE(admittedOf(rule, word, at(50s + 99ms), 100), 0);
    QCOMPARE(admittedOf(rule, word, at(50s + 100ms), 100), 1);
    QCOMPARE(admittedOf(rule, word, at(50s + 400ms), 100), 3);
    QCOMPARE(admittedOf(rule, word, at(90s), 100), 10); // Never more than full.
}

void RateLimitTest::letsABurstDifferFromTheRate()
{
    const RateRule small = ruleOf(RateAlgorithm::TokenBucket, 100, 1s, 1);
    const RateRule large = ruleOf(RateAlgorithm::TokenBucket, 1, 1s, 500);
    std::uint64_t one = 0;
    std::uint64_t other = 0;

    QCOMPARE(admittedOf(small, one, at(5s), 10), 1);
    QCOMPARE(admittedOf(small, one, at(5s + 10ms), 10), 1);
    QCOMPARE(admittedOf(large, other, at(5s), 1000), 500);
    QCOMPARE(admittedOf(large, other, at(6s), 1000), 1);
    QCOMPARE(large.limit(), std::int64_t{500});
}

void RateLimitTest::tellsTheTruthAboutWaiting_data() { eachAlgorithm(); }

void RateLimitTest::tellsTheTruthAboutWaiting()
{
    QFETCH(const int, algorithm);
    const RateRule rule = ruleOf(static_cast<RateAlgorithm>(algorithm), 200, 3s);
    Random random(Seed{77});
    std::uint64_t word = 0;
    Duration time = 1000s;
    int refusals = 0;
    for (int i = 0; i < 20'000; ++i) {
        time += Duration(static_cast<std::int64_t>(random.below(20'000'000)));
        const std::uint64_t before = word;
        const RateVerdict verdict = rule.take(word, at(time));
        if (verdict.isAdmitted) {
            // As many as it says, and not one more.
            std::uint64_t copy = word;
            const auto more = static_cast<int>(verdict.remaining);
            QCOMPARE(admittedOf(rule, copy, at(time), more + 1), more);
            QVERIFY(rule.isAtRest(word, at(time + std::chrono::seconds(verdict.resetSeconds + 1))));
            continue;
        }
        ++refusals;
        QCOMPARE(word, before);
        std::uint64_t early = word;
        std::uint64_t late = word;
        // The wall counts in microseconds.
        QVERIFY(!rule.take(early, at(time + verdict.retryAfter - 1us)).isAdmitted);
        QVERIFY(rule.take(late, at(time + verdict.retryAfter + 1us)).isAdmitted);
    }
    QVERIFY(refusals > 1000);
}

void RateLimitTest::admitsAWholeWindowFromRest_data()
{
    QTest::addColumn<int>("requests");
    QTest::addColumn<int>("parts");
    for (const auto& [requests, parts] : std::vector<std::pair<int, int>>{
             {1, 7},
             {2, 7},
             {63, 7},
             {64, 7},
             {1008, 7},
             {1009, 6},
             {64'512, 6},
             {64'513, 5},
             {1'000'000, 5}}) {
        QTest::newRow(fmt::format("{}", requests).c_str()) << requests << parts;
    }
}

void RateLimitTest::admitsAWholeWindowFromRest()
{
    QFETCH(const int, requests);
    QFETCH(const int, parts);
    const RateRule rule = ruleOf(RateAlgorithm::SlidingWindow, requests, 1s);
    const SlidingWindow window(requests, 1s);
    std::uint64_t word = 0;

    QCOMPARE(window.parts(), parts);
    QCOMPARE(admittedOf(rule, word, at(77s), requests + 100), requests);
    QVERIFY(word != RateRule::kNoWord);
    QCOMPARE(admittedOf(rule, word, at(77s + 999ms), 100), 0);
    QCOMPARE(admittedOf(rule, word, at(80s), requests + 100), requests);
}

void RateLimitTest::admitsMostOfTheLimitUnderPressure_data()
{
    QTest::addColumn<int>("requests");
    QTest::addColumn<double>("share");
    QTest::newRow("7") << 7 << 0.85;
    QTest::newRow("60") << 60 << 0.85;
    QTest::newRow("1000") << 1000 << 0.82;
    QTest::newRow("100 000") << 100'000 << 0.80;
}

void RateLimitTest::admitsMostOfTheLimitUnderPressure()
{
    QFETCH(const int, requests);
    QFETCH(const double, share);
    const RateRule rule = ruleOf(RateAlgorithm::SlidingWindow, requests, 10s);
    std::uint64_t word = 0;
    std::int64_t admitted = 0;
    constexpr int kWindows = 20;

    // Three times the limit, evenly.
    const Duration gap = Duration(10s) / (3 * requests);
    for (int i = 0; i < kWindows * 3 * requests; ++i) {
        admitted += rule.take(word, at(500s + gap * i)).isAdmitted ? 1 : 0;
    }

    QVERIFY2(
        static_cast<double>(admitted) >= share * kWindows * requests,
        fmt::format("{} of {}", admitted, kWindows * requests).c_str()
    );
}

void RateLimitTest::givesBackWhatAnotherLimitRefused_data() { eachAlgorithm(); }

void RateLimitTest::givesBackWhatAnotherLimitRefused()
{
    QFETCH(const int, algorithm);
    for (const int requests : {5, 500}) {
        const RateRule rule = ruleOf(static_cast<RateAlgorithm>(algorithm), requests, 10s);
        std::uint64_t word = 0;
        for (int i = 0; i < 10'000; ++i) {
            QVERIFY(rule.take(word, at(1005s)).isAdmitted);
            rule.giveBack(word, at(1005s));
        }
        QCOMPARE(admittedOf(rule, word, at(1005s), 1000), requests);

        // Of a past window there is nothing to give back, and never more than was taken.
        std::uint64_t fresh = 0;
        rule.giveBack(fresh, at(1005s));
        QCOMPARE(admittedOf(rule, fresh, at(1005s), 1000), requests);
    }
}

void RateLimitTest::isAtRestAgainInTime_data() { eachAlgorithm(); }

void RateLimitTest::isAtRestAgainInTime()
{
    QFETCH(const int, algorithm);
    const RateRule rule = ruleOf(static_cast<RateAlgorithm>(algorithm), 4, 10s);
    std::uint64_t word = 0;

    QVERIFY(rule.isAtRest(word, at(0s)) && rule.isAtRest(word, at(1005s)));
    QVERIFY(rule.take(word, at(1005s)).isAdmitted);
    QVERIFY(!rule.isAtRest(word, at(1005s)));
    QVERIFY(rule.isAtRest(word, at(1017s)));
    QVERIFY(rule.isAtRest(word, at(100'000s)));
}

void RateLimitTest::namesItsHeaders()
{
    const auto text = [](const RateHeaders& headers) {
        std::string lines;
        for (const RateHeader& header : headers.all()) {
            lines += fmt::format("{}: {}\n", header.name, header.value);
        }
        return lines;
    };
    const RateVerdict admitted{true, 60, 12, 0s, 31};
    const RateVerdict refused{false, 60, 0, 2100ms, 31};

    QCOMPARE(
        text(rateHeaders(admitted)),
        std::string("RateLimit-Limit: 60\nRateLimit-Remaining: 12\nRateLimit-Reset: 31\n")
    );
    QCOMPARE(
        text(rateHeaders(refused)),
        std::string("RateLimit-Limit: 60\nRateLimit-Remaining: 0\nRateLimit-Reset: 31\n"
                    "Retry-After: 3\n")
    );
    QCOMPARE(
        text(periodHeaders(admitted, 60s)),
        std::string("X-RateLimit-Limit-Minute: 60\nX-RateLimit-Remaining-Minute: 12\n")
    );
    QCOMPARE(text(periodHeaders(admitted, 7s)), std::string());
    QCOMPARE(toRetryAfterSeconds(0s), std::int64_t{1});
    QCOMPARE(toRetryAfterSeconds(1s), std::int64_t{1});
    QCOMPARE(toRetryAfterSeconds(1s + 1ns), std::int64_t{2});
}

void RateLimitTest::picksTheTighterLimit()
{
    const RateVerdict few{true, 10, 1, 0s, 1};
    const RateVerdict many{true, 10, 2, 0s, 1};

    QVERIFY(isTighter(few, 1s, many, 60s) && !isTighter(many, 60s, few, 1s));
    QVERIFY(isTighter(few, 60s, few, 1s) && !isTighter(few, 1s, few, 60s));
}

void RateLimitTest::keepsHugeSettingsInRange()
{
    constexpr int kMost = std::numeric_limits<int>::max();
    const Duration late = std::chrono::hours(24 * 365 * 50);
    for (int algorithm = 0; algorithm < 3; ++algorithm) {
        for (const Duration per : {Duration(1ms), Duration(24h)}) {
            for (const int requests : {1, kMost}) {
                const RateRule rule =
                    ruleOf(static_cast<RateAlgorithm>(algorithm), requests, per, kMost);
                std::uint64_t word = 0;
                const RateVerdict verdict = rule.take(word, at(late));
                QVERIFY(verdict.isAdmitted);
                QVERIFY(verdict.remaining >= 0 && verdict.resetSeconds >= 1);
                QVERIFY(word != RateRule::kNoWord && !rule.isAtRest(word, at(late)));
            }
        }
    }
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::RateLimitTest)
#include "rate_limit_test.moc"
