// Goal: every rule of RFC 9112 and security.md 5.1 for request heads: what is read, what is
// refused. Method: one row per case; each is parsed whole, byte by byte, and cut in two at every
// place.
#include "proxyengine/base/limits.h"
#include "proxyengine/http/parser.h"

#include <QTest>

#include <string>

namespace mesh::http {
namespace {

// Printable outcome: "GET /a h=host body=none keep" or "refused 400: reason" or "more".
QByteArray describe(ParseStatus status, const RequestHead& head, const Refusal& refusal)
{
    if (status == ParseStatus::NeedMore) {
        return "more";
    }
    if (status == ParseStatus::Refused) {
        return "refused " + QByteArray::number(refusal.status) + ": " + refusal.reason;
    }
    const auto text = [](std::string_view view) {
        return QByteArray(view.data(), static_cast<qsizetype>(view.size()));
    };
    QByteArray result = text(head.methodText()) + ' ' + text(head.path()) + ' ' + text(head.host());
    if (head.body.kind == BodyFraming::Kind::Length) {
        result += " length=" + QByteArray::number(static_cast<qulonglong>(head.body.length));
    } else if (head.body.kind == BodyFraming::Kind::Chunked) {
        result += " chunked";
    }
    result += head.keepsAlive ? "" : " close";
    result += head.expectsContinue ? " continue" : "";
    result += head.upgradesToWebSocket ? " websocket" : "";
    result += head.acceptsTrailers ? " trailers" : "";
    return result;
}

QByteArray parseWhole(const QByteArray& input)
{
    RequestParser parser;
    RequestHead head;
    const std::string bytes = input.toStdString();
    const ParseStatus status = parser.parse(bytes, head);
    return describe(status, head, parser.refusal());
}

// The bytes arrive in two parts, at another place in memory the second time.
QByteArray parseCut(const QByteArray& input, qsizetype at)
{
    RequestParser parser;
    RequestHead head;
    const std::string first = input.left(at).toStdString();
    ParseStatus status = parser.parse(first, head);
    const std::string all = input.toStdString();
    if (status == ParseStatus::NeedMore) {
        status = parser.parse(all, head);
    }
    return describe(status, head, parser.refusal());
}

QByteArray parseByteByByte(const QByteArray& input)
{
    RequestParser parser;
    RequestHead head;
    const std::string all = input.toStdString();
    ParseStatus status = ParseStatus::NeedMore;
    for (std::size_t count = 0; count <= all.size() && status == ParseStatus::NeedMore; ++count) {
        status = parser.parse(std::string_view(all).substr(0, count), head);
    }
    return describe(status, head, parser.refusal());
}

} // namespace

class RequestParserTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsOrRefuses_data();
    void readsOrRefuses();
    void saysWhereTheBodyBegins();
    void marksFieldsThatAreNotToBeForwarded();
    void findsFieldsByIdAndByName();
    void holdsItsLimits_data();
    void holdsItsLimits();
    void readsTheNextHeadAfterOne();
};

