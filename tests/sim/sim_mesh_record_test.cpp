// Goal: a run can be made in steps and watched without being changed, and says what it could not
//       play before it plays.
// Method: one mesh whose policies all react; the same run whole and in steps, recorded and not.
#include "tests/support/mesh_in_virtual_time.h"

#include <QTest>

#include <algorithm>
#include <chrono>

namespace mesh::simulator {

class SimMeshRecordTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aRunInStepsIsTheSameRun();
    void recordingChangesNothing();
    void followingRequestsChangesNothing();
    void theSlowestRequestsAreExplainedToTheLastNanosecond();
    void theRecordSaysWhatTheFiguresSay();
    void theRecordMarksWhatPoliciesAndFaultsDid();
    void targetsAreFoundAsPeopleCountThem_data();
    void targetsAreFoundAsPeopleCountThem();
    void namesThatAreNotThereAreErrors_data();
    void namesThatAreNotThereAreErrors();
};

namespace {

// Five instances, one of which fails for a while, with every kind of reaction to it.
const std::string kReacting = fiveOf(
    "retry: {on: [5xx], budget: {percent: 1, min_concurrent: 0}}, "
    "breaker: {error_ratio: 0.15, open: 1s, ramp: 1s}",
    ", concurrency: 10",
    ", outlier_detection: {consecutive_5xx: 5, base_ejection: 2s, max_ejection_percent: 20, "
    "interval: 1s}, limits: {max_requests: 12}"
);

MeshRunSettings reacting()
{
    MeshRunSettings settings = settingsFor("a", 3000.0, 10s, 5);
    settings.windows = {{"all", {{TimePoint(0s), TimePoint(1h)}}}};
    settings.timeline = {
        faultOf(FaultKind::Error, "a-2", 2s, 3s), faultOf(FaultKind::Error, "a-3", 3s, 3s)};
    settings.isRecorded = true;
    return settings;
}

} // namespace

void SimMeshRecordTest::aRunInStepsIsTheSameRun()
{
    const MeshPlan plan = planOf(kReacting);
    MeshRun whole(plan, reacting());
    whole.run();

    MeshRun stepped(plan, reacting());
    int steps = 0;
    for (TimePoint time{}; stepped.runUntil(time); time += 300ms) {
        ++steps;
        // Complete up to the last whole second.
        const auto seconds = static_cast<std::size_t>((time - TimePoint{}) / 1s);
        QCOMPARE(stepped.record().services.front().seconds.size(), seconds);
    }
    stepped.close();

    QVERIFY(steps > 30);
    QCOMPARE(stepped.fingerprint(), whole.fingerprint());
    QCOMPARE(stepped.events(), whole.events());
    QCOMPARE(
        stepped.service("a")->figures(0).durations.mean(),
        whole.service("a")->figures(0).durations.mean()
    );
}

void SimMeshRecordTest::recordingChangesNothing()
{
    const MeshPlan plan = planOf(kReacting);
    MeshRunSettings settings = reacting();
    MeshRun recorded(plan, settings);
    recorded.run();
    settings.isRecorded = false;
    MeshRun bare(plan, settings);
    bare.run();

    QCOMPARE(recorded.fingerprint(), bare.fingerprint());
    QCOMPARE(recorded.events(), bare.events());
    QVERIFY(bare.record().services.empty() && bare.record().markers.empty());
}

void SimMeshRecordTest::followingRequestsChangesNothing()
{
    const MeshPlan plan = planOf(kReacting);
    MeshRunSettings settings = reacting();
    settings.slowestMax = 10;
    MeshRun noted(plan, settings);
    noted.run();
    QCOMPARE(noted.slowest().size(), std::size_t{10});
    for (const SlowRequest& slow : noted.slowest()) {
        settings.traced.push_back(slow.root);
    }
    MeshRun followed(plan, settings);
    followed.run();

    QCOMPARE(followed.fingerprint(), noted.fingerprint());
    QCOMPARE(followed.events(), noted.events());
}

