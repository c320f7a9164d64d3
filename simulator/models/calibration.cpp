#include "simulator/models/calibration.h"

#include "simulator/models/duration_law.h"
#include "simulator/models/instance.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <set>

namespace mesh::simulator {
namespace {

using model::DurationLaw;
using model::ModelCall;
using model::ModelStep;
using model::ServiceModel;

constexpr std::array kConcurrencies = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128};
constexpr double kRetriedMax = 1.05; // Attempts per call; above, a duration is not one visit's.
constexpr double kCalmShare = 0.25; // Of the bins, those with the least load tell the shape.
constexpr double kSpreadMin = 1.3; // Busiest over calmest bin, to tell workers from their speed.
// Chi squared of one number: exceeded by chance in 1 of 20, and in 1 of 600.
constexpr double kUnitsDoubt = 4.0;
constexpr double kUnitsSure = 10.0;
constexpr double kSquaresMin = 1e-8; // Fits better than 0.01 % are equally good.
constexpr double kVariationMax = 5.0; // Of a lognormal; more is a mixture of things.
constexpr std::array kQuantileShares = {
    0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0};

struct EdgeSum
{
    std::uint64_t calls = 0;
    std::uint64_t failed = 0;
    std::uint64_t attempts = 0;
    double callSeconds = 0.0; // Calls in progress times seconds.
    HistogramCounts latency;

