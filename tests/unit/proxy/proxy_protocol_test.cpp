// Goal: headers of both versions say what the specification says; what is not one is refused.
// Method: texts and bytes by hand; each is read whole and byte by byte, and what is written is
//         read back.
#include "proxyengine/proxy/proxy_protocol.h"

#include "proxyengine/base/limits.h"

#include <QTest>

namespace mesh::proxy {

using Status = ProxyHeaderStep::Status;

namespace {

std::string binary(int command, int family, const std::string& rest)
{
    std::string bytes("\r\n\r\n\0\r\nQUIT\n", 12);
    bytes.push_back(static_cast<char>(command));
    bytes.push_back(static_cast<char>(family));
    bytes.push_back(static_cast<char>(rest.size() >> 8U));
    bytes.push_back(static_cast<char>(rest.size() & 0xffU));
    return bytes + rest;
}

// 192.0.2.1:4711 to 198.51.100.2:443.
const std::string kFour("\xc0\x00\x02\x01\xc6\x33\x64\x02\x12\x67\x01\xbb", 12);

std::string textOf(const std::optional<net::SocketAddress>& address)
{
    return address ? address->toText() : "-";
}

// "source>destination+bytes", or why not.
std::string readingOf(const std::string& bytes)
{
    ProxyHeader header;
    const ProxyHeaderStep step = readProxyHeader(bytes, header);
    switch (step.status) {
    case Status::NeedMore:
        return "more";
    case Status::Refused:
        return "refused: " + std::string(step.reason);
    case Status::Done:
        break;
    }
    return textOf(header.source) + ">" + textOf(header.destination) + "+"
           + std::to_string(header.bytes);
}

} // namespace

class ProxyProtocolTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsHeaders_data();
    void readsHeaders();
    void refusesWhatIsNone_data();
    void refusesWhatIsNone();
    void whatIsWrittenReadsBack_data();
    void whatIsWrittenReadsBack();
    void longHeadersAreRefused();
};

void ProxyProtocolTest::readsHeaders_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char* name, const std::string& bytes, const char* expected) {
        QTest::newRow(name) << QByteArray::fromStdString(bytes) << QByteArray(expected);
    };
    row("line, IPv4",
        "PROXY TCP4 192.0.2.1 198.51.100.2 4711 443\r\n",
        "192.0.2.1:4711>198.51.100.2:443+44");
    row("line, IPv6", "PROXY TCP6 2001:db8::1 ::1 65535 0\r\n", "[2001:db8::1]:65535>[::1]:0+36");
    row("line, unknown", "PROXY UNKNOWN\r\n", "->-+15");
    row("line, unknown with words", "PROXY UNKNOWN ffff:: ::1 65535 1\r\n", "->-+34");
    row("binary, IPv4", binary(0x21, 0x11, kFour), "192.0.2.1:4711>198.51.100.2:443+28");
    row("binary, IPv6",
        binary(
            0x21,
            0x21,
            std::string(15, '\0') + "\x01" + std::string(15, '\0') + "\x02"
                + std::string("\x00\x50\x01\xbb", 4)
        ),
        "[::1]:80>[::2]:443+52");
    row("binary with TLVs",
        binary(0x21, 0x11, kFour + std::string("\x01\x00\x02h2\x04\x00\x00", 8)),
        "192.0.2.1:4711>198.51.100.2:443+36");
    row("binary, local", binary(0x20, 0x00, ""), "->-+16");
    row("binary, local with anything", binary(0x20, 0x11, "xyz"), "->-+19");
    row("binary, unspecified", binary(0x21, 0x00, std::string("\x03\x00\x01z", 4)), "->-+20");
    row("binary, UNIX", binary(0x21, 0x31, std::string(216, 'p')), "->-+232");
}

void ProxyProtocolTest::readsHeaders()
{
    QFETCH(const QByteArray, bytes);
    QFETCH(const QByteArray, expected);
    const std::string whole = bytes.toStdString();
    for (std::size_t count = 0; count < whole.size(); ++count) {
        QCOMPARE(readingOf(whole.substr(0, count)), std::string("more"));
    }
    QCOMPARE(readingOf(whole), expected.toStdString());
    QCOMPARE(readingOf(whole + "GET / HTTP/1.1\r\n"), expected.toStdString());
}

