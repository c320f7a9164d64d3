#include "proxyengine/policy/retry_rules.h"

#include "proxyengine/base/limits.h"

#include <QTest>

#include <array>

// Goal: a retry policy repeats what its conditions name, and nothing that could do harm.
// Method: the whole table of conditions against outcomes; one row per reason to say no.
namespace mesh::policy {

using namespace std::chrono_literals;
using Kind = AttemptOutcome::Kind;
using model::RetryOn;

class RetryRulesTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void repeatsExactlyWhatItsConditionNames_data();
    void repeatsExactlyWhatItsConditionNames();
    void neverRepeatsWhatWasRefusedHere();
    void repeatsOnlyWhenNobodyIsHarmed_data();
    void repeatsOnlyWhenNobodyIsHarmed();
    void sendsEverythingAgainWhenToldThatItMay();
    void looksAtHeadersByValueAndByPattern();
    void namesPatternsThatDoNotCompile();
    void keepsToTheListOfStatuses();
    void hedgesOnlyWhatMayBeSentTwice();
    void waitsAsLongAsTheAnswerAsks();
    void givesUpWhenTheWaitDoesNotFit();
    void hasTextForEveryVerdict();
};

namespace {

model::Retry retryOn(std::vector<RetryOn> on)
{
    model::Retry settings;
    settings.on = std::move(on);
    settings.attempts = 3;
    return settings;
}

struct NamedOutcome
{
    const char* name;
    AttemptOutcome outcome;
};

AttemptOutcome outcomeOf(Kind kind)
{
    AttemptOutcome outcome;
    outcome.kind = kind;
    return outcome;
}

AttemptOutcome answerOf(int status, std::optional<int> grpcStatus = std::nullopt)
{
    AttemptOutcome outcome;
    outcome.status = status;
    outcome.grpcStatus = grpcStatus;
    return outcome;
}

std::vector<NamedOutcome> allOutcomes()
{
    return {
        {"connect", outcomeOf(Kind::ConnectFailure)},
        {"refused", outcomeOf(Kind::RefusedStream)},
        {"reset", outcomeOf(Kind::Reset)},
        {"timeout", outcomeOf(Kind::Timeout)},
        {"here", outcomeOf(Kind::RefusedHere)},
        {"200", answerOf(200)},
        {"404", answerOf(404)},
        {"409", answerOf(409)},
        {"429", answerOf(429)},
        {"499", answerOf(499)},
        {"500", answerOf(500)},
        {"501", answerOf(501)},
        {"502", answerOf(502)},
        {"503", answerOf(503)},
        {"504", answerOf(504)},
        {"505", answerOf(505)},
        {"599", answerOf(599)},
        {"0", answerOf(0)},
        {"999", answerOf(999)},
        {"g0", answerOf(200, 0)},
        {"g1", answerOf(200, 1)},
        {"g2", answerOf(200, 2)},
        {"g4", answerOf(200, 4)},
        {"g8", answerOf(200, 8)},
        {"g13", answerOf(200, 13)},
        {"g14", answerOf(200, 14)},
        {"g-1", answerOf(200, -1)},
        {"g99", answerOf(200, 99)},
    };
}

} // namespace

void RetryRulesTest::repeatsExactlyWhatItsConditionNames_data()
{
    QTest::addColumn<int>("condition");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char* name, RetryOn condition, const char* expected) {
        QTest::newRow(name) << static_cast<int>(condition) << QByteArray(expected);
    };
    row("connect-failure", RetryOn::ConnectFailure, "connect");
    row("refused-stream", RetryOn::RefusedStream, "refused");
    row("reset", RetryOn::Reset, "connect refused reset timeout");
    row("5xx", RetryOn::FiveXx, "connect refused reset timeout 500 501 502 503 504 505 599");
    row("gateway-error", RetryOn::GatewayError, "connect refused reset timeout 502 503 504");
    row("retriable-4xx", RetryOn::Retriable4xx, "409");
    row("retriable-status-codes", RetryOn::RetriableStatusCodes, "404 429");
    row("retriable-headers without headers", RetryOn::RetriableHeaders, "");
    row("cancelled", RetryOn::Cancelled, "g1");
    row("deadline-exceeded", RetryOn::DeadlineExceeded, "g4");
    row("internal", RetryOn::Internal, "g13");
    row("resource-exhausted", RetryOn::ResourceExhausted, "g8");
    row("unavailable", RetryOn::Unavailable, "g14");
}

void RetryRulesTest::repeatsExactlyWhatItsConditionNames()
{
    QFETCH(const int, condition);
    QFETCH(const QByteArray, expected);
    model::Retry settings = retryOn({static_cast<RetryOn>(condition)});
    settings.statuses = {404, 429, 700, -5}; // Only with their condition; impossible ones: never.
    const RetryRules rules(settings);

    QByteArrayList repeated;
    for (const NamedOutcome& row : allOutcomes()) {
        if (rules.decide("GET", row.outcome, {}) == PolicyRetryVerdict::Retry) {
            repeated.append(row.name);
        }
    }

    QCOMPARE(repeated.join(' '), expected);
}

