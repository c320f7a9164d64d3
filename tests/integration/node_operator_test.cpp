// Goal: what an operator asks of an engine beside configurations holds: a document only over the
// one that was looked at, maintenance that can be taken back, requests told with their attempts.
// Method: a real engine in front of servers that misbehave, on loopback.
#include "proxyengine/base/limits.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/net/sockets.h"
#include "tests/support/policy_fixture.h"

#include <QTest>

#include <algorithm>
#include <optional>

namespace mesh {

using test::Fault;
using test::PolicyFixture;
using test::RawSocket;
using test::runUntil;

class NodeOperatorTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aDocumentReplacesOnlyTheOneThatWasLookedAt();
    void maintenanceRefusesAndIsTakenBack();
    void maintenanceLosesNoRequestThatWasSent();
    void maintenanceLetsARequestFinish();
    void anAddressThatIsTakenLeavesMaintenance();
    void aRetriedRequestTellsItsAttempts();
    void headersAreCapturedWhenAskedForAndNeverSecrets();
    void tooManyHeadersAreRefused();

private:
    static std::shared_ptr<const model::Document> documentOf(const std::string& yaml);
    static api::CommandDone carryOut(PolicyFixture& mesh, api::Command command);
    static std::optional<api::AccessEvent> lastAccess(PolicyFixture& mesh, std::string_view path);
    static bool isListening(PolicyFixture& mesh);
};

std::shared_ptr<const model::Document> NodeOperatorTest::documentOf(const std::string& yaml)
{
    return std::make_shared<const model::Document>(config::decode(yaml).document);
}

api::CommandDone NodeOperatorTest::carryOut(PolicyFixture& mesh, api::Command command)
{
    api::CommandDone found{CommandId(0), fail(ErrorCode::Timeout, "it was not answered"), {}};
    const auto id = mesh.engine->submit(std::move(command));
    static_cast<void>(runUntil(*mesh.loop, [&] {
        return id && mesh.box.has<api::CommandDone>([&](const api::CommandDone& done) {
            if (done.id == *id) {
                found = done;
            }
            return done.id == *id;
        });
    }));
    return found;
}

std::optional<api::AccessEvent> NodeOperatorTest::lastAccess(
    PolicyFixture& mesh, std::string_view path
)
{
    std::optional<api::AccessEvent> found;
    static_cast<void>(runUntil(*mesh.loop, [&] {
        return mesh.box.has<api::AccessEvent>([&](const api::AccessEvent& access) {
            if (access.path == path) {
                found = access;
            }
            return access.path == path;
        });
    }));
    return found;
}

