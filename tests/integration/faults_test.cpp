// Goal: with one of three targets doing wrong, at least 99.9 % of a client's requests succeed; with
// all three doing wrong, the client gets the specified error and does not wait for it.
// Method: an engine with retries, a per-try timeout and outlier detection in front of three
// servers that misbehave as told, and a client that repeats nothing and checks every byte's
// framing.
#include "tests/support/policy_fixture.h"

#include <QTest>

using namespace mesh;
using namespace mesh::test;

namespace {

constexpr std::string_view kResilience =
    "  resilience: {timeout: 2s, per_try_timeout: 100ms, retry: {on: [connect-failure, reset, 5xx],"
    " attempts: 3, backoff: {base: 1ms, max: 4ms}, budget: {percent: 100, min_concurrent: 100}}}\n";
// Three failures in a row; away for longer than a test takes.
constexpr std::string_view kEjection =
    "  outlier_detection: {consecutive_5xx: 3, base_ejection: 60s, max_ejection_percent: 34}\n";
constexpr double kShare = 0.999;
constexpr Duration kTimeout = std::chrono::seconds(2); // Of kResilience.

Behaviour behaviourOf(const QString& fault)
{
    Behaviour behaviour;
    behaviour.fault = *parseFault(fault.toStdString());
    behaviour.retryAfter_s = 60; // Longer than any timeout here.
    return behaviour;
}

void addFaults(std::initializer_list<const char*> faults)
{
    QTest::addColumn<QString>("fault");
    for (const char* fault : faults) {
        QTest::newRow(fault) << QString::fromLatin1(fault);
    }
}

std::string wordsOf(const LoadReport& report, PolicyFixture& mesh)
{
    return report.summary() + "\n" + mesh.told();
}

} // namespace

class FaultsTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    // The answer has not begun: the request is repeated elsewhere, and nobody sees anything. The
    // extra byte of length-too-short costs a connection and no request.
    void oneOfThreeIsNotSeen_data()
    {
        addFaults(
            {"refuse",
             "reset-at-accept",
             "reset-at-request",
             "hang",
             "slow-head",
             "unavailable",
             "half-unavailable",
             "length-too-short",
             "garbage"}
        );
    }
    void oneOfThreeIsNotSeen()
    {
        QFETCH(QString, fault);
        PolicyFixture mesh;
        QVERIFY(mesh.begin(3, 2));
        QCOMPARE(mesh.apply(mesh.webYaml(kResilience, kEjection)), std::string());
        QCOMPARE(mesh.load(30).good(), 30U); // Connections are kept when the fault begins.
        mesh.servers[1]->behave(behaviourOf(fault));

        const LoadReport report = mesh.load(2000);

        QVERIFY2(report.goodShare() >= kShare, wordsOf(report, mesh).c_str());
    }

    // Whoever sends a body gets it to a good server as a whole.
    void bodiesAreRepeatedWhole_data() { addFaults({"reset-at-request", "unavailable", "hang"}); }
    void bodiesAreRepeatedWhole()
    {
        QFETCH(QString, fault);
        PolicyFixture mesh;
        QVERIFY(mesh.begin(3));
        QCOMPARE(mesh.apply(mesh.webYaml(kResilience, kEjection)), std::string());
        mesh.servers[2]->behave(behaviourOf(fault));
        LoadPlan plan = mesh.plan(300);
        const std::string body(40'000, 'b');
        plan.request = [&body](std::size_t) {
            return fmt::format(
                "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{}", body.size(), body
            );
        };

        const LoadReport report = runLoad(*mesh.loop, plan);

        QVERIFY2(report.good() == 300, wordsOf(report, mesh).c_str());
        QCOMPARE(report.count("X-Got", "40000"), 300U);
    }

    // The target is taken out for what it did; the event and its health say why; it gets nothing
    // any more.
    void oneOfThreeIsEjected_data()
    {
        addFaults({"refuse", "reset-at-request", "hang", "unavailable", "garbage", "close-mid-body"}
        );
    }
    void oneOfThreeIsEjected()
    {
        QFETCH(QString, fault);
        PolicyFixture mesh;
        QVERIFY(mesh.begin(3));
        QCOMPARE(mesh.apply(mesh.webYaml(kResilience, kEjection)), std::string());
        mesh.servers[1]->behave(behaviourOf(fault));
        static_cast<void>(mesh.load(60));

        const auto reason = mesh.policyEvent("ejected", mesh.target(1));
        QVERIFY2(reason.has_value(), mesh.told().c_str());
        QVERIFY(!reason->empty());
        QVERIFY(runUntil(*mesh.loop, [&] {
            return mesh.box.has<api::HealthEvent>([&](const api::HealthEvent& event) {
                return event.health.target == mesh.servers[1]->address().toText()
                       && event.health.isEjected && !event.health.reason.empty();
            });
        }));
        static_cast<void>(mesh.load(20)); // By now the workers have heard of it.
        const auto before = mesh.servers[1]->requests() + mesh.servers[1]->accepted();
        QCOMPARE(mesh.load(100).good(), 100U);
        QCOMPARE(mesh.servers[1]->requests() + mesh.servers[1]->accepted(), before);
    }

    // What cannot be repeated the client sees until the target is ejected: an answer that has begun
    // and breaks, and a 503 whose Retry-After is longer than the timeout. The target is ejected
    // after three failures in a row; with two clients one more can be under way then, and one more
    // begun before the worker has heard. 6 of 6000 are 0.1 %.
    void whatCannotBeRepeatedEndsByEjection_data()
    {
        addFaults({"close-mid-body", "length-too-long", "slow-body", "retry-later"});
    }
    void whatCannotBeRepeatedEndsByEjection()
    {
        QFETCH(QString, fault);
        PolicyFixture mesh;
        QVERIFY(mesh.begin(3));
        std::string resilience(kResilience);
        resilience.replace(resilience.find("2s"), 2, "120ms"); // Slow bytes end by it.
        QCOMPARE(mesh.apply(mesh.webYaml(resilience, kEjection)), std::string());
        Behaviour behaviour = behaviourOf(fault);
        behaviour.pace = std::chrono::seconds(1);
        mesh.servers[1]->behave(behaviour);

        const LoadReport report = mesh.load(6000, 2);

        QVERIFY2(report.goodShare() >= kShare, wordsOf(report, mesh).c_str());
        QVERIFY(report.good() < 6000); // The fault was met.
        for (const LoadAnswer& answer : report.answers) {
            QVERIFY(
                answer.isGood() || (answer.status == 200 && !answer.isWhole)
                || (answer.status == 503 && answer.header("Retry-After") == "60")
            );
        }
    }

    // Slow bytes that come in time are an answer.
    void slowBytesArePassedOn()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(3));
        QCOMPARE(mesh.apply(mesh.webYaml(kResilience, kEjection)), std::string());
        Behaviour slow = behaviourOf(QStringLiteral("slow-body"));
        slow.pace = std::chrono::milliseconds(5);
        mesh.servers[1]->behave(slow);
        const LoadReport report = mesh.load(600);
        QVERIFY2(report.good() == 600, wordsOf(report, mesh).c_str());
        QCOMPARE(report.count("X-Server", "s1"), 200U); // Nothing was held against it.
    }

    // Up and down, twenty times in 4000 requests: ejected, returned, ejected again.
    void oneOfThreeThatFlapsIsNotSeen()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(3, 2));
        QCOMPARE(
            mesh.apply(mesh.webYaml(
                kResilience,
                "  outlier_detection: {consecutive_5xx: 3, interval: 100ms, base_ejection: 100ms,"
                " max_ejection: 100ms, max_ejection_percent: 34}\n"
            )),
            std::string()
        );
        LoadPlan plan = mesh.plan(4000);
        plan.request = [&mesh](std::size_t at) {
            if (at % 200 == 100) {
                mesh.servers[1]->behave(Fault::Refuse);
            } else if (at % 200 == 0) {
                mesh.servers[1]->behave(Fault::None);
            }
            return std::string("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        };

        const LoadReport report = runLoad(*mesh.loop, plan);

        QVERIFY2(report.goodShare() >= kShare, wordsOf(report, mesh).c_str());
        QVERIFY(mesh.policyEvent("ejected", mesh.target(1)).has_value());
        QVERIFY(mesh.policyEvent("returned", mesh.target(1)).has_value());
        mesh.servers[1]->behave(Fault::None);
        const auto before = mesh.servers[1]->requests();
        QVERIFY(runUntil(*mesh.loop, [&] { // It is taken back for good.
            return mesh.load(30).good() == 30 && mesh.servers[1]->requests() > before;
        }));
    }

    // All attempts fail: the client gets the last one's error at once, or the upstream's answer.
    void allBadGiveTheSpecifiedError_data()
    {
        QTest::addColumn<QString>("fault");
        QTest::addColumn<int>("status");
        QTest::addColumn<bool>("isWhole");
        QTest::addColumn<QString>("message"); // Of the proxy's own answer.
        const auto bad =
            QStringLiteral("An invalid response was received from the upstream server");
        const auto late = QStringLiteral("The upstream server is timing out");
        const auto none = QString();
        const auto row = [](const char* fault, int status, bool isWhole, const QString& message) {
            QTest::newRow(fault) << QString::fromLatin1(fault) << status << isWhole << message;
        };
        row("refuse", 502, true, bad);
        row("reset-at-accept", 502, true, bad);
        row("reset-at-request", 502, true, bad);
        row("garbage", 502, true, bad);
        row("hang", 504, true, late);
        row("slow-head", 504, true, late);
        row("unavailable", 503, true, none);
        row("retry-later", 503, true, none);
        row("length-too-long", 200, false, none);
        row("close-mid-body", 200, false, none);
        row("length-too-short", 200, true, none);
        row("slow-body", 200, true, none);
    }
    void allBadGiveTheSpecifiedError()
    {
        QFETCH(QString, fault);
        QFETCH(int, status);
        QFETCH(bool, isWhole);
        QFETCH(QString, message);
        PolicyFixture mesh;
        QVERIFY(mesh.begin(3));
        QCOMPARE(mesh.apply(mesh.webYaml(kResilience, "")), std::string());
        for (auto& server : mesh.servers) {
            server->behave(behaviourOf(fault));
        }

        const LoadReport report = mesh.load(40);

        for (const LoadAnswer& answer : report.answers) {
            QVERIFY2(answer.status == status, report.summary().c_str());
            QCOMPARE(answer.isWhole, isWhole);
            QVERIFY2(answer.took < kTimeout, report.summary().c_str());
            if (!message.isEmpty()) {
                QVERIFY(answer.body.find(message.toStdString()) != std::string::npos);
                QVERIFY(!answer.header("x-meshwright-proxy-error").empty());
                QVERIFY(!answer.header("X-Meshwright-Request-Id").empty());
            } else {
                QVERIFY(!answer.header("X-Server").empty()); // It is the upstream's.
            }
        }
        if (fault == QLatin1String("retry-later")) {
            QCOMPARE(report.count("Retry-After", "60"), 40U);
        }
    }

    // Half of the answers are 503 at every server: nothing but 200 and the upstream's own 503.
    void allHalfBadGiveTheirOwnErrors()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(3));
        QCOMPARE(mesh.apply(mesh.webYaml(kResilience, "")), std::string());
        for (auto& server : mesh.servers) {
            server->behave(Fault::HalfUnavailable);
        }
        const LoadReport report = mesh.load(500);
        QCOMPARE(report.count(200) + report.count(503), 500U);
        QVERIFY2(report.count(200) > 350, report.summary().c_str()); // Three tries each.
    }

    // When all may be ejected, the proxy answers itself and leaves the servers alone; afterwards
    // they are taken back.
    void allEjectedAreLeftAloneAndTakenBack()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(3));
        QCOMPARE(
            mesh.apply(mesh.webYaml(
                kResilience,
                "  outlier_detection: {consecutive_5xx: 3, interval: 100ms, base_ejection: 600ms,"
                " max_ejection: 600ms, max_ejection_percent: 100}\n"
            )),
            std::string()
        );
        for (auto& server : mesh.servers) {
            server->behave(Fault::Refuse);
        }
        QVERIFY(runUntil(*mesh.loop, [&] {
            const LoadAnswer answer = mesh.ask();
            return answer.status == 503
                   && answer.body.find("failure to get a peer") != std::string::npos;
        }));
        for (std::size_t at = 0; at < 3; ++at) {
            QVERIFY2(mesh.policyEvent("ejected", mesh.target(at)), mesh.told().c_str());
            mesh.servers[at]->behave(Fault::None);
        }
        QVERIFY(runUntil(*mesh.loop, [&] { return mesh.ask().status == 200; }));
        for (std::size_t at = 0; at < 3; ++at) {
            QVERIFY2(mesh.policyEvent("returned", mesh.target(at)), mesh.told().c_str());
        }
        QCOMPARE(mesh.load(90).good(), 90U);
    }

    // One may be ejected, two are bad: the second stays, and its health says why.
    void aSuppressedEjectionIsExplained()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(3));
        QCOMPARE(mesh.apply(mesh.webYaml(kResilience, kEjection)), std::string());
        mesh.servers[0]->behave(Fault::Unavailable);
        mesh.servers[1]->behave(Fault::Unavailable);
        QCOMPARE(mesh.load(100).good(), 100U);

        QVERIFY(runUntil(*mesh.loop, [&] { return mesh.hasPolicyEvent("ejection_suppressed"); }));
        QVERIFY(runUntil(*mesh.loop, [&] { // The frames show it.
            return mesh.box.has<api::StatsEvent>([](const api::StatsEvent& event) {
                return std::ranges::any_of(event.frame->health, [](const auto& target) {
                    return !target.isEjected && !target.suppressed.empty();
                });
            });
        }));
    }

    // Without any policy the passive checks of the gateway format take the target out.
    void passiveChecksTakeABadTargetOut_data()
    {
        addFaults({"refuse", "reset-at-request", "unavailable", "close-mid-body"});
    }
    void passiveChecksTakeABadTargetOut()
    {
        QFETCH(QString, fault);
        PolicyFixture mesh;
        QVERIFY(mesh.begin(3));
        QCOMPARE(
            mesh.apply(mesh.webYaml(
                "",
                "  healthchecks: {passive: {unhealthy: {tcp_failures: 2, http_failures: 2,"
                " timeouts: 2}}}\n"
            )),
            std::string()
        );
        mesh.servers[1]->behave(behaviourOf(fault));
        QVERIFY(runUntil(*mesh.loop, [&] {
            static_cast<void>(mesh.load(12));
            return mesh.box.has<api::HealthEvent>([&](const api::HealthEvent& event) {
                return event.health.target == mesh.servers[1]->address().toText()
                       && event.health.state == telemetry::TargetState::Unhealthy
                       && !event.health.isEjected && !event.health.reason.empty();
            });
        }));
        static_cast<void>(mesh.load(20));
        QCOMPARE(mesh.load(100).good(), 100U);
    }
};

QTEST_APPLESS_MAIN(FaultsTest)
#include "faults_test.moc"