void RetryRulesTest::neverRepeatsWhatWasRefusedHere()
{
    const RetryRules rules(retryOn({RetryOn::FiveXx, RetryOn::Reset, RetryOn::ConnectFailure}));

    const auto verdict = rules.decide("GET", outcomeOf(Kind::RefusedHere), {});

    QCOMPARE(verdict, PolicyRetryVerdict::NotRetryable);
}

void RetryRulesTest::repeatsOnlyWhenNobodyIsHarmed_data()
{
    QTest::addColumn<QByteArray>("method");
    QTest::addColumn<int>("kind");
    QTest::addColumn<bool>("sent");
    QTest::addColumn<bool>("answered");
    QTest::addColumn<bool>("tooLarge");
    QTest::addColumn<int>("attempts");
    QTest::addColumn<int>("expected");
    const auto row = [](const char* name,
                        const char* method,
                        Kind kind,
                        const char* flags,
                        int attempts,
                        PolicyRetryVerdict expected) {
        const QByteArray text(flags);
        QTest::newRow(name) << QByteArray(method) << static_cast<int>(kind) << text.contains("sent")
                            << text.contains("answered") << text.contains("large") << attempts
                            << static_cast<int>(expected);
    };
    using Verdict = PolicyRetryVerdict;
    row("GET that was reset", "GET", Kind::Reset, "sent", 1, Verdict::Retry);
    row("second retry of three attempts", "GET", Kind::Reset, "sent", 2, Verdict::Retry);
    row("three attempts made", "GET", Kind::Reset, "sent", 3, Verdict::AttemptsUsedUp);
    row("POST that was reset", "POST", Kind::Reset, "sent", 1, Verdict::NotIdempotent);
    row("PATCH that timed out", "PATCH", Kind::Timeout, "sent", 1, Verdict::NotIdempotent);
    row("LOCK answered 503", "LOCK", Kind::Answer, "sent", 1, Verdict::NotIdempotent);
    row("DELETE answered 503", "DELETE", Kind::Answer, "sent", 1, Verdict::Retry);
    row("POST of which nothing was sent", "POST", Kind::Reset, "", 1, Verdict::Retry);
    row("POST that could not connect", "POST", Kind::ConnectFailure, "sent", 1, Verdict::Retry);
    row("POST whose stream was refused", "POST", Kind::RefusedStream, "sent", 1, Verdict::Retry);
    row("the client has part of an answer",
        "GET",
        Kind::Reset,
        "sent answered",
        1,
        Verdict::AnswerBegun);
    row("a body that was not kept", "PUT", Kind::Reset, "sent large", 1, Verdict::BodyTooLarge);
    row("not repeatable comes first",
        "GET",
        Kind::RefusedHere,
        "sent answered large",
        9,
        Verdict::NotRetryable);
}

void RetryRulesTest::repeatsOnlyWhenNobodyIsHarmed()
{
    QFETCH(const QByteArray, method);
    QFETCH(const int, kind);
    QFETCH(const bool, sent);
    QFETCH(const bool, answered);
    QFETCH(const bool, tooLarge);
    QFETCH(const int, attempts);
    QFETCH(const int, expected);
    const RetryRules rules(retryOn({RetryOn::FiveXx}));
    AttemptOutcome outcome = outcomeOf(static_cast<Kind>(kind));
    outcome.status = outcome.kind == Kind::Answer ? 503 : 0;
    RetryProgress progress;
    progress.attemptsMade = attempts;
    progress.sent = sent ? AttemptProgress::Sent::Something : AttemptProgress::Sent::Nothing;
    progress.answered =
        answered ? AttemptProgress::Answered::Something : AttemptProgress::Answered::Nothing;
    progress.body = tooLarge ? RetryProgress::Body::TooLarge : RetryProgress::Body::Kept;

    const auto verdict = rules.decide(method.toStdString(), outcome, progress);

    QCOMPARE(static_cast<int>(verdict), expected);
}

void RetryRulesTest::sendsEverythingAgainWhenToldThatItMay()
{
    model::Retry settings = retryOn({RetryOn::FiveXx});
    settings.nonIdempotent = true;
    const RetryRules rules(settings);

    QCOMPARE(rules.decide("POST", answerOf(503), {}), PolicyRetryVerdict::Retry);
    QCOMPARE(rules.decide("PATCH", outcomeOf(Kind::Timeout), {}), PolicyRetryVerdict::Retry);
}

void RetryRulesTest::looksAtHeadersByValueAndByPattern()
{
    model::Retry settings = retryOn({RetryOn::RetriableHeaders});
    settings.headers = {{"X-Again", {"yes", "please"}}, {"X-Reason", {"~*^tempo.ary"}}};
    const RetryRules rules(settings);
    const auto decide = [&rules](std::string_view name, std::string_view value) {
        const std::array<HeaderView, 2> headers = {{{"server", "x"}, {name, value}}};
        AttemptOutcome outcome = answerOf(200);
        outcome.headers = headers;
        return rules.decide("GET", outcome, {}) == PolicyRetryVerdict::Retry;
    };

    QVERIFY(decide("x-again", "please"));
    QVERIFY(decide("X-AGAIN", "Yes"));
    QVERIFY(!decide("x-again", "no"));
    QVERIFY(decide("x-reason", "Temporary"));
    QVERIFY(!decide("x-reason", "not temporary"));
    QVERIFY(rules.refusals().empty());
}

