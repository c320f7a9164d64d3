#include "proxyengine/policy/rate_table.h"

#include "tests/support/meeting.h"
#include "tests/support/seeded_run.h"

#include <QTest>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <vector>

// Goal: however many threads ask at once, and however often entries change their keys, no key gets
//       more than its limit, and a key that is alone in its bucket gets all of it.
// Method: threads on a small table under one clock that they move on together. The mutant is a
//         table of plain stores; all threads look before any writes, so that it is caught for
//         certain and not by luck.
namespace mesh::policy {

using namespace std::chrono_literals;

class RateTableProperty : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void admitsExactlyTheLimitAtOnce_data();
    void admitsExactlyTheLimitAtOnce();
    void keepsTheRateWhileEntriesChangeHands_data();
    void keepsTheRateWhileEntriesChangeHands();
    void catchesPlainStores();
};

namespace {

constexpr std::uint32_t kThreads = 4;

model::RateLimit limitOf(model::RateAlgorithm algorithm, int requests)
{
    model::RateLimit settings;
    settings.algorithm = algorithm;
    settings.requests = requests;
    return settings;
}

RateNow at(Duration time)
{
    return {TimePoint(time), WallTime(std::chrono::duration_cast<WallTime::duration>(time))};
}

// One key, one word, and no care.
class PlainTable
{
public:
    explicit PlainTable(const RateRule& rule)
        : m_rule(rule)
    {}
    RateVerdict take(std::string_view /*key*/, RateNow now)
    {
        std::uint64_t word = m_word.load();
        if (word == 0) {
            m_meeting.wait();
        }
        const RateVerdict verdict = m_rule.take(word, now);
        m_word.store(word);
        return verdict;
    }

private:
    RateRule m_rule;
    std::atomic<std::uint64_t> m_word{0};
    test::Meeting m_meeting{kThreads};
};

// How many each of the keys got, all asked for by all threads at one time.
template <typename Table>
std::vector<int> admittedAtOnce(Table& table, std::uint32_t keys, int asked, Seed seed)
{
    std::vector<std::atomic<int>> admitted(keys);
    test::Meeting meeting(kThreads);
    test::runThreads(kThreads, [&](std::uint32_t thread) {
        Random random(deriveSeed(seed, thread));
        meeting.wait();
        for (int i = 0; i < asked; ++i) {
            const auto key = static_cast<std::uint32_t>(random.below(keys));
            if (table.take(fmt::format("key {}", key), at(1000s)).isAdmitted) {
                admitted[key].fetch_add(1);
            }
        }
    });
    return {admitted.begin(), admitted.end()};
}

void eachAlgorithm()
{
    QTest::addColumn<int>("algorithm");
    QTest::newRow("token bucket") << static_cast<int>(model::RateAlgorithm::TokenBucket);
    QTest::newRow("fixed window") << static_cast<int>(model::RateAlgorithm::FixedWindow);
    QTest::newRow("sliding window") << static_cast<int>(model::RateAlgorithm::SlidingWindow);
}

} // namespace

void RateTableProperty::admitsExactlyTheLimitAtOnce_data() { eachAlgorithm(); }

void RateTableProperty::admitsExactlyTheLimitAtOnce()
{
    QFETCH(const int, algorithm);
    const Seed seed = test::firstSeed();
    for (std::uint64_t run = 0; run < 10; ++run) {
        const RateRule rule(limitOf(static_cast<model::RateAlgorithm>(algorithm), 100));
        RateTable table(rule, 16, run);

        const std::vector<int> admitted = admittedAtOnce(table, 10, 1500, deriveSeed(seed, run));

        QVERIFY(std::ranges::max(admitted) <= 100);
        // A thread that was suspended while it placed a key may have sent others to the shared
        // state; who began there gets less.
        if (table.overflows() == 0) {
            QCOMPARE(admitted, std::vector<int>(10, 100));
        }
    }
}

void RateTableProperty::keepsTheRateWhileEntriesChangeHands_data() { eachAlgorithm(); }

void RateTableProperty::keepsTheRateWhileEntriesChangeHands()
{
    QFETCH(const int, algorithm);
    constexpr std::uint32_t kKeys = 60; // For 16 entries.
    constexpr int kLimit = 3;
    const Seed seed = test::firstSeed();
    RateTable table(RateRule(limitOf(static_cast<model::RateAlgorithm>(algorithm), kLimit)), 16, 5);
    std::vector<std::atomic<int>> admitted(kKeys);
    std::atomic<std::int64_t> time{std::chrono::nanoseconds(1000s).count()};
    test::Meeting meeting(kThreads);

    test::runThreads(kThreads, [&](std::uint32_t thread) {
        Random random(deriveSeed(seed, thread));
        meeting.wait();
        for (int i = 0; i < 20'000; ++i) {
            const Duration now(time.fetch_add(static_cast<std::int64_t>(random.below(1'000'000))));
            const auto key = static_cast<std::uint32_t>(random.below(kKeys));
            const std::string text = fmt::format("key {}", key);
            if (table.take(text, at(now)).isAdmitted) {
                admitted[key].fetch_add(1);
            }
        }
    });

    // 40 s of 3 a second; a fixed window may have one more at its beginning.
    const Duration passed = Duration(time.load()) - 1000s;
    const auto most = static_cast<int>(kLimit * (2 + passed / 1s));
    int busiest = 0;
    for (const std::atomic<int>& count : admitted) {
        QVERIFY2(count.load() <= most, fmt::format("{} of {}", count.load(), most).c_str());
        busiest = std::max(busiest, count.load());
    }
    QVERIFY(busiest > 10);
}

void RateTableProperty::catchesPlainStores()
{
    const RateRule rule(limitOf(model::RateAlgorithm::TokenBucket, 1));
    PlainTable table(rule);

    const std::vector<int> admitted = admittedAtOnce(table, 1, 1, test::firstSeed());

    QVERIFY(admitted.front() > 1);
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::RateTableProperty)
#include "rate_table_property.moc"
