// Goal: heads are written as they are read, overflow is told, names and dates are right.
// Method: write, then parse or compare.
#include "proxyengine/http/head_writer.h"

#include "proxyengine/http/header_id.h"
#include "proxyengine/http/parser.h"

#include <QTest>

#include <array>
#include <string>

namespace mesh::http {

class HeadWriterTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void writesWhatTheParserReads();
    void tellsWhenItDoesNotFit();
    void writesNothingForAViewOfNothing();
    void knowsItsHeaderNames();
    void tellsTokensAndValuesFromOthers();
    void formatsDates();
};

void HeadWriterTest::writesWhatTheParserReads()
{
    std::array<char, 256> memory{};
    HeadWriter writer(memory);
    writer.statusLine(404);
    writer.field("Content-Length", 18446744073709551U);
    writer.field("X-A", "b c");
    writer.end();
    ResponseParser parser;
    ResponseHead head;

    QVERIFY(!writer.hasOverflowed());
    QCOMPARE(parser.parse(writer.written(), Method::Get, head), ParseStatus::Done);
    QCOMPARE(head.status, 404);
    QVERIFY(head.reason() == "Not Found");
    QCOMPARE(head.body.length, 18446744073709551U);
    QVERIFY(head.fields.find("x-a") == "b c");
}

void HeadWriterTest::tellsWhenItDoesNotFit()
{
    for (std::size_t size = 0; size < 40; ++size) {
        std::string memory(size, '#');
        HeadWriter writer(memory);
        writer.requestLine("GET", "/a");
        writer.field("Host", "h");
        writer.end();
        constexpr std::string_view kExpected = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
        QCOMPARE(writer.hasOverflowed(), size < kExpected.size());
        if (!writer.hasOverflowed()) {
            QVERIFY(writer.written() == kExpected);
        }
    }
}

// An empty view may have no address; UndefinedBehaviorSanitizer watches what becomes of it.
void HeadWriterTest::writesNothingForAViewOfNothing()
{
    std::array<char, 64> memory{};
    HeadWriter writer(memory);
    writer.raw(std::string_view());
    writer.raw("a");
    writer.raw(std::string_view());

    QVERIFY(!writer.hasOverflowed());
    QVERIFY(writer.written() == "a");
}

void HeadWriterTest::knowsItsHeaderNames()
{
    for (std::size_t at = 1; at < static_cast<std::size_t>(HeaderId::Count); ++at) {
        const auto id = static_cast<HeaderId>(at);
        std::string upper(toText(id));
        QVERIFY(!upper.empty());
        QCOMPARE(headerIdOf(upper), id);
        for (char& letter : upper) {
            letter = letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 32) : letter;
        }
        QCOMPARE(headerIdOf(upper), id);
        QCOMPARE(headerIdOf(upper + "x"), HeaderId::Other);
    }
    QCOMPARE(headerIdOf("x-unknown"), HeaderId::Other);
    QCOMPARE(headerIdOf(""), HeaderId::Other);
}

void HeadWriterTest::tellsTokensAndValuesFromOthers()
{
    QVERIFY(isToken("X-a!#$%&'*+-.^_`|~9"));
    QVERIFY(!isToken(""));
    QVERIFY(!isToken("a b"));
    QVERIFY(!isToken("a:"));
    QVERIFY(isFieldValue(""));
    QVERIFY(isFieldValue("a\tb \xc3\xa4 and a text longer than one step of sixteen bytes"));
    QVERIFY(!isFieldValue("a\r\nb"));
    QVERIFY(!isFieldValue(std::string_view("0123456789abcdef0123456789\0", 27)));
    QVERIFY(!isFieldValue("0123456789abcdef\x7f"));
}

void HeadWriterTest::formatsDates()
{
    DateText date;
    const WallTime time(std::chrono::seconds(784111777));

    QVERIFY(date.at(time) == "Sun, 06 Nov 1994 08:49:37 GMT");
    QVERIFY(date.at(time + std::chrono::seconds(1)) == "Sun, 06 Nov 1994 08:49:38 GMT");
}

} // namespace mesh::http

QTEST_APPLESS_MAIN(mesh::http::HeadWriterTest)
#include "head_writer_test.moc"
