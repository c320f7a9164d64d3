// Goal: the small client makes all calls to a server over one HTTP/2 connection, goes back to
// HTTP/1.1 where it must, and loses no call with a connection that it need not lose.
// Method: the small server, or frames by hand, on one loop with the client.
#include "proxyengine/base/clock.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/http/client.h"
#include "proxyengine/http/h2_client_codec.h"
#include "proxyengine/http/server.h"
#include "tests/support/h2_raw.h"

#include <QTest>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mesh::http {

using test::Frame;

// What a codec tells, as text.
class Heard final : public H2ClientHandler
{
public:
    void onHead(void* /*user*/, const H2HeadReader& head) override
    {
        text += "head " + std::to_string(head.status()) + ' ';
    }
    void onData(void* /*user*/, std::string_view data) override { text += data; }
    void onClosed(void* /*user*/, H2Outcome outcome) override
    {
        switch (outcome) {
        case H2Outcome::Whole:
            text += "|whole";
            return;
        case H2Outcome::Unprocessed:
            text += "|unprocessed";
            return;
        case H2Outcome::Reset:
            text += "|reset";
            return;
        case H2Outcome::Malformed:
            text += "|malformed";
            return;
        }
    }
    std::string text;
};

class ClientHttp2Test : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void aHundredCallsGoOverOneConnection();
    void callsAreAnsweredBesideEachOther();
    void moreCallsThanTheServerTakesWait();
    void largeBodiesPassBothWays();
    void anAnswerAboveTheLimitEndsItsCallAlone();
    void anOldServerIsAskedByHttp1();
    void aCancelledCallEndsAlone();
    void aLateAnswerEndsItsCallAlone();
    void silenceSendsNewCallsElsewhere();
    void streamsArriveInPiecesAndTheServerHearsOfTheirEnd();
    void aStaleConnectionIsReplaced();
    void whatAServerLeavesUnbegunIsSentAgain();
    void nobodyListeningIsRefused();
    void whoeverKeepsNoConnectionClosesIt();
    void whatIsNoAnswerEndsItsStream_data();
    void whatIsNoAnswerEndsItsStream();
    void whatAServerOverdoesEndsTheConnection_data();
    void whatAServerOverdoesEndsTheConnection();

private:
    void serve(ServerProtocols protocols = ServerProtocols::Http1And2);
    Call callTo(std::string target, std::string method = "GET", std::string body = {});
    // The outcome, as it comes: "200 text", or the error's code.
    std::shared_ptr<std::string> begin(Call call);
    std::string exchange(Call call);
    bool runUntil(const std::function<bool()>& condition)
    {
        return test::runUntil(*m_loop, condition);
    }

    SystemClock m_clock;
    std::unique_ptr<net::EventLoop> m_loop;
    std::unique_ptr<Server> m_server;
    std::unique_ptr<Client> m_client;
    std::map<std::string, Responder> m_held; // By path: whoever asks for /hold...
    std::size_t m_requests = 0;
    CallId m_last{0};
};

void ClientHttp2Test::init()
{
    m_held.clear();
    m_client.reset();
    m_server.reset();
    m_loop = *net::EventLoop::make(m_clock);
    m_requests = 0;
    ClientOptions options;
    options.protocols = ClientProtocols::Http1And2;
    m_client = std::make_unique<Client>(*m_loop, options);
}

void ClientHttp2Test::serve(ServerProtocols protocols)
{
    ServerOptions options;
    options.protocols = protocols;
    m_server = *Server::listen(
        *m_loop,
        net::SocketAddress::loopback(0),
        options,
        [this](Request request, Responder responder) {
            ++m_requests;
            if (request.target.starts_with("/hold")) {
                m_held.insert_or_assign(request.target, std::move(responder));
                return;
            }
            responder.send({200, {{"X-Target", request.target}}, request.method + request.body});
        }
    );
}

Call ClientHttp2Test::callTo(std::string target, std::string method, std::string body)
{
    Call call;
    call.address = m_server->address();
    call.request.method = std::move(method);
    call.request.target = std::move(target);
    call.request.body = std::move(body);
    return call;
}

std::shared_ptr<std::string> ClientHttp2Test::begin(Call call)
{
    auto outcome = std::make_shared<std::string>();
    m_last = m_client->call(std::move(call), [outcome](const Result<Response>& result) {
        *outcome = result ? std::to_string(result->status) + ' ' + result->body
                          : std::string(toText(result.error().code));
    });
    return outcome;
}