void SimMeshRecordTest::theSlowestRequestsAreExplainedToTheLastNanosecond()
{
    const MeshPlan plan = planOf(fiveOf("retry: {on: [5xx]}", ", concurrency: 10", ""));
    MeshRunSettings settings = reacting();
    settings.slowestMax = 10;
    MeshRun noted(plan, settings);
    noted.run();
    for (const SlowRequest& slow : noted.slowest()) {
        settings.traced.push_back(slow.root);
    }
    MeshRun followed(plan, settings);
    followed.run();
    const std::vector<TracedRequest> requests = followed.takeTraces();

    QCOMPARE(requests.size(), std::size_t{10});
    std::size_t retried = 0;
    for (std::size_t at = 0; at < requests.size(); ++at) {
        QCOMPARE(requests[at].took, noted.slowest()[at].took);
        Duration own{};
        std::size_t attempts = 0;
        for (const TracedStep& step : requests[at].steps) {
            own += step.isCritical ? step.own : Duration::zero();
            attempts += step.kind == TracedStep::Kind::Attempt ? 1U : 0U;
            QVERIFY(step.begin >= Duration::zero() && step.begin <= step.end);
            QVERIFY(step.queued + step.worked <= step.end - step.begin);
        }
        QCOMPARE(own, requests[at].took);
        retried += attempts > 1 ? 1U : 0U;
    }
    QVERIFY(retried > 0);
    const auto longest = followed.edge("gateway->a")->figures(0).durations.quantile(1.0);
    QVERIFY(requests.front().took <= longest && requests.front().took > longest * 98 / 100);
}

void SimMeshRecordTest::theRecordSaysWhatTheFiguresSay()
{
    const MeshPlan plan = planOf(kReacting);
    MeshRun run(plan, reacting());
    run.run();

    for (const auto& [series, row] :
         {std::pair(&run.record().services.front(), run.service("a")),
          std::pair(&run.record().edges.front(), run.edge("gateway->a"))}) {
        QCOMPARE(series->name, row->name());
        RunSecond sum;
        std::uint32_t inFlight = 0;
        for (const RunSecond& second : series->seconds) {
            QCOMPARE(second.inFlight, inFlight + second.begun - second.succeeded - second.failed);
            inFlight = second.inFlight;
            sum.merge(second);
        }
        const CallFigures& figures = row->figures(0);
        QCOMPARE(inFlight, 0U);
        QCOMPARE(std::uint64_t{sum.begun}, figures.calls);
        QCOMPARE(std::uint64_t{sum.succeeded}, figures.succeeded);
        QCOMPARE(std::uint64_t{sum.attempts}, figures.attempts);
        for (const double share : {0.5, 0.9, 0.99}) {
            QVERIFY(isWithin(
                "quantile",
                milliseconds(sum.quantile(share)),
                milliseconds(figures.durations.quantile(share)),
                0.2
            ));
        }
    }
}

void SimMeshRecordTest::theRecordMarksWhatPoliciesAndFaultsDid()
{
    const MeshPlan plan = planOf(kReacting);
    MeshRun run(plan, reacting());
    run.run();

    const auto first = [&run](RunMarker::Kind kind) -> const RunMarker* {
        const auto& markers = run.record().markers;
        const auto found = std::ranges::find(markers, kind, &RunMarker::kind);
        return found == markers.end() ? nullptr : &*found;
    };
    using Kind = RunMarker::Kind;
    for (const Kind kind :
         {Kind::FaultBegan,
          Kind::FaultEnded,
          Kind::Ejected,
          Kind::Returned,
          Kind::EjectionHeld,
          Kind::BreakerOpened,
          Kind::BreakerHalfOpen,
          Kind::BreakerClosed,
          Kind::BudgetExhausted,
          Kind::LimitReached}) {
        QVERIFY2(first(kind) != nullptr, qPrintable(QString::number(static_cast<int>(kind))));
    }
    QCOMPARE(first(Kind::FaultBegan)->at, Duration(2s));
    QCOMPARE(first(Kind::FaultEnded)->at, Duration(5s));
    QCOMPARE(first(Kind::Ejected)->instance, std::string("a-2"));
    QCOMPARE(first(Kind::Ejected)->caller, std::string("gateway"));
    QCOMPARE(first(Kind::Ejected)->callee, std::string("a"));
    QVERIFY(std::ranges::is_sorted(run.record().markers, {}, &RunMarker::at));
}

namespace {

const std::string kTwelve = R"(
_format_version: "3.0"
services: [{name: a, host: a}, {name: b, host: b}]
models:
- {service: a, instances: 12, zones: [x, y, z], script: [{call: b}]}
- {service: b, instances: 2}
)";

Fault aimed(FaultKind kind, FaultTarget target)
{
    Fault fault;
    fault.kind = kind;
    fault.target = std::move(target);
    fault.period = 1s;
    fault.bytesPerSecond = 1.0;
    fault.attempts = 2;
    return fault;
}

} // namespace

