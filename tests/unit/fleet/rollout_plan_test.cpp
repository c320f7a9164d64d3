#include "app/fleet/rollout_plan.h"

#include <QTest>

#include <string>

// Waves and gates as people write them: what is read, what is refused with which words, and that
// what is printed is read back as the same.
namespace mesh::fleet {
namespace {

std::string wavesText(const std::string& text)
{
    const auto waves = parseWaves(text);
    if (!waves) {
        return "error: " + waves.error().message;
    }
    std::string printed;
    for (const WaveSpec& wave : *waves) {
        printed += (printed.empty() ? "" : ",") + toText(wave);
    }
    return printed;
}

std::string gatesText(const std::string& text)
{
    const auto gates = parseGates(text);
    if (!gates) {
        return "error: " + gates.error().message;
    }
    std::string printed;
    for (const GateRule& rule : gates->rules) {
        printed += (printed.empty() ? "" : " ") + toText(rule);
    }
    if (gates->bake) {
        printed += " for " + std::to_string(toMilliseconds(*gates->bake)) + "ms";
    }
    return printed;
}

} // namespace

class RolloutPlanTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsWaves_data();
    void readsWaves();
    void readsGates_data();
    void readsGates();
    void keepsTheExactLimitOfAGate();
    void refusesAPlanThatNamesANodeNobodyExpects();
};

void RolloutPlanTest::readsWaves_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("read");
    const auto row = [](const char* name, const char* text, const char* read) {
        QTest::newRow(name) << QString::fromUtf8(text) << QString::fromUtf8(read);
    };
    row("all", "all", "all");
    row("canary and shares", "canary,25%,100%", "canary,25%,all");
    row("blanks", " canary , 12.5% ", "canary,12.5%,all");
    row("the last wave has all nodes", "canary", "canary,all");
    row("named nodes", "edge-1+edge-2,100%", "edge-1+edge-2,all");
    row("named nodes after a share", "10%,vm.1+vm_2", "10%,vm.1+vm_2,all");
    row("nothing", "", "error: a wave is empty; write waves like canary,25%,100%");
    row("nothing between commas",
        "25%,,all",
        "error: a wave is empty; write waves like canary,25%,100%");
    row("a share of nothing", "0%", "error: wave '0%': a share is above 0% and at most 100%");
    row("more than all", "101%", "error: wave '101%': a share is above 0% and at most 100%");
    row("a negative share", "-5%", "error: wave '-5%': a share is above 0% and at most 100%");
    row("an exponent", "1e1%", "error: wave '1e1%': a share is above 0% and at most 100%");
    row("shares that shrink",
        "50%,25%",
        "error: wave '25%': each share is larger than the one before");
    row("a late canary", "25%,canary", "error: wave 'canary': only the first wave is a canary");
    row("something after all",
        "all,edge-1",
        "error: wave 'all,edge-1': nothing is left for a wave after 100%");
    row("a node twice", "a+a", "error: wave 'a+a': 'a' stands twice");
    row("no node's name",
        "a/b",
        "error: wave 'a/b': expected canary, all, a share like 25%, or nodes like a+b");
    row("a plus at the end",
        "a+",
        "error: wave 'a+': expected canary, all, a share like 25%, or nodes like a+b");
}

void RolloutPlanTest::readsWaves()
{
    QFETCH(QString, text);
    QFETCH(QString, read);

    QCOMPARE(QString::fromStdString(wavesText(text.toStdString())), read);
}

void RolloutPlanTest::readsGates_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("read");
    const auto row = [](const char* name, const char* text, const char* read) {
        QTest::newRow(name) << QString::fromUtf8(text) << QString::fromUtf8(read);
    };
    row("every kind",
        "error<1% p95<300ms ejections<2 rejections<1 lost<1 for 60s",
        "error<1% p95<300ms ejections<2 rejections<1 lost<1 for 60000ms");
    row("against the time before", "error<+0.5pp p95<+20%", "error<+0.5pp p95<+20%");
    row("blanks around the sign", " error < 1%  for  5s ", "error<1% for 5000ms");
    row("nothing", "", "");
    row("a share without its sign",
        "error<1",
        "error: gate 'error<1': expected error<1% or error<+0.5pp");
    row("a ratio above one",
        "error<101%",
        "error: gate 'error<101%': expected error<1% or error<+0.5pp");
    row("a limit of nothing", "lost<0", "error: gate 'lost<0': expected lost<1");
    row("half a node", "lost<0.5", "error: gate 'lost<0.5': expected lost<1");
    row("a loss against before", "lost<+1", "error: gate 'lost<+1': expected lost<1");
    row("a duration without unit",
        "p95<300",
        "error: gate 'p95<300': expected p95<300ms or p95<+20%");
    row("one kind twice",
        "error<1% error<2%",
        "error: gate 'error<2%': there is one of its kind already");
    row("no time after for",
        "error<1% for",
        "error: gates end with how long they must hold: for 60s");
    row("something after the end",
        "for 60s error<1%",
        "error: gates end with how long they must hold: for 60s");
    row("no time at all", "for 0s", "error: gates end with how long they must hold: for 60s");
    row("an unknown word",
        "cpu<1%",
        "error: gate 'cpu<1%': expected error, p95, ejections, rejections or lost with a limit, "
        "like error<1%, or for 60s at the end");
}

void RolloutPlanTest::readsGates()
{
    QFETCH(QString, text);
    QFETCH(QString, read);

    QCOMPARE(QString::fromStdString(gatesText(text.toStdString())), read);
}

void RolloutPlanTest::keepsTheExactLimitOfAGate()
{
    const auto gates = parseGates("p95<300ms error<+0.5pp");

    QVERIFY(gates.has_value());
    QCOMPARE(gates->rules[0].limit, 0.3);
    QCOMPARE(gates->rules[1].limit, 0.005);
}

void RolloutPlanTest::refusesAPlanThatNamesANodeNobodyExpects()
{
    RolloutPlan plan;
    plan.waves = *parseWaves("edge-1+edge-9,all");

    QVERIFY(checkPlan(plan, {"edge-1", "edge-9"}).has_value());
    const auto refused = checkPlan(plan, {"edge-1"});

    QVERIFY(!refused.has_value());
    QCOMPARE(refused.error().message, "wave 'edge-1+edge-9': no node 'edge-9' is expected");
}

} // namespace mesh::fleet

QTEST_APPLESS_MAIN(mesh::fleet::RolloutPlanTest)
#include "rollout_plan_test.moc"
