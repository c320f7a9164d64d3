// Goal: response heads and the end of their bodies, as RFC 9112, 6.3 says; faults are refused.
// Method: one row per case, parsed whole and cut in two at every place.
#include "proxyengine/http/parser.h"

#include <QTest>

#include <string>

namespace mesh::http {
namespace {

QByteArray describe(ParseStatus status, const ResponseHead& head, const Refusal& refusal)
{
    if (status == ParseStatus::NeedMore) {
        return "more";
    }
    if (status == ParseStatus::Refused) {
        return QByteArray("refused: ") + refusal.reason;
    }
    QByteArray result = QByteArray::number(head.status);
    switch (head.body.kind) {
    case BodyFraming::Kind::None:
        result += " none";
        break;
    case BodyFraming::Kind::Length:
        result += " length=" + QByteArray::number(static_cast<qulonglong>(head.body.length));
        break;
    case BodyFraming::Kind::Chunked:
        result += " chunked";
        break;
    case BodyFraming::Kind::UntilClose:
        result += " until-close";
        break;
    }
    return result + (head.keepsAlive ? "" : " close") + (head.isInterim() ? " interim" : "");
}

QByteArray parseCut(const QByteArray& input, Method method, qsizetype at)
{
    ResponseParser parser;
    ResponseHead head;
    const std::string first = input.left(at).toStdString();
    ParseStatus status = parser.parse(first, method, head);
    const std::string all = input.toStdString();
    if (status == ParseStatus::NeedMore) {
        status = parser.parse(all, method, head);
    }
    return describe(status, head, parser.refusal());
}

} // namespace

class ResponseParserTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsOrRefuses_data();
    void readsOrRefuses();
    void keepsTheReason();
};

void ResponseParserTest::readsOrRefuses_data()
{
    QTest::addColumn<QByteArray>("method");
    QTest::addColumn<QByteArray>("input");
    QTest::addColumn<QByteArray>("expected");
    const auto row =
        [](const char* name, const char* input, const char* expected, const char* method = "GET") {
            QTest::newRow(name) << QByteArray(method) << QByteArray(input) << QByteArray(expected);
        };

    row("length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "200 length=5");
    row("length zero", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200 none");
    row("chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "200 chunked");
    row("until close", "HTTP/1.1 200 OK\r\n\r\n", "200 until-close close");
    row("until close in 1.0",
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n",
        "200 until-close close");
    row("1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", "200 length=1 close");
    row("1.0 kept",
        "HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n",
        "200 length=1");
    row("close",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n",
        "200 length=1 close");
    row("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "200 none", "HEAD");
    row("HEAD of a stream", "HTTP/1.1 200 OK\r\n\r\n", "200 none", "HEAD");
    row("204", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "204 none");
    row("304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "304 none");
    row("100", "HTTP/1.1 100 Continue\r\n\r\n", "100 none interim");
    row("101", "HTTP/1.1 101 Switching Protocols\r\n\r\n", "101 none");
    row("CONNECT", "HTTP/1.1 200 OK\r\n\r\n", "200 none", "CONNECT");
    row("no reason", "HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\n", "200 length=1");
    row("no reason and no space", "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\n", "200 length=1");
    row("unfinished", "HTTP/1.1 200 OK\r\nA: b\r\n", "more");

    row("two lengths",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "refused: more than one Content-Length");
    row("length and chunked",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "refused: Content-Length beside Transfer-Encoding");
    row("other coding",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "refused: Transfer-Encoding is not exactly chunked");
    row("other protocol", "ICY 200 OK\r\n\r\n", "refused: malformed status line");
    row("other version", "HTTP/2.0 200 OK\r\n\r\n", "refused: malformed status line");
    row("four digits", "HTTP/1.1 2000 OK\r\n\r\n", "refused: malformed status line");
    row("two digits", "HTTP/1.1 20 OK\r\n\r\n", "refused: malformed status line");
    row("status 099", "HTTP/1.1 099 X\r\n\r\n", "refused: status outside 100 to 599");
    row("status 600", "HTTP/1.1 600 X\r\n\r\n", "refused: status outside 100 to 599");
    row("bare LF", "HTTP/1.1 200 OK\n\r\n", "refused: control character in the status line");
    row("bare CR", "HTTP/1.1 200 O\rK\r\n\r\n", "refused: control character in the status line");
    row("bare LF in a field", "HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n", "refused: bare LF");
    row("folded", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "refused: folded header line");
}

void ResponseParserTest::readsOrRefuses()
{
    QFETCH(const QByteArray, method);
    QFETCH(const QByteArray, input);
    QFETCH(const QByteArray, expected);

    for (qsizetype at = 0; at <= input.size(); ++at) {
        QCOMPARE(parseCut(input, methodOf(method.toStdString()), at), expected);
    }
}

void ResponseParserTest::keepsTheReason()
{
    ResponseParser parser;
    ResponseHead head;

    QCOMPARE(parser.parse("HTTP/1.1 404 Not Here\r\n\r\n", Method::Get, head), ParseStatus::Done);

    QVERIFY(head.reason() == "Not Here");
}

} // namespace mesh::http

QTEST_APPLESS_MAIN(mesh::http::ResponseParserTest)
#include "response_parser_test.moc"