bool NodeOperatorTest::isListening(PolicyFixture& mesh)
{
    RawSocket client(mesh.proxy);
    static_cast<void>(client.send(*mesh.loop, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    return client.waitFor(*mesh.loop, "HTTP/1.1 200");
}

void NodeOperatorTest::aDocumentReplacesOnlyTheOneThatWasLookedAt()
{
    PolicyFixture mesh;
    QVERIFY(mesh.begin(1));
    const auto first = documentOf(mesh.webYaml("", ""));
    const auto second = documentOf(mesh.webYaml("  read_timeout: 5000\n", ""));
    const std::string firstHash = config::hashOf(*first);
    const std::string secondHash = config::hashOf(*second);
    QVERIFY(carryOut(mesh, api::ApplyDocument{first, {}}).result.has_value());

    const auto late = carryOut(mesh, api::ApplyDocument{second, secondHash});
    QVERIFY(!late.result.has_value());
    QCOMPARE(late.result.error().code, ErrorCode::Conflict);
    QCOMPARE(late.problems.size(), 1U);
    QCOMPARE(late.problems[0].message, firstHash);

    const auto right = carryOut(mesh, api::ApplyDocument{second, firstHash});
    QVERIFY(right.result.has_value());
    QCOMPARE(right.result->hash, secondHash);
    QVERIFY(runUntil(*mesh.loop, [&] {
        return mesh.box.has<api::PolicyEvent>([&](const api::PolicyEvent& event) {
            return event.kind == "config_applied" && event.subject == secondHash
                   && event.reason == "was " + firstHash;
        });
    }));
}

void NodeOperatorTest::maintenanceRefusesAndIsTakenBack()
{
    PolicyFixture mesh;
    QVERIFY(mesh.begin(1, 2));
    QCOMPARE(mesh.apply(mesh.webYaml("", "")), std::string());
    RawSocket kept(mesh.proxy); // Idle, from before.
    QVERIFY(kept.send(*mesh.loop, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    QVERIFY(kept.waitFor(*mesh.loop, "HTTP/1.1 200"));

    for (int round = 0; round < 2; ++round) {
        QVERIFY(carryOut(mesh, api::SetMaintenance{api::Maintenance::On}).result.has_value());
        QVERIFY(runUntil(*mesh.loop, [&] { return !isListening(mesh); }));
        QVERIFY(runUntil(*mesh.loop, [&] {
            return mesh.box.has<api::StateEvent>([](const api::StateEvent& state) {
                return state.isInMaintenance && state.state == api::EngineState::Running;
            });
        }));
        // A push meanwhile does not end it.
        QCOMPARE(mesh.apply(mesh.webYaml("  read_timeout: 5000\n", "")), std::string());
        QVERIFY(!isListening(mesh));
        QVERIFY(carryOut(mesh, api::SetMaintenance{api::Maintenance::On}).result.has_value());

        QVERIFY(carryOut(mesh, api::SetMaintenance{api::Maintenance::Off}).result.has_value());
        QVERIFY(runUntil(*mesh.loop, [&] { return isListening(mesh); })); // The same address.
        QVERIFY(carryOut(mesh, api::SetMaintenance{api::Maintenance::Off}).result.has_value());
    }
    QVERIFY(!kept.waitFor(*mesh.loop, "nothing more comes"));
    QVERIFY(kept.hasEnded() || kept.wasReset());
}

void NodeOperatorTest::maintenanceLosesNoRequestThatWasSent()
{
    constexpr int kClients = 200; // Some wait in the backlog, some are accepted, some are read.
    PolicyFixture mesh;
    QVERIFY(mesh.begin(1));
    QCOMPARE(mesh.apply(mesh.webYaml("", "")), std::string());
    std::vector<std::unique_ptr<RawSocket>> clients;
    for (int i = 0; i < kClients; ++i) {
        clients.push_back(std::make_unique<RawSocket>(mesh.proxy));
        QVERIFY(clients.back()->send(*mesh.loop, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    }

    QVERIFY(mesh.engine->submit(api::SetMaintenance{api::Maintenance::On}).has_value());

    for (const auto& client : clients) {
        QVERIFY(client->waitFor(*mesh.loop, "HTTP/1.1 200"));
    }
}

void NodeOperatorTest::maintenanceLetsARequestFinish()
{
    PolicyFixture mesh;
    QVERIFY(mesh.begin(1));
    QCOMPARE(mesh.apply(mesh.webYaml("", "")), std::string());
    RawSocket slow(mesh.proxy);
    QVERIFY(slow.send(*mesh.loop, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab"));

    QVERIFY(carryOut(mesh, api::SetMaintenance{api::Maintenance::On}).result.has_value());
    QVERIFY(runUntil(*mesh.loop, [&] { return !isListening(mesh); }));
    QVERIFY(slow.send(*mesh.loop, "cd"));

    QVERIFY(slow.waitFor(*mesh.loop, "HTTP/1.1 200"));
    QVERIFY(slow.heard().find("onnection: close") != std::string::npos);
}

void NodeOperatorTest::anAddressThatIsTakenLeavesMaintenance()
{
    PolicyFixture mesh;
    QVERIFY(mesh.begin(1));
    QCOMPARE(mesh.apply(mesh.webYaml("", "")), std::string());
    QVERIFY(carryOut(mesh, api::SetMaintenance{api::Maintenance::On}).result.has_value());
    std::optional<FileDescriptor> thief;
    QVERIFY(runUntil(*mesh.loop, [&] {
        if (auto socket = net::listenOn(mesh.proxy)) {
            thief = *std::move(socket);
        }
        return thief.has_value();
    }));

    const auto refused = carryOut(mesh, api::SetMaintenance{api::Maintenance::Off});
    QVERIFY(!refused.result.has_value());
    QCOMPARE(refused.result.error().code, ErrorCode::Unavailable);
    QVERIFY(refused.result.error().message.find(mesh.proxy.toText()) != std::string::npos);

    thief.reset();
    QVERIFY(runUntil(*mesh.loop, [&] {
        return carryOut(mesh, api::SetMaintenance{api::Maintenance::Off}).result.has_value();
    }));
    QVERIFY(runUntil(*mesh.loop, [&] { return isListening(mesh); }));
}

void NodeOperatorTest::aRetriedRequestTellsItsAttempts()
{
    PolicyFixture mesh;
    QVERIFY(mesh.begin(2));
    mesh.servers[0]->behave(Fault::Unavailable);
    QCOMPARE(
        mesh.apply(mesh.webYaml(
            "  resilience: {retry: {on: [5xx], attempts: 3, backoff: {base: 1ms, max: 2ms}}}\n", ""
        )),
        std::string()
    );

    std::optional<api::AccessEvent> retried;
    for (int at = 0; at < 8 && (!retried || retried->attempts < 2); ++at) {
        const std::string path = fmt::format("/cart/{}", at);
        mesh.talk(fmt::format("GET {} HTTP/1.1\r\nHost: a\r\n\r\n", path), "HTTP/1.1 200");
        retried = lastAccess(mesh, path);
    }

    QVERIFY(retried && retried->attempts == 2);
    QCOMPARE(retried->why, std::string("path prefix /"));
    QCOMPARE(retried->tries.size(), 2U);
    QCOMPARE(retried->tries[0].target, mesh.servers[0]->address().toText());
    QCOMPARE(retried->tries[0].status, 503);
    QCOMPARE(retried->tries[1].target, retried->target);
    QCOMPARE(retried->tries[1].status, 200);
    QCOMPARE(retried->tries[1].outcome, std::string("answered"));
    QVERIFY(retried->tries[0].latency_ms > 0);
    QVERIFY(retried->tries[1].started_ms > retried->tries[0].started_ms);
    QVERIFY(std::ranges::find(retried->policies, "retried") != retried->policies.end());
    QVERIFY(retried->requestHeaders.empty()); // Nobody asked.
}

void NodeOperatorTest::headersAreCapturedWhenAskedForAndNeverSecrets()
{
    PolicyFixture mesh;
    QVERIFY(mesh.begin(1));
    QCOMPARE(mesh.apply(mesh.webYaml("", "")), std::string());
    QVERIFY(carryOut(
                mesh, api::SetTapHeaders{{"x-version", "authorization", "cookie", "x-api-key"}}
    ).result.has_value());
    const std::string request = "GET /tapped HTTP/1.1\r\nHost: a\r\nX-Version: v2\r\nX-Other: o\r\n"
                                "Authorization: Bearer s3cret\r\nCookie: id=s3cret\r\n"
                                "X-Api-Key: s3cret\r\n\r\n";

    mesh.talk(request, "HTTP/1.1 200");
    const auto access = lastAccess(mesh, "/tapped");

    QVERIFY(access.has_value());
    QCOMPARE(access->requestHeaders.size(), 4U);
    for (const api::AccessHeader& header : access->requestHeaders) {
        QCOMPARE(header.value, std::string(header.name == "x-version" ? "v2" : "***"));
    }

    QVERIFY(carryOut(mesh, api::SetTapHeaders{}).result.has_value());
    mesh.talk("GET /untapped HTTP/1.1\r\nHost: a\r\nX-Version: v2\r\n\r\n", "HTTP/1.1 200");
    const auto after = lastAccess(mesh, "/untapped");
    QVERIFY(after && after->requestHeaders.empty());
}

void NodeOperatorTest::tooManyHeadersAreRefused()
{
    PolicyFixture mesh;
    QVERIFY(mesh.begin(1));

    const auto done =
        carryOut(mesh, api::SetTapHeaders{std::vector<std::string>(kTapHeadersMax + 1, "x-a")});

    QVERIFY(!done.result.has_value());
    QCOMPARE(done.result.error().code, ErrorCode::LimitExceeded);
}

} // namespace mesh

QTEST_APPLESS_MAIN(mesh::NodeOperatorTest)
#include "node_operator_test.moc"
