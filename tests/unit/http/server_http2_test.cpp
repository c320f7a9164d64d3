// Goal: the small server answers HTTP/2 beside HTTP/1.1, and what a client overdoes ends no more
// than it must.
// Method: frames written byte by byte over real sockets, on one loop with the server.
#include "proxyengine/base/clock.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/http/server.h"
#include "tests/support/h2_raw.h"

#include <QTest>

#include <map>
#include <optional>
#include <string>

namespace mesh::http {

using test::Frame;
using test::H2Raw;
using test::HeardFrame;

constexpr std::uint32_t kCalm = 11; // ENHANCE_YOUR_CALM

class ServerHttp2Test : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void aClientThatBeginsWithThePrefaceIsAnswered();
    void http1IsAnsweredOnTheSamePort();
    void withoutTheOptionThePrefaceIsRefused();
    void requestsAreAnsweredBesideEachOther();
    void aBodyIsReadWhole();
    void anAnswerPassesThroughAnyWindow();
    void aBodyAboveTheLimitIsRefused();
    void bodiesOfAllStreamsTogetherAreLimited();
    void aBodyThatDisagreesWithItsLengthEndsItsStream();
    void streamsArriveInPiecesAndTheServerHearsTheirEnd();
    void whoResetsRapidlyIsSentAway();
    void whoPingsWithoutEndIsSentAway();
    void whoDoesNotTakeAnswersIsSentAway();
    void requestsWaitWhileAnswersAreNotTaken();
    void garbageBehindThePrefaceEndsTheConnection();
    void whoeverIsServedWhenTheServerStopsIsServedToTheEnd();

private:
    void serve(ServerOptions options = {});
    H2Raw client(std::string_view settings = {})
    {
        return {*m_loop, m_server->address(), settings};
    }
    bool runUntil(const std::function<bool()>& condition)
    {
        return test::runUntil(*m_loop, condition);
    }
    static std::string post(std::uint32_t stream, const std::string& length = {});
    static std::optional<std::uint32_t> codeOfGoAway(H2Raw& client);

    SystemClock m_clock;
    std::unique_ptr<net::EventLoop> m_loop;
    std::unique_ptr<Server> m_server;
    std::map<std::string, Responder> m_held; // By path: whoever asks for /hold...
    int m_requests = 0;
};

void ServerHttp2Test::init()
{
    m_held.clear();
    m_server.reset();
    m_loop = *net::EventLoop::make(m_clock);
    m_requests = 0;
}

