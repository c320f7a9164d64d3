#include "tests/support/h2_test_server.h"
#include "tests/support/load_client.h"
#include "tests/support/proxy_fixture.h"

#include <QTest>

#include <memory>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

// A real engine in front of servers that speak HTTP/2, rightly and wrongly.
namespace mesh::test {
namespace {

std::string yamlOf(
    const std::vector<net::SocketAddress>& targets,
    std::string_view service = "",
    std::string_view upstream = ""
)
{
    std::string yaml = fmt::format(
        "_format_version: \"3.0\"\nservices:\n- name: origin\n  host: pool\n"
        "  http_version: http2\n{}  routes:\n  - {{name: all, paths: [\"/\"]}}\n"
        "upstreams:\n- name: pool\n{}  targets:\n",
        service,
        upstream
    );
    for (const net::SocketAddress& target : targets) {
        yaml += fmt::format("  - {{target: \"{}\"}}\n", target.toText());
    }
    return yaml;
}

std::string get(std::string_view path)
{
    return fmt::format("GET {} HTTP/1.1\r\nHost: shop.example\r\n\r\n", path);
}

H2Answer text(std::string body)
{
    H2Answer answer;
    answer.head.emplace_back("content-length", std::to_string(body.size()));
    answer.body = std::move(body);
    return answer;
}

H2Answer of(H2Answer::Kind kind, std::uint32_t code = 0)
{
    H2Answer answer;
    answer.kind = kind;
    answer.code = code;
    return answer;
}

H2Answer helloWorld(const H2Call&) { return text("hello"); }

LoadReport load(ProxyFixture& fixture, std::size_t requests, std::size_t connections)
{
    LoadPlan plan;
    plan.address = fixture.proxy;
    plan.requests = requests;
    plan.connections = connections;
    return runLoad(*fixture.loop, plan);
}

// Requests that wait at the same time, each on its own connection.
std::vector<std::unique_ptr<RawSocket>> askAtOnce(ProxyFixture& fixture, std::size_t count)
{
    std::vector<std::unique_ptr<RawSocket>> clients;
    for (std::size_t at = 0; at < count; ++at) {
        clients.push_back(std::make_unique<RawSocket>(fixture.proxy));
        clients.back()->send(*fixture.loop, get("/"));
    }
    return clients;
}

bool allHear(
    ProxyFixture& fixture, std::vector<std::unique_ptr<RawSocket>>& clients, std::string_view what
)
{
    return std::ranges::all_of(clients, [&](auto& each) {
        return each->waitFor(*fixture.loop, what);
    });
}

} // namespace

class H2UpstreamTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aRequestIsToldInHttp2AndItsAnswerInHttp1();
    void bodiesPassBothWays();
    void trailersPassBothWays();
    void manyRequestsShareOneConnection();
    void streamsBeyondTheCapAreSpreadEvenly();
    void aRefusedStreamIsSentAgainWhateverTheMethod();
    void theRuleRefusedStreamRepeatsAndOthersDoNot();
    void goAwayInMidFlightLosesNothing();
    void aServerThatAlwaysGoesAwayIsGivenUp();
    void eachResetIsAnAnswerOf502();
    void aLostConnectionFailsItsStreams();
    void headsThatAreTooLargeEndTheirStreamOnly();
    void whatIsNoHttp2IsSaidSo();
    void aSlowReaderHoldsTheServerUp();
    void aClosedWindowHoldsTheClientUp();
    void floodsEndTheConnection();
    void anIdleConnectionIsClosed();
    void aLimitOfConnectionsCountsConnections();
    void aRequestThatTakesTooLongIsReset();
    void anAnswerMayComeBeforeTheBodyIsWhole();
    void aWebSocketNeedsAServerThatTakesThem();
};

