#include "proxyengine/policy/health.h"

#include <QTest>

#include <string>

// Goal: every arrow of the diagram in health.h, the words of the reasons, and when probes are due.
// Method: time is a number we choose; observations are spelled one letter each.
namespace mesh::policy {

using namespace std::chrono_literals;

class HealthTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void followsWhatIsObserved_data();
    void followsWhatIsObserved();
    void tellsSinceWhen();
    void staysUnhealthyWithoutProbes();
    void listensToTheOperatorFirst();
    void probesAtTheIntervalOfTheState();
    void spreadsTheFirstProbe();
    void isOffWithoutLimits();
    void doesNotLookAtStatusesOfTcpChecks();
    void understandsProbesWithoutStatuses();
    void combinesHealthAndEjection_data();
    void combinesHealthAndEjection();
};

namespace {

model::Healthchecks makeConfig()
{
    model::Healthchecks config;
    config.active.healthy.interval = 5s;
    config.active.healthy.successes = 2;
    config.active.unhealthy.interval = 1s;
    config.active.unhealthy.tcpFailures = 2;
    config.active.unhealthy.httpFailures = 2;
    config.active.unhealthy.timeouts = 3;
    config.passive.unhealthy.tcpFailures = 3;
    config.passive.unhealthy.timeouts = 2;
    config.passive.unhealthy.httpFailures = 2;
    return config;
}

// Lower case: a request; upper case: a probe. s success, f HTTP 503, c connection failure,
// t timeout, i an ignored status, z an unreadable answer, y passed, n not serving.
Observation toObservation(char letter)
{
    Observation observation;
    observation.check = letter < 'a' ? Check::Active : Check::Passive;
    switch (letter | 0x20) {
    case 's':
        observation.status = 200;
        break;
    case 'f':
        observation.status = 503;
        break;
    case 'i':
        observation.status = 418;
        break;
    case 'c':
        observation.kind = Observation::Kind::ConnectFailure;
        break;
    case 't':
        observation.kind = Observation::Kind::Timeout;
        break;
    case 'y':
        observation.kind = Observation::Kind::Success;
        break;
    case 'n':
        observation.kind = Observation::Kind::NotServing;
        break;
    default:
        observation.status = 0;
    }
    return observation;
}

QByteArray toBytes(std::string_view text)
{
    return {text.data(), static_cast<qsizetype>(text.size())};
}

} // namespace

void HealthTest::followsWhatIsObserved_data()
{
    QTest::addColumn<QByteArray>("seen");
    QTest::addColumn<QByteArray>("state");
    QTest::addColumn<QByteArray>("reason");

    const auto row = [](const char* name, const char* seen, const char* state, const char* reason) {
        QTest::newRow(name) << QByteArray(seen) << QByteArray(state) << QByteArray(reason);
    };
    row("nothing", "", "healthy", "");
    row("one failure", "c", "mostly_healthy", "");
    row("a success forgives", "ccscc", "mostly_healthy", "");
    row("refused connections", "ccc", "unhealthy", "3 connection failures in a row");
    row("kinds are counted apart", "ctcfi", "mostly_healthy", "");
    row("timeouts", "tt", "unhealthy", "2 timeouts in a row");
    row("statuses", "ff", "unhealthy", "HTTP 503 from 2 requests in a row");
    row("ignored statuses", "fiiif", "unhealthy", "HTTP 503 from 2 requests in a row");
    row("probes", "FF", "unhealthy", "HTTP 503 from 2 probes in a row");
    row("probes without connection", "CC", "unhealthy", "2 probes could not connect in a row");
    row("probes timed out", "TTT", "unhealthy", "3 probes timed out in a row");
    row("garbage", "ZZ", "unhealthy", "unreadable answers from 2 probes in a row");
    row("requests and probes add up", "fF", "unhealthy", "HTTP 503 from 2 probes in a row");
    row("a probe forgives requests", "ccS", "healthy", "");
    row("half way back", "cccS", "mostly_unhealthy", "3 connection failures in a row");
    row("a failure on the way", "cccSCS", "mostly_unhealthy", "3 connection failures in a row");
    row("back again", "cccSS", "healthy", "");
    row("requests alone do not heal", "cccssss", "unhealthy", "3 connection failures in a row");
    row("down a second time", "cccSSff", "unhealthy", "HTTP 503 from 2 requests in a row");
}

