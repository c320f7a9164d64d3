#include "app/fleet/rollout_machine.h"
#include "tests/support/virtual_fleet.h"

#include <QTest>

#include <fmt/format.h>
#include <rapidcheck.h>

#include <map>
#include <set>
#include <string>

// Pushes that are told anything at any time, late answers, wrong hashes and unknown nodes included.
namespace mesh::fleet {
namespace {

int below(int count) { return *rc::gen::inRange(0, count); }

struct Told
{
    std::map<std::string, std::string> hashRead; // The last hash that was read of each node.
    bool isStopped = false;
};

RolloutPlan anyPlan()
{
    RolloutPlan plan;
    const char* const kWaves[] = {"all", "canary,all", "canary,50%,all", "n1+n2,all"};
    const char* const kGates[] = {"", "rejections<1", "lost<1", "error<1% for 2s"};
    plan.waves = *parseWaves(kWaves[below(4)]);
    plan.gates = parseGates(kGates[below(4)])->rules;
    plan.bake = std::chrono::seconds(below(3));
    plan.onFailure = static_cast<OnGateFailure>(below(2));
    plan.absent = static_cast<AbsentNode>(below(3));
    plan.advance = below(4) == 0 ? WaveAdvance::Manual : WaveAdvance::Automatic;
    plan.answerMax = std::chrono::seconds(2);
    return plan;
}

std::vector<ExpectedNode> anyNodes()
{
    std::vector<ExpectedNode> nodes;
    const int count = 1 + below(5);
    for (int at = 0; at < count; ++at) {
        ExpectedNode node;
        node.name = fmt::format("n{}", at);
        node.isReachable = below(5) != 0;
        const char* const kHashes[] = {"", "old", "old", "other", "s1", "new"};
        node.hash = kHashes[below(6)];
        nodes.push_back(node);
    }
    return nodes;
}

void tellSomething(RolloutMachine& machine, Told& told, WallTime now)
{
    const std::string node = fmt::format("n{}", below(6));
    const char* const kHashes[] = {"", "old", "s1", "new", "new", "other"};
    switch (below(12)) {
    case 0:
    case 1:
    case 2:
        machine.onSent(node, static_cast<SendOutcome>(below(4)), "words", {}, now);
        return;
    case 3:
    case 4:
    case 5: {
        const std::string hash = kHashes[below(6)];
        const Rollout before = machine.rollout();
        machine.onReadBack(node, hash, now);
        for (const NodeProgress& progress : machine.rollout().nodes) {
            if (progress.name == node && progress.hashNow == hash && !hash.empty()) {
                told.hashRead[node] = hash;
            }
        }
        return;
    }
    case 6:
        machine.onReachable(node, below(2) == 0, now);
        return;
    case 7:
        machine.onFigures(node, {1, 100, static_cast<std::uint64_t>(below(3)), 10, 0}, now);
        return;
    case 8:
        machine.continueNow(now);
        return;
    case 9:
        below(3) == 0 ? machine.hold(now) : machine.continueNow(now);
        return;
    case 10:
        if (below(8) == 0) {
            machine.rollBack(now, "asked for");
        }
        return;
    default:
        if (below(8) == 0) {
            machine.stop(now);
            told.isStopped = true;
        }
        return;
    }
}

// It would not even take what it ran before; that is told and nothing more can be done.
bool wasRefused(const NodeProgress& node)
{
    return node.text.find("could not go back") != std::string::npos;
}

std::set<std::string> namesOf(const Rollout& rollout)
{
    std::set<std::string> names;
    for (const NodeProgress& node : rollout.nodes) {
        names.insert(node.name);
    }
    return names;
}

void checkTruth(const Rollout& rollout, const Told& told)
{
    for (const NodeProgress& node : rollout.nodes) {
        const bool isSuccess = node.phase == NodePhase::Applied || node.phase == NodePhase::Baking
                               || node.phase == NodePhase::Done;
        const auto read = told.hashRead.find(node.name);
        RC_ASSERT(!isSuccess || (read != told.hashRead.end() && read->second == rollout.hash));
        RC_ASSERT(
            node.phase != NodePhase::RolledBack
            || (read != told.hashRead.end() && read->second == node.hashBefore)
        );
        RC_ASSERT(rollout.state != RolloutState::Done || node.phase == NodePhase::Done);
    }
}

} // namespace

class FleetRolloutProperty : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void saysNothingThatWasNotReadBack();
    void endsWhenItIsLeftAlone();
    void leavesNobodyBetweenStages();
};