void SimMeshRecordTest::targetsAreFoundAsPeopleCountThem_data()
{
    QTest::addColumn<FaultTarget>("target");
    QTest::addColumn<QString>("names");
    FaultTarget target;
    target.service = "a";
    target.percent = 20; // 2.4 instances.
    QTest::newRow("a share, rounded up") << target << "a-1 a-2 a-3";
    target.percent.reset();
    target.count = 10;
    QTest::newRow("a count") << target << "a-1 a-2 a-3 a-4 a-5 a-6 a-7 a-8 a-9 a-10";
    target.count.reset();
    target.names = {"a-11", "a-2"};
    QTest::newRow("names") << target << "a-2 a-11";
    target = {};
    target.instance = "a-7";
    QTest::newRow("an instance") << target << "a-7";
    target = {};
    target.zone = "y";
    QTest::newRow("a zone") << target << "a-2 a-5 a-8 a-11";
    target.count = 1;
    QTest::newRow("a part of a zone") << target << "a-2";
    target = {};
    target.edge = std::pair("a", "b");
    QTest::newRow("an edge") << target << "b-1 b-2";
    target = {};
    target.between = std::pair("x", "z");
    QTest::newRow("two zones") << target << "a-1 a-3 a-4 a-6 a-7 a-9 a-10 a-12";
    target = {};
    target.services = {"b"};
    QTest::newRow("services") << target << "b-1 b-2";
    target = {};
    target.version = "v2";
    QTest::newRow("a version that a deploy makes") << target << "a-1 a-2 a-3";
    target = {};
    target.service = "nobody";
    QTest::newRow("nobody") << target << "";
}

void SimMeshRecordTest::targetsAreFoundAsPeopleCountThem()
{
    QFETCH(const FaultTarget, target);
    QFETCH(const QString, names);
    const MeshPlan plan = planOf(kTwelve);
    FaultTarget deployed;
    deployed.service = "a";
    Fault deploy = aimed(FaultKind::BadDeploy, deployed);
    deploy.version = "v2";
    deploy.share = 0.25;

    const auto found = MeshRun::resolve(plan, {aimed(FaultKind::Kill, target), deploy});

    QStringList list;
    for (const std::string& name : found.front()) {
        list.append(QString::fromStdString(name));
    }
    QCOMPARE(list.join(' '), names);
    QCOMPARE(found.back().size(), std::size_t{3});
}

void SimMeshRecordTest::namesThatAreNotThereAreErrors_data()
{
    QTest::addColumn<int>("kind");
    QTest::addColumn<FaultTarget>("target");
    QTest::addColumn<QString>("message"); // Empty: it can be run.
    const auto add = [](const char* name, FaultKind kind, const FaultTarget& target, QString text) {
        QTest::newRow(name) << static_cast<int>(kind) << target << text;
    };
    FaultTarget target;
    target.service = "c";
    add("service", FaultKind::Kill, target, "the service 'c' has no model");
    target.service = "b";
    add("entry", FaultKind::Surge, target, "no load comes in by 'b'");
    target.zone = "x";
    add("two things", FaultKind::Kill, target, "a target names one kind of thing");
    target = {};
    add("nothing", FaultKind::Kill, target, "it has no target");
    target.zone = "w";
    add("zone", FaultKind::ZoneOutage, target, "nothing is in the zone 'w'");
    target.zone = "x";
    add("kind", FaultKind::Surge, target, "this kind of fault does not take such a target");
    target = {};
    target.instance = "a-13";
    add("instance", FaultKind::Grey, target, "there is no instance 'a-13'");
    target = {};
    target.edge = std::pair("b", "a");
    add("edge", FaultKind::Latency, target, "'b' does not call 'a'");
    target.edge = std::pair("gateway", "a");
    add("gateway's edge", FaultKind::Latency, target, "");
    target = {};
    target.node = "nowhere";
    add("node", FaultKind::ConfigDelay, target, "the target is nothing of this mesh");
    target = {};
    target.version = "v9";
    add("version", FaultKind::Slow, target, "the target is nothing of this mesh");
    target = {};
    target.service = "a";
    add("a good one", FaultKind::Flap, target, "");
}

void SimMeshRecordTest::namesThatAreNotThereAreErrors()
{
    QFETCH(const int, kind);
    QFETCH(const FaultTarget, target);
    QFETCH(const QString, message);
    MeshRunSettings settings = settingsFor("a", 1.0, 10s, 1);
    settings.timeline = {aimed(static_cast<FaultKind>(kind), target)};

    const std::vector<Error> errors = MeshRun::check(planOf(kTwelve), settings);

    if (message.isEmpty()) {
        QVERIFY(errors.empty());
        return;
    }
    QCOMPARE(errors.size(), std::size_t{1});
    const QString found = QString::fromStdString(errors.front().message);
    QVERIFY2(found.startsWith("timeline[0] (") && found.endsWith(message), qPrintable(found));
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::SimMeshRecordTest)
#include "sim_mesh_record_test.moc"
