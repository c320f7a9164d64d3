// Goal: every kind of active check against real servers, plain and under TLS, and what each kind of
// failure is called. Method: small servers on the test's own loop; for trust, the certificate is
// put where OpenSSL looks for the system's.
#include "proxyengine/proxy/probe.h"
#include "tests/support/grpc_health_talk.h"
#include "tests/support/loopback.h"
#include "tests/support/talking_server.h"

#include <QTemporaryDir>
#include <QTest>

#include <csignal>
#include <fstream>
#include <optional>
#include <string>

using namespace mesh;
using namespace mesh::proxy;
using namespace std::chrono_literals;

namespace {

using Kind = policy::Observation::Kind;

struct Fixture
{
    SystemClock clock;
    std::unique_ptr<net::EventLoop> loop = *net::EventLoop::make(clock);
    Prober prober{*loop};
    std::string heard;
    test::GrpcHealth health;

    ProbeCall callOf(model::ProbeType type, const net::SocketAddress& address) const
    {
        ProbeCall call;
        call.type = type;
        call.address = address;
        call.authority = address.toText();
        call.timeout = 5s;
        return call;
    }
    ProbeOutcome run(const ProbeCall& call)
    {
        std::optional<ProbeOutcome> outcome;
        prober.start(call, [&outcome](const ProbeOutcome& result) { outcome = result; });
        test::runUntil(*loop, [&outcome] { return outcome.has_value(); });
        return outcome.value_or(ProbeOutcome{{policy::Check::Active, Kind::Status, -1}, "nothing"});
    }
    std::unique_ptr<test::TalkingServer> says(
        std::string answer, std::shared_ptr<const tls::ServerContext> context = nullptr
    )
    {
        return std::make_unique<test::TalkingServer>(*loop, std::move(context), [this, answer] {
            heard.clear();
            return std::make_unique<test::CannedTalk>(answer, heard);
        });
    }
    std::unique_ptr<test::TalkingServer> healthServer(
        std::shared_ptr<const tls::ServerContext> context = nullptr
    )
    {
        return std::make_unique<test::TalkingServer>(*loop, std::move(context), [this] {
            return std::make_unique<test::GrpcHealthTalk>(health);
        });
    }
};

} // namespace

class ProberTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void httpTakesTheStatusOfTheFirstFinalHead();
    void httpSendsPathAndHeaders();
    void aHeaderMayReplaceTheHost();
    void whatIsNotHttpIsTold();
    void nobodyThereIsAConnectFailure();
    void anEndBeforeTheHeadIsAConnectFailure();
    void silenceIsATimeout();
    void tcpIsContentWithAConnection();
    void httpsSendsTheNameAndVerifiesIt();
    void httpsRefusesWhatItCannotVerifyUnlessToldTo();
    void grpcAsksTheHealthService();
    void grpcTellsWhatTheServiceSays();
    void grpcUnderTlsOffersHttp2();
    void destroyingTheProberEndsWhatRuns();

private:
    std::shared_ptr<const tls::ServerContext> m_trusted; // For "shop.test".
    std::shared_ptr<const tls::ServerContext> m_unknown;
    QTemporaryDir m_directory;
};

void ProberTest::initTestCase()
{
    QVERIFY(::signal(SIGPIPE, SIG_IGN) != SIG_ERR); // As a program with OpenSSL must.
    const SystemClock clock;
    const auto trusted = *tls::makeSelfSigned("shop.test", clock.wallNow(), 24h);
    const auto unknown = *tls::makeSelfSigned("shop.test", clock.wallNow(), 24h);
    m_trusted = *tls::ServerContext::make({trusted}, tls::Http2Offer::Yes);
    m_unknown = *tls::ServerContext::make({unknown}, tls::Http2Offer::Yes);
    const std::string path = m_directory.filePath(QStringLiteral("roots.pem")).toStdString();
    std::ofstream(path) << trusted.chainPem;
    QVERIFY(qputenv("SSL_CERT_FILE", QByteArray::fromStdString(path)));
    QVERIFY(qputenv("SSL_CERT_DIR", m_directory.path().toUtf8()));
}

