#include "app/fleet/rollout_machine.h"

#include "tests/support/virtual_fleet.h"

#include <QTest>

#include <string>

// What a push decides, node by node, on nodes without processes and in virtual time.
namespace mesh::fleet {
namespace {

using test::VirtualFleet;
using Mood = VirtualFleet::Mood;

RolloutPlan planOf(const char* waves, const char* gates = "")
{
    RolloutPlan plan;
    plan.waves = *parseWaves(waves);
    const GateText text = *parseGates(gates);
    plan.gates = text.rules;
    plan.bake = text.bake.value_or(Duration{});
    plan.answerMax = std::chrono::seconds(2);
    return plan;
}

NodeFigures figures(std::uint64_t requests, std::uint64_t errors, double p95_ms = 10)
{
    return {static_cast<double>(requests), requests, errors, p95_ms, 0};
}

VirtualFleet fleetOf(int count, std::vector<std::string> stages = {"new"})
{
    VirtualFleet fleet(std::move(stages));
    for (int each = 0; each < count; ++each) {
        fleet.add(std::string(1, static_cast<char>('a' + each)));
    }
    return fleet;
}

std::string joined(const std::vector<std::string>& words)
{
    std::string text;
    for (const std::string& word : words) {
        text += (text.empty() ? "" : ", ") + word;
    }
    return text;
}

std::string wavesOf(const Rollout& rollout)
{
    std::string text;
    for (const WaveProgress& wave : rollout.waves) {
        text += (text.empty() ? "" : " | ") + joined(wave.nodes);
    }
    return text;
}

} // namespace

class RolloutMachineTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void dealsNodesToWaves_data();
    void dealsNodesToWaves();
    void endsAsItsNodesDo_data();
    void endsAsItsNodesDo();
    void sendsNoLastStageBeforeAllHaveTheOneBefore();
    void isNotDoneBeforeTheHashWasReadBack();
    void readsTheHashAgainWhenTheBakeIsOver();
    void appliesANodeThatReturns();
    void waitsForNobodyWhoIsGoneBetweenTwoStages();
    void neverOverwritesAnotherPush();
    void takesItsOwnLateDocumentForNoOtherPush();
    void judgesGates_data();
    void judgesGates();
    void rollsBackWhatAGateCondemned();
    void takesBackWhoRefusesTheLastStage();
    void keepsTheWordsOfARefusalWhenAllGoBack();
    void takesBackWhoWasStoppedBetweenStages();
    void takesBackWhoReturnsAfterAStop();
    void leavesAnotherPushAloneWhenGoingBack();
    void tellsWhoCannotGoBack();
    void leavesNobodyBetweenStagesWhenItWasKilled_data();
    void leavesNobodyBetweenStagesWhenItWasKilled();
    void failsAGateThatNobodyMeasured();
    void stopWinsInEveryState_data();
    void stopWinsInEveryState();
    void waitsForAPersonBetweenManualWaves();
    void holdSendsNothing();
    void rollsBackAFinishedPush();
    void goesOnFromWhatWasKept_data();
    void goesOnFromWhatWasKept();
    void pushesNothingToNobody();
};

void RolloutMachineTest::dealsNodesToWaves_data()
{
    QTest::addColumn<QString>("waves");
    QTest::addColumn<QString>("dealt");
    const auto row = [](const char* waves, const char* dealt) {
        QTest::newRow(waves) << QString::fromUtf8(waves) << QString::fromUtf8(dealt);
    };
    row("all", "a, b, c, d, e");
    row("canary", "b | a, c, d, e");
    row("canary,50%", "b | a, c | d, e");
    row("20%,21%,100%", "a | b | c, d, e");
    row("10%,15%,100%", "a | b, c, d, e");
    row("e+c,100%", "c, e | a, b, d");
    row("canary,e", "b | e | a, c, d");
}

void RolloutMachineTest::dealsNodesToWaves()
{
    QFETCH(QString, waves);
    QFETCH(QString, dealt);
    VirtualFleet fleet = fleetOf(5);
    fleet.nodes["a"].mood = Mood::Silent; // No canary.

    fleet.begin(planOf(waves.toUtf8().constData()));

    QCOMPARE(QString::fromStdString(wavesOf(fleet.machine->rollout())), dealt);
}

