#include "proxyengine/policy/retry_rules.h"

#include "proxyengine/base/limits.h"
#include "proxyengine/policy/backoff.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mesh::policy {

namespace {

using Kind = AttemptOutcome::Kind;
using model::RetryOn;

struct GrpcCondition
{
    RetryOn condition;
    std::size_t status;
};
constexpr std::array<GrpcCondition, 5> kGrpcConditions = {{
    {RetryOn::Cancelled, 1},
    {RetryOn::DeadlineExceeded, 4},
    {RetryOn::ResourceExhausted, 8},
    {RetryOn::Internal, 13},
    {RetryOn::Unavailable, 14},
}};

// Nothing of the request was taken up, whatever was written.
bool isUntouched(const AttemptOutcome& outcome, const RetryProgress& progress)
{
    return outcome.kind == Kind::ConnectFailure || outcome.kind == Kind::RefusedStream
           || progress.sent == AttemptProgress::Sent::Nothing;
}

bool isNamed(std::string_view name, std::string_view lower)
{
    return std::ranges::equal(name, lower, [](char c, char wanted) {
        return (c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c) == wanted;
    });
}

std::optional<Duration> retryAfterOf(const AttemptOutcome& outcome, WallTime now)
{
    if (outcome.kind != Kind::Answer) {
        return std::nullopt;
    }
    const auto found = std::ranges::find_if(outcome.headers, [](const HeaderView& header) {
        return isNamed(header.name, "retry-after");
    });
    return found == outcome.headers.end() ? std::nullopt : parseRetryAfter(found->value, now);
}

} // namespace

std::string toText(const AttemptOutcome& outcome)
{
    switch (outcome.kind) {
    case Kind::Answer:
        return outcome.grpcStatus ? fmt::format("grpc status {}", *outcome.grpcStatus)
                                  : fmt::format("answer {}", outcome.status);
    case Kind::ConnectFailure:
        return "connect failure";
    case Kind::RefusedStream:
        return "refused stream";
    case Kind::Reset:
        return "reset";
    case Kind::Timeout:
        return outcome.isPerTryTimeout ? "per-try timeout" : "timeout";
    case Kind::RefusedHere:
        return "refused by an own limit";
    }
    return "";
}

std::string_view toText(PolicyRetryVerdict verdict)
{
    switch (verdict) {
    case PolicyRetryVerdict::Retry:
        return "";
    case PolicyRetryVerdict::NotRetryable:
        return "no retry condition fits";
    case PolicyRetryVerdict::AttemptsUsedUp:
        return "attempts are used up";
    case PolicyRetryVerdict::AnswerBegun:
        return "an answer has begun";
    case PolicyRetryVerdict::NotIdempotent:
        return "the method is not idempotent and the request was sent";
    case PolicyRetryVerdict::BodyTooLarge:
        return "the body is too large to be sent again";
    case PolicyRetryVerdict::BudgetExhausted:
        return "the retry budget is exhausted";
    case PolicyRetryVerdict::NoTimeLeft:
        return "no time is left";
    }
    return "";
}

RetryRules::RetryRules(const model::Retry& settings)
    : m_backoff(settings.backoff)
    , m_attempts(settings.attempts)
    , m_maxBodyBytes(static_cast<std::size_t>(std::max(0, settings.maxBodyBytes)))
    , m_mayRepeatAll(settings.nonIdempotent)
    , m_honoursRetryAfter(settings.retryAfter)
{
    for (const RetryOn condition : settings.on) {
        m_on.set(static_cast<std::size_t>(condition));
    }
    for (std::size_t status = 500; status < m_statuses.size(); ++status) {
        const bool isGateway = status >= 502 && status <= 504;
        m_statuses[status] = isOn(RetryOn::FiveXx) || (isGateway && isOn(RetryOn::GatewayError));
    }
    m_statuses[409] = isOn(RetryOn::Retriable4xx);
    if (isOn(RetryOn::RetriableStatusCodes)) {
        for (const int status : settings.statuses) {
            if (status >= 0 && static_cast<std::size_t>(status) < m_statuses.size()) {
                m_statuses.set(static_cast<std::size_t>(status));
            }
        }
    }
    for (const GrpcCondition& row : kGrpcConditions) {
        m_grpcStatuses[row.status] = isOn(row.condition);
    }
    if (isOn(RetryOn::RetriableHeaders)) {
        for (std::size_t i = 0; i < settings.headers.size(); ++i) {
            model::Route route;
            route.headers = {settings.headers[i]};
            std::vector<Router::Refusal> refusals;
            RouteRule rule = makeRule(i, route, refusals);
            if (refusals.empty()) {
                m_headerRules.push_back(std::move(rule));
            } else {
                m_refusals.push_back(refusals.front().message);
            }
        }
    }
}