void HealthTest::followsWhatIsObserved()
{
    QFETCH(const QByteArray, seen);
    QFETCH(const QByteArray, state);
    QFETCH(const QByteArray, reason);
    const HealthRules rules(makeConfig());
    Random random(Seed{1});
    HealthMachine machine(rules, TimePoint(0s), random);

    bool wasAvailable = machine.isAvailable();
    bool isChangeTold = true;
    for (const char letter : seen) {
        const bool isChanged = machine.observe(TimePoint(1s), toObservation(letter));
        isChangeTold = isChangeTold && isChanged == (machine.isAvailable() != wasAvailable);
        wasAvailable = machine.isAvailable();
    }

    QVERIFY(isChangeTold);
    QCOMPARE(toBytes(toText(machine.state())), state);
    QCOMPARE(toBytes(machine.reason()), reason);
    QCOMPARE(machine.isAvailable(), state == "healthy" || state == "mostly_healthy");
}

void HealthTest::tellsSinceWhen()
{
    const HealthRules rules(makeConfig());
    Random random(Seed{1});
    HealthMachine machine(rules, TimePoint(10s), random);

    machine.observe(TimePoint(20s), toObservation('f'));
    QVERIFY(machine.since() == TimePoint(10s));
    machine.observe(TimePoint(21s), toObservation('f'));
    machine.observe(TimePoint(22s), toObservation('f'));
    QVERIFY(machine.since() == TimePoint(21s));
}

void HealthTest::staysUnhealthyWithoutProbes()
{
    model::Healthchecks config;
    config.passive.unhealthy.tcpFailures = 1;
    const HealthRules rules(config);
    Random random(Seed{1});
    HealthMachine machine(rules, TimePoint(0s), random);

    QVERIFY(machine.observe(TimePoint(1s), toObservation('c')));

    QVERIFY(!machine.isAvailable());
    QVERIFY(!machine.nextProbeAt());
    QCOMPARE(toBytes(machine.reason()), QByteArray("1 connection failure"));
}

void HealthTest::listensToTheOperatorFirst()
{
    const HealthRules rules(makeConfig());
    Random random(Seed{1});
    HealthMachine machine(rules, TimePoint(0s), random);

    QVERIFY(machine.setOverride(TimePoint(1s), HealthMachine::Override::Unhealthy));
    QVERIFY(!machine.observe(TimePoint(2s), toObservation('S')));
    QVERIFY(!machine.isAvailable());
    QCOMPARE(toBytes(machine.reason()), QByteArray("set by an operator"));
    QVERIFY(!machine.nextProbeAt());

    QVERIFY(machine.setOverride(TimePoint(3s), HealthMachine::Override::Healthy));
    machine.observe(TimePoint(4s), toObservation('f'));
    machine.observe(TimePoint(4s), toObservation('f'));
    QVERIFY(machine.isAvailable());

    QVERIFY(!machine.setOverride(TimePoint(5s), HealthMachine::Override::None));
    QVERIFY(machine.isAvailable());
    QVERIFY(machine.nextProbeAt() == TimePoint(5s));
    machine.observe(TimePoint(6s), toObservation('f'));
    QVERIFY(machine.observe(TimePoint(6s), toObservation('f')));
}

void HealthTest::probesAtTheIntervalOfTheState()
{
    const HealthRules rules(makeConfig());
    Random random(Seed{1});
    HealthMachine machine(rules, TimePoint(0s), random);

    machine.onProbeStarted(TimePoint(10s));
    QVERIFY(!machine.nextProbeAt());
    machine.observe(TimePoint(11s), toObservation('C'));
    QVERIFY(machine.nextProbeAt() == TimePoint(15s));
    machine.onProbeStarted(TimePoint(15s));
    machine.observe(TimePoint(15s), toObservation('C'));
    QVERIFY(machine.nextProbeAt() == TimePoint(16s));
}

void HealthTest::spreadsTheFirstProbe()
{
    const HealthRules rules(makeConfig());
    Random random(Seed{7});
    TimePoint earliest = TimePoint::max();
    TimePoint latest = TimePoint::min();
    for (int i = 0; i < 100; ++i) {
        const HealthMachine machine(rules, TimePoint(100s), random);
        earliest = std::min(earliest, *machine.nextProbeAt());
        latest = std::max(latest, *machine.nextProbeAt());
    }

    QVERIFY(earliest >= TimePoint(100s));
    QVERIFY(latest <= TimePoint(105s));
    QVERIFY(latest - earliest > 3s);
}

void HealthTest::isOffWithoutLimits()
{
    QVERIFY(!HealthRules(model::Healthchecks()).isAnythingChecked());
    QVERIFY(HealthRules(makeConfig()).isAnythingChecked());

    model::Healthchecks probesWithoutLimits;
    probesWithoutLimits.active.healthy.interval = 1s;
    QVERIFY(!HealthRules(probesWithoutLimits).isAnythingChecked());
}