void RolloutMachineTest::endsAsItsNodesDo_data()
{
    QTest::addColumn<int>("mood");
    QTest::addColumn<int>("absent");
    QTest::addColumn<QString>("ends");
    const auto row = [](const char* name, Mood mood, AbsentNode absent, const char* ends) {
        QTest::newRow(name) << static_cast<int>(mood) << static_cast<int>(absent)
                            << QString::fromUtf8(ends);
    };
    row("willing", Mood::Willing, AbsentNode::ApplyOnReturn, "a:done b:done c:done | done");
    row("refusing", Mood::Refusing, AbsentNode::ApplyOnReturn, "a:done b:rejected c:done | partial"
    );
    row("acknowledges without doing it",
        Mood::Forgetful,
        AbsentNode::ApplyOnReturn,
        "a:done b:drifted c:done | partial");
    row("its answers are lost", Mood::Mute, AbsentNode::ApplyOnReturn, "a:done b:done c:done | done"
    );
    row("gone, later",
        Mood::Silent,
        AbsentNode::ApplyOnReturn,
        "a:done b:set_aside c:done | partial");
    row("gone, left out",
        Mood::Silent,
        AbsentNode::SetAside,
        "a:done b:unreachable c:done | partial");
    row("gone, a failure",
        Mood::Silent,
        AbsentNode::Failure,
        "a:not_touched b:unreachable c:not_touched | rolled_back");
}

void RolloutMachineTest::endsAsItsNodesDo()
{
    QFETCH(int, mood);
    QFETCH(int, absent);
    QFETCH(QString, ends);
    VirtualFleet fleet = fleetOf(3);
    fleet.nodes["b"].mood = static_cast<Mood>(mood);
    RolloutPlan plan = planOf("all");
    plan.absent = static_cast<AbsentNode>(absent);

    fleet.begin(plan);
    fleet.run(80);

    QCOMPARE(QString::fromStdString(fleet.text()), ends);
}

void RolloutMachineTest::sendsNoLastStageBeforeAllHaveTheOneBefore()
{
    VirtualFleet fleet = fleetOf(2, {"added", "switched", "new"});
    fleet.nodes["b"].mood = Mood::Mute; // Slower: its answers come by reading.
    bool isBehind = false;
    fleet.begin(planOf("all"));
    fleet.onStage = [&](const std::string& node) {
        const std::string& other = fleet.nodes[node == "a" ? "b" : "a"].hash;
        isBehind = isBehind || (fleet.sent.back().ends_with('2') && other == "added");
        isBehind = isBehind || (fleet.sent.back().ends_with('1') && other == "old");
    };

    fleet.run(40);

    QCOMPARE(isBehind, false);
    QCOMPARE(fleet.text(), "a:done b:done | done");
    QCOMPARE(joined(fleet.nodes["a"].ran), "old, added, switched, new");
}

void RolloutMachineTest::isNotDoneBeforeTheHashWasReadBack()
{
    RolloutMachine machine(planOf("all"), {"new"}, {{"a", "", "", "old", true, {}, {}}}, {});
    const WallTime now{std::chrono::seconds(1)};
    QCOMPARE(machine.step(now).size(), std::size_t{1});

    machine.onSent("a", SendOutcome::Acknowledged, {}, {}, now);
    const std::vector<RolloutAction> actions = machine.step(now);

    QCOMPARE(actions.size(), std::size_t{1});
    QVERIFY(std::holds_alternative<ReadBack>(actions[0]));
    QCOMPARE(machine.rollout().nodes[0].phase == NodePhase::Acknowledged, true);
    QCOMPARE(machine.rollout().convergedCount(), std::size_t{0});
    machine.onReadBack("a", "new", now);
    static_cast<void>(machine.step(now));
    QCOMPARE(toText(machine.rollout().state), std::string_view("done"));
}

void RolloutMachineTest::readsTheHashAgainWhenTheBakeIsOver()
{
    VirtualFleet fleet = fleetOf(2);
    RolloutPlan plan = planOf("all");
    plan.bake = std::chrono::seconds(3);
    fleet.begin(plan);
    fleet.run(5);
    QCOMPARE(fleet.text(), "a:baking b:baking | running");

    fleet.nodes["a"].hash = "ancient"; // Started again with an old state directory.
    fleet.run(20);

    QCOMPARE(fleet.text(), "a:drifted b:done | partial");
    QCOMPARE(fleet.machine->rollout().nodes[0].hashNow, "ancient");
}