void ProberTest::httpTakesTheStatusOfTheFirstFinalHead()
{
    Fixture f;
    const auto server = f.says("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                               "HTTP/1.1 418 Teapot\r\nContent-Length: 9\r\n\r\n");

    const ProbeOutcome outcome = f.run(f.callOf(model::ProbeType::Http, server->address()));

    QVERIFY(outcome.observation.kind == Kind::Status);
    QCOMPARE(outcome.observation.status, 418);
    QVERIFY(outcome.observation.check == policy::Check::Active);
    QCOMPARE(f.prober.running(), std::size_t{0});
}

void ProberTest::httpSendsPathAndHeaders()
{
    Fixture f;
    const auto server = f.says("HTTP/1.1 200 OK\r\n\r\n");
    ProbeCall call = f.callOf(model::ProbeType::Http, server->address());
    call.path = "/health?deep=1";
    call.authority = "shop.test";
    call.headers = {{"X-Probe", {"one", "two"}}, {"X-Bad", {"a\r\nInjected: yes"}}};

    QCOMPARE(f.run(call).observation.status, 200);

    QVERIFY(f.heard.starts_with("GET /health?deep=1 HTTP/1.1\r\n"));
    QVERIFY(f.heard.find("\r\nX-Probe: one\r\nX-Probe: two\r\n") != std::string::npos);
    QVERIFY(f.heard.find("\r\nHost: shop.test\r\n") != std::string::npos);
    QVERIFY(f.heard.find("Injected") == std::string::npos);
}

void ProberTest::aHeaderMayReplaceTheHost()
{
    Fixture f;
    const auto server = f.says("HTTP/1.1 200 OK\r\n\r\n");
    ProbeCall call = f.callOf(model::ProbeType::Http, server->address());
    call.headers = {{"host", {"other.test"}}};

    QCOMPARE(f.run(call).observation.status, 200);

    QVERIFY(f.heard.find("\r\nhost: other.test\r\n") != std::string::npos);
    QVERIFY(f.heard.find("Host:") == std::string::npos);
}

void ProberTest::whatIsNotHttpIsTold()
{
    Fixture f;
    const auto server = f.says("SSH-2.0-OpenSSH_9.2\r\n\r\n");

    const ProbeOutcome outcome = f.run(f.callOf(model::ProbeType::Http, server->address()));

    QVERIFY(outcome.observation.kind == Kind::Status);
    QCOMPARE(outcome.observation.status, 0);
    QVERIFY2(outcome.failure.starts_with("not HTTP/1: "), outcome.failure.c_str());
}

void ProberTest::nobodyThereIsAConnectFailure()
{
    Fixture f;
    net::SocketAddress address = f.says("")->address(); // Gone at once.

    for (const auto type :
         {model::ProbeType::Http, model::ProbeType::Tcp, model::ProbeType::Grpcs}) {
        const ProbeOutcome outcome = f.run(f.callOf(type, address));
        QVERIFY(outcome.observation.kind == Kind::ConnectFailure);
        QVERIFY(!outcome.failure.empty());
    }
}

void ProberTest::anEndBeforeTheHeadIsAConnectFailure()
{
    Fixture f;
    net::SocketAddress address;
    ProbeOutcome outcome{{policy::Check::Active, Kind::Success, 0}, {}};
    bool isDone = false;
    {
        const auto server = f.says("");
        f.prober.start(
            f.callOf(model::ProbeType::Http, server->address()),
            [&](const ProbeOutcome& result) {
                outcome = result;
                isDone = true;
            }
        );
        QVERIFY(test::runUntil(*f.loop, [&] { return !f.heard.empty(); }));
    }
    QVERIFY(test::runUntil(*f.loop, [&] { return isDone; }));

    QVERIFY(outcome.observation.kind == Kind::ConnectFailure);
}

void ProberTest::silenceIsATimeout()
{
    Fixture f;
    const auto server = f.says("");
    for (const auto type : {model::ProbeType::Http, model::ProbeType::Grpc}) {
        ProbeCall call = f.callOf(type, server->address());
        call.timeout = 30ms;
        QVERIFY(f.run(call).observation.kind == Kind::Timeout);
    }
}

void ProberTest::tcpIsContentWithAConnection()
{
    Fixture f;
    const auto server = f.says("");

    const ProbeOutcome outcome = f.run(f.callOf(model::ProbeType::Tcp, server->address()));

    QVERIFY(outcome.observation.kind == Kind::Success);
    QVERIFY(outcome.failure.empty());
}

void ProberTest::httpsSendsTheNameAndVerifiesIt()
{
    Fixture f;
    const auto server = f.says("HTTP/1.1 204 No Content\r\n\r\n", m_trusted);
    ProbeCall call = f.callOf(model::ProbeType::Https, server->address());
    call.serverName = "shop.test";

    QCOMPARE(f.run(call).observation.status, 204);
    QCOMPARE(server->serverName(), std::string("shop.test"));
    QCOMPARE(server->protocol(), std::string());

    call.serverName = "other.test"; // Trusted, but of another name.
    const ProbeOutcome outcome = f.run(call);
    QVERIFY(outcome.observation.kind == Kind::ConnectFailure);
    QVERIFY2(outcome.failure.starts_with("TLS: "), outcome.failure.c_str());
}

void ProberTest::httpsRefusesWhatItCannotVerifyUnlessToldTo()
{
    Fixture f;
    const auto server = f.says("HTTP/1.1 200 OK\r\n\r\n", m_unknown);
    ProbeCall call = f.callOf(model::ProbeType::Https, server->address());
    call.serverName = "shop.test";

    const ProbeOutcome outcome = f.run(call);
    QVERIFY(outcome.observation.kind == Kind::ConnectFailure);
    QVERIFY2(outcome.failure.find("certificate") != std::string::npos, outcome.failure.c_str());

    call.verify = tls::VerifyPeer::No;
    QCOMPARE(f.run(call).observation.status, 200);
}

void ProberTest::grpcAsksTheHealthService()
{
    Fixture f;
    const auto server = f.healthServer();

    const ProbeOutcome outcome = f.run(f.callOf(model::ProbeType::Grpc, server->address()));

    QVERIFY2(outcome.observation.kind == Kind::Success, outcome.failure.c_str());
    QCOMPARE(f.health.request[":path"], std::string("/grpc.health.v1.Health/Check"));
    QCOMPARE(f.health.request[":method"], std::string("POST"));
    QCOMPARE(f.health.request[":scheme"], std::string("http"));
    QCOMPARE(f.health.request[":authority"], server->address().toText());
    QCOMPARE(f.health.request["content-type"], std::string("application/grpc"));
    QCOMPARE(f.health.request["te"], std::string("trailers"));
    QCOMPARE(f.health.body, std::string(5, '\0'));
}

void ProberTest::grpcTellsWhatTheServiceSays()
{
    Fixture f;
    const auto server = f.healthServer();
    const auto expect = [&](const char* failure) {
        const ProbeOutcome outcome = f.run(f.callOf(model::ProbeType::Grpc, server->address()));
        QVERIFY(outcome.observation.kind == Kind::NotServing);
        QCOMPARE(outcome.failure, std::string(failure));
    };

    f.health.message = std::string("\x00\x00\x00\x00\x02\x08\x02", 7);
    expect("NOT_SERVING");
    f.health.message = std::string("\x00\x00\x00\x00\x00", 5);
    expect("UNKNOWN");
    f.health.message = std::string("\x00\x00\x00\x00\x02\x08", 6);
    expect("no health message");
    f.health.grpcStatus = 12;
    f.health.grpcMessage = "unknown service";
    expect("grpc-status 12 (unknown service)");
    f.health.httpStatus = 404;
    expect("HTTP 404");
    f.health.resetsStream = true;
    expect("no gRPC answer (HTTP/2 error 2)");
    const auto web = f.says("HTTP/1.1 400 Bad Request\r\n\r\n");
    const ProbeOutcome outcome = f.run(f.callOf(model::ProbeType::Grpc, web->address()));
    QVERIFY(outcome.observation.kind == Kind::NotServing);
    QVERIFY2(outcome.failure.find("HTTP/2") != std::string::npos, outcome.failure.c_str());
}

void ProberTest::grpcUnderTlsOffersHttp2()
{
    Fixture f;
    const auto server = f.healthServer(m_trusted);
    ProbeCall call = f.callOf(model::ProbeType::Grpcs, server->address());
    call.serverName = "shop.test";

    const ProbeOutcome outcome = f.run(call);

    QVERIFY2(outcome.observation.kind == Kind::Success, outcome.failure.c_str());
    QCOMPARE(server->protocol(), std::string("h2"));
    QCOMPARE(f.health.request[":scheme"], std::string("https"));
}

void ProberTest::destroyingTheProberEndsWhatRuns()
{
    Fixture f;
    const auto server = f.says("", m_trusted);
    bool isCalled = false;
    {
        Prober prober(*f.loop);
        prober.start(
            f.callOf(model::ProbeType::Https, server->address()),
            [&isCalled](const ProbeOutcome&) { isCalled = true; }
        );
        QVERIFY(test::runUntil(*f.loop, [&] { return server->accepted() == 1; }));
    }
    for (int turn = 0; turn < 20; ++turn) {
        f.loop->runTurn(1ms);
    }
    QVERIFY(!isCalled);
}

QTEST_APPLESS_MAIN(ProberTest)
#include "prober_test.moc"