std::string ClientHttp2Test::exchange(Call call)
{
    const auto outcome = begin(std::move(call));
    return runUntil([&] { return !outcome->empty(); }) ? *outcome : "no outcome";
}

void ClientHttp2Test::aHundredCallsGoOverOneConnection()
{
    serve();
    std::vector<std::shared_ptr<std::string>> outcomes;
    for (int i = 0; i < 100; ++i) {
        outcomes.push_back(begin(callTo("/", i % 2 == 0 ? "GET" : "POST", std::to_string(i))));
    }
    std::size_t most = 0;
    QVERIFY(runUntil([&] {
        most = std::max(most, m_server->connections());
        return std::ranges::none_of(outcomes, [](const auto& each) { return each->empty(); });
    }));
    for (int i = 0; i < 100; ++i) {
        const std::string method = i % 2 == 0 ? "GET" : "POST";
        QCOMPARE(*outcomes[std::size_t(i)], "200 " + method + std::to_string(i));
    }
    QCOMPARE(most, std::size_t{1});
    QCOMPARE(m_client->connections(), std::size_t{1});
    QCOMPARE(m_client->idleConnections(), std::size_t{1});
    QCOMPARE(exchange(callTo("/", "HEAD")), std::string("200 "));
    m_client->closeIdle();
    QCOMPARE(m_client->connections(), std::size_t{0});
}

void ClientHttp2Test::callsAreAnsweredBesideEachOther()
{
    serve();
    const auto held = begin(callTo("/hold"));
    QCOMPARE(exchange(callTo("/")), std::string("200 GET"));
    QVERIFY(held->empty());
    m_held.at("/hold").send({200, {}, "late"});
    QVERIFY(runUntil([&] { return !held->empty(); }));
    QCOMPARE(*held, std::string("200 late"));
}

void ClientHttp2Test::moreCallsThanTheServerTakesWait()
{
    serve();
    QCOMPARE(exchange(callTo("/")), std::string("200 GET"));
    std::vector<std::shared_ptr<std::string>> outcomes;
    for (std::size_t i = 0; i < kH2StreamsMax + 20; ++i) {
        outcomes.push_back(begin(callTo("/hold" + std::to_string(i))));
    }
    QVERIFY(runUntil([&] { return m_held.size() == kH2StreamsMax; }));
    for (int turn = 0; turn < 20; ++turn) { // What was sent would have come.
        m_loop->runTurn(std::chrono::milliseconds(1));
    }
    QCOMPARE(m_held.size(), std::size_t{kH2StreamsMax});
    QVERIFY(runUntil([&] {
        for (auto& [path, responder] : std::exchange(m_held, {})) {
            responder.send({200, {}, "now"});
        }
        return std::ranges::none_of(outcomes, [](const auto& each) { return each->empty(); });
    }));
    for (const auto& outcome : outcomes) {
        QCOMPARE(*outcome, std::string("200 now"));
    }
    QCOMPARE(m_client->connections(), std::size_t{1});
}

void ClientHttp2Test::largeBodiesPassBothWays()
{
    serve();
    const std::string body(5'000'000, 'x');
    QVERIFY(exchange(callTo("/", "POST", body)) == "200 POST" + body);
    QVERIFY(exchange(callTo("/", "PUT", body)) == "200 PUT" + body);
}

void ClientHttp2Test::anAnswerAboveTheLimitEndsItsCallAlone()
{
    ClientOptions options;
    options.protocols = ClientProtocols::Http1And2;
    options.bodyBytesMax = 10;
    m_client = std::make_unique<Client>(*m_loop, options);
    serve();
    const auto held = begin(callTo("/hold"));
    QCOMPARE(exchange(callTo("/", "POST", "12345678")), std::string("limit_exceeded"));
    QCOMPARE(exchange(callTo("/", "POST", "123456")), std::string("200 POST123456"));
    m_held.at("/hold").send({200, {}, "late"});
    QVERIFY(runUntil([&] { return !held->empty(); }));
    QCOMPARE(*held, std::string("200 late"));
}

void ClientHttp2Test::anOldServerIsAskedByHttp1()
{
    serve(ServerProtocols::Http1);
    std::vector<std::shared_ptr<std::string>> outcomes;
    for (int i = 0; i < 5; ++i) {
        outcomes.push_back(begin(callTo("/", "POST", std::to_string(i))));
    }
    QVERIFY(runUntil([&] {
        return std::ranges::none_of(outcomes, [](const auto& each) { return each->empty(); });
    }));
    for (int i = 0; i < 5; ++i) {
        QCOMPARE(*outcomes[std::size_t(i)], "200 POST" + std::to_string(i));
    }
    QCOMPARE(m_requests, std::size_t{5});
    const std::size_t idle = m_client->idleConnections();
    QVERIFY(idle > 0);
    QCOMPARE(exchange(callTo("/")), std::string("200 GET")); // It is known by now.
    QCOMPARE(m_client->idleConnections(), idle);
}

