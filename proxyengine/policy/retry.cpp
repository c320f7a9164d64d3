#include "proxyengine/policy/retry.h"

namespace mesh::policy {

std::string_view toText(RetryVerdict verdict)
{
    switch (verdict) {
    case RetryVerdict::Retry:
        return "";
    case RetryVerdict::RetriesUsedUp:
        return "retries are used up";
    case RetryVerdict::AnswerBegun:
        return "an answer has begun";
    case RetryVerdict::NotIdempotent:
        return "the method is not idempotent and the request was sent";
    case RetryVerdict::BodyConsumed:
        return "the body cannot be sent again";
    }
    return "";
}

bool isIdempotent(std::string_view method)
{
    return method != "POST" && method != "LOCK" && method != "PATCH";
}

RetryVerdict decideRetry(
    std::string_view method, AttemptFailure failure, const AttemptProgress& progress
)
{
    const bool isBegun = failure != AttemptFailure::Connect && failure != AttemptFailure::Refused;
    const bool isSent = isBegun && progress.sent == AttemptProgress::Sent::Something;
    if (progress.answered == AttemptProgress::Answered::Something) {
        return RetryVerdict::AnswerBegun;
    }
    if (isSent && !isIdempotent(method)) {
        return RetryVerdict::NotIdempotent;
    }
    if (progress.body == AttemptProgress::Body::Consumed) {
        return RetryVerdict::BodyConsumed;
    }
    return progress.retriesLeft > 0 ? RetryVerdict::Retry : RetryVerdict::RetriesUsedUp;
}

} // namespace mesh::policy