void RolloutMachineTest::appliesANodeThatReturns()
{
    VirtualFleet fleet = fleetOf(3, {"added", "new"});
    fleet.nodes["b"].mood = Mood::Silent;
    fleet.begin(planOf("all"));
    fleet.run(20);
    QCOMPARE(fleet.text(), "a:done b:set_aside c:done | partial");

    fleet.nodes["b"].mood = Mood::Willing; // Nobody says so; it is found.
    fleet.run(40);

    QCOMPARE(fleet.text(), "a:done b:done c:done | done");
    QCOMPARE(joined(fleet.nodes["b"].ran), "old, added, new");
}

void RolloutMachineTest::waitsForNobodyWhoIsGoneBetweenTwoStages()
{
    VirtualFleet fleet = fleetOf(2, {"added", "new"});
    fleet.nodes["b"].mood = Mood::Mute; // So that a waits for it.
    fleet.begin(planOf("all"));
    fleet.run(2);
    QCOMPARE(fleet.text(), "a:acknowledged b:sent | running");

    fleet.nodes["a"].mood = Mood::Silent;
    fleet.machine->onReachable("a", false, fleet.now);
    fleet.run(20);

    QCOMPARE(fleet.text(), "a:set_aside b:done | partial");
}

void RolloutMachineTest::neverOverwritesAnotherPush()
{
    VirtualFleet fleet = fleetOf(2);
    fleet.begin(planOf("all"));
    fleet.nodes["b"].hash = "another";

    fleet.run(20);

    QCOMPARE(fleet.text(), "a:done b:superseded | partial");
    QCOMPARE(fleet.nodes["b"].hash, "another");
    QCOMPARE(fleet.machine->rollout().nodes[1].hashNow, "another");
}

void RolloutMachineTest::takesItsOwnLateDocumentForNoOtherPush()
{
    VirtualFleet fleet = fleetOf(1, {"added", "new"});
    fleet.begin(planOf("all"));
    fleet.onStage = [&](const std::string& node) { // Sent by a program that was killed.
        if (fleet.sent.size() == 1) {
            fleet.nodes[node].hash = fleet.stages[0];
        }
    };

    fleet.run(20);

    QCOMPARE(fleet.text(), "a:done | done");
    QCOMPARE(joined(fleet.sent), "a 0, a 1");
}

void RolloutMachineTest::judgesGates_data()
{
    QTest::addColumn<QString>("gates");
    QTest::addColumn<int>("requests");
    QTest::addColumn<int>("errors");
    QTest::addColumn<double>("p95");
    QTest::addColumn<QString>("ends");
    const auto row =
        [](const char* name, const char* gates, int requests, int errors, double p95, bool holds) {
            QTest::newRow(name) << QString::fromUtf8(gates) << requests << errors << p95
                                << QString::fromUtf8(
                                       holds ? "a:done b:done | done"
                                             : "a:rolled_back b:not_touched | rolled_back"
                                   );
        };
    row("few errors", "error<1% for 2s", 1000, 9, 10, true);
    row("many errors", "error<1% for 2s", 1000, 10, 10, false);
    row("three errors are evidence", "error<1% for 2s", 3, 3, 10, false);
    row("no requests", "error<1% for 2s", 0, 0, -1, true);
    row("fast", "p95<300ms for 2s", 100, 0, 299, true);
    row("slow", "p95<300ms for 2s", 100, 0, 300, false);
    row("hardly worse than before", "error<+0.5pp for 2s", 1000, 14, 10, true);
    row("worse than before", "error<+0.5pp for 2s", 1000, 15, 10, false);
    row("hardly slower than before", "p95<+20% for 2s", 100, 0, 23.9, true);
    row("slower than before", "p95<+20% for 2s", 100, 0, 24.1, false);
    row("one of two fails", "p95<300ms error<1% for 2s", 100, 50, 10, false);
}

