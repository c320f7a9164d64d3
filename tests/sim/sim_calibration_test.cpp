// Goal: models that are fitted from what proxies counted are the models that made it, and predict
//       another load than the one they were fitted on.
// Method: a known mesh is run in virtual time; its figures in bins of 20 s are the telemetry.
// Agreement: mean service time within 8 %, calls per request within 5 %, error rate within 0.3 pp;
//            predicted at a load not seen: success within 0.5 pp, p50 within 10 %, p99 within 20 %.
#include "proxyengine/config/codec.h"
#include "simulator/mesh/mesh_run.h"
#include "simulator/models/calibration.h"
#include "simulator/models/duration_law.h"

#include <QTest>

#include <fmt/format.h>

#include <chrono>
#include <cmath>

namespace mesh::simulator {

using namespace std::chrono_literals;

class SimCalibrationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void serviceTimesAreRecovered_data();
    void serviceTimesAreRecovered();
    void workersAreRecoveredWhereTheLoadTellsThem();
    void callsBecomeCountsAndProbabilities();
    void ownErrorsAreToldFromThoseOfOthers();
    void anotherLoadIsPredicted();
    void tooFewCallsGiveTheDocumentsModel();
    void numbersThatContradictLittleAreRefused();
    void whatNobodyCallsKeepsItsModel();
    void theWaitIsErlangs();
};

namespace {

constexpr std::string_view kTruth = R"yaml(
_format_version: "3.0"
services:
- {name: frontend, host: frontend, routes: [{name: all, paths: [/]}]}
- {name: cart, host: cart}
- {name: search, host: search}
- {name: payment, host: payment}
- {name: attic, host: attic}
upstreams:
- {name: frontend, algorithm: round-robin}
- {name: cart, algorithm: round-robin}
- {name: search, algorithm: round-robin}
- {name: payment, algorithm: round-robin}
models:
- {service: frontend, instances: 2, concurrency: 8,
   service_time: {dist: lognormal, mean: 4ms, cv: 0.5},
   script: [{call: search, count: 2}, {call: cart, probability: 0.3}]}
- {service: cart, instances: 2, concurrency: 1, service_time: {dist: exp, mean: 20ms},
   error_rate: 0.02, script: [{call: payment}]}
- {service: search, instances: 2, concurrency: 2, service_time: {dist: exp, mean: 10ms}}
- {service: payment, instances: 1, concurrency: 4,
   service_time: {dist: lognormal, mean: 30ms, cv: 1.5}, error_rate: 0.01}
- {service: attic, service_time: {dist: const, mean: 7ms}}
)yaml";

model::Document documentOf(std::string_view text)
{
    const config::DecodeResult decoded = config::decode(text);
    for (const config::Problem& problem : decoded.problems) {
        if (problem.severity == config::Severity::Error) {
            qFatal("%s", config::toText(problem, "mesh").c_str());
        }
    }
    return decoded.document;
}

// The truth with nothing known of it but its shape: one worker, one millisecond, plain scripts.
model::Document guessOf(model::Document document)
{
    for (model::ServiceModel& model : document.models) {
        if (model.service == "attic") {
            continue;
        }
        model.concurrency = 1;
        model.serviceTime = {model::DurationLaw::Kind::Const, 1ms, 1.0, {}};
        model.errorRate = 0.0;
        model.script.clear();
    }
    return document;
}

HistogramCounts histogramOf(const LatencyTally& tally)
{
    constexpr std::uint64_t kPointsMax = 5000;
    HistogramCounts counts;
    const std::uint64_t points = std::min(kPointsMax, tally.total());
    for (std::uint64_t at = 0; at < points; ++at) {
        const double share = (static_cast<double>(at) + 0.5) / static_cast<double>(points);
        const auto weight = static_cast<std::uint32_t>(tally.total() / points);
        counts.record(
            static_cast<std::uint64_t>(toSeconds(tally.quantile(share)) * 1e6 + 0.5), weight
        );
    }
    return counts;
}

struct Observed
{
    std::vector<TelemetryBin> bins;
    CallFigures frontend; // Of all bins.
    std::map<std::string, CallFigures> services;
};

constexpr std::array kEdges = {
    std::pair("gateway", "frontend"),
    std::pair("frontend", "search"),
    std::pair("frontend", "cart"),
    std::pair("cart", "payment")};

