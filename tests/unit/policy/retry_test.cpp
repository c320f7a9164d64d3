#include "proxyengine/policy/retry.h"

#include "proxyengine/policy/timeouts.h"

#include <QTest>

// Goal: a failed attempt is repeated only when nobody can be harmed by it.
// Method: one row per rule.
namespace mesh::policy {

class RetryTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void decides_data();
    void decides();
    void waitsForEachPhaseAsLongAsItsTimeout();
};

void RetryTest::decides_data()
{
    QTest::addColumn<QByteArray>("method");
    QTest::addColumn<int>("failure");
    QTest::addColumn<int>("retries");
    QTest::addColumn<bool>("sent");
    QTest::addColumn<bool>("answered");
    QTest::addColumn<bool>("consumed");
    QTest::addColumn<int>("expected");

    const auto row = [](const char* name,
                        const char* method,
                        AttemptFailure failure,
                        int retries,
                        bool sent,
                        bool answered,
                        bool consumed,
                        RetryVerdict verdict) {
        QTest::newRow(name) << QByteArray(method) << static_cast<int>(failure) << retries << sent
                            << answered << consumed << static_cast<int>(verdict);
    };
    const auto connect = AttemptFailure::Connect;
    const auto timeout = AttemptFailure::Timeout;
    const auto broken = AttemptFailure::Broken;
    row("refused connection", "POST", connect, 1, false, false, false, RetryVerdict::Retry);
    row("GET that was sent", "GET", broken, 1, true, false, false, RetryVerdict::Retry);
    row("GET that timed out", "GET", timeout, 5, true, false, false, RetryVerdict::Retry);
    row("PUT that was sent", "PUT", broken, 1, true, false, false, RetryVerdict::Retry);
    row("POST that was sent", "POST", broken, 1, true, false, false, RetryVerdict::NotIdempotent);
    row("PATCH that timed out", "PATCH", timeout, 1, true, false, false, RetryVerdict::NotIdempotent
    );
    row("POST not yet sent", "POST", broken, 1, false, false, false, RetryVerdict::Retry);
    row("an answer has begun", "GET", broken, 1, true, true, false, RetryVerdict::AnswerBegun);
    row("a body half sent", "PUT", broken, 1, true, false, true, RetryVerdict::BodyConsumed);
    row("no retries", "GET", connect, 0, false, false, false, RetryVerdict::RetriesUsedUp);
}

void RetryTest::decides()
{
    QFETCH(const QByteArray, method);
    QFETCH(const int, failure);
    QFETCH(const int, retries);
    QFETCH(const bool, sent);
    QFETCH(const bool, answered);
    QFETCH(const bool, consumed);
    QFETCH(const int, expected);
    using Progress = AttemptProgress;
    const Progress progress{
        retries,
        sent ? Progress::Sent::Something : Progress::Sent::Nothing,
        answered ? Progress::Answered::Something : Progress::Answered::Nothing,
        consumed ? Progress::Body::Consumed : Progress::Body::Replayable};

    const RetryVerdict verdict =
        decideRetry(method.toStdString(), static_cast<AttemptFailure>(failure), progress);

    QCOMPARE(static_cast<int>(verdict), expected);
    QCOMPARE(toText(verdict).empty(), verdict == RetryVerdict::Retry);
}

void RetryTest::waitsForEachPhaseAsLongAsItsTimeout()
{
    using namespace std::chrono_literals;
    const AttemptTimeouts timeouts{1s, 2s, 3s};
    const TimePoint begun{100s};

    QVERIFY(attemptDeadline(timeouts, AttemptPhase::Connecting, begun) == TimePoint(101s));
    QVERIFY(attemptDeadline(timeouts, AttemptPhase::Writing, begun) == TimePoint(102s));
    QVERIFY(attemptDeadline(timeouts, AttemptPhase::Reading, begun) == TimePoint(103s));
    QVERIFY(attemptDeadline(timeouts, AttemptPhase::Done, begun) == TimePoint::max());
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::RetryTest)
#include "retry_test.moc"