void RolloutMachineTest::judgesGates()
{
    QFETCH(QString, gates);
    QFETCH(int, requests);
    QFETCH(int, errors);
    QFETCH(double, p95);
    QFETCH(QString, ends);
    RolloutMachine machine(
        planOf("canary,all", gates.toUtf8().constData()),
        {"new"},
        {{"a", "", "", "old", true, {}, figures(1000, 10, 20)},
         {"b", "", "", "old", true, {}, figures(1000, 10, 20)}},
        {}
    );
    VirtualFleet fleet = fleetOf(2);
    fleet.machine = std::make_unique<RolloutMachine>(machine);

    for (int turn = 0; turn < 60; ++turn) {
        fleet.step();
        for (const char* const node : {"a", "b"}) {
            fleet.machine->onFigures(
                node,
                figures(
                    static_cast<std::uint64_t>(requests), static_cast<std::uint64_t>(errors), p95
                ),
                fleet.now
            );
        }
    }

    QCOMPARE(QString::fromStdString(fleet.text()), ends);
}

void RolloutMachineTest::rollsBackWhatAGateCondemned()
{
    VirtualFleet fleet = fleetOf(4, {"added", "new"});
    fleet.nodes["b"].mood = Mood::Refusing;
    fleet.begin(planOf("50%,all", "rejections<1 for 5s"));

    fleet.run(40);

    QCOMPARE(fleet.text(), "a:rolled_back b:rejected c:not_touched d:not_touched | rolled_back");
    QCOMPARE(joined(fleet.nodes["a"].ran), "old, added, old");
    QCOMPARE(fleet.machine->rollout().waves[0].state == WaveState::Failed, true);
}

void RolloutMachineTest::takesBackWhoRefusesTheLastStage()
{
    VirtualFleet fleet = fleetOf(2, {"added", "switched", "new"});
    fleet.nodes["b"].mood = Mood::RefusesLast;
    fleet.begin(planOf("all"));

    fleet.run(40);

    QCOMPARE(fleet.text(), "a:done b:rejected | partial");
    QCOMPARE(joined(fleet.nodes["b"].ran), "old, added, switched, old");
    const NodeProgress& b = fleet.machine->rollout().nodes[1];
    QCOMPARE(b.hashNow, "old");
    QCOMPARE(b.text, "no; went back to what it ran before");
    QCOMPARE(b.problems.size(), std::size_t{1});
}

void RolloutMachineTest::keepsTheWordsOfARefusalWhenAllGoBack()
{
    VirtualFleet fleet = fleetOf(2, {"added", "new"});
    fleet.nodes["b"].mood = Mood::RefusesLast;
    fleet.begin(planOf("all", "rejections<1 for 5s"));

    fleet.run(40);

    QCOMPARE(fleet.text(), "a:rolled_back b:rejected | rolled_back");
    QCOMPARE(fleet.nodes["a"].hash, "old");
    QCOMPARE(fleet.nodes["b"].hash, "old");
    QCOMPARE(fleet.machine->rollout().nodes[1].text, "no; went back to what it ran before");
}

void RolloutMachineTest::takesBackWhoWasStoppedBetweenStages()
{
    VirtualFleet fleet = fleetOf(2, {"added", "switched", "new"});
    fleet.begin(planOf("all"));
    fleet.run(3);
    QCOMPARE(fleet.nodes["a"].hash, "switched");

    fleet.machine->stop(fleet.now);
    fleet.run(20);

    QCOMPARE(fleet.text(), "a:rolled_back b:rolled_back | stopped");
    QCOMPARE(fleet.nodes["a"].hash, "old");
    QCOMPARE(
        fleet.machine->rollout().nodes[0].text,
        "stopped between two steps: went back to what it ran before"
    );
}

void RolloutMachineTest::takesBackWhoReturnsAfterAStop()
{
    VirtualFleet fleet = fleetOf(2, {"added", "switched", "new"});
    fleet.begin(planOf("all"));
    fleet.run(3);
    fleet.nodes["b"].mood = Mood::Silent;

    fleet.machine->stop(fleet.now);
    fleet.run(40);
    QVERIFY(isOver(fleet.machine->rollout().state));
    QCOMPARE(fleet.machine->waitsForNodes(), true);
    QCOMPARE(fleet.nodes["b"].hash, "switched");
    fleet.nodes["b"].mood = Mood::Willing;
    fleet.run(40);

    QCOMPARE(fleet.text(), "a:rolled_back b:rolled_back | stopped");
    QCOMPARE(fleet.nodes["b"].hash, "old");
    QCOMPARE(fleet.machine->waitsForNodes(), false);
}