void ClientHttp2Test::aCancelledCallEndsAlone()
{
    serve();
    const auto cancelled = begin(callTo("/hold/1", "POST", std::string(1'000'000, 'x')));
    const CallId first = m_last;
    const auto held = begin(callTo("/hold/2"));
    QVERIFY(runUntil([&] { return m_held.size() == 2; }));
    bool isGone = false;
    m_held.at("/hold/1").onGone([&] { isGone = true; });
    m_client->cancel(first);
    QVERIFY(runUntil([&] { return isGone; }));
    const auto early = begin(callTo("/hold/3", "POST", std::string(1'000'000, 'x')));
    m_client->cancel(m_last); // Before anything of it was sent.
    m_held.at("/hold/2").send({200, {}, "late"});
    QVERIFY(runUntil([&] { return !held->empty(); }));
    QCOMPARE(*held, std::string("200 late"));
    QVERIFY(cancelled->empty() && early->empty());
    QCOMPARE(m_client->connections(), std::size_t{1});
}

void ClientHttp2Test::aLateAnswerEndsItsCallAlone()
{
    serve();
    Call late = callTo("/hold/1");
    late.timeout = std::chrono::milliseconds(200);
    const auto first = begin(std::move(late));
    const auto held = begin(callTo("/hold/2"));
    QVERIFY(runUntil([&] { return m_held.size() == 2; }));
    QVERIFY(runUntil([&] { return !first->empty(); }));
    QCOMPARE(*first, std::string("timeout"));
    m_held.at("/hold/2").send({200, {}, "late"});
    QVERIFY(runUntil([&] { return !held->empty(); }));
    QCOMPARE(*held, std::string("200 late"));
}

void ClientHttp2Test::silenceSendsNewCallsElsewhere()
{
    serve();
    QCOMPARE(exchange(callTo("/")), std::string("200 GET"));
    Call late = callTo("/hold/1");
    late.timeout = std::chrono::milliseconds(50);
    const auto first = begin(std::move(late));
    QVERIFY(runUntil([&] { return !first->empty(); }));
    QCOMPARE(*first, std::string("timeout")); // Not a byte came meanwhile.
    QVERIFY(runUntil([&] { return m_client->connections() == 0; }));
    QCOMPARE(exchange(callTo("/")), std::string("200 GET"));
}

void ClientHttp2Test::streamsArriveInPiecesAndTheServerHearsOfTheirEnd()
{
    serve();
    std::string heard;
    StreamFunctions functions;
    functions.onHead = [&](int status, const Headers&) { heard += std::to_string(status) + ' '; };
    functions.onBytes = [&](std::string_view bytes) { heard += bytes; };
    functions.onEnd = [&](const Result<void>& result) { heard += result ? "|end" : "|error"; };
    const CallId first = m_client->stream(callTo("/hold/1"), functions);
    QVERIFY(runUntil([&] { return m_held.contains("/hold/1"); }));
    Responder& responder = m_held.at("/hold/1");
    responder.begin(200, {});
    QVERIFY(responder.write("one "));
    QVERIFY(runUntil([&] { return heard == "200 one "; }));
    QCOMPARE(exchange(callTo("/")), std::string("200 GET")); // Beside the stream.
    QVERIFY(responder.write("two"));
    responder.end();
    QVERIFY(runUntil([&] { return heard == "200 one two|end"; }));
    m_client->cancel(first); // Without effect.

    const CallId second = m_client->stream(callTo("/hold/2"), functions);
    QVERIFY(runUntil([&] { return m_held.contains("/hold/2"); }));
    bool isGone = false;
    m_held.at("/hold/2").onGone([&] { isGone = true; });
    m_held.at("/hold/2").begin(200, {});
    m_client->cancel(second);
    QVERIFY(runUntil([&] { return isGone; }));
    QCOMPARE(heard, std::string("200 one two|end"));
    QCOMPARE(m_client->connections(), std::size_t{1});

    static_cast<void>(m_client->stream(callTo("/hold/3"), functions));
    QVERIFY(runUntil([&] { return m_held.contains("/hold/3"); }));
    m_held.at("/hold/3").begin(200, {});
    m_held.at("/hold/3").reset();
    QVERIFY(runUntil([&] { return heard.ends_with("|error"); }));
}

