// Goal: the board joins health checks, ejection and operators into one verdict, tells each change
// once with its reason, and keeps what it knows over a push.
// Method: the board on a loop whose clock the test moves; reports as workers send them; no sockets.
#include "proxyengine/proxy/health_board.h"

#include "proxyengine/net/sockets.h"
#include "tests/support/manual_clock.h"

#include <QTest>

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

using namespace mesh;
using namespace mesh::proxy;
using namespace std::chrono_literals;

namespace {

using Kind = policy::Observation::Kind;
using Override = policy::HealthMachine::Override;

struct Told
{
    std::string kind;
    std::string subject;
    std::string reason;
};

struct Fixture
{
    test::ManualClock clock;
    std::unique_ptr<net::EventLoop> loop = *net::EventLoop::make(clock);
    std::vector<Told> events;
    std::vector<telemetry::TargetHealth> verdicts;
    PolicyLedger ledger{
        *loop, [this](std::string kind, std::string subject, std::string reason) {
            events.push_back({std::move(kind), std::move(subject), std::move(reason)});
        }};
    std::unique_ptr<HealthBoard> board =
        *HealthBoard::make(*loop, Seed{1}, ledger, [this](const telemetry::TargetHealth& health) {
            verdicts.push_back(health);
        });

    Fixture() { loop->runTurn(Duration::zero()); }

    void pass(Duration time)
    {
        clock.advance(time);
        loop->runTurn(Duration::zero());
    }
    void report(const std::string& target, int status, int times = 1, std::uint32_t before = 0)
    {
        for (int time = 0; time < times; ++time) {
            board->observe(
                {"pool",
                 target,
                 time == 0 ? before : 0,
                 policy::Observation{policy::Check::Passive, Kind::Status, status}}
            );
        }
    }
    [[nodiscard]] std::size_t count(const std::string& kind) const
    {
        return static_cast<std::size_t>(std::ranges::count(events, kind, &Told::kind));
    }
    [[nodiscard]] telemetry::TargetHealth health(const std::string& target) const
    {
        for (const telemetry::TargetHealth& row : board->all()) {
            if (row.target == target) {
                return row;
            }
        }
        return {};
    }
    telemetry::StatsFrame frame()
    {
        telemetry::StatsFrame made;
        board->fill(made);
        ledger.close(made);
        return made;
    }
};

config::UpstreamPlan poolOf(const std::vector<std::string>& addresses)
{
    config::UpstreamPlan plan;
    plan.name = "pool";
    for (const std::string& address : addresses) {
        config::TargetPlan target;
        target.address = address;
        target.host = "127.0.0.1";
        target.port = 1;
        target.zone = "z-" + address;
        target.version = "v1";
        plan.targets.push_back(target);
    }
    return plan;
}

config::Snapshot snapshotOf(const config::UpstreamPlan& plan)
{
    config::Snapshot snapshot;
    snapshot.upstreams.push_back(plan);
    return snapshot;
}

config::UpstreamPlan ejecting(const std::vector<std::string>& addresses)
{
    config::UpstreamPlan plan = poolOf(addresses);
    plan.outlierDetection.emplace();
    return plan;
}

} // namespace

class HealthBoardTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void failuresInARowEjectWithinTheMessageThatBringsTheLast();
    void anEjectedTargetReturnsAtTheSweepAfterItsTime();
    void aSuccessInBetweenStartsTheCountAnew();
    void aSecondTargetIsNotEjectedAndTheReasonIsTold();
    void anOperatorEndsAnEjectionAndStopsNewOnes();
    void aPushKeepsWhatIsKnownOfTargetsThatStay();
    void anEjectionEndsWithItsDetector();
    void aFrameShowsCountsByDetectorAndStates();
    void panicAndFailoverAreToldWhenTheyBeginAndEnd();
    void aProbeThatPassesEndsAnEjection();
    void noMoreProbesRunAtOnceThanAllowed();
};

