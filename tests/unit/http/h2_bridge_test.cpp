#include "proxyengine/http/h2_bridge.h"

#include <QTest>

#include <string>
#include <vector>

using namespace mesh;
using namespace mesh::http;

namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

const Fields kGet = {
    {":method", "GET"}, {":scheme", "https"}, {":authority", "shop.test"}, {":path", "/a?b=c"}};

// The text, or the fault in words.
std::string requestText(const Fields& fields, StreamEnds ends = StreamEnds::Yes)
{
    H2HeadReader reader;
    reader.beginRequest();
    for (const auto& [name, value] : fields) {
        reader.add(name, value);
    }
    return reader.finish(ends) ? std::string(reader.text()) : std::string(toText(reader.fault()));
}

std::string responseText(
    const Fields& fields, StreamEnds ends = StreamEnds::No, Method request = Method::Get
)
{
    H2HeadReader reader;
    reader.beginResponse(request, "accepted");
    for (const auto& [name, value] : fields) {
        reader.add(name, value);
    }
    return reader.finish(ends) ? std::string(reader.text()) : std::string(toText(reader.fault()));
}

Fields with(Fields fields, const std::string& name, const std::string& value)
{
    fields.emplace_back(name, value);
    return fields;
}

Fields without(Fields fields, const std::string& name)
{
    std::erase_if(fields, [&](const auto& field) { return field.first == name; });
    return fields;
}

// What a reader says of a message that comes in pieces of this size, in one line.
std::string told(MessageRole role, std::string_view bytes, std::size_t piece, Method asked)
{
    H1HeadRoom room;
    H1MessageReader reader(role, room);
    reader.expect(asked);
    std::string out;
    while (true) {
        std::string_view part = bytes.substr(0, piece);
        bytes.remove_prefix(part.size());
        for (bool isMore = true; isMore;) {
            const auto step = reader.next(part);
            part.remove_prefix(step.consumed);
            switch (step.event) {
            case H1MessageReader::Event::NeedMore:
                isMore = false;
                break;
            case H1MessageReader::Event::Head:
            case H1MessageReader::Event::Trailers:
                out += step.event == H1MessageReader::Event::Head ? "H" : "T";
                for (const H2Field& field : reader.fields()) {
                    out += "|" + std::string(field.name) + "=" + std::string(field.value);
                }
                out += "\n";
                break;
            case H1MessageReader::Event::Data:
                if (!out.ends_with("~")) {
                    out += "D~";
                }
                out.pop_back();
                out += std::string(step.data) + "~";
                break;
            case H1MessageReader::Event::End:
                out += "E";
                break;
            case H1MessageReader::Event::Refused:
                return out + "R:" + reader.reason();
            }
        }
        if (bytes.empty()) {
            return out;
        }
    }
}

} // namespace