void RolloutMachineTest::leavesAnotherPushAloneWhenGoingBack()
{
    VirtualFleet fleet = fleetOf(2, {"added", "new"});
    fleet.nodes["b"].mood = Mood::RefusesLast;
    fleet.onBefore = [&](const std::string& node) { fleet.nodes[node].hash = "another"; };
    fleet.begin(planOf("all"));

    fleet.run(40);

    QCOMPARE(fleet.text(), "a:done b:rejected | partial");
    QCOMPARE(fleet.nodes["b"].hash, "another");
    QCOMPARE(fleet.machine->rollout().nodes[1].hashNow, "another");
    QCOMPARE(fleet.machine->waitsForNodes(), true); // Of a partial push; nobody is sent anything.
}

void RolloutMachineTest::tellsWhoCannotGoBack()
{
    VirtualFleet fleet = fleetOf(2, {"added", "new"});
    fleet.nodes["b"].mood = Mood::RefusesLast;
    int asked = 0;
    fleet.onBefore = [&](const std::string& node) {
        ++asked;
        fleet.nodes[node].mood = Mood::Refusing;
    };
    fleet.begin(planOf("all"));

    fleet.run(40);

    QCOMPARE(fleet.text(), "a:done b:rejected | partial");
    QCOMPARE(asked, 1);
    QCOMPARE(fleet.machine->rollout().nodes[1].text, "no; could not go back: no");
    QCOMPARE(fleet.machine->rollout().nodes[1].hashNow, "added");
}

void RolloutMachineTest::leavesNobodyBetweenStagesWhenItWasKilled_data()
{
    QTest::addColumn<int>("steps");
    QTest::addColumn<bool>("isStopped");
    for (int steps = 0; steps < 16; ++steps) {
        QTest::addRow("refused, killed after %d", steps) << steps << false;
        QTest::addRow("stopped, killed after %d", steps) << steps << true;
    }
}

void RolloutMachineTest::leavesNobodyBetweenStagesWhenItWasKilled()
{
    QFETCH(int, steps);
    QFETCH(bool, isStopped);
    VirtualFleet fleet = fleetOf(3, {"added", "switched", "new"});
    fleet.nodes["b"].mood = Mood::RefusesLast;
    fleet.begin(planOf("all"));
    fleet.run(isStopped ? 3 : steps);
    if (isStopped) {
        fleet.machine->stop(fleet.now);
        fleet.run(steps);
    }

    const auto kept = rolloutFromJson(toJson(fleet.machine->rollout()));
    QVERIFY(kept.has_value());
    fleet.machine = std::make_unique<RolloutMachine>(*kept, fleet.stages, fleet.now);
    fleet.run(60);

    QVERIFY2(isOver(fleet.machine->rollout().state), fleet.text().c_str());
    for (const auto& [name, node] : fleet.nodes) {
        QVERIFY2(node.hash == "old" || node.hash == "new", (name + " " + fleet.text()).c_str());
    }
    QCOMPARE(fleet.nodes["b"].hash, "old");
}

void RolloutMachineTest::failsAGateThatNobodyMeasured()
{
    VirtualFleet fleet = fleetOf(2);
    RolloutPlan plan = planOf("canary,all", "error<1% for 2s");
    plan.onFailure = OnGateFailure::Stop;
    fleet.begin(plan);

    fleet.run(40);

    QCOMPARE(fleet.text(), "a:applied b:not_touched | failed");
}

void RolloutMachineTest::stopWinsInEveryState_data()
{
    QTest::addColumn<int>("steps");
    QTest::addColumn<int>("mood");
    for (int steps = 0; steps < 30; ++steps) {
        for (const Mood mood :
             {Mood::Willing, Mood::Mute, Mood::Silent, Mood::Refusing, Mood::RefusesLast}) {
            QTest::addRow("after %d steps, mood %d", steps, static_cast<int>(mood))
                << steps << static_cast<int>(mood);
        }
    }
}

void RolloutMachineTest::stopWinsInEveryState()
{
    QFETCH(int, steps);
    QFETCH(int, mood);
    VirtualFleet fleet = fleetOf(4, {"added", "new"});
    fleet.nodes["b"].mood = static_cast<Mood>(mood);
    fleet.begin(planOf("canary,50%,all", "rejections<1 for 1s"));
    fleet.run(steps);
    const std::size_t sent = fleet.sent.size();

    fleet.machine->stop(fleet.now);
    fleet.run(60);

    QCOMPARE(fleet.sent.size(), sent);
    QVERIFY(isOver(fleet.machine->rollout().state));
    for (const NodeProgress& node : fleet.machine->rollout().nodes) {
        const VirtualFleet::Node& real = fleet.nodes[node.name];
        QVERIFY2(real.mood == Mood::Silent || node.hashNow == real.hash, node.name.c_str());
        QVERIFY2(node.phase != NodePhase::Done || real.hash == "new", node.name.c_str());
        QVERIFY2(real.hash != "added", node.name.c_str());
    }
}