void ClientHttp2Test::aStaleConnectionIsReplaced()
{
    serve();
    QCOMPARE(exchange(callTo("/")), std::string("200 GET"));
    const auto got = begin(callTo("/")); // Sent on the connection that ends now.
    m_server->resetAll();
    QVERIFY(runUntil([&] { return !got->empty(); }));
    QCOMPARE(*got, std::string("200 GET"));

    const auto held = begin(callTo("/hold", "POST"));
    QVERIFY(runUntil([&] { return m_held.contains("/hold"); }));
    m_server->closeAll();
    QVERIFY(runUntil([&] { return !held->empty(); }));
    QCOMPARE(*held, std::string("reset")); // It may have been done: not sent twice.
    QCOMPARE(exchange(callTo("/")), std::string("200 GET"));
}

// A server that stops takes what came before, and says where it stopped.
void ClientHttp2Test::whatAServerLeavesUnbegunIsSentAgain()
{
    serve();
    const auto held = begin(callTo("/hold"));
    QVERIFY(runUntil([&] { return m_held.contains("/hold"); }));
    m_server->stopAccepting();
    QVERIFY(m_server->restartAccepting());
    const auto posted = begin(callTo("/", "POST"));
    QVERIFY(runUntil([&] { return !posted->empty(); }));
    QCOMPARE(*posted, std::string("200 POST"));
    m_held.at("/hold").send({200, {}, "late"});
    QVERIFY(runUntil([&] { return !held->empty(); }));
    QCOMPARE(*held, std::string("200 late"));
    QCOMPARE(m_requests, std::size_t{2});
}

void ClientHttp2Test::nobodyListeningIsRefused()
{
    serve();
    Call first = callTo("/");
    Call second = callTo("/", "POST");
    m_server.reset();
    const auto one = begin(std::move(first));
    const auto two = begin(std::move(second));
    QVERIFY(runUntil([&] { return !one->empty() && !two->empty(); }));
    QCOMPARE(*one, std::string("refused"));
    QCOMPARE(*two, std::string("refused"));
    QCOMPARE(m_client->connections(), std::size_t{0});
}

void ClientHttp2Test::whoeverKeepsNoConnectionClosesIt()
{
    ClientOptions options;
    options.protocols = ClientProtocols::Http1And2;
    options.idlePerAddressMax = 0;
    m_client = std::make_unique<Client>(*m_loop, options);
    serve();
    QCOMPARE(exchange(callTo("/")), std::string("200 GET"));
    QVERIFY(runUntil([&] { return m_client->connections() == 0; }));
    QVERIFY(runUntil([&] { return m_server->connections() == 0; }));
}

namespace {

std::string head(const test::FieldList& fields, std::uint8_t flags = test::kEndHeaders)
{
    return test::frame(Frame::Headers, flags, 1, test::encoded(fields));
}

const std::string kOk = head({{":status", "200"}});
const std::string kSettings = test::frame(Frame::Settings, 0, 0);

// What a codec that has asked for one thing says about these bytes of its server.
std::string heardOf(std::string_view bytes, std::string* lastWord = nullptr)
{
    Heard heard;
    const auto codec = *H2ClientCodec::make(heard);
    const std::vector<H2Field> fields = {
        {":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/"}};
    int user = 0;
    if (!codec->submit(fields, Method::Get, {}, &user)) {
        return "no stream";
    }
    std::string out;
    codec->fill(out, 1U << 20U);
    static_cast<void>(codec->receive(bytes, TimePoint{}));
    out.clear();
    codec->fill(out, 1U << 20U);
    if (lastWord != nullptr) {
        *lastWord = out;
    }
    return heard.text + (codec->isOver() ? " over: " + std::string(codec->failure()) : "");
}

} // namespace