PolicyRetryVerdict RetryRules::decide(
    std::string_view method, const AttemptOutcome& outcome, const RetryProgress& progress
) const
{
    if (!isRetryable(outcome)) {
        return PolicyRetryVerdict::NotRetryable;
    }
    if (progress.answered == AttemptProgress::Answered::Something) {
        return PolicyRetryVerdict::AnswerBegun;
    }
    if (!isUntouched(outcome, progress) && !m_mayRepeatAll && !isIdempotent(method)) {
        return PolicyRetryVerdict::NotIdempotent;
    }
    if (progress.body == RetryProgress::Body::TooLarge) {
        return PolicyRetryVerdict::BodyTooLarge;
    }
    return progress.attemptsMade < m_attempts ? PolicyRetryVerdict::Retry
                                              : PolicyRetryVerdict::AttemptsUsedUp;
}

RetryWait RetryRules::wait(
    const AttemptOutcome& outcome,
    int retryNumber,
    std::optional<Duration> timeLeft,
    Random& random,
    WallTime now
) const
{
    const auto asked = m_honoursRetryAfter ? retryAfterOf(outcome, now) : std::nullopt;
    const Duration wait =
        asked ? spreadRetryAfter(*asked, random) : backoff(m_backoff, retryNumber, random);
    const bool isTooLong =
        timeLeft ? wait >= *timeLeft : asked.value_or(Duration{}) > kRetryAfterMax;
    return {isTooLong ? PolicyRetryVerdict::NoTimeLeft : PolicyRetryVerdict::Retry, wait};
}

PolicyRetryVerdict RetryRules::decideCopy(std::string_view method, RetryProgress::Body body) const
{
    if (!m_mayRepeatAll && !isIdempotent(method)) {
        return PolicyRetryVerdict::NotIdempotent;
    }
    return body == RetryProgress::Body::TooLarge ? PolicyRetryVerdict::BodyTooLarge
                                                 : PolicyRetryVerdict::Retry;
}

bool RetryRules::isOn(RetryOn condition) const { return m_on[static_cast<std::size_t>(condition)]; }

bool RetryRules::isRetryable(const AttemptOutcome& outcome) const
{
    const bool isOnNoAnswer =
        isOn(RetryOn::Reset) || isOn(RetryOn::GatewayError) || isOn(RetryOn::FiveXx);
    switch (outcome.kind) {
    case Kind::Answer:
        return isAnswerRetryable(outcome);
    case Kind::ConnectFailure:
        return isOnNoAnswer || isOn(RetryOn::ConnectFailure);
    case Kind::RefusedStream:
        return isOnNoAnswer || isOn(RetryOn::RefusedStream);
    case Kind::Reset:
    case Kind::Timeout:
        return isOnNoAnswer;
    case Kind::RefusedHere:
        return false;
    }
    return false;
}

bool RetryRules::isAnswerRetryable(const AttemptOutcome& answer) const
{
    const auto isIn = [](const auto& set, int number) {
        return number >= 0 && static_cast<std::size_t>(number) < set.size()
               && set[static_cast<std::size_t>(number)];
    };
    if (isIn(m_statuses, answer.status)
        || (answer.grpcStatus && isIn(m_grpcStatuses, *answer.grpcStatus))) {
        return true;
    }
    RequestView view; // The rules read headers only, and those are alike on both ways.
    view.headers = answer.headers.data();
    view.headerCount = answer.headers.size();
    return std::ranges::any_of(m_headerRules, [&view](const RouteRule& rule) {
        return rule.matches(view);
    });
}

} // namespace mesh::policy
