// Goal: a client that breaks the rules of HTTP/2, or keeps them in bad faith, is answered as RFC
// 9113 says, ends that stream or that connection alone, and is counted.
#include "tests/support/h2_raw.h"
#include "tests/support/misbehaving_server.h"
#include "tests/support/proxy_fixture.h"

#include <QTest>

#include <malloc.h>
#include <memory>

using namespace mesh;
using namespace mesh::test;

namespace {

constexpr std::uint32_t kProtocolError = 1;
constexpr std::uint32_t kInternalError = 2;
constexpr std::uint32_t kFlowControlError = 3;
constexpr std::uint32_t kStreamClosed = 5;
constexpr std::uint32_t kFrameSizeError = 6;
constexpr std::uint32_t kRefusedStream = 7;
constexpr std::uint32_t kCancel = 8;
constexpr std::uint32_t kCompressionError = 9;
constexpr std::uint32_t kEnhanceYourCalm = 11;

struct Mesh : ProxyFixture
{
    MisbehavingServer origin{"origin"};

    bool begin(int readTimeout = 60000)
    {
        return start() && apply(serviceYaml({origin.address()}, "", readTimeout)).empty();
    }
    // Whether frames have said since the start that this limit was passed so often.
    bool isLimited(std::string_view limit, std::uint64_t times = 1)
    {
        const auto& names = telemetry::kHttp2LimitNames;
        const auto place =
            static_cast<std::size_t>(std::ranges::find(names, limit) - names.begin());
        return runUntil(*loop, [&] {
            std::uint64_t counted = 0;
            box.takeAll();
            for (const api::Event& event : box.events) {
                if (const auto* stats = std::get_if<api::StatsEvent>(&event)) {
                    counted += stats->frame->http2Limits.at(place);
                }
            }
            return counted >= times;
        });
    }
    bool serves()
    {
        H2Raw other(*loop, proxy);
        other.send(request(1, "/api/x"));
        return other.waitForEndOf(1);
    }
};

std::string post(std::uint32_t stream, FieldList more = {})
{
    FieldList fields = getOf("/api/x");
    fields[0].second = "POST";
    for (auto& field : more) {
        fields.push_back(std::move(field));
    }
    return frame(Frame::Headers, kEndHeaders, stream, encoded(fields));
}

std::string webSocket(std::uint32_t stream, const std::string& path)
{
    const FieldList fields = {
        {":method", "CONNECT"},
        {":protocol", "websocket"},
        {":scheme", "http"},
        {":authority", "a"},
        {":path", path},
        {"sec-websocket-version", "13"}};
    return frame(Frame::Headers, kEndHeaders, stream, encoded(fields));
}

const std::string kNoWindow = number(4, 2) + number(0, 4); // Of a client's SETTINGS.

using Floods = std::vector<std::pair<std::string, std::string>>; // Limit, frames.

Floods makeFloods()
{
    const auto times = [](std::size_t count, const auto& make) {
        std::string all;
        for (std::size_t at = 0; at < count; ++at) {
            all += make(at);
        }
        return all;
    };
    const auto head = frame(Frame::Headers, 0, 1, encoded(getOf("/")));
    return {
        {"rapid_reset",
         times(
             400,
             [](std::size_t at) {
                 const auto stream = static_cast<std::uint32_t>(at * 2 + 1);
                 return request(stream, "/api/x") + frame(Frame::Reset, 0, stream, number(8, 4));
             }
         )},
        {"rapid_reset", // By us, because every body is longer than it says.
         times(
             400,
             [](std::size_t at) {
                 const auto stream = static_cast<std::uint32_t>(at * 2 + 1);
                 return post(stream, {{"content-length", "1"}})
                        + frame(Frame::Data, 0, stream, "ab");
             }
         )},
        {"settings_flood", times(3000, [](std::size_t) { return frame(Frame::Settings, 0, 0); })},
        {"ping_flood",
         times(3000, [](std::size_t) { return frame(Frame::Ping, 0, 0, "12345678"); })},
        {"priority_flood",
         times(
             3000,
             [](std::size_t) { return frame(Frame::Priority, 0, 1, std::string("\0\0\0\0\1", 5)); }
         )},
        {"empty_data_flood",
         post(1) + times(3000, [](std::size_t) { return frame(Frame::Data, 0, 1); })},
        {"continuation_flood",
         head + times(100, [](std::size_t) { return frame(Frame::Continuation, 0, 1); })},
    };
}

} // namespace