// A run of the document under these rates, each for a minute.
Observed observe(const model::Document& document, const std::vector<double>& rates, Seed seed)
{
    constexpr Duration kBin = 20s;
    Result<MeshPlan> plan = MeshPlan::make(document);
    if (!plan) {
        qFatal("%s", plan.error().message.c_str());
    }
    MeshRunSettings settings;
    settings.seed = seed;
    settings.duration = 60s * rates.size();
    Load load{"frontend", Arrivals::Poisson, {}};
    for (std::size_t at = 0; at < rates.size(); ++at) {
        load.rate.emplace_back(60s * at, rates[at]);
    }
    settings.loads = {load};
    for (Duration from{}; from < settings.duration; from += kBin) {
        settings.windows.push_back(
            {fmt::format("{}", from / 1s), {{TimePoint(from), TimePoint(from + kBin)}}}
        );
    }
    settings.windows.push_back({"always", {{TimePoint(), TimePoint(settings.duration)}}});
    const std::size_t whole = settings.windows.size() - 1;
    MeshRun run(*plan, settings);
    run.run();

    Observed observed;
    for (std::size_t at = 0; at < whole; ++at) {
        TelemetryBin bin;
        bin.length = kBin;
        for (const auto& [caller, callee] : kEdges) {
            const CallFigures& figures =
                run.edge(fmt::format("{}->{}", caller, callee))->figures(at);
            bin.edges.push_back(EdgeSample{
                caller,
                callee,
                figures.calls,
                figures.calls - figures.succeeded,
                figures.attempts,
                toSeconds(figures.waited) / toSeconds(kBin),
                histogramOf(figures.durations)});
        }
        observed.bins.push_back(std::move(bin));
    }
    for (const auto& [caller, callee] : kEdges) {
        observed.services.emplace(callee, run.service(callee)->figures(whole));
    }
    return observed;
}

const std::vector<double> kRates = {10, 20, 40, 60, 80, 100, 110, 120};

const std::vector<FittedService>& fitted()
{
    static const std::vector<FittedService> kFitted = [] {
        const model::Document truth = documentOf(kTruth);
        return calibrate(guessOf(truth), observe(truth, kRates, Seed{7}).bins);
    }();
    return kFitted;
}

const FittedService& fittedOf(std::string_view name)
{
    const auto& all = fitted();
    const auto found =
        std::ranges::find(all, name, [](const FittedService& each) { return each.model.service; });
    if (found == all.end()) {
        qFatal("no model of %s", std::string(name).c_str());
    }
    return *found;
}

const model::ServiceModel& truthOf(const model::Document& document, std::string_view name)
{
    return *std::ranges::find(document.models, name, &model::ServiceModel::service);
}

double relative(double value, double truth) { return std::abs(value / truth - 1.0); }

} // namespace

void SimCalibrationTest::initTestCase()
{
    for (const FittedService& each : fitted()) {
        qInfo(
            "%-9s %s: mean %.2f ms, cv %.2f, %d workers%s, errors %.4f, busy to %.2f, little "
            "%+.3f, "
            "residual %.3f",
            each.model.service.c_str(),
            std::string(toText(each.origin)).c_str(),
            toSeconds(meanOf(each.model.serviceTime)) * 1e3,
            each.model.serviceTime.cv,
            each.model.concurrency,
            each.isConcurrencyFitted ? "" : " (not fitted)",
            each.model.errorRate,
            each.utilization,
            each.littleError.value_or(0.0),
            each.residual
        );
    }
}

void SimCalibrationTest::serviceTimesAreRecovered_data()
{
    QTest::addColumn<QString>("service");

    for (const auto& [caller, callee] : kEdges) {
        QTest::newRow(callee) << QString::fromLatin1(callee);
    }
}

void SimCalibrationTest::serviceTimesAreRecovered()
{
    QFETCH(const QString, service);
    const model::Document truth = documentOf(kTruth);
    const FittedService& found = fittedOf(service.toStdString());

    QCOMPARE(found.origin, ModelOrigin::Fitted);
    const double mean = toSeconds(meanOf(found.model.serviceTime));
    const double expected = toSeconds(meanOf(truthOf(truth, service.toStdString()).serviceTime));
    QVERIFY2(relative(mean, expected) < 0.08, qPrintable(QString::number(mean * 1e3)));
    QVERIFY(std::abs(*found.littleError) < 0.02);
}

void SimCalibrationTest::workersAreRecoveredWhereTheLoadTellsThem()
{
    // Cart was at 0.36 of one worker, search at 0.6 of two.
    QVERIFY(fittedOf("cart").isConcurrencyFitted);
    QCOMPARE(fittedOf("cart").model.concurrency, 1);
    QVERIFY(fittedOf("search").isConcurrencyFitted);
    QCOMPARE(fittedOf("search").model.concurrency, 2);
    // The frontend's eight workers were never short: nothing can be said.
    QVERIFY(!fittedOf("frontend").isConcurrencyFitted);
}