void ServerHttp2Test::serve(ServerOptions options)
{
    options.protocols = ServerProtocols::Http1And2;
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
            if (request.target.starts_with("/large")) {
                responder.send({200, {}, std::string(300'000, 'l')});
                return;
            }
            responder.send({200, {{"X-A", "b"}}, request.method + " " + request.body});
        }
    );
}

std::string ServerHttp2Test::post(std::uint32_t stream, const std::string& length)
{
    test::FieldList fields = test::getOf("/");
    fields[0].second = "POST";
    if (!length.empty()) {
        fields.emplace_back("content-length", length);
    }
    return test::frame(Frame::Headers, test::kEndHeaders, stream, test::encoded(fields));
}

std::optional<std::uint32_t> ServerHttp2Test::codeOfGoAway(H2Raw& client)
{
    const auto heard = client.waitFor(Frame::GoAway, 0);
    return heard ? std::optional(heard->word(4)) : std::nullopt;
}

void ServerHttp2Test::aClientThatBeginsWithThePrefaceIsAnswered()
{
    serve();
    H2Raw client = this->client();
    QVERIFY(client.send(test::request(1, "/a")));
    QVERIFY(client.waitForEndOf(1));
    QCOMPARE(client.body(1), std::string("GET "));
    QVERIFY(client.send(test::request(3, "/b")));
    QVERIFY(client.waitForEndOf(3));
    QCOMPARE(m_server->connections(), std::size_t{1});
}

void ServerHttp2Test::http1IsAnsweredOnTheSamePort()
{
    serve();
    test::RawSocket socket(m_server->address());
    QVERIFY(socket.send(*m_loop, "P"));
    QVERIFY(runUntil([&] { return m_server->connections() == 1; }));
    QVERIFY(socket.send(*m_loop, "UT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok"));
    QVERIFY(runUntil([&] {
        socket.receive();
        return socket.heard().ends_with("PUT ok");
    }));
    QVERIFY(socket.heard().starts_with("HTTP/1.1 200 "));
}

void ServerHttp2Test::withoutTheOptionThePrefaceIsRefused()
{
    m_server = *Server::listen(
        *m_loop,
        net::SocketAddress::loopback(0),
        {},
        [this](Request, Responder responder) {
            ++m_requests;
            responder.send({});
        }
    );
    test::RawSocket socket(m_server->address());
    QVERIFY(socket.send(*m_loop, test::kH2Preface));
    QVERIFY(socket.waitForEnd(*m_loop));
    QVERIFY(socket.heard().starts_with("HTTP/1.1 "));
    QCOMPARE(m_requests, 0);
}

void ServerHttp2Test::requestsAreAnsweredBesideEachOther()
{
    serve();
    H2Raw client = this->client();
    QVERIFY(client.send(test::request(1, "/hold") + test::request(3, "/")));
    QVERIFY(client.waitForEndOf(3));
    QVERIFY(m_held.contains("/hold"));
    m_held.at("/hold").send({200, {}, "late"});
    QVERIFY(m_held.at("/hold").isGone());
    QVERIFY(client.waitForEndOf(1));
    QCOMPARE(client.body(1), std::string("late"));
}

void ServerHttp2Test::aBodyIsReadWhole()
{
    serve();
    H2Raw client = this->client();
    QVERIFY(client.send(post(1, "6") + test::frame(Frame::Data, 0, 1, "abc")));
    QVERIFY(runUntil([&] { return m_server->connections() == 1; }));
    QVERIFY(client.send(test::frame(Frame::Data, test::kEndStream, 1, "def")));
    QVERIFY(client.waitForEndOf(1));
    QCOMPARE(client.body(1), std::string("POST abcdef"));
}

void ServerHttp2Test::anAnswerPassesThroughAnyWindow()
{
    serve();
    H2Raw client = this->client(test::number(4, 2) + test::number(1000, 4)); // Of each stream.
    QVERIFY(client.send(test::request(1, "/large")));
    QVERIFY(client.waitFor([&](const HeardFrame&) { return client.body(1).size() == 1000; }));
    QVERIFY(client.send(
        test::frame(Frame::Window, 0, 0, test::number(1'000'000, 4))
        + test::frame(Frame::Window, 0, 1, test::number(1'000'000, 4))
    ));
    QVERIFY(client.waitForEndOf(1));
    QVERIFY(client.body(1) == std::string(300'000, 'l'));
}

void ServerHttp2Test::aBodyAboveTheLimitIsRefused()
{
    ServerOptions options;
    options.bodyBytesMax = 10;
    serve(options);
    H2Raw client = this->client();
    QVERIFY(client.send(post(1, "11")));
    QVERIFY(client.waitForEndOf(1));
    QCOMPARE(client.body(1), std::string("{\"message\":\"Payload too large\"}"));
    QVERIFY(client.send(post(3) + test::frame(Frame::Data, 0, 3, "0123456789a")));
    QVERIFY(client.waitForEndOf(3));
    QCOMPARE(client.body(3), std::string("{\"message\":\"Payload too large\"}"));
    QVERIFY(client.waitFor(Frame::Reset, 3)); // The rest of the body is not wanted.
    QVERIFY(client.send(post(5, "10") + test::frame(Frame::Data, 1, 5, "0123456789")));
    QVERIFY(client.waitForEndOf(5));
    QCOMPARE(client.body(5), std::string("POST 0123456789"));
    QCOMPARE(m_requests, 1);
}

void ServerHttp2Test::bodiesOfAllStreamsTogetherAreLimited()
{
    ServerOptions options;
    options.bodyBytesMax = 10;
    serve(options);
    H2Raw client = this->client();
    QVERIFY(client.send(
        post(1) + test::frame(Frame::Data, 0, 1, "12345678") + post(3)
        + test::frame(Frame::Data, test::kEndStream, 3, "12345678")
    ));
    QVERIFY(client.waitForEndOf(3));
    QCOMPARE(client.body(3), std::string("{\"message\":\"Payload too large\"}"));
    QVERIFY(client.send(test::frame(Frame::Data, test::kEndStream, 1, "9")));
    QVERIFY(client.waitForEndOf(1));
    QCOMPARE(client.body(1), std::string("POST 123456789"));
    QVERIFY(client.send(post(5, "9") + test::frame(Frame::Data, test::kEndStream, 5, "123456789")));
    QVERIFY(client.waitForEndOf(5)); // What was handed out or thrown away counts no more.
    QCOMPARE(client.body(5), std::string("POST 123456789"));
}

void ServerHttp2Test::aBodyThatDisagreesWithItsLengthEndsItsStream()
{
    serve();
    H2Raw client = this->client();
    QVERIFY(client.send(post(1, "2") + test::frame(Frame::Data, 0, 1, "abc")));
    const auto longer = client.waitFor(Frame::Reset, 1);
    QVERIFY(longer);
    QCOMPARE(longer->word(0), std::uint32_t{1}); // PROTOCOL_ERROR
    QVERIFY(client.send(post(3, "2") + test::frame(Frame::Data, test::kEndStream, 3, "a")));
    QVERIFY(client.waitFor(Frame::Reset, 3));
    QVERIFY(client.send(test::request(5, "/")));
    QVERIFY(client.waitForEndOf(5));
    QCOMPARE(m_requests, 1);
}

void ServerHttp2Test::streamsArriveInPiecesAndTheServerHearsTheirEnd()
{
    serve();
    H2Raw client = this->client();
    QVERIFY(client.send(test::request(1, "/hold")));
    QVERIFY(runUntil([&] { return m_held.contains("/hold"); }));
    Responder& stream = m_held.at("/hold");
    int drained = 0;
    bool isGone = false;
    stream.onDrained([&] { ++drained; });
    stream.onGone([&] { isGone = true; });
    stream.begin(200, {{"Content-Type", "text/plain"}, {"Connection", "close"}});
    QVERIFY(stream.write("one"));
    QVERIFY(client.waitFor([&](const HeardFrame&) { return client.body(1) == "one"; }));
    QVERIFY(runUntil([&] { return drained == 1; }));
    QVERIFY(stream.write("two"));
    QVERIFY(client.waitFor([&](const HeardFrame&) { return client.body(1) == "onetwo"; }));
    QVERIFY(client.send(test::frame(Frame::Reset, 0, 1, test::number(8, 4))));
    QVERIFY(runUntil([&] { return isGone; }));
    QVERIFY(stream.isGone());
    QVERIFY(!stream.write("three"));
    QVERIFY(client.send(test::request(3, "/")));
    QVERIFY(client.waitForEndOf(3));

    QVERIFY(client.send(test::request(5, "/hold/5")));
    QVERIFY(runUntil([&] { return m_held.contains("/hold/5"); }));
    bool isLost = false;
    m_held.at("/hold/5").onGone([&] { isLost = true; });
    m_server->closeAll();
    QVERIFY(isLost);
}

void ServerHttp2Test::whoResetsRapidlyIsSentAway()
{
    serve();
    H2Raw client = this->client();
    std::string flood;
    for (std::uint32_t i = 0; i < 400; ++i) {
        flood += test::request(2 * i + 1, "/hold" + std::to_string(i));
        flood += test::frame(Frame::Reset, 0, 2 * i + 1, test::number(8, 4));
    }
    QVERIFY(client.send(flood));
    QCOMPARE(codeOfGoAway(client), std::optional(kCalm));
    QVERIFY(client.waitForEnd());
    QVERIFY(m_requests <= static_cast<int>(kH2ResetsBurst) + 1);
    QVERIFY(runUntil([&] { return m_server->connections() == 0; }));
}

void ServerHttp2Test::whoPingsWithoutEndIsSentAway()
{
    serve();
    H2Raw client = this->client();
    std::string flood;
    for (int i = 0; i < 3 * static_cast<int>(kH2ControlBurst); ++i) {
        flood += test::frame(Frame::Ping, 0, 0, "12345678");
    }
    QVERIFY(client.send(flood));
    QCOMPARE(codeOfGoAway(client), std::optional(kCalm));
    QVERIFY(client.waitForEnd());
}

void ServerHttp2Test::whoDoesNotTakeAnswersIsSentAway()
{
    ServerOptions options;
    options.bodyTimeout = std::chrono::milliseconds(50);
    serve(options);
    H2Raw client = this->client(test::number(4, 2) + test::number(0, 4)); // No window at all.
    QVERIFY(client.send(test::request(1, "/")));
    QVERIFY(client.waitForEnd());
    QCOMPARE(m_requests, 1);
    QVERIFY(runUntil([&] { return m_server->connections() == 0; }));
}

void ServerHttp2Test::requestsWaitWhileAnswersAreNotTaken()
{
    ServerOptions options;
    options.bodyBytesMax = 500'000; // Two of the large answers are more.
    serve(options);
    H2Raw client = this->client(test::number(4, 2) + test::number(0, 4));
    QVERIFY(client.send(
        test::request(1, "/large") + test::request(3, "/large") + test::request(5, "/large")
        + test::request(7, "/large") + test::frame(Frame::Ping, 0, 0, "12345678")
    ));
    QVERIFY(client.waitFor(Frame::Ping, 0)); // All of it was read.
    QCOMPARE(m_requests, 2);
    QVERIFY(client.send(test::frame(Frame::Window, 0, 0, test::number(2'000'000, 4))));
    for (std::uint32_t stream = 1; stream < 8; stream += 2) {
        QVERIFY(client.send(test::frame(Frame::Window, 0, stream, test::number(300'000, 4))));
    }
    QVERIFY(client.waitForEndOf(7));
    QCOMPARE(m_requests, 4);
}

void ServerHttp2Test::garbageBehindThePrefaceEndsTheConnection()
{
    serve();
    test::RawSocket socket(m_server->address());
    QVERIFY(socket.send(*m_loop, std::string(test::kH2Preface) + std::string(100, 'x')));
    QVERIFY(socket.waitForEnd(*m_loop));
    QCOMPARE(m_requests, 0);
    QVERIFY(runUntil([&] { return m_server->connections() == 0; }));
}

void ServerHttp2Test::whoeverIsServedWhenTheServerStopsIsServedToTheEnd()
{
    serve();
    H2Raw client = this->client();
    QVERIFY(client.send(test::request(1, "/hold")));
    QVERIFY(runUntil([&] { return m_held.contains("/hold"); }));
    m_server->stopAccepting();
    QCOMPARE(codeOfGoAway(client), std::optional(std::uint32_t{0}));
    QVERIFY(client.send(test::request(3, "/")));
    m_held.at("/hold").send({200, {}, "last"});
    QVERIFY(client.waitForEndOf(1));
    QVERIFY(client.waitForEnd());
    QCOMPARE(m_requests, 1);
}

} // namespace mesh::http

QTEST_APPLESS_MAIN(mesh::http::ServerHttp2Test)
#include "server_http2_test.moc"
