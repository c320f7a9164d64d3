#include "proxyengine/base/limits.h"
#include "proxyengine/policy/backoff.h"
#include "proxyengine/policy/retry_rules.h"
#include "tests/support/seeded_run.h"

#include <QTest>

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <string>
#include <vector>

// Goal: whatever the settings and whatever happens, a request is sent no more often than
//       `attempts`, never twice when it could do harm, never after its time, and each wait is
//       within its bounds; Retry-After dates are read as they were written.
// Method: random requests that live through random outcomes. Each property must catch rules that
//         are wrong in just that way.
namespace mesh::policy {

using namespace std::chrono_literals;
using Kind = AttemptOutcome::Kind;
using test::Mutant;
using test::Violation;

class RetryProperty : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void holds();
    void catchesWrongRules_data();
    void catchesWrongRules();
    void readsEveryDateBack();
};

namespace {

constexpr std::uint64_t kRuns = 300;
constexpr int kRequestsPerRun = 100; // 30 000 requests, about 100 000 outcomes.

struct Faithful : RetryRules
{
    explicit Faithful(const model::Retry& settings)
        : RetryRules(settings)
    {}
};

struct OneMore : RetryRules
{
    explicit OneMore(model::Retry settings)
        : RetryRules([&] {
            ++settings.attempts;
            return settings;
        }())
    {}
};

// Takes a timeout for a sign that nothing was sent.
struct Careless : RetryRules
{
    explicit Careless(const model::Retry& settings)
        : RetryRules(settings)
    {}
    PolicyRetryVerdict decide(
        std::string_view method, const AttemptOutcome& outcome, RetryProgress progress
    ) const
    {
        if (outcome.kind == Kind::Timeout) {
            progress.sent = AttemptProgress::Sent::Nothing;
        }
        return RetryRules::decide(method, outcome, progress);
    }
};

// Retries what our own limit refused, as if a target had been down.
struct Stubborn : RetryRules
{
    explicit Stubborn(const model::Retry& settings)
        : RetryRules(settings)
    {}
    PolicyRetryVerdict decide(
        std::string_view method, AttemptOutcome outcome, const RetryProgress& progress
    ) const
    {
        if (outcome.kind == Kind::RefusedHere) {
            outcome.kind = Kind::ConnectFailure;
        }
        return RetryRules::decide(method, outcome, progress);
    }
};

struct WithoutCap : RetryRules
{
    explicit WithoutCap(model::Retry settings)
        : RetryRules([&] {
            settings.backoff.max = 24h;
            return settings;
        }())
    {}
};

struct Timeless : RetryRules
{
    explicit Timeless(const model::Retry& settings)
        : RetryRules(settings)
    {}
    RetryWait wait(
        const AttemptOutcome& outcome,
        int retryNumber,
        std::optional<Duration> /*timeLeft*/,
        Random& random,
        WallTime now
    ) const
    {
        return RetryRules::wait(outcome, retryNumber, std::nullopt, random, now);
    }
};

model::Retry drawSettings(Random& random)
{
    model::Retry settings;
    settings.on.clear();
    for (int condition = 0; condition <= static_cast<int>(model::RetryOn::Unavailable);
         ++condition) {
        if (random.chance(0.5)) {
            settings.on.push_back(static_cast<model::RetryOn>(condition));
        }
    }
    settings.attempts = 1 + static_cast<int>(random.below(6));
    settings.statuses = {404, 429};
    settings.nonIdempotent = random.chance(0.3);
    settings.retryAfter = random.chance(0.7);
    settings.backoff.base = std::chrono::milliseconds(random.below(100));
    settings.backoff.max = settings.backoff.base * (1 + static_cast<int>(random.below(12)));
    return settings;
}

// Lives through one request and looks at every decision.
template <typename Rules>
class Request
{
public:
    Request(const Rules& rules, const model::Retry& settings, Random& random)
        : m_rules(rules)
        , m_settings(settings)
        , m_random(random)
    {}