void SimCalibrationTest::callsBecomeCountsAndProbabilities()
{
    const std::vector<model::ModelStep>& script = fittedOf("frontend").model.script;

    QCOMPARE(script.size(), std::size_t{2}); // By name: the order is assumed, and said to be.
    QVERIFY(fittedOf("frontend").isOrderAssumed);
    QCOMPARE(script[0].calls[0].call, std::string("cart"));
    QVERIFY(relative(script[0].calls[0].probability, 0.3) < 0.05);
    QCOMPARE(script[1].calls[0].call, std::string("search"));
    QCOMPARE(script[1].calls[0].count, 2);
    QVERIFY(script[1].calls[0].probability > 0.98);
}

void SimCalibrationTest::ownErrorsAreToldFromThoseOfOthers()
{
    QVERIFY(std::abs(fittedOf("cart").model.errorRate - 0.02) < 0.003);
    QVERIFY(std::abs(fittedOf("payment").model.errorRate - 0.01) < 0.003);
    QVERIFY(fittedOf("frontend").model.errorRate < 0.001);
    QVERIFY(fittedOf("search").model.errorRate < 0.001);
}

void SimCalibrationTest::anotherLoadIsPredicted()
{
    const model::Document truth = documentOf(kTruth);
    const Observed seen = observe(truth, {70, 90, 105}, Seed{1001});
    const Observed said = observe(withModels(guessOf(truth), fitted()), {70, 90, 105}, Seed{2002});

    for (const auto& [name, measured] : seen.services) {
        const CallFigures& predicted = said.services.at(name);
        const auto successOf = [](const CallFigures& figures) {
            return static_cast<double>(figures.succeeded) / static_cast<double>(figures.calls);
        };
        const auto apart = [&](double share) {
            return relative(
                toSeconds(predicted.durations.quantile(share)),
                toSeconds(measured.durations.quantile(share))
            );
        };
        qInfo(
            "%-9s success %+.4f, p50 %.3f, p99 %.3f apart",
            name.c_str(),
            successOf(predicted) - successOf(measured),
            apart(0.5),
            apart(0.99)
        );
        QVERIFY(std::abs(successOf(predicted) - successOf(measured)) < 0.005);
        QVERIFY(apart(0.5) < 0.10);
        QVERIFY(apart(0.99) < 0.20);
    }
}

void SimCalibrationTest::tooFewCallsGiveTheDocumentsModel()
{
    const model::Document truth = documentOf(kTruth);
    Observed seen = observe(truth, {10}, Seed{7});
    seen.bins.resize(1); // 200 calls.
    const std::vector<FittedService> few = calibrate(truth, seen.bins);

    for (const FittedService& each : few) {
        if (each.model.service != "attic") {
            QCOMPARE(each.origin, ModelOrigin::TooFewCalls);
            QVERIFY(each.model == truthOf(truth, each.model.service));
        }
    }
}

void SimCalibrationTest::numbersThatContradictLittleAreRefused()
{
    const model::Document truth = documentOf(kTruth);
    Observed seen = observe(truth, {40}, Seed{7});
    for (TelemetryBin& bin : seen.bins) {
        for (EdgeSample& edge : bin.edges) {
            edge.inFlight *= edge.callee == "search" ? 1.5 : 1.1;
        }
    }
    for (const FittedService& each : calibrate(truth, seen.bins)) {
        if (each.model.service == "search") {
            QCOMPARE(each.origin, ModelOrigin::Inconsistent);
        } else if (each.model.service == "frontend") {
            QCOMPARE(each.origin, ModelOrigin::Fitted);
        }
    }
}

void SimCalibrationTest::whatNobodyCallsKeepsItsModel()
{
    QCOMPARE(fittedOf("attic").origin, ModelOrigin::NotSeen);
    QCOMPARE(fittedOf("attic").model.serviceTime.mean, Duration(7ms));
}

void SimCalibrationTest::theWaitIsErlangs()
{
    const auto isNear = [](double value, double expected) {
        return std::abs(value - expected) < 0.0005 * std::max(1.0, expected);
    };
    QVERIFY(isNear(queueWait(1, 0.8, 1.0, 1.0), 4.0)); // M/M/1
    QVERIFY(isNear(queueWait(1, 0.8, 0.0, 1.0), 2.0)); // M/D/1
    QVERIFY(isNear(queueWait(4, 2.8, 1.0, 1.0), 0.3572)); // M/M/4
    QVERIFY(isNear(queueWait(32, 28.8, 1.0, 1.0), 0.1432));
    QVERIFY(std::isinf(queueWait(2, 2.0, 1.0, 1.0)));
    QCOMPARE(queueWait(2, 0.0, 1.0, 1.0), 0.0);
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::SimCalibrationTest)
#include "sim_calibration_test.moc"
