// Goal: the server name is found in every legal ClientHello, however it is cut, and nothing else is
// taken for one.
// Method: hellos are put together by hand and by OpenSSL itself; each is read whole, byte by byte,
//         and with every length changed.
#include "proxyengine/tls/client_hello.h"

#include "proxyengine/base/limits.h"
#include "tests/support/hello_bytes.h"

#include <QTest>

namespace mesh::tls {

using Status = ClientHelloReader::Status;
using namespace mesh::test;

namespace {

Status statusOf(const std::string& bytes)
{
    ClientHelloReader reader;
    return reader.read(bytes);
}

std::string nameIn(const std::string& bytes)
{
    ClientHelloReader reader;
    return reader.read(bytes) == Status::Done ? reader.serverName() : "no hello";
}

} // namespace

class ClientHelloTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void findsTheServerName();
    void aHelloWithoutANameHasNone();
    void namesAreLowerCaseWithoutADotAtTheEnd();
    void unknownExtensionsAreSkipped();
    void readsByteByByte();
    void readsRecordsOfAnySize_data();
    void readsRecordsOfAnySize();
    void whatFollowsTheHelloDoesNotMatter();
    void otherProtocolsAreNoTls_data();
    void otherProtocolsAreNoTls();
    void lengthsThatDoNotFitAreMalformed();
    void badNamesAreMalformed_data();
    void badNamesAreMalformed();
    void aHelloWithoutEndIsTooLarge();
};

void ClientHelloTest::findsTheServerName()
{
    QCOMPARE(
        nameIn(inRecord(helloMessage(nameExtension("shop.example")))), std::string("shop.example")
    );
}

void ClientHelloTest::aHelloWithoutANameHasNone()
{
    QCOMPARE(nameIn(inRecord(helloMessage(""))), std::string());
    QCOMPARE(nameIn(inRecord(helloMessage(std::nullopt))), std::string());
    QCOMPARE(nameIn(inRecord(helloMessage(extension(16, vector2("\x02h2"))))), std::string());
}

void ClientHelloTest::namesAreLowerCaseWithoutADotAtTheEnd()
{
    QCOMPARE(
        nameIn(inRecord(helloMessage(nameExtension("Shop.EXAMPLE.")))), std::string("shop.example")
    );
}

// GREASE before and after, an encrypted ClientHello, and a key share of a post-quantum size.
void ClientHelloTest::unknownExtensionsAreSkipped()
{
    const std::string extensions = extension(0x0a0a, "") + extension(51, std::string(1300, 'k'))
                                   + nameExtension("outer.example")
                                   + extension(0xfe0d, std::string(250, 'e'))
                                   + extension(0xfafa, std::string(1, '\0'));
    QCOMPARE(nameIn(inRecord(helloMessage(extensions))), std::string("outer.example"));
}

void ClientHelloTest::readsByteByByte()
{
    const std::string bytes = inRecord(helloMessage(nameExtension("shop.example")));
    ClientHelloReader reader;
    for (std::size_t count = 0; count < bytes.size(); ++count) {
        QCOMPARE(reader.read(std::string_view(bytes).substr(0, count)), Status::NeedMore);
    }
    QCOMPARE(reader.read(bytes), Status::Done);
    QCOMPARE(reader.serverName(), std::string("shop.example"));
}

void ClientHelloTest::readsRecordsOfAnySize_data()
{
    QTest::addColumn<int>("size");
    for (const int size : {1, 2, 3, 4, 5, 17, 64, 100}) {
        QTest::addRow("%d bytes each", size) << size;
    }
}

void ClientHelloTest::readsRecordsOfAnySize()
{
    QFETCH(const int, size);
    const std::string message = helloMessage(nameExtension("cut.example"));
    std::string bytes;
    for (std::size_t at = 0; at < message.size(); at += static_cast<std::size_t>(size)) {
        bytes += inRecord(message.substr(at, static_cast<std::size_t>(size)));
    }
    QCOMPARE(nameIn(bytes), std::string("cut.example"));
    ClientHelloReader slow;
    for (std::size_t count = 1; count < bytes.size(); ++count) {
        QCOMPARE(slow.read(std::string_view(bytes).substr(0, count)), Status::NeedMore);
    }
    QCOMPARE(slow.read(bytes), Status::Done);
}

