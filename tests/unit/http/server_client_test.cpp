// Goal: the small server and client keep their promises to each other over real sockets.
// Method: both on one loop, which is turned until a condition holds or a deadline has passed.
#include "proxyengine/base/clock.h"
#include "proxyengine/http/client.h"
#include "proxyengine/http/server.h"
#include "proxyengine/net/event_loop.h"
#include "proxyengine/net/sockets.h"

#include <QTest>

#include <optional>
#include <string>
#include <vector>

namespace mesh::http {
namespace {

constexpr Duration kPatience = std::chrono::seconds(5);

// A server and a client on one loop.
struct Bench
{
    SystemClock clock;
    std::unique_ptr<net::EventLoop> loop = *net::EventLoop::make(clock);
    std::unique_ptr<Server> server;
    std::unique_ptr<Client> client;

    explicit Bench(RequestFunction onRequest, const ServerOptions& options = {})
        : server(
            *Server::listen(*loop, net::SocketAddress::loopback(0), options, std::move(onRequest))
        )
        , client(std::make_unique<Client>(*loop))
    {}

    template <typename Condition>
    bool runUntil(Condition condition)
    {
        const TimePoint end = clock.now() + kPatience;
        while (!condition() && clock.now() < end) {
            loop->runTurn(std::chrono::milliseconds(5));
        }
        return condition();
    }

    Call callTo(std::string target, std::string method = "GET", std::string body = {})
    {
        Call call;
        call.address = server->address();
        call.request.method = std::move(method);
        call.request.target = std::move(target);
        call.request.body = std::move(body);
        return call;
    }

    Result<Response> exchange(Call call)
    {
        std::optional<Result<Response>> outcome;
        client->call(std::move(call), [&](Result<Response> result) {
            outcome = std::move(result);
        });
        if (!runUntil([&] { return outcome.has_value(); })) {
            return fail(ErrorCode::Timeout, "the test gave up");
        }
        return *std::move(outcome);
    }
};

void echo(Request request, Responder responder)
{
    responder.send({200, {{"X-Target", request.target}}, request.method + " " + request.body});
}

} // namespace

class ServerClientTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aRequestIsAnsweredAndTheConnectionIsKept();
    void aLargeBodyPassesBothWays();
    void aBodyAboveTheLimitIsRefused();
    void aRefusalReachesAClientThatIsStillSending();
    void aLateAnswerArrives();
    void anAnswerNobodyGaveIsA500();
    void streamsArriveInPiecesUntilTheirEnd();
    void theServerHearsThatAStreamingClientWentAway();
    void aCallThatTakesTooLongIsATimeout();
    void aStaleConnectionIsReplacedForIdempotentCalls();
    void nobodyListeningIsRefused();
    void pipelinedRequestsAreAnsweredInOrder();
    void garbageIsAnsweredWith400AndClosed();
    void aCancelledCallIsNeverAnswered();
    void callsWaitForAConnectionAboveTheLimit();
};

void ServerClientTest::aRequestIsAnsweredAndTheConnectionIsKept()
{
    Bench bench(&echo);

    for (int round = 0; round < 3; ++round) {
        const auto response = bench.exchange(bench.callTo("/a?b=1"));
        QVERIFY(response);
        QCOMPARE(response->status, 200);
        QCOMPARE(response->body, std::string("GET "));
        QCOMPARE(*findHeader(response->headers, "x-target"), std::string_view("/a?b=1"));
    }

    QCOMPARE(bench.server->connections(), std::size_t{1});
    QCOMPARE(bench.client->idleConnections(), std::size_t{1});
}

void ServerClientTest::aLargeBodyPassesBothWays()
{
    Bench bench(&echo);
    const std::string body(3'000'000, 'x');

    const auto response = bench.exchange(bench.callTo("/", "POST", body));

    QVERIFY(response);
    QVERIFY(response->body == "POST " + body);
}

void ServerClientTest::aBodyAboveTheLimitIsRefused()
{
    ServerOptions options;
    options.bodyBytesMax = 10;
    Bench bench(&echo, options);

    QCOMPARE(bench.exchange(bench.callTo("/", "POST", "0123456789"))->status, 200);
    QCOMPARE(bench.exchange(bench.callTo("/", "POST", "0123456789a"))->status, 413);
}