void RolloutMachineTest::waitsForAPersonBetweenManualWaves()
{
    VirtualFleet fleet = fleetOf(3);
    RolloutPlan plan = planOf("canary,all");
    plan.advance = WaveAdvance::Manual;
    fleet.begin(plan);
    fleet.run(20);
    QCOMPARE(fleet.text(), "a:done b:queued c:queued | held");

    fleet.machine->continueNow(fleet.now);
    fleet.run(20);

    QCOMPARE(fleet.text(), "a:done b:done c:done | done");
}

void RolloutMachineTest::holdSendsNothing()
{
    VirtualFleet fleet = fleetOf(2, {"added", "new"});
    fleet.begin(planOf("all"));
    fleet.step();
    fleet.machine->hold(fleet.now);
    fleet.run(20);
    QCOMPARE(joined(fleet.sent), "a 0, b 0");
    QCOMPARE(fleet.text(), "a:acknowledged b:acknowledged | held");

    fleet.machine->continueNow(fleet.now);
    fleet.run(20);

    QCOMPARE(fleet.text(), "a:done b:done | done");
}

void RolloutMachineTest::rollsBackAFinishedPush()
{
    VirtualFleet fleet = fleetOf(3);
    fleet.begin(planOf("all"));
    fleet.run(20);
    fleet.nodes["c"].mood = Mood::Silent;

    fleet.machine->rollBack(fleet.now, "asked for");
    fleet.run(30);
    QCOMPARE(fleet.text(), "a:rolled_back b:rolled_back c:rolling_back | partial");
    fleet.nodes["c"].mood = Mood::Willing;
    fleet.run(40);

    QCOMPARE(fleet.text(), "a:rolled_back b:rolled_back c:rolled_back | rolled_back");
    QCOMPARE(fleet.nodes["c"].hash, "old");
}

void RolloutMachineTest::goesOnFromWhatWasKept_data()
{
    QTest::addColumn<int>("steps");
    QTest::addColumn<bool>("isGoingBack");
    for (int steps = 0; steps < 24; ++steps) {
        QTest::addRow("forward after %d", steps) << steps << false;
        QTest::addRow("back after %d", steps) << steps << true;
    }
}

void RolloutMachineTest::goesOnFromWhatWasKept()
{
    QFETCH(int, steps);
    QFETCH(bool, isGoingBack);
    VirtualFleet fleet = fleetOf(4, {"added", "new"});
    RolloutPlan plan = planOf("canary,all");
    plan.bake = std::chrono::seconds(1);
    fleet.begin(plan);
    fleet.run(isGoingBack ? 6 : steps);
    if (isGoingBack) {
        fleet.machine->rollBack(fleet.now, "asked for");
        fleet.run(steps);
    }
    const std::string kept = toJson(fleet.machine->rollout());

    const auto rollout = rolloutFromJson(kept);
    QVERIFY(rollout.has_value());
    fleet.machine = std::make_unique<RolloutMachine>(*rollout, fleet.stages, fleet.now);
    fleet.run(60);

    const RolloutState end = isGoingBack ? RolloutState::RolledBack : RolloutState::Done;
    QCOMPARE(toText(fleet.machine->rollout().state), toText(end));
    for (const auto& [name, node] : fleet.nodes) {
        QCOMPARE(node.hash, isGoingBack ? "old" : "new");
    }
}

void RolloutMachineTest::pushesNothingToNobody()
{
    RolloutMachine machine(planOf("all"), {"new"}, {}, {});

    QCOMPARE(machine.step({}).size(), std::size_t{0});
    QCOMPARE(toText(machine.rollout().state), std::string_view("failed"));
    machine.rollBack({}, "");
    QCOMPARE(toText(machine.rollout().state), std::string_view("failed"));
}

} // namespace mesh::fleet

QTEST_APPLESS_MAIN(mesh::fleet::RolloutMachineTest)
#include "rollout_machine_test.moc"
