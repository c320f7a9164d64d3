#pragma once

#include "proxyengine/base/histogram.h"
#include "proxyengine/base/time.h"
#include "proxyengine/model/document.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mesh::simulator {

// What proxies counted of the calls of one service to another in a stretch of time. All are sums
// over the proxies of the caller; "gateway" is the caller of what comes from outside.
struct EdgeSample
{
    std::string caller;
    std::string callee;
    std::uint64_t calls = 0; // Ended.
    std::uint64_t failed = 0;
    std::uint64_t attempts = 0;
    double inFlight = 0.0; // Time average of calls in progress.
    HistogramCounts latency; // Of calls, microseconds.
};

struct TelemetryBin
{
    Duration length{};
    std::vector<EdgeSample> edges; // Each edge once.
};

// Where a model of a calibration comes from.
enum class ModelOrigin : std::uint8_t {
    Fitted,
    TooFewCalls, // Fewer than kCallsToFitMin; what the document says, or the default.
    Inconsistent, // Its numbers contradict Little's law; as above.
    NotSeen, // Nobody called it; as above.
};
// "fitted", "too few calls".
[[nodiscard]] std::string_view toText(ModelOrigin origin);

inline constexpr std::uint64_t kCallsToFitMin = 500; // A p99 needs five above it.
inline constexpr double kLittleErrorMax = 0.25; // One reading a second is a rough average.

struct FittedService
{
    model::ServiceModel model;
    ModelOrigin origin = ModelOrigin::NotSeen;
    std::uint64_t calls = 0;
    double rateFrom = 0.0; // Calls per second of the calmest and the busiest bin: the range in
    double rateTo = 0.0; // which the model was fitted.
    double utilization = 0.0; // In the busiest bin, by U = X S.
    std::optional<double> littleError; // Relative: calls in progress against rate times duration.
    double failed = 0.0; // Share of its calls.
    double residual = 0.0; // Of the mean own time, root of the mean square over the bins, relative.
    bool isConcurrencyFitted = false; // Otherwise the load did not tell: the document's, or more.
    bool isOrderAssumed = false; // Its calls are taken as one after the other, by name.
};

// Models of all services that the document or the telemetry names, by name.
//
// Own time is a service's duration without that of its calls. Concurrency and mean service time are
// those whose queue gives the own times seen at the loads seen, when each instance has its own and
// balancing evens the gaps out (a squared variation of one by instances); the law's shape is that
// of the calmest bins, of services with calls a lognormal by what variance their calls leave. Calls
// per request become a count and a probability. Order and parallel steps are the document's, where
// its script names the same services. Network and proxies are part of the times.
//
// Pure: same input, same models. Bins should be long enough for some hundred calls.
// Source: utilisation law; Allen and Cunneen's approximation of G/G/c (Allen, "Probability,
//         Statistics, and Queueing Theory", 1990); Little's law as check of the input.
[[nodiscard]] std::vector<FittedService> calibrate(
    const model::Document& document, const std::vector<TelemetryBin>& bins
);

// The document with the fitted models in place of its own.
[[nodiscard]] model::Document withModels(
    model::Document document, const std::vector<FittedService>& services
);

// Mean wait in a queue of `workers` over the mean service time: `load` is X S, `cv` of the service
// time, `arrivals` the squared variation of the gaps (1: Poisson). Infinite from load >= workers
// on.
[[nodiscard]] double queueWait(int workers, double load, double cv, double arrivals);

} // namespace mesh::simulator
