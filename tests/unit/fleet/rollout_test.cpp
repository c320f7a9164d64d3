#include "app/fleet/rollout.h"

#include "tests/support/rollout_sample.h"

#include <QTest>

#include <string>

// What is kept of a push: all of it comes back, and what this version does not know is refused.
namespace mesh::fleet {
namespace {

std::string replaced(std::string text, std::string_view what, std::string_view with)
{
    const std::size_t at = text.find(what);
    return at == std::string::npos ? "not there" : text.replace(at, what.size(), with);
}

} // namespace

class RolloutTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void bringsBackEveryMember();
    void bringsBackAnEmptyOne();
    void refusesWhatItDoesNotKnow_data();
    void refusesWhatItDoesNotKnow();
    void countsOnlyNodesThatRunTheRevision();
    void hasAWordForEveryState();
};

void RolloutTest::bringsBackEveryMember()
{
    const std::string json = toJson(test::sampleRollout());

    const auto back = rolloutFromJson(json);

    QVERIFY2(back.has_value(), back ? "" : back.error().message.c_str());
    QCOMPARE(toJson(*back), json);
    QCOMPARE(back->nodes[0].now->p95_ms, 80.25);
    QCOMPARE(back->nodes[0].before.has_value(), false);
    QCOMPARE(back->plan == test::sampleRollout().plan, true);
    QCOMPARE(back->startedAt.time_since_epoch().count(), 1'767'225'600'000'001);
    QCOMPARE(back->message, "canary \"v6\"\n");
}

void RolloutTest::bringsBackAnEmptyOne()
{
    const auto back = rolloutFromJson(toJson(Rollout()));

    QVERIFY(back.has_value());
    QCOMPARE(toJson(*back), toJson(Rollout()));
}

void RolloutTest::refusesWhatItDoesNotKnow_data()
{
    QTest::addColumn<QString>("what");
    QTest::addColumn<QString>("with");
    QTest::addColumn<QString>("why");
    const auto row = [](const char* name, const char* what, const char* with, const char* why) {
        QTest::newRow(name) << QString::fromUtf8(what) << QString::fromUtf8(with)
                            << QString::fromUtf8(why);
    };
    const char* const prefix = "not a kept rollout: ";
    Q_UNUSED(prefix);
    row("a state", "\"rolling_back\"", "\"flying\"", "state is a word this version does not know");
    row("a phase", "\"rejected\"", "\"eaten\"", "nodes.phase is a word this version does not know");
    row("a member", "\"message\":", "\"massage\":", "message is missing");
    row("one member more",
        "{\"revision\":",
        "{\"more\":1,\"revision\":",
        " has a member this version does not know");
    row("a text for a number",
        "\"revision\":42",
        "\"revision\":\"42\"",
        "revision is no whole number in its bounds");
    row("a node in no wave", "\"wave\":1,\"phase\"", "\"wave\":7,\"phase\"", "a node is in no wave"
    );
    row("a wave that is not there",
        "\"wave\":1,\"waves\"",
        "\"wave\":9,\"waves\"",
        "there is no such wave");
    row("a negative time",
        "\"baked_ns\":2000000000",
        "\"baked_ns\":-1",
        "waves.baked_ns is no whole number in its bounds");
}

void RolloutTest::refusesWhatItDoesNotKnow()
{
    QFETCH(QString, what);
    QFETCH(QString, with);
    QFETCH(QString, why);

    const auto back = rolloutFromJson(
        replaced(toJson(test::sampleRollout()), what.toStdString(), with.toStdString())
    );

    QVERIFY(!back.has_value());
    QCOMPARE(back.error().code == ErrorCode::Syntax, true);
    QCOMPARE(QString::fromStdString(back.error().message), "not a kept rollout: " + why);
}

void RolloutTest::countsOnlyNodesThatRunTheRevision()
{
    Rollout rollout = test::sampleRollout();
    rollout.nodes.push_back(rollout.nodes.front());
    rollout.nodes.back().hashNow = rollout.hash;

    QCOMPARE(rollout.convergedCount(), std::size_t{1});
    rollout.hash.clear();
    rollout.nodes.back().hashNow.clear();
    QCOMPARE(rollout.convergedCount(), std::size_t{0});
}

void RolloutTest::hasAWordForEveryState()
{
    QCOMPARE(toText(NodePhase::RolledBack), std::string_view("rolled_back"));
    QCOMPARE(toText(NodePhase::NotTouched), std::string_view("not_touched"));
    QCOMPARE(toText(NodePhase::SetAside), std::string_view("set_aside"));
    QCOMPARE(toText(WaveState::Failed), std::string_view("failed"));
    QCOMPARE(toText(GateState::NoData), std::string_view("no_data"));
    QCOMPARE(toText(RolloutState::Failed), std::string_view("failed"));
    QCOMPARE(toText(RolloutState::RolledBack), std::string_view("rolled_back"));
}

} // namespace mesh::fleet

QTEST_APPLESS_MAIN(mesh::fleet::RolloutTest)
#include "rollout_test.moc"