void HealthBoardTest::failuresInARowEjectWithinTheMessageThatBringsTheLast()
{
    Fixture f;
    f.board->apply(snapshotOf(ejecting({"a", "b", "c"})));

    f.report("b", 503, 4);
    QVERIFY(f.verdicts.empty());
    f.report("b", 503);

    QCOMPARE(f.verdicts.size(), std::size_t{1});
    QCOMPARE(f.verdicts[0].target, std::string("b"));
    QVERIFY(f.verdicts[0].state == telemetry::TargetState::Unhealthy);
    QVERIFY(f.verdicts[0].isEjected);
    QCOMPARE(f.verdicts[0].zone, std::string("z-b"));
    QCOMPARE(f.verdicts[0].version, std::string("v1"));
    QVERIFY(
        f.verdicts[0].ejectedUntil - f.clock.wallNow() == std::chrono::microseconds(30'000'000)
    );
    QCOMPARE(f.events.size(), std::size_t{1});
    QCOMPARE(f.events[0].kind, std::string("ejected"));
    QCOMPARE(f.events[0].subject, std::string("target:pool/b"));
    QVERIFY2(f.events[0].reason.find("503") != std::string::npos, f.events[0].reason.c_str());
    QVERIFY((f.board->availability()[0] == std::vector<bool>{true, false, true}));
}

void HealthBoardTest::anEjectedTargetReturnsAtTheSweepAfterItsTime()
{
    Fixture f;
    f.board->apply(snapshotOf(ejecting({"a", "b"})));
    f.report("a", 500, 5);
    QCOMPARE(f.count("ejected"), std::size_t{1});

    for (int second = 0; second < 29; ++second) {
        f.pass(1s);
    }
    QCOMPARE(f.count("returned"), std::size_t{0});
    for (int second = 0; second < 11; ++second) {
        f.pass(1s);
    }

    QCOMPARE(f.count("returned"), std::size_t{1});
    QVERIFY((f.board->availability()[0] == std::vector<bool>{true, true}));
    QCOMPARE(f.verdicts.size(), std::size_t{2});
    QVERIFY(f.verdicts[1].state == telemetry::TargetState::Healthy);
    QVERIFY(!f.health("a").isEjected);
}

void HealthBoardTest::aSuccessInBetweenStartsTheCountAnew()
{
    Fixture f;
    f.board->apply(snapshotOf(ejecting({"a", "b"})));

    f.report("a", 503, 4);
    f.report("a", 503, 4, 1); // One success came before the first of these.
    QVERIFY(f.verdicts.empty());
    f.report("a", 200);
    f.report("a", 503, 4);
    QVERIFY(f.verdicts.empty());
    f.report("a", 503);

    QCOMPARE(f.verdicts.size(), std::size_t{1});
}

void HealthBoardTest::aSecondTargetIsNotEjectedAndTheReasonIsTold()
{
    Fixture f;
    f.board->apply(snapshotOf(ejecting({"a", "b", "c"})));
    f.report("a", 503, 5);

    f.report("b", 503, 5);

    QCOMPARE(f.count("ejected"), std::size_t{1});
    QCOMPARE(f.count("ejection_suppressed"), std::size_t{1});
    QCOMPARE(f.events.back().subject, std::string("target:pool/b"));
    QVERIFY(f.events.back().reason.find("max_ejection_percent") != std::string::npos);
    const telemetry::TargetHealth held = f.health("b");
    QVERIFY(!held.isEjected);
    QVERIFY(held.state == telemetry::TargetState::Healthy);
    QVERIFY(!held.suppressed.empty());
    QCOMPARE(f.verdicts.size(), std::size_t{1});
}