void HealthTest::doesNotLookAtStatusesOfTcpChecks()
{
    model::Healthchecks config = makeConfig();
    config.passive.type = model::ProbeType::Tcp;
    config.active.type = model::ProbeType::Tcp;
    config.active.healthy.httpStatuses = {204};
    const HealthRules rules(config);
    Random random(Seed{1});
    HealthMachine machine(rules, TimePoint(0s), random);

    for (const char letter : std::string_view("ffffFFFFccfcc")) {
        QVERIFY(!machine.observe(TimePoint(1s), toObservation(letter)));
    }
    QVERIFY(machine.observe(TimePoint(1s), toObservation('c')));
    machine.observe(TimePoint(1s), toObservation('Y'));
    QVERIFY(machine.observe(TimePoint(1s), toObservation('S')));

    // What cannot be counted is no check.
    model::Healthchecks statusesOnly;
    statusesOnly.passive.unhealthy.httpFailures = 3;
    QVERIFY(HealthRules(statusesOnly).isAnythingChecked());
    statusesOnly.passive.type = model::ProbeType::Tcp;
    QVERIFY(!HealthRules(statusesOnly).isAnythingChecked());
}

void HealthTest::understandsProbesWithoutStatuses()
{
    model::Healthchecks config = makeConfig();
    config.active.type = model::ProbeType::Grpc;
    config.active.healthy.httpStatuses = {204};
    const HealthRules rules(config);
    Random random(Seed{1});
    HealthMachine machine(rules, TimePoint(0s), random);

    machine.observe(TimePoint(1s), toObservation('N'));
    QVERIFY(machine.observe(TimePoint(1s), toObservation('N')));
    QCOMPARE(toBytes(machine.reason()), QByteArray("not serving in 2 probes in a row"));
    machine.observe(TimePoint(2s), toObservation('Y'));
    QCOMPARE(toBytes(toText(machine.state())), QByteArray("mostly_unhealthy"));
    QVERIFY(machine.observe(TimePoint(3s), toObservation('Y')));
}

void HealthTest::combinesHealthAndEjection_data()
{
    QTest::addColumn<int>("word");
    QTest::addColumn<QByteArray>("seen");
    QTest::addColumn<QByteArray>("ejection");
    QTest::addColumn<bool>("isAvailable");
    QTest::addColumn<QByteArray>("reason");

    using Override = HealthMachine::Override;
    const auto row = [](const char* name,
                        Override word,
                        const char* seen,
                        const char* ejection,
                        bool isAvailable,
                        const char* reason) {
        QTest::newRow(name) << static_cast<int>(word) << QByteArray(seen) << QByteArray(ejection)
                            << isAvailable << QByteArray(reason);
    };
    const char* const ejected = "5 consecutive 5xx (503); back in 30 s";
    row("nothing objects", Override::None, "", "", true, "");
    row("unhealthy", Override::None, "ccc", "", false, "3 connection failures in a row");
    row("ejected",
        Override::None,
        "",
        ejected,
        false,
        "ejected: 5 consecutive 5xx (503); back in 30 s");
    row("both",
        Override::None,
        "ccc",
        ejected,
        false,
        "3 connection failures in a row; also ejected: 5 consecutive 5xx (503); back in 30 s");
    row("an operator against both", Override::Healthy, "", ejected, true, "set by an operator");
    row("an operator against none", Override::Unhealthy, "", "", false, "set by an operator");
    row("an operator with it", Override::Unhealthy, "", ejected, false, "set by an operator");
}

void HealthTest::combinesHealthAndEjection()
{
    QFETCH(const int, word);
    QFETCH(const QByteArray, seen);
    QFETCH(const QByteArray, ejection);
    QFETCH(const bool, isAvailable);
    QFETCH(const QByteArray, reason);
    const HealthRules rules(makeConfig());
    Random random(Seed{1});
    HealthMachine machine(rules, TimePoint(0s), random);
    machine.setOverride(TimePoint(0s), static_cast<HealthMachine::Override>(word));
    for (const char letter : seen) {
        machine.observe(TimePoint(1s), toObservation(letter));
    }

    const Availability found =
        combine(machine, {ejection.data(), static_cast<std::size_t>(ejection.size())});

    QCOMPARE(found.isAvailable, isAvailable);
    QCOMPARE(toBytes(found.reason), reason);
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::HealthTest)
#include "health_test.moc"
