#include "proxyengine/policy/backoff.h"

#include <QTest>

#include <algorithm>

// Goal: waits are what the reference says, and every form of Retry-After is read.
// Method: the reference's vectors by many draws; one row per text.
namespace mesh::policy {

using namespace std::chrono_literals;

class BackoffTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void growsUpToItsCap_data();
    void growsUpToItsCap();
    void drawsOnceWhateverItsSettings();
    void readsRetryAfter_data();
    void readsRetryAfter();
    void countsTheSecondsToADateInParts();
    void spreadsWhatWasAskedForByHalf();
};

void BackoffTest::growsUpToItsCap_data()
{
    QTest::addColumn<int>("retry");
    QTest::addColumn<qint64>("below_ms");
    QTest::newRow("first") << 1 << qint64{25};
    QTest::newRow("second") << 2 << qint64{75};
    QTest::newRow("third") << 3 << qint64{175};
    QTest::newRow("fourth, capped") << 4 << qint64{250};
    QTest::newRow("fifth, capped") << 5 << qint64{250};
    QTest::newRow("thirty-second") << 32 << qint64{250};
    QTest::newRow("far away") << 2'000'000'000 << qint64{250};
    QTest::newRow("less than the first counts as the first") << 0 << qint64{25};
}

void BackoffTest::growsUpToItsCap()
{
    QFETCH(const int, retry);
    QFETCH(const qint64, below_ms);
    const Duration below = std::chrono::milliseconds(below_ms);
    Random random(Seed{3});
    Duration longest{};
    Duration shortest = below;

    for (int i = 0; i < 2000; ++i) {
        const Duration wait = backoff({}, retry, random);
        longest = std::max(longest, wait);
        shortest = std::min(shortest, wait);
    }

    QVERIFY(shortest >= 0ns && longest < below);
    // All of the range is used.
    QVERIFY(longest > below * 99 / 100 && shortest < below / 100);
}

void BackoffTest::drawsOnceWhateverItsSettings()
{
    for (const model::RetryBackoff& settings :
         {model::RetryBackoff{},
          model::RetryBackoff{0ms, 0ms},
          model::RetryBackoff{24h, 24h},
          model::RetryBackoff{50ms, 10ms}}) {
        Random random(Seed{9});
        Random twin(Seed{9});

        const Duration wait = backoff(settings, 1, random);

        static_cast<void>(twin.next());
        QCOMPARE(random.next(), twin.next());
        QVERIFY(wait >= 0ns && wait <= settings.max);
    }
}

void BackoffTest::readsRetryAfter_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<qint64>("seconds"); // -1: not readable.
    const auto row = [](const char* text, qint64 seconds) {
        QTest::newRow(text) << QByteArray(text) << seconds;
    };
    constexpr qint64 kCentury = 100LL * 366 * 86'400;
    // Now is Sun, 06 Nov 1994 08:49:37 GMT.
    row("0", 0);
    row("120", 120);
    row("007", 7);
    row(" 5\t", 5);
    row("99999999999999999999999", kCentury);
    row("3162240001", kCentury);
    row("Sun, 06 Nov 1994 08:49:37 GMT", 0);
    row("Sun, 06 Nov 1994 08:50:37 GMT", 60);
    row("Mon, 07 Nov 1994 08:49:37 GMT", 86'400);
    row("Sun, 06 Nov 1994 08:49:36 GMT", 0); // Passed.
    row("Thu, 01 Jan 1970 00:00:00 GMT", 0);
    row("Thu, 29 Feb 1996 00:00:00 GMT", 41'440'223);
    row("Sat, 31 Dec 1994 23:59:60 GMT", 4'806'623); // A leap second.
    row("Sunday, 06-Nov-94 08:49:47 GMT", 10);
    row("Tuesday, 06-Nov-44 08:49:37 GMT", 1'577'923'200); // 50 years ahead: still this way.
    row("Monday, 06-Nov-45 08:49:37 GMT", 0); // 51: 1945.
    row("Sun Nov  6 08:49:38 1994", 1);
    row("Wed Nov 16 08:49:37 1994", 864'000);
    row("Fri, 31 Dec 9999 23:59:59 GMT", kCentury);
    row("", -1);
    row("-1", -1);
    row("+1", -1);
    row("1.5", -1);
    row("1 2", -1);
    row("soon", -1);
    row("Sun, 06 Nov 1994 08:49:37", -1);
    row("Sun, 06 Nov 1994 08:49:37 UTC", -1);
    row("Sun, 06 Nov 1994 08:49:37 GMT!", -1);
    row("Sun, 6 Nov 1994 08:49:37 GMT", -1);
    row("Sun, 31 Nov 1994 08:49:37 GMT", -1);
    row("Sun, 29 Feb 1995 08:49:37 GMT", -1);
    row("Sun, 00 Nov 1994 08:49:37 GMT", -1);
    row("Sun, 06 Nov 1994 24:00:00 GMT", -1);
    row("Sun, 06 Nov 1994 08:60:00 GMT", -1);
    row("Sun, 06 Nov 1994 08:49:61 GMT", -1);
    row("Sun, 06 nov 1994 08:49:37 GMT", -1);
    row("Sun Nov 6 08:49:38 1994", -1);
    row("Sun Nov  6 08:49:38 94", -1);
    row("Sunday, 06-Nov-1994 08:49:47 GMT", -1);
}

void BackoffTest::readsRetryAfter()
{
    QFETCH(const QByteArray, text);
    QFETCH(const qint64, seconds);
    const WallTime now(784'111'777s);

    const auto asked = parseRetryAfter(text.toStdString(), now);

    QCOMPARE(asked ? std::chrono::floor<std::chrono::seconds>(*asked).count() : -1, seconds);
}

void BackoffTest::countsTheSecondsToADateInParts()
{
    const WallTime now = WallTime(784'111'777s) + 250ms;

    const auto asked = parseRetryAfter("Sun, 06 Nov 1994 08:49:38 GMT", now);

    QVERIFY(asked == Duration(750ms));
}

void BackoffTest::spreadsWhatWasAskedForByHalf()
{
    Random random(Seed{21});
    Duration longest{};
    for (int i = 0; i < 2000; ++i) {
        const Duration wait = spreadRetryAfter(2s, random);
        QVERIFY(wait >= 2s && wait <= 3s);
        longest = std::max(longest, wait);
    }
    QVERIFY(longest > 2990ms);
    QVERIFY(spreadRetryAfter(0s, random) == Duration{});
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::BackoffTest)
#include "backoff_test.moc"