void HealthBoardTest::anOperatorEndsAnEjectionAndStopsNewOnes()
{
    Fixture f;
    f.board->apply(snapshotOf(ejecting({"a", "b"})));
    f.report("a", 503, 5);

    QVERIFY(f.board->setOverride("pool", "a", Override::Healthy));
    QCOMPARE(f.count("returned"), std::size_t{1});
    QVERIFY(f.board->availability()[0][0]);
    f.report("a", 503, 20);
    QVERIFY(f.board->availability()[0][0]);
    QCOMPARE(f.health("a").reason, std::string("set by an operator"));

    QVERIFY(f.board->setOverride("pool", "a", Override::None));
    f.report("a", 503, 5);
    QVERIFY(!f.board->availability()[0][0]);
    QVERIFY(f.board->setOverride("pool", "b", Override::Unhealthy));
    QVERIFY(!f.board->availability()[0][1]);
    QVERIFY(!f.board->setOverride("pool", "nobody", Override::Healthy));
}

void HealthBoardTest::aPushKeepsWhatIsKnownOfTargetsThatStay()
{
    Fixture f;
    f.board->apply(snapshotOf(ejecting({"a", "b", "c"})));
    f.report("c", 503, 5);
    QVERIFY(f.board->setOverride("pool", "a", Override::Unhealthy));
    f.verdicts.clear();

    f.board->apply(snapshotOf(ejecting({"c", "d", "a"}))); // Others, in another order.

    QVERIFY((f.board->availability()[0] == std::vector<bool>{false, true, false}));
    QVERIFY(f.health("c").isEjected);
    QCOMPARE(f.health("a").reason, std::string("set by an operator"));
    QVERIFY(f.verdicts.empty());

    config::UpstreamPlan checked = ejecting({"c", "d", "a"});
    checked.healthchecks.passive.unhealthy.httpFailures = 2;
    f.board->apply(snapshotOf(checked)); // Other checks: the word and the ejection stay.
    QVERIFY((f.board->availability()[0] == std::vector<bool>{false, true, false}));
    f.report("d", 503, 2);
    QVERIFY(!f.board->availability()[0][1]);
    QCOMPARE(f.events.back().kind, std::string("target.unhealthy"));
    QCOMPARE(f.events.back().subject, std::string("pool/d"));
}

void HealthBoardTest::anEjectionEndsWithItsDetector()
{
    Fixture f;
    f.board->apply(snapshotOf(ejecting({"a", "b"})));
    f.report("a", 503, 5);

    f.board->apply(snapshotOf(poolOf({"a", "b"})));

    QCOMPARE(f.count("returned"), std::size_t{1});
    QVERIFY(f.board->availability()[0][0]);
    QVERIFY(f.health("a").state == telemetry::TargetState::HealthchecksOff);
}

void HealthBoardTest::aFrameShowsCountsByDetectorAndStates()
{
    Fixture f;
    f.board->apply(snapshotOf(ejecting({"a", "b", "c"})));
    f.report("a", 503, 5);
    f.report("b", 503, 5);

    const telemetry::StatsFrame first = f.frame();
    QCOMPARE(first.policy.size(), std::size_t{2});
    QCOMPARE(first.policy[0].kind, std::string("ejected"));
    QCOMPARE(first.policy[0].subject, std::string("target:pool/a"));
    QCOMPARE(first.policy[0].detail, std::string("consecutive_5xx"));
    QCOMPARE(first.policy[0].count, std::uint64_t{1});
    QCOMPARE(first.policy[1].kind, std::string("ejection_suppressed"));
    QCOMPARE(first.states.size(), std::size_t{1});
    QCOMPARE(first.states[0].kind, std::string("ejected"));
    QVERIFY(!first.states[0].reason.empty());

    const telemetry::StatsFrame second = f.frame();
    QVERIFY(second.policy.empty());
    QCOMPARE(second.states.size(), std::size_t{1});
}