void RetryRulesTest::namesPatternsThatDoNotCompile()
{
    model::Retry settings = retryOn({RetryOn::RetriableHeaders});
    settings.headers = {{"X-Again", {"~*("}}};

    const RetryRules rules(settings);

    QCOMPARE(rules.refusals().size(), std::size_t{1});
    QCOMPARE(rules.decide("GET", answerOf(200), {}), PolicyRetryVerdict::NotRetryable);
}

void RetryRulesTest::keepsToTheListOfStatuses()
{
    model::Retry settings = retryOn({RetryOn::FiveXx});
    settings.statuses = {404};

    // The list means nothing without its condition.
    const RetryRules rules(settings);

    QCOMPARE(rules.decide("GET", answerOf(404), {}), PolicyRetryVerdict::NotRetryable);
}

void RetryRulesTest::hedgesOnlyWhatMayBeSentTwice()
{
    using Body = RetryProgress::Body;
    model::Retry settings = retryOn({RetryOn::FiveXx});
    const RetryRules careful(settings);
    settings.nonIdempotent = true;
    const RetryRules bold(settings);

    QCOMPARE(careful.decideCopy("GET", Body::Kept), PolicyRetryVerdict::Retry);
    QCOMPARE(careful.decideCopy("POST", Body::Kept), PolicyRetryVerdict::NotIdempotent);
    QCOMPARE(careful.decideCopy("PUT", Body::TooLarge), PolicyRetryVerdict::BodyTooLarge);
    QCOMPARE(bold.decideCopy("POST", Body::Kept), PolicyRetryVerdict::Retry);
}

void RetryRulesTest::waitsAsLongAsTheAnswerAsks()
{
    model::Retry settings = retryOn({RetryOn::FiveXx});
    const RetryRules obedient(settings);
    settings.retryAfter = false;
    const RetryRules deaf(settings);
    const std::array<HeaderView, 1> headers = {{{"Retry-After", "2"}}};
    AttemptOutcome asked = answerOf(503);
    asked.headers = headers;
    Random random(Seed{11});

    for (int i = 0; i < 200; ++i) {
        const RetryWait wait = obedient.wait(asked, 1, 10s, random, WallTime{});
        QCOMPARE(wait.verdict, PolicyRetryVerdict::Retry);
        QVERIFY(wait.wait >= 2s && wait.wait <= 3s);
        QVERIFY(deaf.wait(asked, 1, 10s, random, WallTime{}).wait < 25ms);
        QVERIFY(obedient.wait(answerOf(503), 2, 10s, random, WallTime{}).wait < 75ms);
    }
}

void RetryRulesTest::givesUpWhenTheWaitDoesNotFit()
{
    const RetryRules rules(retryOn({RetryOn::FiveXx}));
    const auto verdict = [&rules](std::string_view asked, std::optional<Duration> timeLeft) {
        const std::array<HeaderView, 1> headers = {{{"retry-after", asked}}};
        AttemptOutcome outcome = answerOf(503);
        outcome.headers = headers;
        Random random(Seed{5});
        return rules.wait(outcome, 1, timeLeft, random, WallTime{}).verdict;
    };

    QCOMPARE(verdict("2", 1s), PolicyRetryVerdict::NoTimeLeft);
    QCOMPARE(verdict("2", 4s), PolicyRetryVerdict::Retry);
    QCOMPARE(verdict("0", 0s), PolicyRetryVerdict::NoTimeLeft);
    QCOMPARE(verdict("300", std::nullopt), PolicyRetryVerdict::Retry);
    QCOMPARE(verdict("301", std::nullopt), PolicyRetryVerdict::NoTimeLeft);
    QCOMPARE(verdict("soon", 1s), PolicyRetryVerdict::Retry);
}

void RetryRulesTest::hasTextForEveryVerdict()
{
    QVERIFY(toText(PolicyRetryVerdict::Retry).empty());
    for (int verdict = 1; verdict <= static_cast<int>(PolicyRetryVerdict::NoTimeLeft); ++verdict) {
        QVERIFY(!toText(static_cast<PolicyRetryVerdict>(verdict)).empty());
    }
    AttemptOutcome timeout = outcomeOf(Kind::Timeout);
    timeout.isPerTryTimeout = true;
    QCOMPARE(toText(timeout), std::string("per-try timeout"));
    QCOMPARE(toText(outcomeOf(Kind::Timeout)), std::string("timeout"));
    QCOMPARE(toText(outcomeOf(Kind::ConnectFailure)), std::string("connect failure"));
    QCOMPARE(toText(answerOf(503)), std::string("answer 503"));
    QCOMPARE(toText(answerOf(200, 14)), std::string("grpc status 14"));
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::RetryRulesTest)
#include "retry_rules_test.moc"