void ServerClientTest::aRefusalReachesAClientThatIsStillSending()
{
    ServerOptions options;
    options.bodyBytesMax = 10;
    Bench bench(&echo, options);
    const FileDescriptor socket = *net::connectTo(bench.server->address());
    const std::string request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n"
                                + std::string(20'000'000, 'x');
    std::size_t sent = 0;
    bool isReset = false;
    std::string answer;
    std::vector<char> buffer(4096);

    QVERIFY(bench.runUntil([&] {
        const auto wrote = net::writeSome(socket.get(), std::string_view(request).substr(sent));
        sent += wrote.count;
        isReset = wrote.status != net::IoStatus::Done && wrote.status != net::IoStatus::WouldBlock;
        return isReset || sent == request.size();
    }));
    QVERIFY(!isReset);
    QVERIFY(bench.runUntil([&] {
        const net::IoStep step = net::readSome(socket.get(), buffer);
        answer.append(buffer.data(), step.count);
        return step.status == net::IoStatus::Closed;
    }));
    QVERIFY(answer.starts_with("HTTP/1.1 413 "));
    QVERIFY(answer.ends_with("}"));
}

void ServerClientTest::aLateAnswerArrives()
{
    std::optional<Responder> kept;
    Bench bench([&](const Request&, Responder responder) { kept = std::move(responder); });
    std::optional<int> status;
    bench.client->call(bench.callTo("/"), [&](Result<Response> result) {
        status = result->status;
    });
    QVERIFY(bench.runUntil([&] { return kept.has_value(); }));
    QVERIFY(!status);

    kept->send({204, {}, {}});

    QVERIFY(bench.runUntil([&] { return status.has_value(); }));
    QCOMPARE(*status, 204);
    QVERIFY(kept->isGone());
}

void ServerClientTest::anAnswerNobodyGaveIsA500()
{
    Bench bench([](const Request&, const Responder&) {});

    QCOMPARE(bench.exchange(bench.callTo("/"))->status, 500);
}

void ServerClientTest::streamsArriveInPiecesUntilTheirEnd()
{
    std::optional<Responder> kept;
    Bench bench([&](const Request&, Responder responder) {
        responder.begin(200, {{"Content-Type", "text/plain"}});
        kept = std::move(responder);
    });
    int status = 0;
    std::string heard;
    std::optional<bool> ended;
    StreamFunctions functions;
    functions.onHead = [&](int code, const Headers&) { status = code; };
    functions.onBytes = [&](std::string_view bytes) { heard += bytes; };
    functions.onEnd = [&](const Result<void>& result) { ended = result.has_value(); };
    bench.client->stream(bench.callTo("/"), std::move(functions));

    QVERIFY(bench.runUntil([&] { return status == 200; }));
    QVERIFY(kept->write("one\n"));
    QVERIFY(bench.runUntil([&] { return heard == "one\n"; }));
    QVERIFY(kept->write("two\n"));
    kept->end();

    QVERIFY(bench.runUntil([&] { return ended.has_value(); }));
    QVERIFY(*ended);
    QCOMPARE(heard, std::string("one\ntwo\n"));
}

void ServerClientTest::theServerHearsThatAStreamingClientWentAway()
{
    std::optional<Responder> kept;
    bool isGone = false;
    Bench bench([&](const Request&, Responder responder) {
        responder.begin(200, {});
        responder.onGone([&] { isGone = true; });
        kept = std::move(responder);
    });
    const CallId id = bench.client->stream(bench.callTo("/"), {});
    QVERIFY(bench.runUntil([&] { return kept.has_value(); }));

    bench.client->cancel(id);

    QVERIFY(bench.runUntil([&] { return isGone; }));
    QVERIFY(!kept->write("x"));
}

void ServerClientTest::aCallThatTakesTooLongIsATimeout()
{
    std::optional<Responder> kept;
    Bench bench([&](const Request&, Responder responder) { kept = std::move(responder); });
    Call call = bench.callTo("/");
    call.timeout = std::chrono::milliseconds(20);

    QVERIFY(bench.exchange(std::move(call)).error().code == ErrorCode::Timeout);
    QCOMPARE(bench.client->connections(), std::size_t{0});
}