class H2FramesTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aRequestIsAnswered()
    {
        Mesh mesh;
        QVERIFY(mesh.begin());
        H2Raw client(*mesh.loop, mesh.proxy);
        QVERIFY(client.send(request(1, "/api/x") + request(3, "/api/y")));
        QVERIFY(client.waitForEndOf(1));
        QVERIFY(client.waitForEndOf(3));
        QCOMPARE(client.body(1), "origin");
        const auto received = mesh.origin.takeReceived();
        QCOMPARE(received.size(), 2U);
        QCOMPARE(received[0].target, "/base/x");
        QVERIFY(received[0].header("via").starts_with("2.0 "));
    }

    void theNextRequestsOfAConnectionFindTheirDriversAgain()
    {
        Mesh mesh;
        QVERIFY(mesh.begin());
        H2Raw client(*mesh.loop, mesh.proxy);
        for (std::uint32_t stream = 1; stream < 101; stream += 2) {
            QVERIFY(client.send(request(stream, "/api/x")));
            QVERIFY(client.waitForEndOf(stream));
        }
        QCOMPARE(mesh.origin.requests(), 50U);
        QCOMPARE(mesh.origin.accepted(), 1U);
    }

    void malformedMessagesEndTheirStreamAlone_data()
    {
        QTest::addColumn<QByteArray>("frames");
        const auto row = [](const char* name, const std::string& frames) {
            QTest::newRow(name) << QByteArray::fromStdString(frames);
        };
        FieldList late = getOf("/");
        late.emplace_back("a", "b");
        late.emplace_back(":path", "/");
        FieldList upper = getOf("/");
        upper.emplace_back("A", "b");
        FieldList close = getOf("/");
        close.emplace_back("connection", "close");
        FieldList split = getOf("/");
        split.emplace_back("a", "b\r\nc: d");
        for (const auto& [name, fields] :
             {std::pair{"pseudo-field behind a regular one", late},
              std::pair{"upper case", upper},
              std::pair{"connection-specific field", close},
              std::pair{"CR LF in a value", split},
              std::pair{"no pseudo-fields", FieldList{{"a", "b"}}}}) {
            row(name, frame(Frame::Headers, kEndHeaders | kEndStream, 3, encoded(fields)));
        }
        row("more body than announced",
            post(3, {{"content-length", "2"}}) + frame(Frame::Data, kEndStream, 3, "abc"));
        row("less body than announced",
            post(3, {{"content-length", "4"}}) + frame(Frame::Data, kEndStream, 3, "abc"));
        const FieldList sum = {{"content-length", "3"}, {"trailer", "x-sum"}};
        row("more body than announced, with trailers to come",
            post(3, sum) + frame(Frame::Data, 0, 3, "abcd"));
        row("less body than announced, with trailers",
            post(3, sum) + frame(Frame::Data, 0, 3, "ab")
                + frame(Frame::Headers, kEndHeaders | kEndStream, 3, encoded({{"x-sum", "1"}})));
        row("trailers that do not end the stream",
            post(3) + frame(Frame::Headers, kEndHeaders, 3, encoded({{"a", "b"}})));
        row("pseudo-field in trailers",
            post(3) + frame(Frame::Headers, kEndHeaders | kEndStream, 3, encoded({{":path", "/"}}))
        );
    }
    void malformedMessagesEndTheirStreamAlone()
    {
        QFETCH(QByteArray, frames);
        Mesh mesh;
        QVERIFY(mesh.begin());
        H2Raw client(*mesh.loop, mesh.proxy);
        QVERIFY(client.send(request(1, "/api/x")));
        QVERIFY(client.send(frames.toStdString()));
        const auto reset = client.waitFor(Frame::Reset, 3);
        QVERIFY(reset);
        QCOMPARE(reset->word(0), kProtocolError);
        QVERIFY(client.send(request(5, "/api/x")));
        QVERIFY(client.waitForEndOf(1));
        QVERIFY(client.waitForEndOf(5));
    }

    void wrongFramesEndTheConnectionWithTheirCode_data()
    {
        QTest::addColumn<QByteArray>("frames");
        QTest::addColumn<quint32>("code");
        const auto row = [](const char* name, const std::string& frames, std::uint32_t code) {
            QTest::newRow(name) << QByteArray::fromStdString(frames) << code;
        };
        row("data of no stream", frame(Frame::Data, 0, 1, "x"), kProtocolError);
        row("data of stream 0", frame(Frame::Data, 0, 0, "x"), kProtocolError);
        row("even stream", request(2, "/api/x"), kProtocolError);
        row("head behind the end", request(5, "/api/x") + request(5, "/api/x"), kStreamClosed);
        row("push", frame(Frame::Push, kEndHeaders, 1, number(2, 4)), kProtocolError);
        row("short ping", frame(Frame::Ping, 0, 0, "1234"), kFrameSizeError);
        row("settings of odd length", frame(Frame::Settings, 0, 0, "123"), kFrameSizeError);
        row("frame too large",
            number(1U << 20U, 3) + std::string("\0\0\0\0\0\1", 6),
            kFrameSizeError);
        row("window beyond its bound",
            frame(Frame::Window, 0, 0, number(0x7fffffff, 4)),
            kFlowControlError);
        row("broken HPACK",
            frame(Frame::Headers, kEndHeaders | kEndStream, 1, "\xff\xff\xff\xff\xff"),
            kCompressionError);
        row("continuation of nothing",
            frame(Frame::Continuation, kEndHeaders, 1, "x"),
            kProtocolError);
        row("frame between head and continuation",
            frame(Frame::Headers, 0, 1, encoded(getOf("/"))) + frame(Frame::Ping, 0, 0, "12345678"),
            kProtocolError);
    }
    void wrongFramesEndTheConnectionWithTheirCode()
    {
        QFETCH(QByteArray, frames);
        QFETCH(quint32, code);
        Mesh mesh;
        QVERIFY(mesh.begin());
        H2Raw client(*mesh.loop, mesh.proxy);
        QVERIFY(client.send(frames.toStdString()));
        const auto away = client.waitFor(Frame::GoAway, 0);
        QVERIFY(away);
        QCOMPARE(away->word(4), code);
        QVERIFY(client.waitForEnd());
        QVERIFY(mesh.serves());
    }

    // Whether it is new or long closed is not known of a lower number, and a late head for a stream
    // that we reset is no fault: it is read and forgotten, but not without bound.
    void aHeadOfAnEarlierStreamIsIgnored()
    {
        Mesh mesh;
        QVERIFY(mesh.begin());
        H2Raw client(*mesh.loop, mesh.proxy);
        QVERIFY(client.send(request(5, "/api/x") + request(3, "/api/x") + request(7, "/api/x")));
        QVERIFY(client.waitForEndOf(5));
        QVERIFY(client.waitForEndOf(7));
        QCOMPARE(mesh.origin.requests(), 2U);
        std::string flood;
        for (int at = 0; at < 1000; ++at) {
            flood += request(3, "/api/x");
        }
        client.send(flood);
        const auto away = client.waitFor(Frame::GoAway, 0);
        QVERIFY(away);
        QCOMPARE(away->word(4), kEnhanceYourCalm);
    }

    // One engine for all of them, because frames of counters come once a second.
    void floodsEndTheirConnectionAndAreCounted()
    {
        Mesh mesh;
        QVERIFY(mesh.begin());
        const auto floods = makeFloods();
        for (const auto& [limit, frames] : floods) {
            H2Raw client(*mesh.loop, mesh.proxy);
            client.send(frames); // The end may come before all is sent.
            const auto away = client.waitFor(Frame::GoAway, 0);
            QVERIFY2(away, limit.c_str());
            QCOMPARE(away->word(4), kEnhanceYourCalm);
            QVERIFY2(client.waitForEnd(), limit.c_str());
            QVERIFY2(mesh.serves(), limit.c_str());
        }
        for (const auto& [limit, frames] : floods) {
            QVERIFY2(mesh.isLimited(limit), limit.c_str());
        }
    }

    void streamsBeyondTheirNumberAreRefusedAndCounted()
    {
        Mesh mesh;
        QVERIFY(mesh.begin());
        mesh.origin.behave(Fault::Hang);
        std::string all;
        for (std::uint32_t at = 0; at <= kH2StreamsMax; ++at) {
            all += request(at * 2 + 1, "/api/x");
        }
        H2Raw client(*mesh.loop, mesh.proxy);
        QVERIFY(client.send(all)); // Before it has heard of our number.
        const auto reset = client.waitFor(Frame::Reset, kH2StreamsMax * 2 + 1);
        QVERIFY(reset);
        QCOMPARE(reset->word(0), kRefusedStream);
        H2Raw liar(*mesh.loop, mesh.proxy);
        QVERIFY(liar.waitFor(Frame::Settings, 0));
        QVERIFY(liar.send(frame(Frame::Settings, kEndStream, 0) + all));
        const auto away = liar.waitFor(Frame::GoAway, 0);
        QVERIFY(away);
        QCOMPARE(away->word(4), kProtocolError);
        QVERIFY(mesh.isLimited("concurrent_streams", 2));
    }

    void aHeadTooLargeIsAnsweredAndCounted()
    {
        Mesh mesh;
        QVERIFY(mesh.begin());
        H2Raw client(*mesh.loop, mesh.proxy);
        FieldList fields = getOf("/api/x");
        for (int at = 0; at < 5; ++at) {
            fields.emplace_back("a", std::string(15'000, 'x'));
        }
        const std::string block = encoded(fields);
        std::string frames = frame(Frame::Headers, kEndStream, 1, block.substr(0, 16'000));
        for (std::size_t at = 16'000; at < block.size(); at += 16'000) {
            const std::uint8_t flags = at + 16'000 >= block.size() ? kEndHeaders : 0;
            frames += frame(Frame::Continuation, flags, 1, block.substr(at, 16'000));
        }
        QVERIFY(client.send(frames + request(3, "/api/x")));
        const auto head = client.waitFor(Frame::Headers, 1);
        QVERIFY(head);
        QVERIFY(head->payload.find("431") != std::string::npos || head->payload.size() < 20);
        QVERIFY(client.waitForEndOf(3));
        QCOMPARE(mesh.origin.requests(), 1U);
        QVERIFY(mesh.isLimited("header_list_size"));
    }

    void aResetByTheClientGivesTheUpstreamUp()
    {
        Mesh mesh;
        QVERIFY(mesh.begin());
        mesh.origin.behave(Fault::Hang);
        H2Raw client(*mesh.loop, mesh.proxy);
        QVERIFY(client.send(request(1, "/api/x") + request(3, "/api/x")));
        QVERIFY(runUntil(*mesh.loop, [&] { return mesh.origin.requests() == 2; }));
        QVERIFY(client.send(frame(Frame::Reset, 0, 1, number(8, 4))));
        QVERIFY(runUntil(*mesh.loop, [&] {
            return mesh.origin.abandoned() == 1 && mesh.origin.open() == 1;
        }));
    }

    void anAnswerThatBreaksOffIsAReset()
    {
        Mesh mesh;
        QVERIFY(mesh.begin());
        mesh.origin.behave(Fault::LengthTooLong);
        H2Raw client(*mesh.loop, mesh.proxy);
        QVERIFY(client.send(request(1, "/api/x")));
        const auto reset = client.waitFor(Frame::Reset, 1);
        QVERIFY(reset);
        QCOMPARE(reset->word(0), kInternalError);
        mesh.origin.behave(Fault::None);
        QVERIFY(client.send(request(3, "/api/x")));
        QVERIFY(client.waitForEndOf(3));
    }

    void bodiesWaitForTheClientsWindow()
    {
        Mesh mesh;
        QVERIFY(mesh.begin());
        Behaviour large;
        large.body = std::string(3'000'000, 'x');
        mesh.origin.behave(large);
        H2Raw client(*mesh.loop, mesh.proxy); // Windows of 65535 bytes.
        QVERIFY(client.send(request(1, "/api/x")));
        QVERIFY(client.waitFor([&](const HeardFrame&) { return client.body(1).size() == 65'535; }));
        QVERIFY(client.send(frame(Frame::Window, 0, 0, number(5'000'000, 4))));
        QVERIFY(client.send(frame(Frame::Window, 0, 1, number(100'000, 4))));
        QVERIFY(client.waitFor([&](const HeardFrame&) { return client.body(1).size() == 165'535; })
        );
        QVERIFY(client.send(frame(Frame::Window, 0, 1, number(4'000'000, 4))));
        QVERIFY(client.waitForEndOf(1));
        QCOMPARE(client.body(1), large.body);
    }

    void theWindowOpensAsTheUpstreamReads()
    {
        Mesh mesh;
        QVERIFY(mesh.begin());
        H2Raw client(*mesh.loop, mesh.proxy);
        QVERIFY(client.send(post(1)));
        std::size_t sent = 0;
        std::size_t window = 65'536; // As our SETTINGS say.
        const std::string piece(16'000, 'x');
        std::size_t seen = 0;
        while (sent < 1'000'000) {
            if (window >= piece.size()) {
                QVERIFY(client.send(frame(Frame::Data, 0, 1, piece)));
                sent += piece.size();
                window -= piece.size();
                continue;
            }
            QVERIFY(client.waitFor([&](const HeardFrame&) { return client.frames().size() > seen; })
            );
            for (; seen < client.frames().size(); ++seen) {
                const HeardFrame& heard = client.frames()[seen];
                if (heard.type == Frame::Window && heard.stream == 1) {
                    window += heard.word(0);
                }
            }
        }
        QVERIFY(client.send(frame(Frame::Data, kEndStream, 1)));
        QVERIFY(client.waitForEndOf(1));
        const auto received = mesh.origin.takeReceived();
        QCOMPARE(received.size(), 1U);
        QCOMPARE(received[0].body.size(), sent);
        QCOMPARE(received[0].header("transfer-encoding"), "chunked");
    }

    void expectationsAreMetBeforeTheBody()
    {
        Mesh mesh;
        QVERIFY(mesh.begin());
        H2Raw client(*mesh.loop, mesh.proxy);
        QVERIFY(client.send(post(1, {{"expect", "100-continue"}, {"content-length", "3"}})));
        const auto interim = client.waitFor(Frame::Headers, 1);
        QVERIFY(interim);
        QCOMPARE(interim->flags & kEndStream, 0);
        QVERIFY(client.send(frame(Frame::Data, kEndStream, 1, "abc")));
        QVERIFY(client.waitForEndOf(1));
    }

    // The client would take 2xx for its tunnel, and the page behind it for frames.
    void anUpgradeThatTheOriginIgnoresIsNoSuccess_data()
    {
        QTest::addColumn<int>("bodyBytes");
        QTest::newRow("small") << 100;
        QTest::newRow("large") << 1'000'000;
    }
    void anUpgradeThatTheOriginIgnoresIsNoSuccess()
    {
        QFETCH(int, bodyBytes);
        Mesh mesh;
        QVERIFY(mesh.begin());
        Behaviour page;
        page.body = std::string(static_cast<std::size_t>(bodyBytes), 'x');
        mesh.origin.behave(page);
        H2Raw client(*mesh.loop, mesh.proxy);
        QVERIFY(client.send(webSocket(1, "/api/x")));
        const auto head = client.waitFor(Frame::Headers, 1);
        QVERIFY(head);
        QVERIFY(head->payload.find("\x48\x82\x6c\x02") != std::string::npos); // :status 502
        QVERIFY(client.waitForEndOf(1));
        QVERIFY(client.waitFor(Frame::Reset, 1));
        mesh.origin.behave(Fault::None);
        QVERIFY(client.send(request(3, "/api/x")));
        QVERIFY(client.waitForEndOf(3));
        QCOMPARE(client.body(1), "");
        QCOMPARE(client.body(3), "origin");
    }

    void anUpgradeThatTheOriginRefusesIsToldWithItsWords()
    {
        Mesh mesh;
        QVERIFY(mesh.begin());
        Behaviour refusal;
        refusal.status = 403;
        mesh.origin.behave(refusal);
        H2Raw client(*mesh.loop, mesh.proxy);
        QVERIFY(client.send(webSocket(1, "/api/x")));
        QVERIFY(client.waitForEndOf(1));
        QCOMPARE(client.body(1), "origin");
    }

    void anAnswerThatWaitsForAClosedWindowIsGivenUp()
    {
        Mesh mesh;
        mesh.timeouts.clientIdle = std::chrono::milliseconds(500);
        mesh.timeouts.clientBody = std::chrono::milliseconds(200);
        QVERIFY(mesh.begin());
        H2Raw client(*mesh.loop, mesh.proxy, kNoWindow);
        QVERIFY(client.send(request(1, "/api/x") + request(3, "/api/x")));
        for (const std::uint32_t stream : {1U, 3U}) {
            const auto reset = client.waitFor(Frame::Reset, stream);
            QVERIFY(reset);
            QCOMPARE(reset->word(0), kCancel);
        }
        const auto away = client.waitFor(Frame::GoAway, 0); // Idle then, as any other.
        QVERIFY(away);
        QCOMPARE(away->word(4), 0U);
        QVERIFY(client.waitForEnd());
        QVERIFY(mesh.isLimited("stalled_answers", 2));
    }

    void aWindowThatOpensSlowlyIsServedToTheEnd()
    {
        Mesh mesh;
        mesh.timeouts.clientIdle = std::chrono::milliseconds(300);
        mesh.timeouts.clientBody = std::chrono::milliseconds(900);
        QVERIFY(mesh.begin());
        H2Raw client(*mesh.loop, mesh.proxy, kNoWindow);
        QVERIFY(client.send(request(1, "/api/x") + request(3, "/api/y")));
        const std::string whole = "origin";
        for (std::size_t count = 0; count < whole.size(); ++count) {
            QVERIFY(client.waitFor([&](const HeardFrame&) { return client.body(1).size() == count; }
            ));
            // Longer than the driver stays, shorter than what is given up.
            runUntil(
                *mesh.loop, [] { return false; }, std::chrono::milliseconds(400)
            );
            QVERIFY(client.send(frame(Frame::Window, 0, 1, number(1, 4))));
        }
        QVERIFY(client.waitForEndOf(1));
        QCOMPARE(client.body(1), whole);
        QVERIFY(client.waitFor(Frame::Reset, 3)); // The other had its time meanwhile.
    }

    void drainingDoesNotWaitForAClosedWindow()
    {
        Mesh mesh;
        mesh.timeouts.clientBody = std::chrono::milliseconds(200);
        QVERIFY(mesh.begin());
        H2Raw client(*mesh.loop, mesh.proxy, kNoWindow);
        QVERIFY(client.send(request(1, "/api/x")));
        QVERIFY(client.waitFor(Frame::Headers, 1));
        std::unique_ptr<api::Engine> engine = std::move(mesh.engine);
        Thread stopper("stopper", [&engine] { engine->stop(std::chrono::seconds(60)); });
        QVERIFY(client.waitFor(Frame::Ping, 0));
        QVERIFY(client.send(frame(Frame::Ping, kEndStream, 0, std::string(8, '\0'))));
        const bool hasReset = client.waitFor(Frame::Reset, 1).has_value();
        const bool hasEnded = client.waitForEnd();
        client.socket().close();
        stopper.join();
        QVERIFY(hasReset);
        QVERIFY(hasEnded);
    }

    // Bytes that bring no request forward do not keep a connection.
    void whoDripsAHeadIsSentAway_data()
    {
        QTest::addColumn<QByteArray>("begin");
        QTest::addColumn<QByteArray>("drip");
        const auto row = [](const char* name, std::string_view begin, std::string_view drip) {
            QTest::newRow(name) << QByteArray(begin.data(), static_cast<int>(begin.size()))
                                << QByteArray(drip.data(), static_cast<int>(drip.size()));
        };
        const std::string start = std::string(kH2Preface) + frame(Frame::Settings, 0, 0);
        row("preface", kH2Preface.substr(0, 16), kH2Preface.substr(16, 7));
        row("settings", kH2Preface, frame(Frame::Settings, 0, 0).substr(0, 8));
        row("head", start, frame(Frame::Headers, 0, 1, encoded({{"a", std::string(100, 'x')}})));
        row("head in the end",
            start + frame(Frame::Headers, 0, 1, encoded(getOf("/api/x"))),
            frame(Frame::Continuation, 0, 1, std::string(100, 'x')));
        row("pings", start, frame(Frame::Ping, 0, 0, "12345678"));
    }
    void whoDripsAHeadIsSentAway()
    {
        QFETCH(QByteArray, begin);
        QFETCH(QByteArray, drip);
        Mesh mesh;
        mesh.timeouts.clientIdle = std::chrono::milliseconds(300);
        QVERIFY(mesh.begin());
        RawSocket client(mesh.proxy);
        QVERIFY(client.send(*mesh.loop, begin.toStdString()));
        const std::string bytes = drip.toStdString();
        const bool isRepeated = bytes.size() == 17; // Whole frames.
        std::size_t at = 0;
        const bool hasEnded = runUntil(*mesh.loop, [&] {
            runUntil(
                *mesh.loop,
                [&] {
                    client.receive();
                    return client.hasEnded() || client.wasReset();
                },
                std::chrono::milliseconds(isRepeated ? 10 : 100)
            );
            if (isRepeated) {
                client.send(*mesh.loop, bytes);
            } else if (at < bytes.size()) {
                client.send(*mesh.loop, bytes.substr(at++, 1));
            }
            return client.hasEnded() || client.wasReset();
        });
        QVERIFY(hasEnded);
        QVERIFY(isRepeated || at < bytes.size()); // Before it has said all.
        QVERIFY(mesh.serves());
    }

    void anIdleConnectionKeepsNoLargeHeads()
    {
        constexpr std::size_t kConnections = 4;
        Mesh mesh;
        QVERIFY(mesh.begin());
        Behaviour slow;
        slow.delay = std::chrono::milliseconds(100); // So that all streams of one are at work.
        mesh.origin.behave(slow);
        FieldList fields = getOf("/api/x");
        for (int at = 0; at < 4; ++at) {
            fields.emplace_back("a", std::string(14'000, 'x'));
        }
        const std::string block = encoded(fields);
        std::string burst;
        for (std::uint32_t stream = 1; stream < kH2SpareStreamsMax * 2; stream += 2) {
            for (std::size_t at = 0; at < block.size(); at += 16'000) {
                const std::uint8_t end = at + 16'000 >= block.size() ? kEndHeaders : 0;
                burst += frame(
                    at == 0 ? Frame::Headers : Frame::Continuation,
                    static_cast<std::uint8_t>(at == 0 ? end | kEndStream : end),
                    stream,
                    block.substr(at, 16'000)
                );
            }
        }
        std::vector<std::unique_ptr<H2Raw>> clients;
        std::vector<std::size_t> inUse;
        for (std::size_t at = 0; at <= kConnections; ++at) { // The first warms everything up.
            clients.push_back(std::make_unique<H2Raw>(*mesh.loop, mesh.proxy));
            QVERIFY(clients.back()->send(burst));
            for (std::uint32_t stream = 1; stream < kH2SpareStreamsMax * 2; stream += 2) {
                QVERIFY(clients.back()->waitForEndOf(stream));
            }
            QCOMPARE(mesh.origin.takeReceived().size(), kH2SpareStreamsMax); // They weigh as much.
            inUse.push_back(mallinfo2().uordblks);
        }
        const std::size_t each = (inUse.back() - inUse.front()) / kConnections;
        QVERIFY2(each < 400'000, std::to_string(each).c_str()); // Of 1 MB that they said.
    }

    void anIdleConnectionIsToldToGo()
    {
        Mesh mesh;
        mesh.timeouts.clientIdle = std::chrono::milliseconds(50);
        QVERIFY(mesh.begin());
        H2Raw client(*mesh.loop, mesh.proxy);
        const auto away = client.waitFor(Frame::GoAway, 0);
        QVERIFY(away);
        QCOMPARE(away->word(4), 0U);
        QVERIFY(client.waitForEnd());
    }

    void drainingServesWhatWasBegun()
    {
        Mesh mesh;
        QVERIFY(mesh.begin());
        Behaviour slow;
        slow.delay = std::chrono::milliseconds(200);
        mesh.origin.behave(slow);
        H2Raw client(*mesh.loop, mesh.proxy);
        H2Raw idle(*mesh.loop, mesh.proxy);
        QVERIFY(idle.waitFor(Frame::Settings, 0));
        QVERIFY(client.send(request(1, "/api/x")));
        QVERIFY(runUntil(*mesh.loop, [&] { return mesh.origin.requests() == 1; }));
        std::unique_ptr<api::Engine> engine = std::move(mesh.engine);
        Thread stopper("stopper", [&engine] { engine->stop(std::chrono::seconds(5)); });
        const auto notice = client.waitFor(Frame::GoAway, 0);
        QVERIFY(notice);
        QCOMPARE(notice->word(0), 0x7fffffffU);
        for (H2Raw* heard : {&client, &idle}) {
            QVERIFY(heard->waitFor(Frame::Ping, 0));
            QVERIFY(heard->send(frame(Frame::Ping, kEndStream, 0, std::string(8, '\0'))));
        }
        QVERIFY(client.waitFor([](const HeardFrame& heard) {
            return heard.type == Frame::GoAway && heard.word(0) == 1;
        }));
        client.send(request(3, "/api/late"));
        QVERIFY(client.waitForEndOf(1));
        QVERIFY(client.waitForEnd());
        QCOMPARE(client.body(1), "origin");
        QCOMPARE(mesh.origin.requests(), 1U);
        client.socket().close();
        QVERIFY(idle.waitForEnd());
        idle.socket().close();
        stopper.join();
    }

    void anUpgradeFromHttp1IsServed()
    {
        Mesh mesh;
        QVERIFY(mesh.begin());
        RawSocket client(mesh.proxy);
        QVERIFY(client.send(
            *mesh.loop,
            "GET /api/up HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n"
            "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n"
        ));
        QVERIFY(client.waitFor(*mesh.loop, "HTTP/1.1 101 Switching Protocols\r\n"));
        QVERIFY(client.send(
            *mesh.loop,
            std::string(kH2Preface) + frame(Frame::Settings, 0, 0) + request(3, "/api/x")
        ));
        QVERIFY(runUntil(*mesh.loop, [&] {
            client.receive();
            const std::size_t first = client.heard().find("origin");
            return first != std::string::npos
                   && client.heard().find("origin", first + 1) != std::string::npos;
        }));
        const auto received = mesh.origin.takeReceived();
        QCOMPARE(received[0].target, "/base/up");
        QVERIFY(received[0].header("http2-settings").empty());
    }

    void anUpgradeWithBrokenSettingsIsDropped()
    {
        Mesh mesh;
        QVERIFY(mesh.begin());
        RawSocket client(mesh.proxy);
        QVERIFY(client.send(
            *mesh.loop,
            "GET /api/up HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n"
            "Upgrade: h2c\r\nHTTP2-Settings: %%%\r\n\r\n"
        ));
        QVERIFY(client.waitForEnd(*mesh.loop));
        QVERIFY(mesh.serves());
    }
};

QTEST_APPLESS_MAIN(H2FramesTest)
#include "h2_frames_test.moc"
