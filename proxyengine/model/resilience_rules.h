#pragma once

#include "proxyengine/model/document.h"
#include "proxyengine/model/schema.h"

// Rules over several fields of one traffic policy. Each appends what is wrong.
namespace mesh::model {

void checkRetryBackoff(const RetryBackoff& backoff, FieldProblems& problems);
void checkRetryBudget(const RetryBudget& budget, FieldProblems& problems);
void checkRetry(const Retry& retry, FieldProblems& problems);
void checkMirror(const Mirror& mirror, FieldProblems& problems);
void checkFaultDelay(const FaultDelay& delay, FieldProblems& problems);
void checkFaultAbort(const FaultAbort& abort, FieldProblems& problems);
void checkFault(const Fault& fault, FieldProblems& problems);
void checkBreakerFallback(const BreakerFallback& fallback, FieldProblems& problems);
void checkBreaker(const Breaker& breaker, FieldProblems& problems);
void checkRateLimit(const RateLimit& limit, FieldProblems& problems);
void checkAdaptiveConcurrency(const AdaptiveConcurrency& settings, FieldProblems& problems);
void checkResilience(const Resilience& resilience, FieldProblems& problems);
void checkSplitSticky(const SplitSticky& sticky, FieldProblems& problems);
void checkOutlierDetection(const OutlierDetection& settings, FieldProblems& problems);
void checkLimits(const Limits& limits, FieldProblems& problems);
void checkOverload(const Overload& overload, FieldProblems& problems);

} // namespace mesh::model