void RequestParserTest::readsOrRefuses_data()
{
    QTest::addColumn<QByteArray>("input");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char* name, const QByteArray& input, const char* expected) {
        QTest::newRow(name) << input << QByteArray(expected);
    };
    // A request with this line and these fields after a Host.
    const auto withField = [](const QByteArray& fields) {
        return QByteArray("POST /a HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n");
    };
    const auto withLine = [](const QByteArray& line) {
        return QByteArray(line + "\r\nHost: h\r\n\r\n");
    };

    row("simple", "GET /a?b=c HTTP/1.1\r\nHost: shop:80\r\n\r\n", "GET /a?b=c shop:80");
    row("HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", "GET /  close");
    row("HTTP/1.0 kept", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "GET / ");
    row("HTTP/1.2 is 1.1", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", "GET / h");
    row("one empty line before", "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / h");
    row("close", withField("Connection: foo, Close\r\n"), "POST /a h close");
    row("length", withField("Content-Length: 12\r\n"), "POST /a h length=12");
    row("length zero", withField("Content-Length: 0\r\n"), "POST /a h");
    row("chunked", withField("Transfer-Encoding: Chunked\r\n"), "POST /a h chunked");
    row("blanks around a value", withField("Content-Length:\t 7 \t\r\n"), "POST /a h length=7");
    row("expect", withField("Expect: 100-Continue\r\n"), "POST /a h continue");
    row("trailers", withField("TE: gzip;q=0.5, trailers\r\n"), "POST /a h trailers");
    row("websocket",
        "GET /w HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: "
        "WebSocket\r\n\r\n",
        "GET /w h websocket");
    row("upgrade not named by Connection", withField("Upgrade: websocket\r\n"), "POST /a h");
    row("absolute target", withLine("GET http://other:81/x?y HTTP/1.1"), "GET /x?y other:81");
    row("absolute target without path", withLine("GET HTTP://other HTTP/1.1"), "GET / other");
    row("connect", withLine("CONNECT a:443 HTTP/1.1"), "CONNECT a:443 a:443");
    row("options of the server", withLine("OPTIONS * HTTP/1.1"), "OPTIONS * h");
    row("own method", withLine("PURGE /a HTTP/1.1"), "PURGE /a h");
    row("IPv6 host", "GET / HTTP/1.1\r\nHost: [::1]:8000\r\n\r\n", "GET / [::1]:8000");
    row("bytes above 127 in a value", withField("X: \xc3\xa4\r\n"), "POST /a h");
    row("unfinished line", "GET / HTTP/1.1\r\nHost: h\r\nX: y", "more");
    row("unfinished head", "GET / HTTP/1.1\r\nHost: h\r\n", "more");
    row("nothing", "", "more");

    row("two lengths",
        withField("Content-Length: 1\r\nContent-Length: 2\r\n"),
        "refused 400: more than one Content-Length");
    row("the same length twice",
        withField("Content-Length: 1\r\nContent-Length: 1\r\n"),
        "refused 400: more than one Content-Length");
    for (const char* length : {"+1", "-1", "0x1", "", "1,1", "1 1", "1a", "9999999999999999999"}) {
        row(qPrintable(QStringLiteral("length '%1'").arg(QLatin1String(length))),
            withField(QByteArray("Content-Length: ") + length + "\r\n"),
            "refused 400: malformed Content-Length");
    }
    row("length and chunked",
        withField("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
        "refused 400: Content-Length beside Transfer-Encoding");
    row("chunked and length",
        withField("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n"),
        "refused 400: Content-Length beside Transfer-Encoding");
    for (const char* coding :
         {"xchunked",
          "chunked, identity",
          "gzip, chunked",
          "identity",
          "chunked, chunked",
          "\"chunked\"",
          "chunked;x=y",
          "",
          "chun ked"}) {
        row(qPrintable(QStringLiteral("coding '%1'").arg(QLatin1String(coding))),
            withField(QByteArray("Transfer-Encoding: ") + coding + "\r\n"),
            "refused 400: Transfer-Encoding is not exactly chunked");
    }
    row("chunked twice",
        withField("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
        "refused 400: Transfer-Encoding is not exactly chunked");
    row("chunked in HTTP/1.0",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "refused 400: Transfer-Encoding in HTTP/1.0");
    row("space before colon",
        withField("Transfer-Encoding : chunked\r\n"),
        "refused 400: space before colon");
    row("tab before colon", withField("Content-Length\t: 1\r\n"), "refused 400: space before colon"
    );
    row("folded line", withField("X: a\r\n b\r\n"), "refused 400: folded header line");
    row("folded with a tab", withField("X: a\r\n\tb\r\n"), "refused 400: folded header line");
    row("folded coding",
        withField("Transfer-Encoding:\r\n chunked\r\n"),
        "refused 400: folded header line");
    row("bare LF after the request line",
        "GET / HTTP/1.1\nHost: h\r\n\r\n",
        "refused 400: malformed HTTP version");
    row("bare LF after a field", withField("X: a\nContent-Length: 1\r\n"), "refused 400: bare LF");
    row("bare LF at the end",
        "GET / HTTP/1.1\r\nHost: h\r\n\n",
        "refused 400: malformed header name");
    row("bare CR in a value", withField("X: a\rContent-Length: 1\r\n"), "refused 400: bare CR");
    row("bare CR at the end", "GET / HTTP/1.1\r\nHost: h\r\n\rx", "refused 400: bare CR");
    row("bare CR before the request", "\rGET / HTTP/1.1\r\nHost: h\r\n\r\n", "refused 400: bare CR"
    );
    row("NUL in a value",
        withField(QByteArray("X: a\0b\r\n", 8)),
        "refused 400: control character in a header value");
    row("DEL in a value",
        withField("X: a\x7f\r\n"),
        "refused 400: control character in a header value");
    row("NUL in a name",
        withField(QByteArray("X\0: a\r\n", 7)),
        "refused 400: malformed header name");
    row("no name", withField(": a\r\n"), "refused 400: malformed header name");
    row("no colon", withField("Content-Length 1\r\n"), "refused 400: space before colon");
    row("name with a parenthesis", withField("X(: a\r\n"), "refused 400: malformed header name");
    row("no Host", "GET / HTTP/1.1\r\n\r\n", "refused 400: no Host");
    row("two Hosts", withField("Host: h\r\n"), "refused 400: more than one Host");
    row("empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "refused 400: malformed Host");
    row("Host with a path", "GET / HTTP/1.1\r\nHost: h/x\r\n\r\n", "refused 400: malformed Host");
    row("Host with userinfo", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", "refused 400: malformed Host");
    row("Host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "refused 400: malformed Host");
    row("malformed Host beside an absolute target",
        "GET http://a/ HTTP/1.1\r\nHost: b@c\r\n\r\n",
        "refused 400: malformed Host");
    row("unknown expectation", withField("Expect: gold\r\n"), "refused 417: unknown expectation");
    row("two empty lines before",
        "\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
        "refused 400: request line without a method");
    row("space before the method",
        withLine(" GET / HTTP/1.1"),
        "refused 400: request line without a method");
    row("tab after the method",
        withLine("GET\t/ HTTP/1.1"),
        "refused 400: request line without a method");
    row("two spaces",
        withLine("GET  / HTTP/1.1"),
        "refused 400: request line without target and version");
    row("space in the target", withLine("GET /a b HTTP/1.1"), "refused 400: malformed HTTP version"
    );
    row("HTTP/0.9", "GET /\r\n\r\n", "refused 400: request line without target and version");
    row("HTTP/2.0", withLine("GET / HTTP/2.0"), "refused 505: HTTP version not supported");
    row("lower case version", withLine("GET / http/1.1"), "refused 400: malformed HTTP version");
    row("long version", withLine("GET / HTTP/1.10"), "refused 400: malformed HTTP version");
    row("space after the version",
        withLine("GET / HTTP/1.1 "),
        "refused 400: malformed HTTP version");
    row("control in the target",
        withLine("GET /\x01 HTTP/1.1"),
        "refused 400: request line without target and version");
    row("relative target",
        withLine("GET a HTTP/1.1"),
        "refused 400: request target is neither a path nor a URL");
    row("other scheme",
        withLine("GET ftp://a/ HTTP/1.1"),
        "refused 400: request target is neither a path nor a URL");
    row("userinfo in the target",
        withLine("GET http://a@b/ HTTP/1.1"),
        "refused 400: malformed host in the request target");
    row("target without host",
        withLine("GET http:///a HTTP/1.1"),
        "refused 400: malformed host in the request target");
    row("query right after the host",
        withLine("GET http://a?b HTTP/1.1"),
        "refused 400: request target without a path before its query");
    row("asterisk without OPTIONS",
        withLine("GET * HTTP/1.1"),
        "refused 400: target * without OPTIONS");
    row("connect to a path",
        withLine("CONNECT /a HTTP/1.1"),
        "refused 400: CONNECT without host and port");
    row("TLS on a plain port",
        QByteArray("\x16\x03\x01\x02\x00", 5),
        "refused 400: request line without a method");
    row("HTTP/2 preface",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "refused 505: HTTP version not supported");
}

void RequestParserTest::readsOrRefuses()
{
    QFETCH(const QByteArray, input);
    QFETCH(const QByteArray, expected);

    QCOMPARE(parseWhole(input), expected);

    QCOMPARE(parseByteByByte(input), expected);
    for (qsizetype at = 0; at <= input.size(); ++at) {
        QCOMPARE(parseCut(input, at), expected);
    }
}

void RequestParserTest::saysWhereTheBodyBegins()
{
    RequestParser parser;
    RequestHead head;
    const std::string bytes = "\r\nPUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbodyGET";

    QCOMPARE(parser.parse(bytes, head), ParseStatus::Done);

    QCOMPARE(bytes.substr(head.size), std::string("bodyGET"));
}

void RequestParserTest::marksFieldsThatAreNotToBeForwarded()
{
    RequestParser parser;
    RequestHead head;
    const std::string bytes =
        "GET / HTTP/1.1\r\nHost: h\r\nX-One: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\n"
        "Connection: x-one, host, Authorization\r\nX-Two: 2\r\n"
        "Authorization: a\r\nProxy: p\r\n\r\n";

    QCOMPARE(parser.parse(bytes, head), ParseStatus::Done);

    std::string forwarded;
    for (const FieldPlace& field : head.fields) {
        if (!field.isHopByHop) {
            forwarded += std::string(head.fields.name(field)) + " ";
        }
    }
    QCOMPARE(forwarded, std::string("Host X-Two Authorization "));
}

void RequestParserTest::findsFieldsByIdAndByName()
{
    RequestParser parser;
    RequestHead head;
    const std::string bytes =
        "GET / HTTP/1.1\r\nhOsT: h\r\nx-a:  first \r\nX-A: second\r\nUser-Agent:\r\n\r\n";

    QCOMPARE(parser.parse(bytes, head), ParseStatus::Done);

    QCOMPARE(head.fields.size(), std::size_t{4});
    QVERIFY(head.fields.find(HeaderId::Host) == "h");
    QVERIFY(head.fields.find("X-a") == "first");
    QVERIFY(head.fields.find(HeaderId::UserAgent) == "");
    QVERIFY(head.fields.has(HeaderId::UserAgent));
    QVERIFY(!head.fields.has(HeaderId::Cookie));
    QVERIFY(!head.fields.find("x-b").has_value());
}

void RequestParserTest::holdsItsLimits_data()
{
    QTest::addColumn<QByteArray>("input");
    QTest::addColumn<QByteArray>("expected");
    const auto head = [](const QByteArray& target, const QByteArray& fields) {
        return QByteArray("GET " + target + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n");
    };
    QByteArray fields;
    for (std::size_t count = 1; count < kHeadersMax; ++count) {
        fields += "a: b\r\n";
    }
    const auto targetMax = static_cast<qsizetype>(kTargetBytesMax);
    const QByteArray longest = "/" + QByteArray(targetMax - 1, 'a');
    const QByteArray huge = "X: " + QByteArray(static_cast<qsizetype>(kHeadBytesMax), 'a') + "\r\n";

    QTest::newRow("most fields") << head("/", fields) << QByteArray("GET / h");
    QTest::newRow("a field more") << head("/", fields + "a: b\r\n")
                                  << QByteArray("refused 400: too many header fields");
    QTest::newRow("longest target") << head(longest, "") << QByteArray("GET " + longest + " h");
    QTest::newRow("a byte more") << head(longest + "a", "")
                                 << QByteArray("refused 414: request target too long");
    QTest::newRow("endless target") << QByteArray("GET " + longest + "aa")
                                    << QByteArray("refused 414: request target too long");
    QTest::newRow("head too large") << head("/", huge) << QByteArray("refused 400: head too large");
    QTest::newRow("endless field")
        << head("/", huge).left(static_cast<qsizetype>(kHeadBytesMax) + 1)
        << QByteArray("refused 400: head too large");
    QTest::newRow("endless method")
        << QByteArray(40, 'A') << QByteArray("refused 400: method too long");
}

void RequestParserTest::holdsItsLimits()
{
    QFETCH(const QByteArray, input);
    QFETCH(const QByteArray, expected);

    QCOMPARE(parseWhole(input), expected);
    for (qsizetype at = 0; at <= input.size(); at += 97) {
        QCOMPARE(parseCut(input, at), expected);
    }
}

void RequestParserTest::readsTheNextHeadAfterOne()
{
    RequestParser parser;
    RequestHead head;
    const std::string bytes =
        "GET /1 HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\nGET /2 HTTP/1.1\r\nHost: i\r\n\r\n";

    QCOMPARE(parser.parse(bytes, head), ParseStatus::Done);
    const std::string_view rest = std::string_view(bytes).substr(head.size);
    QCOMPARE(parser.parse(rest, head), ParseStatus::Done);

    QVERIFY(head.path() == "/2");
    QVERIFY(head.host() == "i");
    QCOMPARE(head.fields.size(), std::size_t{1});
    QCOMPARE(head.size, rest.size());
}

} // namespace mesh::http

QTEST_APPLESS_MAIN(mesh::http::RequestParserTest)
#include "request_parser_test.moc"