void FleetRolloutProperty::saysNothingThatWasNotReadBack()
{
    QVERIFY(rc::check([] {
        WallTime now{std::chrono::seconds(1000)};
        const std::vector<std::string> stages{"s1", "new"};
        RolloutMachine machine(anyPlan(), stages, anyNodes(), now);
        const std::set<std::string> expected = namesOf(machine.rollout());
        Told told;
        for (int turn = 0; turn < 120; ++turn) {
            for (const RolloutAction& action : machine.step(now)) {
                RC_ASSERT(!told.isStopped || !std::holds_alternative<SendStage>(action));
            }
            checkTruth(machine.rollout(), told);
            tellSomething(machine, told, now);
            checkTruth(machine.rollout(), told);
            now += std::chrono::milliseconds(below(3) * 400);
            if (below(20) == 0) {
                const auto kept = rolloutFromJson(toJson(machine.rollout()));
                RC_ASSERT(kept.has_value());
                machine = RolloutMachine(*kept, stages, now);
            }
            RC_ASSERT(namesOf(machine.rollout()) == expected);
        }
    }));
}

void FleetRolloutProperty::endsWhenItIsLeftAlone()
{
    QVERIFY(rc::check([] {
        WallTime now{std::chrono::seconds(1000)};
        RolloutPlan plan = anyPlan();
        plan.advance = WaveAdvance::Automatic;
        RolloutMachine machine(plan, {"s1", "new"}, anyNodes(), now);
        Told told;
        for (int turn = 0; turn < 60; ++turn) {
            static_cast<void>(machine.step(now));
            tellSomething(machine, told, now);
            now += std::chrono::milliseconds(200);
        }
        // From here nobody answers anything and a person lets it go on.
        for (int turn = 0; turn < 400 && !isOver(machine.rollout().state); ++turn) {
            static_cast<void>(machine.step(now));
            machine.continueNow(now);
            now += std::chrono::milliseconds(500);
        }
        RC_ASSERT(isOver(machine.rollout().state));
    }));
}

// Whatever nodes do and persons ask for: once all nodes can be reached and are willing, each runs
// what it ran before or the revision.
void FleetRolloutProperty::leavesNobodyBetweenStages()
{
    using Mood = test::VirtualFleet::Mood;
    const auto anyMood = [] {
        const Mood kMoods[] = {
            Mood::Willing, Mood::Refusing, Mood::RefusesLast, Mood::Mute, Mood::Silent};
        return kMoods[below(5)];
    };
    QVERIFY(rc::check([&] {
        test::VirtualFleet fleet({"added", "switched", "new"});
        const int count = 1 + below(4);
        for (int at = 0; at < count; ++at) {
            fleet.add(fmt::format("n{}", at), below(2) == 0 ? Mood::Willing : anyMood());
        }
        fleet.begin(anyPlan());
        for (int turn = below(40); turn > 0; --turn) {
            fleet.run(below(4));
            switch (below(8)) {
            case 0:
                fleet.machine->stop(fleet.now);
                break;
            case 1:
                fleet.machine->rollBack(fleet.now, "asked for");
                break;
            case 2:
                fleet.machine = std::make_unique<RolloutMachine>(
                    *rolloutFromJson(toJson(fleet.machine->rollout())), fleet.stages, fleet.now
                );
                break;
            case 3:
            case 4:
                fleet.nodes[fmt::format("n{}", below(count))].mood = anyMood();
                break;
            default:
                fleet.machine->continueNow(fleet.now);
            }
        }
        for (auto& [name, node] : fleet.nodes) {
            node.mood = node.mood == Mood::RefusesLast ? Mood::RefusesLast : Mood::Willing;
        }
        for (int turn = 0; turn < 300; ++turn) {
            fleet.machine->continueNow(fleet.now);
            fleet.step();
        }
        RC_ASSERT(isOver(fleet.machine->rollout().state));
        for (const NodeProgress& node : fleet.machine->rollout().nodes) {
            const std::string& runs = fleet.nodes[node.name].hash;
            if (runs != "old" && runs != "new" && !wasRefused(node)) {
                RC_FAIL(fmt::format("{} runs {}: {}; {}", node.name, runs, node.text, fleet.text())
                );
            }
            RC_ASSERT(runs == node.hashNow || node.hashNow.empty());
        }
    }));
}

} // namespace mesh::fleet

QTEST_APPLESS_MAIN(mesh::fleet::FleetRolloutProperty)
#include "fleet_rollout_property.moc"