void H2UpstreamTest::aRequestIsToldInHttp2AndItsAnswerInHttp1()
{
    ProxyFixture fixture;
    H2Call heard;
    H2TestServer server(*fixture.loop, [&](const H2Call& call) {
        heard = call;
        H2Answer answer = text("hello");
        answer.head.emplace_back("x-two", "2");
        return answer;
    });
    QVERIFY(fixture.start());
    QCOMPARE(fixture.apply(yamlOf({server.address()})), std::string());
    const std::string said = fixture.talk(
        "GET /a/b?c=d HTTP/1.1\r\nHost: shop.example\r\nX-Mixed-Case: Kept\r\n\r\n", "hello"
    );
    QVERIFY2(said.starts_with("HTTP/1.1 200 OK\r\n"), said.c_str());
    QVERIFY(said.find("x-two: 2\r\n") != std::string::npos);
    QVERIFY(said.find("Content-Length: 5\r\n") != std::string::npos);
    QCOMPARE(heard.method, std::string("GET"));
    QCOMPARE(heard.path, std::string("/a/b?c=d"));
    QCOMPARE(heard.field(":scheme"), std::string("http"));
    QCOMPARE(heard.field(":authority"), server.address().toText());
    QCOMPARE(heard.field("x-mixed-case"), std::string("Kept"));
    QCOMPARE(heard.field("x-forwarded-host"), std::string("shop.example"));
    QVERIFY(heard.field("connection").empty() && heard.field("host").empty());
    QVERIFY(heard.hasEnded);
}

void H2UpstreamTest::bodiesPassBothWays()
{
    ProxyFixture fixture;
    H2TestServer server(*fixture.loop, [](const H2Call& call) {
        H2Answer answer;
        answer.body = call.body;
        return answer; // Without a length: chunked to the client.
    });
    QVERIFY(fixture.start());
    QCOMPARE(fixture.apply(yamlOf({server.address()})), std::string());
    constexpr std::size_t kBytes = 3'000'000;
    std::string body(kBytes, '\0');
    for (std::size_t at = 0; at < kBytes; ++at) {
        body[at] = static_cast<char>('a' + at % 23);
    }
    for (const bool isChunked : {false, true}) {
        LoadPlan plan;
        plan.address = fixture.proxy;
        plan.requests = 3;
        plan.connections = 1;
        plan.request = [&](std::size_t) {
            const std::string head = "POST /echo HTTP/1.1\r\nHost: shop.example\r\n";
            return isChunked ? fmt::format(
                       "{}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n0\r\n\r\n",
                       head,
                       body.size(),
                       body
                   )
                             : fmt::format("{}Content-Length: {}\r\n\r\n{}", head, kBytes, body);
        };
        const LoadReport report = runLoad(*fixture.loop, plan);
        QVERIFY2(report.good() == 3, report.summary().c_str());
        QVERIFY(report.answers.front().body == body);
    }
    QCOMPARE(server.accepted(), 1U);
}

void H2UpstreamTest::trailersPassBothWays()
{
    ProxyFixture fixture;
    H2Call heard;
    H2TestServer server(*fixture.loop, [&](const H2Call& call) {
        heard = call;
        H2Answer answer;
        answer.body = "body";
        answer.trailers = {{"x-sum", "42"}};
        return answer;
    });
    QVERIFY(fixture.start());
    QCOMPARE(fixture.apply(yamlOf({server.address()})), std::string());
    const std::string said = fixture.talk(
        "POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n0\r\nX-Up: there\r\n\r\n",
        "\r\n\r\n4\r\nbody\r\n0\r\nx-sum: 42\r\n\r\n"
    );
    QVERIFY2(said.find("x-sum: 42") != std::string::npos, said.c_str());
    QCOMPARE(heard.body, std::string("abc"));
    QCOMPARE(heard.trailers, (H2Pairs{{"x-up", "there"}}));
}

void H2UpstreamTest::manyRequestsShareOneConnection()
{
    ProxyFixture fixture;
    H2TestServer server(*fixture.loop, helloWorld);
    QVERIFY(fixture.start());
    QCOMPARE(fixture.apply(yamlOf({server.address()})), std::string());
    const LoadReport report = load(fixture, 3000, 40);
    QVERIFY2(report.good() == 3000, report.summary().c_str());
    QCOMPARE(server.calls(), 3000U);
    QCOMPARE(server.accepted(), 1U);
}