void ServerClientTest::aStaleConnectionIsReplacedForIdempotentCalls()
{
    int requests = 0;
    Bench bench([&](const Request&, Responder responder) {
        if (++requests == 2) {
            responder.reset(); // As a server does whose idle timeout ends just now.
            return;
        }
        responder.send({200, {}, "ok"});
    });
    QVERIFY(bench.exchange(bench.callTo("/")));

    const auto second = bench.exchange(bench.callTo("/"));

    QVERIFY(second);
    QCOMPARE(second->body, std::string("ok"));
    QCOMPARE(requests, 3);

    requests = 1;
    QVERIFY(bench.exchange(bench.callTo("/", "POST", "x")).error().code == ErrorCode::Reset);
}

void ServerClientTest::nobodyListeningIsRefused()
{
    Bench bench(&echo);
    const Call call = bench.callTo("/");
    bench.server.reset();

    const auto response = bench.exchange(call);

    QVERIFY(
        response.error().code == ErrorCode::Refused
        || response.error().code == ErrorCode::Unavailable
    );
}

void ServerClientTest::pipelinedRequestsAreAnsweredInOrder()
{
    std::vector<Responder> kept;
    Bench bench([&](const Request& request, Responder responder) {
        responder.send({200, {}, request.target});
    });
    const FileDescriptor socket = *net::connectTo(bench.server->address());
    QVERIFY(bench.runUntil([&] { return bench.server->connections() == 1; }));
    QVERIFY(
        net::writeSome(
            socket.get(),
            "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: "
            "2\r\n\r\nxyGET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )
            .status
        == net::IoStatus::Done
    );

    std::string heard;
    std::array<char, 4096> buffer{};
    QVERIFY(bench.runUntil([&] {
        const net::IoStep step = net::readSome(socket.get(), buffer);
        heard.append(buffer.data(), step.count);
        return step.status == net::IoStatus::Closed;
    }));
    const std::size_t first = heard.find("\r\n\r\n/1");
    const std::size_t second = heard.find("\r\n\r\n/2");
    const std::size_t third = heard.find("\r\n\r\n/3");
    QVERIFY(first < second && second < third && third != std::string::npos);
}

void ServerClientTest::garbageIsAnsweredWith400AndClosed()
{
    bool wasCalled = false;
    Bench bench([&](const Request&, Responder responder) {
        wasCalled = true;
        responder.send({});
    });
    const FileDescriptor socket = *net::connectTo(bench.server->address());
    QVERIFY(bench.runUntil([&] { return bench.server->connections() == 1; }));
    QVERIFY(
        net::writeSome(socket.get(), "\x16\x03\x01 nonsense\r\n\r\n").status == net::IoStatus::Done
    );

    std::string heard;
    std::array<char, 4096> buffer{};
    QVERIFY(bench.runUntil([&] {
        const net::IoStep step = net::readSome(socket.get(), buffer);
        heard.append(buffer.data(), step.count);
        return step.status == net::IoStatus::Closed || step.status == net::IoStatus::Failed;
    }));
    QVERIFY(heard.starts_with("HTTP/1.1 400 "));
    QVERIFY(!wasCalled);
}

void ServerClientTest::aCancelledCallIsNeverAnswered()
{
    std::optional<Responder> kept;
    Bench bench([&](const Request&, Responder responder) { kept = std::move(responder); });
    bool wasAnswered = false;
    const CallId id =
        bench.client->call(bench.callTo("/"), [&](const Result<Response>&) { wasAnswered = true; });
    QVERIFY(bench.runUntil([&] { return kept.has_value(); }));

    bench.client->cancel(id);
    kept->send({200, {}, {}});

    for (int turn = 0; turn < 10; ++turn) {
        bench.loop->runTurn(Duration::zero());
    }
    QVERIFY(!wasAnswered);
}

void ServerClientTest::callsWaitForAConnectionAboveTheLimit()
{
    Bench bench(&echo);
    ClientOptions options;
    options.connectionsPerAddressMax = 1;
    bench.client = std::make_unique<Client>(*bench.loop, options);
    int answered = 0;
    std::size_t connectionsMax = 0;
    for (int number = 0; number < 5; ++number) {
        bench.client->call(bench.callTo("/"), [&](const Result<Response>& result) {
            answered += result ? 1 : 0;
            connectionsMax = std::max(connectionsMax, bench.client->connections());
        });
    }

    QVERIFY(bench.runUntil([&] { return answered == 5; }));
    QCOMPARE(connectionsMax, std::size_t{1});
}

} // namespace mesh::http

QTEST_APPLESS_MAIN(mesh::http::ServerClientTest)
#include "server_client_test.moc"