    void add(const EdgeSample& sample, double seconds)
    {
        calls += sample.calls;
        failed += sample.failed;
        attempts += sample.attempts;
        callSeconds += sample.inFlight * seconds;
        latency.merge(sample.latency);
    }
    [[nodiscard]] double mean_s() const { return latency.mean() / 1e6; }
};

// What one bin says of one service: its calls, and those it made.
struct ServiceBin
{
    double seconds = 0.0;
    EdgeSum own;
    std::map<std::string, EdgeSum> children;
};

struct Evidence
{
    std::vector<ServiceBin> bins; // Those with calls.
    EdgeSum own;
    std::map<std::string, EdgeSum> children;
};

// A bin as the queue sees it.
struct OwnTime
{
    double attemptsPerSecond = 0.0;
    double own_s = 0.0;
    double weight = 0.0;
};

struct QueueFit
{
    int workers = 1;
    double mean_s = 0.0;
    double squares = std::numeric_limits<double>::max(); // Of relative errors, weighted mean.
};

std::map<std::string, Evidence> evidenceOf(const std::vector<TelemetryBin>& bins)
{
    std::map<std::string, Evidence> all;
    for (const TelemetryBin& bin : bins) {
        const double seconds = toSeconds(bin.length);
        std::map<std::string, ServiceBin> services;
        for (const EdgeSample& sample : bin.edges) {
            services[sample.callee].own.add(sample, seconds);
            services[sample.caller].children[sample.callee].add(sample, seconds);
            all[sample.callee].own.add(sample, seconds);
            all[sample.caller].children[sample.callee].add(sample, seconds);
        }
        for (auto& [name, service] : services) {
            if (service.own.calls > 0) {
                service.seconds = seconds;
                all[name].bins.push_back(std::move(service));
            }
        }
    }
    return all;
}

double square(double value) { return value * value; }

double varianceOf(const HistogramCounts& latency)
{
    const double mean = latency.mean();
    double sum = 0.0;
    for (const HistogramCounts::Bucket& bucket : latency.buckets()) {
        sum += square(HistogramScale::middleOf(bucket.index) - mean) * bucket.count;
    }
    const auto total = static_cast<double>(latency.total());
    return total > 0.0 ? sum / total : 0.0;
}

double perCall(const EdgeSum& child, const EdgeSum& own)
{
    return own.calls > 0 ? static_cast<double>(child.calls) / static_cast<double>(own.calls) : 0.0;
}

// How long the calls of a request take together: steps one after the other, the calls of a parallel
// step as long as the slowest on average. What no step names comes after.
double childrenTime(const ServiceBin& bin, const std::vector<ModelStep>& script)
{
    std::map<std::string, double> times;
    for (const auto& [name, child] : bin.children) {
        times[name] = perCall(child, bin.own) * child.mean_s();
    }
    double all = 0.0;
    for (const ModelStep& step : script) {
        if (!step.isParallel) {
            continue;
        }
        double longest = 0.0;
        for (const ModelCall& call : step.calls) {
            const auto found = times.find(call.call);
            if (found != times.end()) {
                longest = std::max(longest, found->second);
                times.erase(found);
            }
        }
        all += longest;
    }
    for (const auto& [name, time] : times) {
        all += time;
    }
    return all;
}

std::vector<OwnTime> ownTimes(const Evidence& evidence, const std::vector<ModelStep>& script)
{
    std::vector<OwnTime> times;
    for (const ServiceBin& bin : evidence.bins) {
        const auto calls = static_cast<double>(bin.own.calls);
        const auto attempts = static_cast<double>(bin.own.attempts);
        if (attempts / calls > kRetriedMax) {
            continue;
        }
        const double own = std::max(1e-6, bin.own.mean_s() - childrenTime(bin, script));
        times.push_back({attempts / bin.seconds, own, calls});
    }
    return times;
}

// Mean own time when the mean service time is `mean_s`.
double predicted(const OwnTime& time, const QueueFit& fit, int instances, double cv)
{
    const double load = time.attemptsPerSecond / instances * fit.mean_s;
    return fit.mean_s * (1.0 + queueWait(fit.workers, load, cv, 1.0 / instances));
}

double squaresOf(const std::vector<OwnTime>& times, const QueueFit& fit, int instances, double cv)
{
    double squares = 0.0;
    double weights = 0.0;
    for (const OwnTime& time : times) {
        const double error = predicted(time, fit, instances, cv) / time.own_s - 1.0;
        squares += time.weight * square(error);
        weights += time.weight;
    }
    return weights > 0.0 ? squares / weights : 0.0;
}

// The mean service time at which the predictions are as long as what was seen, on average.
QueueFit fitMean(const std::vector<OwnTime>& times, int workers, int instances, double cv)
{
    double low = 0.0;
    double high = 0.0;
    for (const OwnTime& time : times) {
        high = std::max(high, time.own_s);
    }
    QueueFit fit;
    fit.workers = workers;
    for (int step = 0; step < 60; ++step) {
        fit.mean_s = (low + high) / 2.0;
        double error = 0.0;
        for (const OwnTime& time : times) {
            error += time.weight * (predicted(time, fit, instances, cv) - time.own_s);
        }
        (error > 0.0 ? high : low) = fit.mean_s;
    }
    fit.mean_s = low;
    fit.squares = squaresOf(times, fit, instances, cv);
    return fit;
}

bool isSpread(const std::vector<OwnTime>& times)
{
    double least = std::numeric_limits<double>::max();
    double most = 0.0;
    for (const OwnTime& time : times) {
        least = std::min(least, time.attemptsPerSecond);
        most = std::max(most, time.attemptsPerSecond);
    }
    return most >= kSpreadMin * least;
}

// Whether the bins tell this fit from the best one: the growth of the squared error in units of
// what one more free number explains by chance.
bool isWorse(const QueueFit& fit, const QueueFit& best, std::size_t bins, double units)
{
    return (fit.squares / best.squares - 1.0) * static_cast<double>(bins) > units;
}

// Workers and mean. The document's workers, unless the bins say that they are too few or too many;
// then as few as the bins allow.
QueueFit fitQueue(
    const std::vector<OwnTime>& times,
    const ServiceModel& declared,
    int instances,
    double cv,
    bool& isConcurrencyFitted
)
{
    const QueueFit asDeclared = fitMean(times, declared.concurrency, instances, cv);
    QueueFit best = asDeclared;
    std::vector<QueueFit> fits;
    for (const int workers : kConcurrencies) {
        fits.push_back(fitMean(times, workers, instances, cv));
        best = fits.back().squares < best.squares ? fits.back() : best;
    }
    best.squares = std::max(best.squares, kSquaresMin);
    const QueueFit unlimited = fitMean(times, std::numeric_limits<int>::max(), instances, cv);
    isConcurrencyFitted = isSpread(times) && isWorse(unlimited, best, times.size(), kUnitsSure);
    if (isConcurrencyFitted) {
        return best;
    }
    if (!isWorse(asDeclared, best, times.size(), kUnitsDoubt)) {
        return asDeclared;
    }
    return *std::ranges::find_if(fits, [&](const QueueFit& fit) {
        return !isWorse(fit, best, times.size(), kUnitsDoubt);
    });
}

// The bins with the least load, merged.
ServiceBin calmOf(const Evidence& evidence)
{
    std::vector<const ServiceBin*> bins;
    for (const ServiceBin& bin : evidence.bins) {
        bins.push_back(&bin);
    }
    std::ranges::stable_sort(bins, {}, [](const ServiceBin* bin) {
        return static_cast<double>(bin->own.attempts) / bin->seconds;
    });
    const auto share = static_cast<std::size_t>(kCalmShare * static_cast<double>(bins.size()));
    ServiceBin calm;
    for (std::size_t at = 0; at < bins.size(); ++at) {
        if (at > share && calm.own.calls >= kCallsToFitMin) {
            break;
        }
        calm.seconds += bins[at]->seconds;
        calm.own.calls += bins[at]->own.calls;
        calm.own.latency.merge(bins[at]->own.latency);
        for (const auto& [name, child] : bins[at]->children) {
            EdgeSum& sum = calm.children[name];
            sum.calls += child.calls;
            sum.latency.merge(child.latency);
        }
    }
    return calm;
}

// Standard deviation over mean of the own time: what variance the calls leave, taking them as
// independent of each other.
double variationOf(const ServiceBin& calm, const std::vector<ModelStep>& script)
{
    double variance = varianceOf(calm.own.latency);
    for (const auto& [name, child] : calm.children) {
        const double count = perCall(child, calm.own);
        const double share = count - std::floor(count);
        variance -= count * varianceOf(child.latency)
                    + share * (1.0 - share) * square(child.latency.mean());
    }
    const double own = calm.own.mean_s() - childrenTime(calm, script);
    if (own <= 0.0 || variance <= 0.0) {
        return 0.0;
    }
    return std::min(kVariationMax, std::sqrt(variance) / 1e6 / own);
}

DurationLaw lawOf(const ServiceBin& calm, double mean_s, double cv)
{
    DurationLaw law;
    law.mean = fromSeconds(mean_s);
    if (!calm.children.empty()) {
        law.kind = cv < 0.02 ? DurationLaw::Kind::Const : DurationLaw::Kind::Lognormal;
        law.cv = cv;
        return law;
    }
    const double scale = mean_s / calm.own.mean_s();
    law.kind = DurationLaw::Kind::Quantiles;
    for (const double share : kQuantileShares) {
        const double value_s = calm.own.latency.quantile(share) / 1e6 * scale;
        const Duration floor = law.quantiles.empty() ? Duration(1) : law.quantiles.back().second;
        law.quantiles.emplace_back(share, std::max(floor, fromSeconds(value_s)));
    }
    const double correction = mean_s / toSeconds(meanOf(law)); // Of the lines between quantiles.
    for (auto& [share, value] : law.quantiles) {
        value = std::max(Duration(1), fromSeconds(toSeconds(value) * correction));
    }
    law.mean = Duration{};
    return law;
}

// `expected` calls per request as a count and a probability.
void setExpected(ModelCall& call, double expected)
{
    expected /= 1.0 - std::min(0.99, call.cached.value_or(0.0));
    call.count = std::max(1, static_cast<int>(std::ceil(expected - 0.005)));
    call.probability = std::clamp(expected / call.count, 0.0, 1.0);
    if (call.probability > 0.995) {
        call.probability = 1.0;
    }
}

double expectedOf(const ModelCall& call)
{
    return call.probability * call.count * (1.0 - call.cached.value_or(0.0));
}

// The document's script with the counts seen, or the calls by name one after the other.
void fitScript(FittedService& fitted, const Evidence& evidence, double visits)
{
    std::map<std::string, double> expected;
    for (const auto& [name, child] : evidence.children) {
        if (child.calls > 0) {
            expected[name] = static_cast<double>(child.calls) / visits;
        }
    }
    std::map<std::string, double> declared;
    for (const ModelStep& step : fitted.model.script) {
        for (const ModelCall& call : step.calls) {
            declared[call.call] += expectedOf(call);
        }
    }
    const auto nameOf = [](const auto& pair) -> const std::string& { return pair.first; };
    if (!std::ranges::equal(expected, declared, {}, nameOf, nameOf)) {
        fitted.isOrderAssumed = expected.size() > 1;
        fitted.model.script.clear();
        for (const auto& [name, count] : expected) {
            ModelCall call;
            call.call = name;
            setExpected(call, count);
            fitted.model.script.push_back({{call}, false});
        }
        return;
    }
    for (ModelStep& step : fitted.model.script) {
        for (ModelCall& call : step.calls) {
            const double part =
                declared[call.call] > 0.0 ? expectedOf(call) / declared[call.call] : 1.0;
            setExpected(call, part * expected[call.call]);
        }
    }
}

void fillRange(FittedService& fitted, const Evidence& evidence)
{
    fitted.calls = evidence.own.calls;
    fitted.rateFrom = std::numeric_limits<double>::max();
    for (const ServiceBin& bin : evidence.bins) {
        const double rate = static_cast<double>(bin.own.calls) / bin.seconds;
        fitted.rateFrom = std::min(fitted.rateFrom, rate);
        fitted.rateTo = std::max(fitted.rateTo, rate);
    }
    const auto calls = static_cast<double>(std::max<std::uint64_t>(1, evidence.own.calls));
    fitted.failed = static_cast<double>(evidence.own.failed) / calls;
    const double inProgress = calls * evidence.own.mean_s();
    if (evidence.own.callSeconds > 0.0 && inProgress > 0.0) {
        fitted.littleError = evidence.own.callSeconds / inProgress - 1.0;
    }
}

void fitService(FittedService& fitted, const Evidence& evidence, int instances)
{
    fillRange(fitted, evidence);
    if (fitted.calls < kCallsToFitMin) {
        fitted.origin = ModelOrigin::TooFewCalls;
        return;
    }
    const std::vector<OwnTime> times = ownTimes(evidence, fitted.model.script);
    if (std::abs(fitted.littleError.value_or(0.0)) > kLittleErrorMax || times.empty()) {
        fitted.origin = ModelOrigin::Inconsistent;
        return;
    }
    // A failed call of its own fails a request; what is left are its own errors.
    const auto visits = static_cast<double>(evidence.own.attempts);
    auto failures = static_cast<double>(
        evidence.own.failed + evidence.own.attempts - std::min(evidence.own.attempts, fitted.calls)
    );
    for (const auto& [name, child] : evidence.children) {
        failures -= static_cast<double>(child.failed);
    }
    fitted.model.errorRate = std::clamp(failures / visits, 0.0, 1.0);
    if (fitted.model.errorRate < 1e-5) {
        fitted.model.errorRate = 0.0;
    }
    const ServiceBin calm = calmOf(evidence);
    const double cv = variationOf(calm, fitted.model.script);
    const QueueFit fit = fitQueue(times, fitted.model, instances, cv, fitted.isConcurrencyFitted);
    fitted.model.concurrency = fit.workers;
    fitted.model.serviceTime = lawOf(calm, fit.mean_s, cv);
    fitted.residual = std::sqrt(fit.squares);
    for (const OwnTime& time : times) {
        const double busy = time.attemptsPerSecond * fit.mean_s / fit.workers / instances;
        fitted.utilization = std::max(fitted.utilization, busy);
    }
    fitScript(fitted, evidence, visits * (1.0 - fitted.model.errorRate));
    fitted.origin = ModelOrigin::Fitted;
}

} // namespace

