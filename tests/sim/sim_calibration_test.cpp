// Goal: models that are fitted from what proxies counted are the models that made it, and predict
//       another load than the one they were fitted on.
// Method: a known mesh is run in virtual time; its figures in bins of 20 s are the telemetry.
// Agreement: mean service time within 8 %, calls per request within 5 %, error rate within 0.3 pp;
//            predicted at a load not seen: success within 0.5 pp, p50 within 10 %, p99 within 20 %.
#include "simulator/models/calibration.h"
#include "simulator/models/duration_law.h"
#include "simulator/report/calibration_record.h"
#include "tests/sim/observed_mesh.h"

#include <QTest>

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
    void aBackTestTellsHowFarThePredictionsAre();
    void aRecordComesBackAsItWasWritten();
    void whatIsNoRecordIsRefused();
    void outsideOfItsRangeARehearsalIsNotCalibrated();
};

namespace {

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

    for (const auto& service : seen.services) {
        const std::string& name = service.first; // Clang 14 captures no structured bindings.
        const CallFigures& measured = service.second;
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

void SimCalibrationTest::aBackTestTellsHowFarThePredictionsAre()
{
    const model::Document truth = documentOf(kTruth);
    const Observed seen = observe(truth, {70, 90, 105}, Seed{1001});
    const auto good = backTest(withModels(guessOf(truth), fitted()), seen.bins, Seed{5});
    const auto bad = backTest(guessOf(truth), seen.bins, Seed{5}); // 1 ms each, no errors.

    QVERIFY(good && bad);
    QCOMPARE(good->size(), kEdges.size());
    for (const ServiceResidual& each : *good) {
        // Four standard errors of cart's 4 700 calls, of which 3 % fail, in both runs.
        QVERIFY2(std::abs(each.success) < 0.014, each.service.c_str());
        QVERIFY2(std::abs(each.p50) < 0.10, each.service.c_str());
        QVERIFY2(std::abs(each.p99) < 0.25, each.service.c_str());
    }
    QVERIFY(std::ranges::any_of(*bad, [](const auto& each) { return each.p50 < -0.5; }));

    std::vector<TelemetryBin> inner = seen.bins;
    for (TelemetryBin& bin : inner) {
        std::erase_if(bin.edges, [](const EdgeSample& edge) { return edge.caller == "gateway"; });
    }
    QVERIFY(!backTest(truth, inner, Seed{5}));
}

void SimCalibrationTest::aRecordComesBackAsItWasWritten()
{
    const CalibrationRecord record = recordOf(fitted(), {{"cart", 900, -0.001, 0.03, -0.08}}, "ab");
    const auto again = parseCalibration(toJson(record));

    QVERIFY(again);
    QCOMPARE(toJson(*again), toJson(record));
    QCOMPARE(
        summaryOf(*again),
        std::string("4 of 5 services fitted; back-test of 1: success 0.10 pp, p50 3 %, p99 8 % off "
                    "(medians)")
    );
}

void SimCalibrationTest::whatIsNoRecordIsRefused()
{
    for (const std::string_view text :
         {"", "{", "[]", "{\"mesh_hash\": 3}", "{\"mesh_hash\": \"a\", \"services\": [1, []]}"}) {
        QVERIFY2(!parseCalibration(text), std::string(text).c_str());
    }
}

void SimCalibrationTest::outsideOfItsRangeARehearsalIsNotCalibrated()
{
    CalibrationRecord record;
    record.meshHash = "ab";
    record.services = {{"cart", true, 10.0, 100.0}, {"attic", false, 0.0, 0.0}};
    Rehearsal inside;
    inside.variants.emplace_back();
    inside.variants[0].services[Window::Always]["cart"].calls = 5000;
    inside.variants[0].services[Window::Always]["cart"].rps = 105.0; // A tenth is luck.
    inside.variants[0].services[Window::Always]["attic"]; // Never called.
    Rehearsal above = inside;
    above.variants[0].services[Window::During]["cart"].calls = 500;
    above.variants[0].services[Window::During]["cart"].rps = 150.0;
    Rehearsal unknown = inside;
    unknown.variants[0].services[Window::Always]["attic"].calls = 1;
    Rehearsal failed = above;
    failed.verdict = Verdict::Fails;
    for (Rehearsal* each : {&inside, &above, &unknown, &failed}) {
        applyCalibration(record, *each);
        QVERIFY(each->trust.isCalibrated);
    }

    QCOMPARE(inside.verdict, Verdict::Holds);
    QVERIFY(inside.trust.beyond.empty());
    QCOMPARE(above.verdict, Verdict::NotCalibrated);
    QCOMPARE(above.trust.beyond, std::vector<std::string>{"cart"});
    QCOMPARE(unknown.trust.beyond, std::vector<std::string>{"attic"});
    QCOMPARE(failed.verdict, Verdict::Fails); // A failure stays one.
    QCOMPARE(failed.trust.beyond.size(), std::size_t{1});
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::SimCalibrationTest)
#include "sim_calibration_test.moc"