// 0-RTT data comes in records of their own right behind.
void ClientHelloTest::whatFollowsTheHelloDoesNotMatter()
{
    const std::string hello = inRecord(helloMessage(nameExtension("early.example")));
    QCOMPARE(nameIn(hello + "\x17\x03\x03\x00\x02xy"), std::string("early.example"));
    QCOMPARE(nameIn(hello + "anything"), std::string("early.example"));
}

void ClientHelloTest::otherProtocolsAreNoTls_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::newRow("HTTP") << QByteArray("GET / HTTP/1.1\r\n");
    QTest::newRow("one byte") << QByteArray("G");
    QTest::newRow("SSH") << QByteArray("SSH-2.0-x\r\n");
    QTest::newRow("SSL 2") << QByteArray("\x80\x2e\x01\x03\x01", 5);
    QTest::newRow("major version 2") << QByteArray("\x16\x02\x00", 3);
    QTest::newRow("an alert") << QByteArray("\x15\x03\x01\x00\x02\x02\x28", 7);
}

void ClientHelloTest::otherProtocolsAreNoTls()
{
    QFETCH(const QByteArray, bytes);
    QCOMPARE(statusOf(bytes.toStdString()), Status::NotTls);
}

// Every byte that is part of a length, changed by one in either direction: never the same name.
void ClientHelloTest::lengthsThatDoNotFitAreMalformed()
{
    const std::string message = helloMessage(nameExtension("shop.example"));
    const std::size_t session = 4 + 2 + 32;
    const std::size_t ciphers = session + 1 + 32;
    const std::size_t compressions = ciphers + 2 + 4;
    const std::size_t extensions = compressions + 2;
    for (const std::size_t at :
         {session,
          ciphers + 1,
          compressions,
          extensions + 1,
          extensions + 5,
          extensions + 7,
          extensions + 10}) {
        for (const int change : {-1, 1}) {
            std::string changed = message;
            changed[at] = static_cast<char>(changed[at] + change);
            QVERIFY2(
                statusOf(inRecord(changed)) == Status::Malformed, qPrintable(QString::number(at))
            );
        }
    }
    QCOMPARE(
        statusOf(inRecord(helloMessage(nameExtension("a") + nameExtension("b")))), Status::Malformed
    );
    QCOMPARE(statusOf(inRecord(std::string("\x02\0\0\0", 4))), Status::Malformed); // A ServerHello.
}

void ClientHelloTest::badNamesAreMalformed_data()
{
    QTest::addColumn<QByteArray>("name");
    QTest::newRow("empty") << QByteArray();
    QTest::newRow("a dot") << QByteArray(".");
    QTest::newRow("a NUL") << QByteArray("a\0b", 3);
    QTest::newRow("a blank") << QByteArray("a b");
    QTest::newRow("not ASCII") << QByteArray("\xc3\xa4.example");
    QTest::newRow("256 bytes") << QByteArray(256, 'a');
}

void ClientHelloTest::badNamesAreMalformed()
{
    QFETCH(const QByteArray, name);
    QCOMPARE(
        statusOf(inRecord(helloMessage(nameExtension(name.toStdString())))), Status::Malformed
    );
}

void ClientHelloTest::aHelloWithoutEndIsTooLarge()
{
    const std::string message = helloMessage(extension(21, std::string(20'000, '\0')));
    std::string bytes;
    for (std::size_t at = 0; at < message.size(); at += 4000) {
        bytes += inRecord(message.substr(at, 4000));
    }
    ClientHelloReader reader;
    QCOMPARE(reader.read(std::string_view(bytes).substr(0, 12'000)), Status::TooLarge);
    QCOMPARE(statusOf(bytes), Status::TooLarge);
    QCOMPARE(statusOf(inRecord(std::string("\x01\xff\xff\xff", 4))), Status::TooLarge);
}

} // namespace mesh::tls

QTEST_APPLESS_MAIN(mesh::tls::ClientHelloTest)
#include "client_hello_test.moc"