void HealthBoardTest::panicAndFailoverAreToldWhenTheyBeginAndEnd()
{
    Fixture f;
    config::UpstreamPlan plan = poolOf({"a", "b", "c", "d"});
    plan.locality.emplace();
    for (std::size_t at = 0; at < 4; ++at) {
        plan.targets[at].zone = at < 2 ? "here" : "there";
    }
    config::Snapshot snapshot = snapshotOf(plan);
    snapshot.zone = "here";
    f.board->apply(snapshot);
    QVERIFY(f.events.empty());

    QVERIFY(f.board->setOverride("pool", "a", Override::Unhealthy)); // 50 % of 140 %: 70 % stay.
    QCOMPARE(f.count("failover_started"), std::size_t{1});
    QCOMPARE(f.count("panic_entered"), std::size_t{0});
    QCOMPARE(f.events.back().subject, std::string("upstream:pool"));
    QVERIFY2(
        f.events.back().reason.find("1 of 2 targets available in zone here; 30 %") == 0,
        f.events.back().reason.c_str()
    );
    for (const char* target : {"b", "c", "d"}) {
        QVERIFY(f.board->setOverride("pool", target, Override::Unhealthy));
    }
    QCOMPARE(f.count("panic_entered"), std::size_t{1});
    const telemetry::StatsFrame frame = f.frame();
    QVERIFY(std::ranges::any_of(frame.states, [](const telemetry::PolicyState& state) {
        return state.kind == "panic" && state.subject == "upstream:pool";
    }));

    for (const char* target : {"a", "b", "c", "d"}) {
        QVERIFY(f.board->setOverride("pool", target, Override::None));
    }
    QCOMPARE(f.count("panic_left"), std::size_t{1});
    QCOMPARE(f.count("failover_started"), f.count("failover_ended"));
    QVERIFY(f.frame().states.empty());
}

void HealthBoardTest::aProbeThatPassesEndsAnEjection()
{
    Fixture f;
    const auto socket = *net::listenOn(net::SocketAddress::loopback(0));
    config::UpstreamPlan plan = ejecting({"a", "b"});
    for (config::TargetPlan& target : plan.targets) {
        target.port = net::localAddress(socket.get()).port();
    }
    plan.healthchecks.active.type = model::ProbeType::Tcp;
    plan.healthchecks.active.healthy.interval = 1s;
    f.board->apply(snapshotOf(plan));
    f.report("a", 503, 5);
    QVERIFY(!f.board->availability()[0][0]);

    f.pass(1s); // Probes go out; the connections need turns, not time.
    for (int turn = 0; turn < 100 && f.count("returned") == 0; ++turn) {
        f.loop->runTurn(10ms);
    }

    QCOMPARE(f.count("returned"), std::size_t{1});
    QVERIFY(f.board->availability()[0][0]);
}

void HealthBoardTest::noMoreProbesRunAtOnceThanAllowed()
{
    Fixture f;
    const auto socket = *net::listenOn(net::SocketAddress::loopback(0)); // Never answers.
    config::UpstreamPlan plan = poolOf({"a", "b", "c", "d", "e"});
    for (config::TargetPlan& target : plan.targets) {
        target.port = net::localAddress(socket.get()).port();
    }
    plan.healthchecks.active.concurrency = 2;
    plan.healthchecks.active.timeout = 3s;
    plan.healthchecks.active.healthy.interval = 1s;
    plan.healthchecks.active.unhealthy.timeouts = 1;
    f.board->apply(snapshotOf(plan));

    f.pass(1s); // All five are due.
    f.pass(3s); // The first two are over.
    QCOMPARE(f.count("target.unhealthy"), std::size_t{2});
    f.pass(50ms); // The next tick finds room for two more.
    f.pass(3s);

    QCOMPARE(f.count("target.unhealthy"), std::size_t{4});
    QCOMPARE(f.health("a").reason, std::string("1 probe timed out (no answer in time)"));
}

QTEST_APPLESS_MAIN(HealthBoardTest)
#include "health_board_test.moc"
