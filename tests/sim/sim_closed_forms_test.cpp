// Goal: the kernel and its laws reproduce what queueing theory knows exactly, and a seed fixes a
//       run to the last bit.
// Method: M/M/1, M/M/c and M/G/1; the average of three seeds is compared with the closed form.
//         Runs are as long as the variance of the estimate asks for. Fingerprints of whole runs
//         stand here and must come out in every build.
// Source: Whitt, "Planning queueing simulations", 1989 (how long); Kleinrock, "Queueing Systems".
#include "tests/support/queue_model.h"

#include <QTest>

#include <chrono>
#include <cmath>

namespace mesh::simulator {

using namespace std::chrono_literals;

class SimClosedFormsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void mm1HasItsMeanMedianAndTail_data();
    void mm1HasItsMeanMedianAndTail();
    void mmcWaitsAsErlangSays_data();
    void mmcWaitsAsErlangSays();
    void mg1WaitsAsPollaczekAndKhinchineSay_data();
    void mg1WaitsAsPollaczekAndKhinchineSay();
    void theSameSeedGivesTheSameRun();
    void aRunsFingerprintIsTheSameInEveryBuild_data();
    void aRunsFingerprintIsTheSameInEveryBuild();
};

namespace {

using Kind = model::DurationLaw::Kind;

model::DurationLaw exponential(Duration mean) { return {Kind::Exp, mean, 1.0, {}}; }

// In units of the mean service time, 1 ms; the average of three seeds.
struct Found
{
    double sojourn = 0.0;
    double median = 0.0;
    double tail = 0.0; // p99.
    double wait = 0.0;
    double waitTail = 0.0;
};

// The bits of a run are the same in every build (its fingerprints say so), so it is enough to
// measure the long ones where the compiler optimises.
#if defined(__OPTIMIZE__)
constexpr bool kMeasures = true;
#else
constexpr bool kMeasures = false;
#endif
constexpr const char* kWhyNot = "Measured in optimised builds, which give the same bits.";

constexpr std::uint64_t kSeeds[] = {1, 2, 3};

Found average(const QueueLaws& laws, std::uint64_t customers)
{
    Found found;
    const auto share = [](Duration duration) { return toSeconds(duration) * 1e3 / 3.0; };
    for (const std::uint64_t seed : kSeeds) {
        QueueModel queue(laws, Seed{seed});
        queue.run(customers, customers / 20);
        found.sojourn += share(queue.sojourns().mean());
        found.median += share(queue.sojourns().quantile(0.5));
        found.tail += share(queue.sojourns().quantile(0.99));
        found.wait += share(queue.waits().mean());
        found.waitTail += share(queue.waits().quantile(0.99));
    }
    return found;
}

Duration gapFor(double utilisation, std::uint32_t workers)
{
    return fromSeconds(1e-3 / (utilisation * workers));
}

// Said with numbers when it is not so.
bool isWithin(const char* what, double found, double expected, double tolerance)
{
    const double off = found / expected - 1.0;
    if (std::abs(off) <= tolerance) {
        return true;
    }
    qWarning("%s: %.5f, closed form %.5f, %.2f %% apart", what, found, expected, off * 100.0);
    return false;
}

std::uint64_t customersFor(double utilisation)
{
    return utilisation >= 0.9 ? 4'000'000 : (utilisation >= 0.8 ? 2'000'000 : 800'000);
}

double toleranceFor(double utilisation) { return utilisation >= 0.9 ? 0.03 : 0.02; }

// Erlang C: the probability of waiting.
double waitProbability(std::uint32_t workers, double utilisation)
{
    double blocked = 1.0; // Erlang B, by its recursion.
    const double load = workers * utilisation;
    for (std::uint32_t count = 1; count <= workers; ++count) {
        blocked = load * blocked / (count + load * blocked);
    }
    return blocked / (1.0 - utilisation * (1.0 - blocked));
}

} // namespace

void SimClosedFormsTest::mm1HasItsMeanMedianAndTail_data()
{
    QTest::addColumn<double>("utilisation");
    for (const double utilisation : {0.5, 0.6, 0.7, 0.8, 0.9}) {
        QTest::addRow("utilisation %.1f", utilisation) << utilisation;
    }
}

void SimClosedFormsTest::mm1HasItsMeanMedianAndTail()
{
    if (!kMeasures) {
        QSKIP(kWhyNot);
    }
    QFETCH(const double, utilisation);
    const double mean = 1.0 / (1.0 - utilisation);
    const double tolerance = toleranceFor(utilisation);

    const Found found = average(
        {exponential(gapFor(utilisation, 1)), exponential(1ms), 1}, customersFor(utilisation)
    );

    QVERIFY(isWithin("mean", found.sojourn, mean, tolerance));
    QVERIFY(isWithin("p50", found.median, mean * std::log(2.0), tolerance));
    QVERIFY(isWithin("p99", found.tail, mean * std::log(100.0), 0.04));
}

void SimClosedFormsTest::mmcWaitsAsErlangSays_data()
{
    QTest::addColumn<uint>("workers");
    QTest::addColumn<double>("utilisation");
    for (const auto& [workers, utilisation] : std::initializer_list<std::pair<uint, double>>{
             {2, 0.5}, {2, 0.9}, {4, 0.7}, {8, 0.8}, {16, 0.9}, {32, 0.9}}) {
        QTest::addRow("%u workers, utilisation %.1f", workers, utilisation)
            << workers << utilisation;
    }
}

void SimClosedFormsTest::mmcWaitsAsErlangSays()
{
    if (!kMeasures) {
        QSKIP(kWhyNot);
    }
    QFETCH(const uint, workers);
    QFETCH(const double, utilisation);
    const double waiting = waitProbability(workers, utilisation);
    const double drain = workers * (1.0 - utilisation);

    const Found found = average(
        {exponential(gapFor(utilisation, workers)), exponential(1ms), workers},
        customersFor(utilisation)
    );

    QVERIFY(isWithin("sojourn", found.sojourn, 1.0 + waiting / drain, toleranceFor(utilisation)));
    QVERIFY(isWithin("wait", found.wait, waiting / drain, 0.04));
    QVERIFY(isWithin("p99 of waits", found.waitTail, std::log(waiting / 0.01) / drain, 0.04));
}

void SimClosedFormsTest::mg1WaitsAsPollaczekAndKhinchineSay_data()
{
    QTest::addColumn<int>("kind");
    QTest::addColumn<double>("cv");
    QTest::addColumn<double>("utilisation");
    QTest::newRow("constant, half busy") << static_cast<int>(Kind::Const) << 0.0 << 0.5;
    QTest::newRow("constant, 0.8") << static_cast<int>(Kind::Const) << 0.0 << 0.8;
    QTest::newRow("constant, 0.9") << static_cast<int>(Kind::Const) << 0.0 << 0.9;
    QTest::newRow("narrow lognormal, 0.8") << static_cast<int>(Kind::Lognormal) << 0.5 << 0.8;
    QTest::newRow("wide lognormal, 0.7") << static_cast<int>(Kind::Lognormal) << 1.4142 << 0.7;
    // Uniform between 0 and 2 ms: a squared cv of 1/3.
    QTest::newRow("quantiles, 0.8") << static_cast<int>(Kind::Quantiles) << 0.57735 << 0.8;
}

void SimClosedFormsTest::mg1WaitsAsPollaczekAndKhinchineSay()
{
    if (!kMeasures) {
        QSKIP(kWhyNot);
    }
    QFETCH(const int, kind);
    QFETCH(const double, cv);
    QFETCH(const double, utilisation);
    const model::DurationLaw service{static_cast<Kind>(kind), 1ms, cv, {{0.0, 0ms}, {1.0, 2ms}}};
    const double wait = utilisation * (1.0 + cv * cv) / (2.0 * (1.0 - utilisation));

    const Found found =
        average({exponential(gapFor(utilisation, 1)), service, 1}, customersFor(utilisation));

    QVERIFY(isWithin("wait", found.wait, wait, toleranceFor(utilisation)));
    QVERIFY(isWithin("sojourn", found.sojourn, 1.0 + wait, toleranceFor(utilisation)));
}

void SimClosedFormsTest::theSameSeedGivesTheSameRun()
{
    const QueueLaws laws{exponential(1250us), exponential(1ms), 1};
    const auto fingerprint = [&laws](std::uint64_t seed) {
        QueueModel queue(laws, Seed{seed});
        queue.run(50'000, 0);
        return queue.agenda().fingerprint();
    };

    QCOMPARE(fingerprint(7), fingerprint(7));
    QVERIFY(fingerprint(7) != fingerprint(8));
}

void SimClosedFormsTest::aRunsFingerprintIsTheSameInEveryBuild_data()
{
    QTest::addColumn<int>("kind");
    QTest::addColumn<quint64>("fingerprint");
    QTest::newRow("const") << static_cast<int>(Kind::Const) << quint64{3661510869539193487U};
    QTest::newRow("exp") << static_cast<int>(Kind::Exp) << quint64{5673356254696914913U};
    QTest::newRow("lognormal") << static_cast<int>(Kind::Lognormal)
                               << quint64{3544684351931025907U};
    QTest::newRow("quantiles") << static_cast<int>(Kind::Quantiles)
                               << quint64{10635839844410714104U};
}

void SimClosedFormsTest::aRunsFingerprintIsTheSameInEveryBuild()
{
    QFETCH(const int, kind);
    QFETCH(const quint64, fingerprint);
    const model::DurationLaw service{
        static_cast<Kind>(kind), 1ms, 0.8, {{0.0, 100us}, {0.9, 1ms}, {1.0, 5ms}}};
    QueueModel queue({exponential(400us), service, 3}, Seed{42});

    queue.run(100'000, 0);

    QCOMPARE(quint64{queue.agenda().fingerprint()}, fingerprint);
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::SimClosedFormsTest)
#include "sim_closed_forms_test.moc"