void ClientHttp2Test::whatIsNoAnswerEndsItsStream_data()
{
    QTest::addColumn<std::string>("bytes");
    QTest::addColumn<std::string>("expected");
    const std::string end = test::frame(Frame::Data, test::kEndStream, 1);
    QTest::newRow("whole") << kOk + test::frame(Frame::Data, 1, 1, "abc")
                           << std::string("head 200 abc|whole");
    QTest::newRow("interim first")
        << head({{":status", "103"}}) + kOk + end << std::string("head 200 |whole");
    QTest::newRow("trailers") << kOk + head({{"x", "y"}}, 5) << std::string("head 200 |whole");
    QTest::newRow("no status") << head({{"x", "y"}}, 5) << std::string("|malformed");
    QTest::newRow("a status that is none")
        << head({{":status", "2x0"}}, 5) << std::string("|malformed");
    QTest::newRow("upper case") << head({{":status", "200"}, {"X", "y"}})
                                << std::string("|malformed");
    QTest::newRow("connection field")
        << head({{":status", "200"}, {"connection", "close"}}) << std::string("|malformed");
    QTest::newRow("an interim end") << head({{":status", "103"}}, 5) << std::string("|malformed");
    QTest::newRow("trailers that do not end")
        << kOk + head({{"x", "y"}}) << std::string("head 200 |malformed");
    QTest::newRow("shorter than announced") << head({{":status", "200"}, {"content-length", "4"}})
                                                   + test::frame(Frame::Data, 1, 1, "abc")
                                            << std::string("head 200 abc|malformed");
    QTest::newRow("longer than announced") << head({{":status", "200"}, {"content-length", "2"}})
                                                  + test::frame(Frame::Data, 1, 1, "abc")
                                           << std::string("head 200 |malformed");
    QTest::newRow("reset") << kOk + test::frame(Frame::Reset, 0, 1, test::number(2, 4))
                           << std::string("head 200 |reset");
    QTest::newRow("refused") << test::frame(Frame::Reset, 0, 1, test::number(7, 4))
                             << std::string("|unprocessed");
    QTest::newRow("gone before it")
        << test::frame(Frame::GoAway, 0, 0, test::number(0, 4) + test::number(0, 4))
        << std::string("|unprocessed over: ");
    std::string interims;
    for (std::size_t i = 0; i <= kUpstreamInterimHeadsMax; ++i) {
        interims += head({{":status", "103"}});
    }
    QTest::newRow("interim heads without end") << interims << std::string("|malformed");
    test::FieldList large = {{":status", "200"}};
    for (int i = 0; i < 90; ++i) {
        large.emplace_back("x-" + std::to_string(i), std::string(170, 'v'));
    }
    QTest::newRow("a large head") << head(large, 5) << std::string("head 200 |whole");
}

void ClientHttp2Test::whatIsNoAnswerEndsItsStream()
{
    QFETCH(const std::string, bytes);
    QFETCH(const std::string, expected);
    QCOMPARE(heardOf(kSettings + bytes), expected);
}

void ClientHttp2Test::whatAServerOverdoesEndsTheConnection_data()
{
    QTest::addColumn<std::string>("bytes");
    std::string pings;
    std::string settings;
    std::string empty = kOk;
    std::string windows;
    for (std::size_t i = 0; i <= kUpstreamControlFramesMax; ++i) {
        pings += test::frame(Frame::Ping, 0, 0, "12345678");
        settings += kSettings;
        empty += test::frame(Frame::Data, 0, 1);
        windows += test::frame(Frame::Window, 0, 0, test::number(1, 4));
    }
    QTest::newRow("pings") << pings;
    QTest::newRow("settings") << settings;
    QTest::newRow("empty data") << empty;
    QTest::newRow("windows") << windows;
    QTest::newRow("a push") << test::frame(
        Frame::Push,
        test::kEndHeaders,
        1,
        test::number(2, 4) + test::encoded({{":method", "GET"}, {":path", "/"}})
    );
    QTest::newRow("a stream that is not ours") << test::request(2, "/");
    QTest::newRow("data before a head") << test::frame(Frame::Data, test::kEndStream, 1, "abc");
    QTest::newRow("data on no stream") << test::frame(Frame::Data, 0, 0, "abc");
    QTest::newRow("a frame too large") << std::string("\x01\x00\x00\x00\x00\x00\x00\x00\x01", 9);
}

void ClientHttp2Test::whatAServerOverdoesEndsTheConnection()
{
    QFETCH(const std::string, bytes);
    std::string lastWord;
    const std::string heard = heardOf(kSettings + bytes, &lastWord);
    QVERIFY2(heard.find(" over: ") != std::string::npos, heard.c_str());
    bool hasGoAway = false;
    for (std::string_view left = lastWord; left.size() >= 9;) {
        const auto byte = [&](std::size_t at) {
            return std::size_t{static_cast<unsigned char>(left[at])};
        };
        hasGoAway = hasGoAway || byte(3) == static_cast<std::size_t>(Frame::GoAway);
        const std::size_t size = 9 + (byte(0) << 16U | byte(1) << 8U | byte(2));
        left.remove_prefix(std::min(size, left.size()));
    }
    QVERIFY2(hasGoAway, heard.c_str());
}

} // namespace mesh::http

QTEST_APPLESS_MAIN(mesh::http::ClientHttp2Test)
#include "client_http2_test.moc"