class H2BridgeTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aRequestBecomesItsText_data()
    {
        QTest::addColumn<Fields>("fields");
        QTest::addColumn<bool>("ends");
        QTest::addColumn<std::string>("text");
        const std::string line = "GET /a?b=c HTTP/1.1\r\nhost: shop.test\r\n";
        QTest::newRow("plain") << kGet << true << line + "\r\n";
        QTest::newRow("field") << with(kGet, "accept", "*/*") << true
                               << line + "accept: */*\r\n\r\n";
        QTest::newRow("body of unknown length")
            << with(kGet, "x", "y") << false << line + "x: y\r\ntransfer-encoding: chunked\r\n\r\n";
        QTest::newRow("body of known length")
            << with(kGet, "content-length", "12") << false << line + "content-length: 12\r\n\r\n";
        QTest::newRow("gRPC is chunked, because trailers may come")
            << with(with(kGet, "content-type", "application/grpc"), "content-length", "12") << false
            << line + "content-type: application/grpc\r\ntransfer-encoding: chunked\r\n\r\n";
        QTest::newRow("cookies are joined") << with(with(kGet, "cookie", "a=1"), "cookie", "b=2")
                                            << true << line + "cookie: a=1; b=2\r\n\r\n";
        QTest::newRow("te: trailers passes") << with(kGet, "te", "trailers") << true
                                             << line + "te: trailers\r\nconnection: te\r\n\r\n";
        QTest::newRow("host that agrees")
            << with(kGet, "host", "SHOP.test") << true << line + "\r\n";
        QTest::newRow("host alone")
            << with(without(kGet, ":authority"), "host", "other.test") << true
            << std::string("GET /a?b=c HTTP/1.1\r\nhost: other.test\r\n\r\n");
        const Fields webSocket = {
            {":method", "CONNECT"},
            {":protocol", "websocket"},
            {":scheme", "https"},
            {":path", "/chat"},
            {":authority", "shop.test"},
            {"sec-websocket-version", "13"}};
        QTest::newRow("extended CONNECT")
            << webSocket << false
            << std::string("GET /chat HTTP/1.1\r\nhost: shop.test\r\nsec-websocket-version: 13\r\n"
                           "connection: Upgrade\r\nupgrade: websocket\r\n"
                           "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");
        QTest::newRow("options of all") << Fields{
            {":method", "OPTIONS"},
            {":scheme", "http"},
            {":path", "*"},
            {":authority", "a"}} << true << std::string("OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n");
    }
    void aRequestBecomesItsText()
    {
        QFETCH(Fields, fields);
        QFETCH(bool, ends);
        QFETCH(std::string, text);
        QCOMPARE(requestText(fields, ends ? StreamEnds::Yes : StreamEnds::No), text);
    }

    void hostileFieldsAreRefused_data()
    {
        using namespace std::string_literals;
        QTest::addColumn<Fields>("fields");
        QTest::addColumn<std::string>("fault");
        const auto row = [](const char* name, const Fields& fields, H2Fault fault) {
            QTest::newRow(name) << fields << std::string(toText(fault));
        };
        row("CR LF in a value", with(kGet, "a", "b\r\nc: d"), H2Fault::BadValue);
        row("LF in a value", with(kGet, "a", "b\nc"), H2Fault::BadValue);
        row("NUL in a value", with(kGet, "a", "b\0c"s), H2Fault::BadValue);
        row("blank at an end", with(kGet, "a", "b "), H2Fault::BadValue);
        row("CR LF in a name", with(kGet, "a\r\nb", "c"), H2Fault::BadName);
        row("colon in a name", with(kGet, "a:b", "c"), H2Fault::BadName);
        row("upper case", with(kGet, "Accept", "c"), H2Fault::BadName);
        row("no name", with(kGet, "", "c"), H2Fault::BadName);
        row("CR LF in the path",
            with(without(kGet, ":path"), ":path", "/ HTTP/1.1\r\nx: y"),
            H2Fault::BadValue);
        row("space in the path",
            with(without(kGet, ":path"), ":path", "/ HTTP/1.1"),
            H2Fault::BadPseudoField);
        row("no path", with(without(kGet, ":path"), ":path", ""), H2Fault::BadPseudoField);
        row("relative path", with(without(kGet, ":path"), ":path", "a"), H2Fault::BadPseudoField);
        row("method with a space",
            with(without(kGet, ":method"), ":method", "GET /x"),
            H2Fault::BadPseudoField);
        row("scheme of another kind",
            with(without(kGet, ":scheme"), ":scheme", "ftp"),
            H2Fault::BadPseudoField);
        row("user in the authority",
            with(without(kGet, ":authority"), ":authority", "me@shop.test"),
            H2Fault::BadPseudoField);
        row("pseudo-field behind a regular one",
            with(with(kGet, "a", "b"), ":path", "/"),
            H2Fault::LatePseudoField);
        row("pseudo-field twice", with(kGet, ":path", "/"), H2Fault::RepeatedPseudoField);
        row("pseudo-field of answers", with(kGet, ":status", "200"), H2Fault::UnknownPseudoField);
        row("unknown pseudo-field", with(kGet, ":x", "200"), H2Fault::UnknownPseudoField);
        row("no method", without(kGet, ":method"), H2Fault::MissingPseudoField);
        row("no scheme", without(kGet, ":scheme"), H2Fault::MissingPseudoField);
        row("connection", with(kGet, "connection", "close"), H2Fault::ConnectionField);
        row("keep-alive", with(kGet, "keep-alive", "1"), H2Fault::ConnectionField);
        row("proxy-connection", with(kGet, "proxy-connection", "x"), H2Fault::ConnectionField);
        row("upgrade", with(kGet, "upgrade", "websocket"), H2Fault::ConnectionField);
        row("transfer-encoding",
            with(kGet, "transfer-encoding", "chunked"),
            H2Fault::ConnectionField);
        row("te of codings", with(kGet, "te", "gzip"), H2Fault::BadTe);
        row("length that is none", with(kGet, "content-length", "1x"), H2Fault::BadContentLength);
        row("negative length", with(kGet, "content-length", "-1"), H2Fault::BadContentLength);
        row("length without a body", with(kGet, "content-length", "5"), H2Fault::BadContentLength);
        row("two lengths",
            with(with(kGet, "content-length", "0"), "content-length", "1"),
            H2Fault::BadContentLength);
        row("host that disagrees", with(kGet, "host", "other.test"), H2Fault::HostDisagrees);
        row("two hosts",
            with(with(without(kGet, ":authority"), "host", "a.test"), "host", "b.test"),
            H2Fault::HostDisagrees);
        row("plain CONNECT",
            with(without(kGet, ":method"), ":method", "CONNECT"),
            H2Fault::BadConnect);
        row("protocol of a GET", with(kGet, ":protocol", "websocket"), H2Fault::BadConnect);
        row("large list", with(kGet, "a", std::string(kHeadBytesMax, 'x')), H2Fault::TooLarge);
        Fields many = kGet;
        for (std::size_t at = 0; at < kHeadersMax; ++at) {
            many.emplace_back("a", "b");
        }
        row("many fields", many, H2Fault::TooLarge);
    }
    void hostileFieldsAreRefused()
    {
        QFETCH(Fields, fields);
        QFETCH(std::string, fault);
        QCOMPARE(requestText(fields), fault);
    }

    void whatPassesIsProperHttp1()
    {
        const std::string text = requestText(with(kGet, "x", "\x80\xff"), StreamEnds::No);
        RequestParser parser;
        RequestHead head;
        QCOMPARE(parser.parse(text, head), ParseStatus::Done);
        QCOMPARE(head.host(), "shop.test");
        QCOMPARE(head.body.kind, BodyFraming::Kind::Chunked);
        QCOMPARE(head.size, text.size());
    }

    void anAnswerBecomesItsText()
    {
        QCOMPARE(
            responseText({{":status", "200"}, {"content-length", "3"}}),
            "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n"
        );
        QCOMPARE(
            responseText({{":status", "404"}, {"a", "b"}}, StreamEnds::Yes),
            "HTTP/1.1 404 Not Found\r\na: b\r\ncontent-length: 0\r\n\r\n"
        );
        QCOMPARE(
            responseText({{":status", "200"}}),
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        QCOMPARE(
            responseText({{":status", "204"}}, StreamEnds::Yes), "HTTP/1.1 204 No Content\r\n\r\n"
        );
        QCOMPARE(
            responseText({{":status", "304"}, {"content-length", "9"}}, StreamEnds::Yes),
            "HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n"
        );
        QCOMPARE(
            responseText(
                {{":status", "200"}, {"content-length", "9"}}, StreamEnds::Yes, Method::Head
            ),
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"
        );
        QCOMPARE(
            responseText({{":status", "103"}, {"link", "x"}}),
            "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
        );
        QCOMPARE(
            responseText({{":status", "200"}}, StreamEnds::No, Method::Connect),
            "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
            "sec-websocket-accept: accepted\r\n\r\n"
        );
        QCOMPARE(responseText({{":status", "101"}}), toText(H2Fault::BadPseudoField));
        QCOMPARE(responseText({{":status", "20"}}), toText(H2Fault::BadPseudoField));
        QCOMPARE(responseText({{"a", "b"}}), toText(H2Fault::MissingPseudoField));
    }

    void trailersAreLinesWithoutTheFieldsOfFraming()
    {
        H2HeadReader reader;
        reader.beginTrailers();
        reader.add("grpc-status", "0");
        reader.add("content-length", "5");
        QVERIFY(reader.finish(StreamEnds::Yes));
        QCOMPARE(reader.text(), "grpc-status: 0\r\n");
        H1BodyWriter body;
        body.start({BodyFraming::Kind::Chunked, 0});
        std::string text;
        body.end(reader.text(), text);
        QCOMPARE(text, "0\r\ngrpc-status: 0\r\n\r\n");
        reader.beginTrailers();
        QVERIFY(!reader.add(":status", "200"));
    }

    void aBodyIsHeldToItsLength()
    {
        H1BodyWriter body;
        body.start({BodyFraming::Kind::Length, 5});
        QVERIFY(body.receive(3));
        QVERIFY(!body.isComplete());
        QVERIFY(!body.receive(3));
        QVERIFY(body.receive(2));
        QVERIFY(body.isComplete());
        body.start({});
        QVERIFY(body.receive(0));
        QVERIFY(!body.receive(1));
    }

    void aChunkedBodyIsHeldToTheLengthThatWasAnnounced()
    {
        H2HeadReader reader;
        reader.beginRequest();
        for (const auto& [name, value] :
             with(with(kGet, "content-length", "5"), "trailer", "x-sum")) {
            reader.add(name, value);
        }
        QVERIFY(reader.finish(StreamEnds::No));
        QVERIFY(reader.framing().kind == BodyFraming::Kind::Chunked);
        H1BodyWriter body;
        body.start(reader.framing(), reader.announced());
        QVERIFY(body.receive(3));
        QVERIFY(!body.isComplete());
        QVERIFY(!body.receive(3));
        QVERIFY(body.receive(2));
        QVERIFY(body.isComplete());
        body.start(reader.framing(), std::nullopt);
        QVERIFY(body.receive(50));
        QVERIFY(body.isComplete());
    }

    void aWebSocketKeyIsAccepted()
    {
        // Source: RFC 6455, 1.3.
        QCOMPARE(webSocketAcceptOf("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    void chunksFitTheirRoom()
    {
        H1BodyWriter body;
        body.start({BodyFraming::Kind::Chunked, 0});
        std::array<char, 32> room{};
        const auto whole = body.write("hello", room);
        QCOMPARE(whole.taken, 5U);
        QCOMPARE(std::string_view(room.data(), whole.written), "5\r\nhello\r\n");
        const std::string large(100, 'x');
        const auto part = body.write(large, room);
        QVERIFY(part.taken > 0 && part.taken < large.size() && part.written <= room.size());
        QCOMPARE(body.write("hello", std::span(room).first(5)).taken, 0U);
    }

    void messagesOfTheDriverAreTold_data()
    {
        QTest::addColumn<std::string>("bytes");
        QTest::addColumn<std::string>("events");
        QTest::newRow("length") << std::string("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n"
                                               "Connection: keep-alive\r\n\r\nhello")
                                << std::string("H|:status=200|content-length=5|x-a=b\nDhello~E");
        QTest::newRow("no body, then the next")
            << std::string("HTTP/1.1 304 Not Modified\r\nEtag: x\r\n\r\n"
                           "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            << std::string("H|:status=304|etag=x\nEH|:status=200|content-length=0\nE");
        QTest::newRow("interim") << std::string("HTTP/1.1 100 Continue\r\n\r\n"
                                                "HTTP/1.1 204 No Content\r\n\r\n")
                                 << std::string("H|:status=100\nH|:status=204\nE");
        QTest::newRow("chunks and trailers")
            << std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n"
                           "3;q=1\r\nabc\r\n2\r\nde\r\n0\r\nGrpc-Status: 0\r\nb:  c \r\n\r\n")
            << std::string("H|:status=200\nDabcde~T|grpc-status=0|b=c\nE");
        QTest::newRow("until close")
            << std::string("HTTP/1.1 200 OK\r\n\r\nabc") << std::string("H|:status=200\nDabc~");
        QTest::newRow("listed in Connection") << std::string(
            "HTTP/1.1 200 OK\r\nConnection: X-Own\r\nX-Own: 1\r\nContent-Length: 0\r\n\r\n"
        ) << std::string("H|:status=200|content-length=0\nE");
        QTest::newRow("an upgrade that nobody asked for")
            << std::string("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")
            << std::string("R:101 to a request that asked for no upgrade");
        QTest::newRow("malformed chunk")
            << std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
            << std::string("H|:status=200\nR:malformed chunk size");
    }
    void messagesOfTheDriverAreTold()
    {
        QFETCH(std::string, bytes);
        QFETCH(std::string, events);
        for (const std::size_t piece : {bytes.size(), std::size_t{1}, std::size_t{7}}) {
            QCOMPARE(told(MessageRole::Response, bytes, piece, Method::Get), events);
        }
    }

    void requestsOfTheDriverAreTold()
    {
        const std::string bytes = "POST /a HTTP/1.1\r\nHost: shop.test\r\nTE: trailers\r\n"
                                  "Connection: TE\r\nTransfer-Encoding: chunked\r\n\r\n"
                                  "3\r\nabc\r\n0\r\n\r\n";
        QCOMPARE(
            told(MessageRole::Request, bytes, bytes.size(), Method::Get),
            "H|:method=POST|:scheme=http|:path=/a|:authority=shop.test|te=trailers\nDabc~E"
        );
        const std::string upgrade = "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
                                    "Connection: Upgrade\r\nSec-WebSocket-Key: k\r\n"
                                    "Sec-WebSocket-Version: 13\r\n\r\nraw";
        QCOMPARE(
            told(MessageRole::Request, upgrade, upgrade.size(), Method::Get),
            "H|:method=CONNECT|:protocol=websocket|:scheme=http|:path=/chat|:authority=a"
            "|sec-websocket-version=13\nDraw~"
        );
    }

    void aTunnelsAnswerIs200()
    {
        const std::string bytes = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                  "Connection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\nraw";
        QCOMPARE(
            told(MessageRole::Response, bytes, bytes.size(), Method::Connect),
            "H|:status=200\nDraw~"
        );
        QCOMPARE(
            told(
                MessageRole::Response,
                "HTTP/1.1 404 No\r\nContent-Length: 1\r\n\r\nx",
                9,
                Method::Connect
            ),
            "H|:status=404|content-length=1\nDx~E"
        );
    }
};

QTEST_APPLESS_MAIN(H2BridgeTest)
#include "h2_bridge_test.moc"
