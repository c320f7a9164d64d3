#include "proxyengine/policy/budget.h"

#include "proxyengine/policy/counter_word.h"

#include <QTest>

// Goal: retries in flight stay within max(min_concurrent, percent of the requests in flight).
// Method: tables of the allowance; a word driven by hand.
namespace mesh::policy {

class BudgetTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void allowsAShareButNeverLessThanTheMinimum_data();
    void allowsAShareButNeverLessThanTheMinimum();
    void allowsTheLimitWithoutABudget();
    void countsBothSidesInOneWord();
    void tellsWhatIsUsedUp();
};

void BudgetTest::allowsAShareButNeverLessThanTheMinimum_data()
{
    QTest::addColumn<double>("percent");
    QTest::addColumn<int>("min");
    QTest::addColumn<quint64>("requests");
    QTest::addColumn<quint64>("allowed");
    const auto row = [](const char* name, double percent, int min, quint64 requests, quint64 to) {
        QTest::newRow(name) << percent << min << requests << to;
    };
    row("nothing runs", 20, 3, 0, 3);
    row("the minimum holds", 20, 3, 19, 3);
    row("the share takes over", 20, 3, 20, 4);
    row("rounded down", 20, 3, 24, 4);
    row("one more", 20, 3, 25, 5);
    row("a hundredth of a percent", 0.01, 0, 10'000, 1);
    row("just below it", 0.01, 0, 9'999, 0);
    row("all", 100, 0, 77, 77);
    row("none", 0, 0, 1'000, 0);
    row("many", 50, 3, 4'000'000'000, 2'000'000'000);
}

void BudgetTest::allowsAShareButNeverLessThanTheMinimum()
{
    QFETCH(const double, percent);
    QFETCH(const int, min);
    QFETCH(const quint64, requests);
    QFETCH(const quint64, allowed);

    const RetryAllowance allowance(model::RetryBudget{percent, min});

    QCOMPARE(allowance.retriesAllowed(requests), allowed);
}

void BudgetTest::allowsTheLimitWithoutABudget()
{
    const RetryAllowance allowance(2);
    std::uint64_t word = 0;

    QCOMPARE(allowance.retriesAllowed(100'000), std::uint64_t{2});
    QVERIFY(tryBeginRetry(allowance, word));
    QVERIFY(tryBeginRetry(allowance, word));
    QVERIFY(!tryBeginRetry(allowance, word));
    QCOMPARE(exhaustedText(allowance, word), std::string("2 retries in flight, max_retries is 2"));
}

void BudgetTest::countsBothSidesInOneWord()
{
    const RetryAllowance allowance(model::RetryBudget{50, 0});
    std::atomic<std::uint64_t> word{0};
    const auto begin = [&word](auto change) {
        return step(word, [&change](std::uint64_t& state) {
            change(state);
            return true;
        });
    };
    const auto tryRetry = [&] {
        return step(word, [&](std::uint64_t& state) { return tryBeginRetry(allowance, state); });
    };

    QVERIFY(!tryRetry());
    begin(beginRequest);
    begin(beginRequest);
    QVERIFY(tryRetry());
    QVERIFY(!tryRetry());
    QVERIFY((toBudgetUse(readWord(word)) == BudgetUse{2, 1}));
    begin(endRequest);
    QVERIFY(!tryRetry()); // One request, none allowed, one still runs.
    begin(endRetry);
    begin(endRequest);
    QCOMPARE(readWord(word), std::uint64_t{0});
}

void BudgetTest::tellsWhatIsUsedUp()
{
    const RetryAllowance allowance(model::RetryBudget{20, 3});
    std::uint64_t word = 0;
    for (int i = 0; i < 20; ++i) {
        beginRequest(word);
    }
    while (tryBeginRetry(allowance, word)) {
    }

    QCOMPARE(
        exhaustedText(allowance, word), std::string("4 retries in flight, 4 allowed at 20 requests")
    );
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::BudgetTest)
#include "budget_test.moc"