void H2UpstreamTest::streamsBeyondTheCapAreSpreadEvenly()
{
    ProxyFixture fixture;
    H2TestServer::Options options;
    options.streamsMax = 4;
    H2TestServer server(*fixture.loop, options, [](const H2Call& call) {
        return call.path == "/first" ? text("hello") : of(H2Answer::Kind::Silence);
    });
    QVERIFY(fixture.start());
    QCOMPARE(fixture.apply(yamlOf({server.address()})), std::string());
    QVERIFY(fixture.talk(get("/first"), "hello").find("200") != std::string::npos);
    // A new connection takes one request until it has told its number, so each gets one first.
    std::vector<std::unique_ptr<RawSocket>> clients;
    std::size_t asked = 1;
    for (const std::size_t count : {4U, 1U, 3U, 1U, 3U}) {
        for (auto& client : askAtOnce(fixture, count)) {
            clients.push_back(std::move(client));
        }
        asked += count;
        QVERIFY(runUntil(*fixture.loop, [&] { return server.calls() == asked; }));
    }
    QCOMPARE(server.accepted(), 3U);
    auto calls = server.callsByConnection();
    --calls.front(); // The first request of all.
    QCOMPARE(calls, (std::vector<std::size_t>{4, 4, 4}));
    server.answerSilent();
    QVERIFY(allHear(fixture, clients, "200 OK"));
    // With room on all of them, the next ones go to each in turn.
    auto more = askAtOnce(fixture, 6);
    QVERIFY(runUntil(*fixture.loop, [&] { return server.calls() == 19; }));
    calls = server.callsByConnection();
    --calls.front();
    QCOMPARE(calls, (std::vector<std::size_t>{6, 6, 6}));
    server.answerSilent();
    QVERIFY(allHear(fixture, more, "200 OK"));
}

void H2UpstreamTest::aRefusedStreamIsSentAgainWhateverTheMethod()
{
    ProxyFixture fixture;
    std::string body;
    int refusals = 2;
    H2TestServer server(*fixture.loop, [&](const H2Call& call) {
        if (refusals > 0 && call.hasEnded) {
            --refusals;
            return of(H2Answer::Kind::Reset, NGHTTP2_REFUSED_STREAM);
        }
        body = call.body;
        return text("done");
    });
    QVERIFY(fixture.start());
    QCOMPARE(fixture.apply(yamlOf({server.address()}, "  retries: 3\n")), std::string());
    const std::string said =
        fixture.talk("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nthing", "done");
    QVERIFY2(said.find("200 OK") != std::string::npos, said.c_str());
    QCOMPARE(body, std::string("thing"));
    QCOMPARE(refusals, 0);
}

void H2UpstreamTest::theRuleRefusedStreamRepeatsAndOthersDoNot()
{
    for (const bool isNamed : {true, false}) {
        ProxyFixture fixture;
        int refusals = 1;
        H2TestServer server(*fixture.loop, [&](const H2Call&) {
            return refusals-- > 0 ? of(H2Answer::Kind::Reset, NGHTTP2_REFUSED_STREAM)
                                  : text("done");
        });
        QVERIFY(fixture.start());
        QCOMPARE(
            fixture.apply(yamlOf(
                {server.address()},
                fmt::format(
                    "  resilience: {{retry: {{attempts: 2, on: [{}], backoff: {{base: 1ms, "
                    "max: 2ms}}}}}}\n",
                    isNamed ? "refused-stream" : "connect-failure"
                )
            )),
            std::string()
        );
        const std::string said = fixture.talk(get("/"), isNamed ? "done" : "\r\n\r\n");
        QVERIFY2(said.find(isNamed ? " 200 " : " 502 ") != std::string::npos, said.c_str());
    }
}