std::string_view toText(ModelOrigin origin)
{
    constexpr std::array<std::string_view, 4> kTexts = {
        "fitted", "too few calls", "contradicts Little's law", "not seen"};
    return kTexts.at(static_cast<std::size_t>(origin));
}

// Erlang C over the spare workers, by Erlang B's recursion; as many as there are calls in progress
// at most matter.
double queueWait(int workers, double load, double cv, double arrivals)
{
    if (load >= workers) {
        return std::numeric_limits<double>::infinity();
    }
    if (load <= 0.0 || workers > 4096) {
        return 0.0;
    }
    double blocked = 1.0;
    for (int at = 1; at <= workers; ++at) {
        blocked = load * blocked / (at + load * blocked);
    }
    const double use = load / workers;
    const double waits = blocked / (1.0 - use * (1.0 - blocked));
    return waits / (workers * (1.0 - use)) * (arrivals + square(cv)) / 2.0;
}

std::vector<FittedService> calibrate(
    const model::Document& document, const std::vector<TelemetryBin>& bins
)
{
    const std::map<std::string, Evidence> all = evidenceOf(bins);
    std::set<std::string> names;
    for (const ServiceModel& model : document.models) {
        names.insert(model.service);
    }
    for (const auto& [name, evidence] : all) {
        if (evidence.own.calls > 0) {
            names.insert(name);
        }
    }
    std::vector<FittedService> services;
    for (const std::string& name : names) {
        FittedService fitted;
        fitted.model.service = name;
        const auto declared = std::ranges::find(document.models, name, &ServiceModel::service);
        if (declared != document.models.end()) {
            fitted.model = *declared;
        }
        const auto evidence = all.find(name);
        if (evidence != all.end() && evidence->second.own.calls > 0) {
            const auto instances = instancesOf(fitted.model, document.workloads).size();
            fitService(fitted, evidence->second, std::max(1, static_cast<int>(instances)));
        }
        services.push_back(std::move(fitted));
    }
    return services;
}

model::Document withModels(model::Document document, const std::vector<FittedService>& services)
{
    document.models.clear();
    for (const FittedService& service : services) {
        document.models.push_back(service.model);
    }
    return document;
}

} // namespace mesh::simulator