    Violation run()
    {
        constexpr std::array<std::string_view, 6> kMethods = {
            "GET", "PUT", "DELETE", "POST", "PATCH", "LOCK"};
        m_method = kMethods[m_random.below(kMethods.size())];
        if (m_random.chance(0.7)) {
            m_timeLeft = std::chrono::milliseconds(m_random.below(5000));
        }
        m_progress.body =
            m_random.chance(0.1) ? RetryProgress::Body::TooLarge : RetryProgress::Body::Kept;
        while (m_violation.empty() && isSentAgain()) {
        }
        return m_violation;
    }

private:
    bool isSentAgain()
    {
        draw();
        if (m_rules.decide(m_method, m_outcome, m_progress) != PolicyRetryVerdict::Retry) {
            return false;
        }
        lookAtRetry();
        const RetryWait wait =
            m_rules.wait(m_outcome, m_progress.attemptsMade, m_timeLeft, m_random, WallTime(1000s));
        if (wait.verdict != PolicyRetryVerdict::Retry) {
            return false;
        }
        lookAtWait(wait.wait);
        if (m_timeLeft) {
            *m_timeLeft -= wait.wait;
        }
        ++m_progress.attemptsMade;
        return true;
    }

    void draw()
    {
        constexpr std::array<int, 8> kStatuses = {200, 404, 409, 429, 500, 502, 503, 504};
        m_outcome = {};
        m_outcome.kind = static_cast<Kind>(m_random.below(6));
        m_outcome.status = kStatuses[m_random.below(kStatuses.size())];
        m_asked = m_outcome.kind == Kind::Answer && m_random.chance(0.5)
                      ? std::optional(std::chrono::seconds(m_random.below(8)))
                      : std::nullopt;
        if (m_asked) {
            m_askedText = fmt::format("{}", m_asked->count());
            m_headers = {{{"retry-after", m_askedText}}};
            m_outcome.headers = m_headers;
        }
        using Sent = AttemptProgress::Sent;
        using Answered = AttemptProgress::Answered;
        m_progress.sent = m_outcome.kind == Kind::Answer || m_random.chance(0.5) ? Sent::Something
                                                                                 : Sent::Nothing;
        m_progress.answered = m_random.chance(0.05) ? Answered::Something : Answered::Nothing;
    }

    void lookAtRetry()
    {
        const bool isDelicate = m_method == "POST" || m_method == "PATCH" || m_method == "LOCK";
        const bool isUntouched = m_outcome.kind == Kind::ConnectFailure
                                 || m_outcome.kind == Kind::RefusedStream
                                 || m_progress.sent == AttemptProgress::Sent::Nothing;
        const bool isHalf = m_progress.answered == AttemptProgress::Answered::Something
                            || m_progress.body == RetryProgress::Body::TooLarge;
        if (m_outcome.kind == Kind::RefusedHere) {
            m_violation = "our own refusal was retried";
        } else if (m_progress.attemptsMade >= m_settings.attempts) {
            m_violation =
                fmt::format("attempt {} of {}", m_progress.attemptsMade + 1, m_settings.attempts);
        } else if (isDelicate && !isUntouched && !m_settings.nonIdempotent) {
            m_violation = fmt::format("{} was sent twice", m_method);
        } else if (isHalf) {
            m_violation = "half a request or half an answer was repeated";
        } else if (m_outcome.kind == Kind::Answer && m_outcome.status == 200) {
            m_violation = "a success was repeated";
        }
    }

    void lookAtWait(Duration wait)
    {
        if (m_timeLeft && wait >= *m_timeLeft) {
            m_violation = "waited beyond the request's time";
        } else if (m_asked && m_settings.retryAfter) {
            if (wait < *m_asked || 2 * wait > 3 * Duration(*m_asked)) {
                m_violation = "waited otherwise than asked";
            }
        } else {
            const int doublings = std::min(m_progress.attemptsMade, 30);
            const Duration range = std::min(
                m_settings.backoff.base * ((std::int64_t{1} << doublings) - 1),
                m_settings.backoff.max
            );
            if (wait < 0ns || (wait >= range && wait != 0ns)) {
                m_violation = "the back-off is out of its bounds";
            }
        }
    }