void H2UpstreamTest::goAwayInMidFlightLosesNothing()
{
    ProxyFixture fixture;
    std::size_t calls = 0;
    H2TestServer server(*fixture.loop, [&](const H2Call& call) {
        if (!call.hasEnded) {
            return text("hello");
        }
        // Every now and then: this one is not served, the connection serves no more.
        const bool goes = ++calls % 97 == 0;
        return goes ? of(H2Answer::Kind::GoAway, NGHTTP2_NO_ERROR) : text("hello");
    });
    QVERIFY(fixture.start());
    QCOMPARE(fixture.apply(yamlOf({server.address()}, "  retries: 0\n")), std::string());
    LoadPlan plan;
    plan.address = fixture.proxy;
    plan.requests = 2000;
    plan.connections = 20;
    plan.request = [](std::size_t) {
        return std::string("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    };
    const LoadReport report = runLoad(*fixture.loop, plan);
    QVERIFY2(report.good() == 2000, report.summary().c_str());
    QVERIFY(server.accepted() > 3);
    QVERIFY(runUntil(*fixture.loop, [&] { return server.openRetired() == 0; }));
    QVERIFY(server.open() > 0); // What did not say it stays for others.
}

void H2UpstreamTest::aServerThatAlwaysGoesAwayIsGivenUp()
{
    ProxyFixture fixture;
    H2TestServer server(*fixture.loop, [](const H2Call&) {
        return of(H2Answer::Kind::GoAway, NGHTTP2_NO_ERROR);
    });
    QVERIFY(fixture.start());
    QCOMPARE(fixture.apply(yamlOf({server.address()}, "  retries: 2\n")), std::string());
    const std::string said = fixture.talk(get("/"), "\r\n\r\n");
    QVERIFY2(said.starts_with("HTTP/1.1 502 "), said.c_str());
    QCOMPARE(server.accepted(), 3U);
}

void H2UpstreamTest::eachResetIsAnAnswerOf502()
{
    ProxyFixture fixture;
    std::uint32_t code = 0;
    H2TestServer server(*fixture.loop, [&](const H2Call& call) {
        return call.path == "/good" ? text("hello") : of(H2Answer::Kind::Reset, code);
    });
    QVERIFY(fixture.start());
    QCOMPARE(fixture.apply(yamlOf({server.address()}, "  retries: 0\n")), std::string());
    for (code = NGHTTP2_NO_ERROR; code <= NGHTTP2_HTTP_1_1_REQUIRED; ++code) {
        const std::string said = fixture.talk(get("/"), "\r\n\r\n");
        QVERIFY2(said.starts_with("HTTP/1.1 502 "), said.c_str());
        QVERIFY(fixture.talk(get("/good"), "hello").starts_with("HTTP/1.1 200 "));
    }
    QCOMPARE(server.accepted(), 1U); // A reset ends its stream only.
}

void H2UpstreamTest::aLostConnectionFailsItsStreams()
{
    ProxyFixture fixture;
    bool closes = true;
    H2TestServer server(*fixture.loop, [&](const H2Call& call) {
        if (call.path == "/close") {
            return of(H2Answer::Kind::Close);
        }
        return closes ? of(H2Answer::Kind::Silence) : text("hello");
    });
    QVERIFY(fixture.start());
    QCOMPARE(fixture.apply(yamlOf({server.address()}, "  retries: 0\n")), std::string());
    auto clients = askAtOnce(fixture, 5);
    QVERIFY(runUntil(*fixture.loop, [&] { return server.calls() == 5; }));
    QCOMPARE(server.accepted(), 1U);
    closes = false;
    const std::string said = fixture.talk(get("/close"), "\r\n\r\n");
    QVERIFY2(said.starts_with("HTTP/1.1 502 "), said.c_str());
    QVERIFY(allHear(fixture, clients, "HTTP/1.1 502 "));
    QVERIFY(fixture.talk(get("/"), "hello").starts_with("HTTP/1.1 200 "));
    QCOMPARE(server.accepted(), 2U);
}

void H2UpstreamTest::headsThatAreTooLargeEndTheirStreamOnly()
{
    ProxyFixture fixture;
    H2TestServer server(*fixture.loop, [](const H2Call& call) {
        H2Answer answer = text("hello");
        if (call.path == "/large") {
            answer.head.emplace_back("x-large", std::string(kHeadBytesMax + 1, 'x'));
        } else if (call.path == "/many") {
            for (int at = 0; at < 1000; ++at) {
                answer.head.emplace_back("x-" + std::to_string(at), "1");
            }
        } else if (call.path == "/bad") {
            answer.head.emplace_back("connection", "close");
        }
        return answer;
    });
    QVERIFY(fixture.start());
    QCOMPARE(fixture.apply(yamlOf({server.address()}, "  retries: 0\n")), std::string());
    for (const std::string_view path : {"/large", "/many", "/bad"}) {
        const std::string said = fixture.talk(get(path), "\r\n\r\n");
        QVERIFY2(said.starts_with("HTTP/1.1 502 "), said.c_str());
        QVERIFY(fixture.talk(get("/good"), "hello").starts_with("HTTP/1.1 200 "));
    }
    QCOMPARE(server.accepted(), 1U);
}

void H2UpstreamTest::whatIsNoHttp2IsSaidSo()
{
    ProxyFixture fixture;
    H2TestServer::Options options;
    options.firstBytes = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    H2TestServer server(*fixture.loop, options, helloWorld);
    QVERIFY(fixture.start());
    QCOMPARE(fixture.apply(yamlOf({server.address()}, "  retries: 0\n")), std::string());
    const std::string said = fixture.talk(get("/"), "\r\n\r\n");
    QVERIFY2(said.starts_with("HTTP/1.1 502 "), said.c_str());
    std::string failure;
    const auto isTold = [&] {
        return fixture.box.has<api::AccessEvent>([&](const api::AccessEvent& event) {
            failure = event.failure;
            return true;
        });
    };
    QVERIFY(runUntil(*fixture.loop, isTold));
    QVERIFY2(failure == "the upstream does not speak HTTP/2", failure.c_str());
}

void H2UpstreamTest::aSlowReaderHoldsTheServerUp()
{
    ProxyFixture fixture;
    H2TestServer server(*fixture.loop, [](const H2Call& call) {
        return call.path == "/endless" ? of(H2Answer::Kind::Endless) : text("hello");
    });
    QVERIFY(fixture.start());
    QCOMPARE(fixture.apply(yamlOf({server.address()})), std::string());
    RawSocket slow(fixture.proxy);
    slow.send(*fixture.loop, get("/endless"));
    // It is still when nothing was sent for a while; others on the same connection go on.
    std::size_t before = 0;
    int still = 0;
    QVERIFY(runUntil(*fixture.loop, [&] {
        still = server.bodyBytesSent() > 0 && server.bodyBytesSent() == before ? still + 1 : 0;
        before = server.bodyBytesSent();
        return still > 20;
    }));
    QVERIFY(before < 16U << 20U); // The kernel's buffers, and two blocks of ours.
    QVERIFY(load(fixture, 100, 4).good() == 100);
    QCOMPARE(server.accepted(), 1U);
    slow.receive();
    QVERIFY(runUntil(*fixture.loop, [&] {
        slow.receive();
        return server.bodyBytesSent() > before + (1U << 20U);
    }));
}

void H2UpstreamTest::aClosedWindowHoldsTheClientUp()
{
    ProxyFixture fixture;
    H2TestServer::Options options;
    options.readsBodies = false;
    H2TestServer server(*fixture.loop, options, [](const H2Call& call) {
        return call.method == "POST" ? of(H2Answer::Kind::Silence) : text("hello");
    });
    QVERIFY(fixture.start());
    QCOMPARE(fixture.apply(yamlOf({server.address()})), std::string());
    RawSocket eager(fixture.proxy);
    eager.send(*fixture.loop, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n");
    const std::string block(1U << 16U, 'x');
    std::size_t sent = 0;
    int still = 0;
    QVERIFY(runUntil(*fixture.loop, [&] {
        const net::IoStep step = net::writeSome(eager.descriptor(), block);
        sent += step.count;
        still = step.count == 0 ? still + 1 : 0;
        return still > 40;
    }));
    QVERIFY(sent < 16U << 20U);
    QCOMPARE(server.bodyBytesHeard(), 65535U);
    // Its window is the connection's too; requests without a body need none.
    QVERIFY(load(fixture, 20, 2).good() == 20);
}

void H2UpstreamTest::floodsEndTheConnection()
{
    ProxyFixture fixture;
    H2TestServer server(*fixture.loop, [](const H2Call& call) {
        return call.path == "/silent" ? of(H2Answer::Kind::Silence) : text("hello");
    });
    QVERIFY(fixture.start());
    QCOMPARE(fixture.apply(yamlOf({server.address()}, "  retries: 0\n")), std::string());
    RawSocket client(fixture.proxy);
    client.send(*fixture.loop, get("/silent"));
    QVERIFY(runUntil(*fixture.loop, [&] { return server.calls() == 1; }));
    server.flood(3000);
    QVERIFY(client.waitFor(*fixture.loop, "\r\n\r\n"));
    QVERIFY2(client.heard().starts_with("HTTP/1.1 502 "), client.heard().c_str());
    QVERIFY(runUntil(*fixture.loop, [&] { return server.open() == 0; }));
    QVERIFY(fixture.talk(get("/"), "hello").starts_with("HTTP/1.1 200 "));
}

void H2UpstreamTest::anIdleConnectionIsClosed()
{
    ProxyFixture fixture;
    fixture.timeouts.upstreamIdle = std::chrono::milliseconds(30);
    H2TestServer server(*fixture.loop, helloWorld);
    QVERIFY(fixture.start());
    QCOMPARE(fixture.apply(yamlOf({server.address()})), std::string());
    QVERIFY(fixture.talk(get("/"), "hello").starts_with("HTTP/1.1 200 "));
    QVERIFY(runUntil(*fixture.loop, [&] { return server.open() == 0; }));
    QVERIFY(fixture.talk(get("/"), "hello").starts_with("HTTP/1.1 200 "));
    QCOMPARE(server.accepted(), 2U);
}

void H2UpstreamTest::aLimitOfConnectionsCountsConnections()
{
    ProxyFixture fixture;
    H2TestServer::Options options;
    options.streamsMax = 10;
    H2TestServer server(*fixture.loop, options, [](const H2Call&) {
        return of(H2Answer::Kind::Silence);
    });
    QVERIFY(fixture.start());
    QCOMPARE(
        fixture.apply(yamlOf({server.address()}, "", "  limits: {max_connections: 1}\n")),
        std::string()
    );
    auto clients = askAtOnce(fixture, 15);
    QVERIFY(runUntil(*fixture.loop, [&] { return server.calls() == 10; }));
    QCOMPARE(server.accepted(), 1U);
    server.answerSilent(); // The others were waiting.
    QVERIFY(runUntil(*fixture.loop, [&] {
        server.answerSilent();
        return server.calls() == 15;
    }));
    server.answerSilent();
    QVERIFY(allHear(fixture, clients, "200 OK"));
    QCOMPARE(server.accepted(), 1U);
    QCOMPARE(server.atOnceMax(), 10U);
}

void H2UpstreamTest::aRequestThatTakesTooLongIsReset()
{
    ProxyFixture fixture;
    H2TestServer server(*fixture.loop, [](const H2Call& call) {
        return call.path == "/" ? of(H2Answer::Kind::Silence) : text("hello");
    });
    QVERIFY(fixture.start());
    QCOMPARE(
        fixture.apply(yamlOf({server.address()}, "  retries: 0\n  read_timeout: 50\n")),
        std::string()
    );
    const std::string said = fixture.talk(get("/"), "\r\n\r\n");
    QVERIFY2(said.starts_with("HTTP/1.1 504 "), said.c_str());
    QVERIFY(runUntil(*fixture.loop, [&] { return server.resets() == 1; }));
    QVERIFY(fixture.talk(get("/good"), "hello").starts_with("HTTP/1.1 200 "));
    QCOMPARE(server.accepted(), 1U);
}

void H2UpstreamTest::anAnswerMayComeBeforeTheBodyIsWhole()
{
    ProxyFixture fixture;
    H2TestServer server(*fixture.loop, [](const H2Call& call) {
        H2Answer answer = text("enough");
        answer.waitsForEnd = call.method != "POST";
        return answer;
    });
    QVERIFY(fixture.start());
    QCOMPARE(fixture.apply(yamlOf({server.address()})), std::string());
    const std::string said = fixture.talk(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nbeginning", "enough"
    );
    QVERIFY2(said.starts_with("HTTP/1.1 200 "), said.c_str());
    QVERIFY(fixture.talk(get("/"), "enough").starts_with("HTTP/1.1 200 "));
    QCOMPARE(server.accepted(), 1U);
}

// On the first connection as on a kept one, whose SETTINGS are known.
void H2UpstreamTest::aWebSocketNeedsAServerThatTakesThem()
{
    ProxyFixture fixture;
    H2TestServer server(*fixture.loop, helloWorld);
    QVERIFY(fixture.start());
    QCOMPARE(fixture.apply(yamlOf({server.address()}, "  retries: 0\n")), std::string());
    for (std::size_t at = 0; at < 2; ++at) {
        const std::string said = fixture.talk(
            "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
            "\r\n\r\n"
        );
        QVERIFY2(said.starts_with("HTTP/1.1 502"), said.c_str());
        QCOMPARE(server.calls(), at);
        QVERIFY(fixture.talk(get("/"), "hello").starts_with("HTTP/1.1 200"));
    }
    QCOMPARE(server.accepted(), 1U);
}

} // namespace mesh::test

QTEST_APPLESS_MAIN(mesh::test::H2UpstreamTest)
#include "h2_upstream_test.moc"