void ProxyProtocolTest::refusesWhatIsNone_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::newRow("HTTP") << QByteArray("GET / HTTP/1.1\r\n");
    QTest::newRow("POST begins like it") << QByteArray("POST");
    QTest::newRow("other case") << QByteArray("proxy TCP4");
    QTest::newRow("no addresses") << QByteArray("PROXY TCP4\r\n");
    QTest::newRow("two blanks") << QByteArray("PROXY TCP4  1.1.1.1 2.2.2.2 1 2\r\n");
    QTest::newRow("no source") << QByteArray("PROXY TCP4  1.1.1.1 1 2\r\n");
    QTest::newRow("no destination") << QByteArray("PROXY TCP4 1.1.1.1  1 2\r\n");
    QTest::newRow("no source port") << QByteArray("PROXY TCP4 1.1.1.1 2.2.2.2  2\r\n");
    QTest::newRow("a blank at the end") << QByteArray("PROXY TCP4 1.1.1.1 2.2.2.2 1 2 \r\n");
    QTest::newRow("five words") << QByteArray("PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n");
    QTest::newRow("port too large") << QByteArray("PROXY TCP4 1.1.1.1 2.2.2.2 65536 2\r\n");
    QTest::newRow("port with a zero") << QByteArray("PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n");
    QTest::newRow("negative port") << QByteArray("PROXY TCP4 1.1.1.1 2.2.2.2 -1 2\r\n");
    QTest::newRow("other family") << QByteArray("PROXY TCP4 ::1 ::2 1 2\r\n");
    QTest::newRow("mixed families") << QByteArray("PROXY TCP6 ::1 1.1.1.1 1 2\r\n");
    QTest::newRow("a name") << QByteArray("PROXY TCP4 localhost 1.1.1.1 1 2\r\n");
    QTest::newRow("no known family") << QByteArray("PROXY UDP4 1.1.1.1 1.1.1.1 1 2\r\n");
    QTest::newRow("line feed alone") << QByteArray("PROXY UNKNOWN\n" + QByteArray(100, ' '));
    QTest::newRow("version 3") << QByteArray::fromStdString(binary(0x31, 0x11, kFour));
    QTest::newRow("command 2") << QByteArray::fromStdString(binary(0x22, 0x11, kFour));
    QTest::newRow("datagrams") << QByteArray::fromStdString(binary(0x21, 0x12, kFour));
    QTest::newRow("too short") << QByteArray::fromStdString(binary(0x21, 0x11, "123"));
    QTest::newRow("TLV too long"
    ) << QByteArray::fromStdString(binary(0x21, 0x11, kFour + std::string("\x01\x00\x03h2", 5)));
    QTest::newRow("half a TLV"
    ) << QByteArray::fromStdString(binary(0x21, 0x11, kFour + std::string("\x01\x00", 2)));
}

void ProxyProtocolTest::refusesWhatIsNone()
{
    QFETCH(const QByteArray, bytes);
    QVERIFY2(
        readingOf(bytes.toStdString()).starts_with("refused: "),
        readingOf(bytes.toStdString()).c_str()
    );
}

void ProxyProtocolTest::whatIsWrittenReadsBack_data()
{
    QTest::addColumn<QByteArray>("source");
    QTest::addColumn<QByteArray>("destination");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char* source, const char* destination, const char* expected) {
        QTest::addRow("%s to %s", source, destination)
            << QByteArray(source) << QByteArray(destination) << QByteArray(expected);
    };
    row("10.0.0.1:5", "10.0.0.2:6", "10.0.0.1:5>10.0.0.2:6");
    row("[fd00::1]:5", "[fd00::2]:6", "[fd00::1]:5>[fd00::2]:6");
    row("10.0.0.1:5", "[fd00::2]:6", "[::ffff:10.0.0.1]:5>[fd00::2]:6");
    row("unix:/tmp/x", "10.0.0.2:6", "->-");
}

void ProxyProtocolTest::whatIsWrittenReadsBack()
{
    QFETCH(const QByteArray, source);
    QFETCH(const QByteArray, destination);
    QFETCH(const QByteArray, expected);
    for (const auto version : {model::ProxyProtocol::V1, model::ProxyProtocol::V2}) {
        std::string bytes;
        appendProxyHeader(
            bytes,
            version,
            *net::SocketAddress::parse(source.toStdString()),
            *net::SocketAddress::parse(destination.toStdString())
        );
        QCOMPARE(readingOf(bytes), expected.toStdString() + "+" + std::to_string(bytes.size()));
    }
}

void ProxyProtocolTest::longHeadersAreRefused()
{
    QVERIFY(readingOf("PROXY UNKNOWN" + std::string(94, 'x')).starts_with("refused"));
    QCOMPARE(readingOf("PROXY UNKNOWN" + std::string(93, 'x')), std::string("more"));
    QVERIFY(readingOf(binary(0x20, 0, std::string(4081, 'x'))).starts_with("refused"));
    QCOMPARE(readingOf(binary(0x20, 0, std::string(4080, 'x'))), std::string("->-+4096"));
}

} // namespace mesh::proxy

QTEST_APPLESS_MAIN(mesh::proxy::ProxyProtocolTest)
#include "proxy_protocol_test.moc"