    const Rules& m_rules;
    const model::Retry& m_settings;
    Random& m_random;
    std::string_view m_method;
    std::optional<Duration> m_timeLeft;
    std::optional<std::chrono::seconds> m_asked;
    std::string m_askedText;
    std::array<HeaderView, 1> m_headers;
    AttemptOutcome m_outcome;
    RetryProgress m_progress;
    Violation m_violation;
};

template <typename Rules>
Violation checkAll(Seed first)
{
    return test::runSeeds(first, kRuns, [](Seed seed) {
        Random random(seed);
        const model::Retry settings = drawSettings(random);
        const Rules rules(settings);
        Violation violation;
        for (int i = 0; i < kRequestsPerRun && violation.empty(); ++i) {
            violation = Request<Rules>(rules, settings, random).run();
        }
        return violation;
    });
}

constexpr std::array<Mutant, 5> kMutants = {
    Mutant{"one attempt more", "attempt ", checkAll<OneMore>},
    Mutant{"timeouts send POST again", "sent twice", checkAll<Careless>},
    Mutant{"retries its own refusal", "own refusal", checkAll<Stubborn>},
    Mutant{"back-off without a cap", "out of its bounds", checkAll<WithoutCap>},
    Mutant{"waits beyond the time", "beyond", checkAll<Timeless>}};

std::string dateText(std::chrono::sys_seconds time, std::uint64_t form)
{
    constexpr std::array<const char*, 7> kDays = {
        "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
    constexpr std::array<const char*, 12> kMonths = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(time - day);
    const std::string weekday = kDays[std::chrono::weekday(day).c_encoding()];
    const char* month = kMonths[static_cast<unsigned>(date.month()) - 1];
    const int year = static_cast<int>(date.year());
    const auto dayOfMonth = static_cast<unsigned>(date.day());
    const std::string hours = fmt::format(
        "{:02}:{:02}:{:02}", clock.hours().count(), clock.minutes().count(), clock.seconds().count()
    );
    switch (form) {
    case 0:
        return fmt::format(
            "{}, {:02} {} {:04} {} GMT", weekday.substr(0, 3), dayOfMonth, month, year, hours
        );
    case 1:
        return fmt::format(
            "{}, {:02}-{}-{:02} {} GMT", weekday, dayOfMonth, month, year % 100, hours
        );
    default:
        return fmt::format(
            "{} {} {:2} {} {:04}", weekday.substr(0, 3), month, dayOfMonth, hours, year
        );
    }
}

} // namespace

void RetryProperty::holds()
{
    const Violation violation = checkAll<Faithful>(test::firstSeed());
    QVERIFY2(violation.empty(), violation.c_str());
}

void RetryProperty::catchesWrongRules_data() { test::addRows(kMutants); }

void RetryProperty::catchesWrongRules()
{
    QFETCH(const int, mutant);
    test::expectCaught(kMutants[static_cast<std::size_t>(mutant)]);
}

void RetryProperty::readsEveryDateBack()
{
    Random random(test::firstSeed());
    for (int i = 0; i < 20'000; ++i) {
        // Any moment of 1990 to 2090, and a date up to 40 years later.
        const std::chrono::sys_seconds now(std::chrono::seconds(
            631'152'000 + static_cast<std::int64_t>(random.below(100ULL * 365 * 86'400))
        ));
        const std::chrono::seconds ahead(random.below(40ULL * 365 * 86'400));
        const std::string text = dateText(now + ahead, random.below(3));

        const auto asked = parseRetryAfter(text, WallTime(now.time_since_epoch()));

        QVERIFY2(asked.has_value(), text.c_str());
        QVERIFY2(*asked == ahead, text.c_str());
    }
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::RetryProperty)
#include "retry_property.moc"
