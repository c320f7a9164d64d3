// Goal: addresses are read as people write them, and printed so that they read back.
// Method: one row per form, good and bad.
#include "proxyengine/net/socket_address.h"

#include <QTest>

namespace mesh::net {

class SocketAddressTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsWhatItPrints_data();
    void readsWhatItPrints();
    void refusesWhatIsNoAddress_data();
    void refusesWhatIsNoAddress();
    void knowsLoopback_data();
    void knowsLoopback();
    void comesBackFromTheKernelsForm();
};

void SocketAddressTest::readsWhatItPrints_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("printed");

    QTest::newRow("IPv4") << QByteArray("10.1.2.3:80") << QByteArray("10.1.2.3:80");
    QTest::newRow("IPv6") << QByteArray("[2001:DB8::1]:443") << QByteArray("[2001:db8::1]:443");
    QTest::newRow("localhost") << QByteArray("localhost:8001") << QByteArray("127.0.0.1:8001");
    QTest::newRow("any") << QByteArray("*:8000") << QByteArray("0.0.0.0:8000");
    QTest::newRow("UNIX") << QByteArray("unix:/run/a.sock") << QByteArray("unix:/run/a.sock");
}

void SocketAddressTest::readsWhatItPrints()
{
    QFETCH(const QByteArray, text);
    QFETCH(const QByteArray, printed);

    const auto address = SocketAddress::parse(text.toStdString());

    QVERIFY(address.has_value());
    QCOMPARE(QByteArray::fromStdString(address->toText()), printed);
    QVERIFY(*SocketAddress::parse(address->toText()) == *address);
}

void SocketAddressTest::refusesWhatIsNoAddress_data()
{
    QTest::addColumn<QByteArray>("text");

    QTest::newRow("nothing") << QByteArray();
    QTest::newRow("no port") << QByteArray("10.0.0.1");
    QTest::newRow("empty port") << QByteArray("10.0.0.1:");
    QTest::newRow("port too large") << QByteArray("10.0.0.1:65536");
    QTest::newRow("signed port") << QByteArray("10.0.0.1:+80");
    QTest::newRow("port with a tail") << QByteArray("10.0.0.1:80x");
    QTest::newRow("IPv6 without brackets") << QByteArray("::1:80");
    QTest::newRow("a name") << QByteArray("example.org:80");
    QTest::newRow("UNIX without path") << QByteArray("unix:");
    QTest::newRow("UNIX path too long") << QByteArray("unix:/") + QByteArray(120, 'a');
}

void SocketAddressTest::refusesWhatIsNoAddress()
{
    QFETCH(const QByteArray, text);

    const auto address = SocketAddress::parse(text.toStdString());

    QVERIFY(!address.has_value());
    QCOMPARE(address.error().code, ErrorCode::InvalidArgument);
}

void SocketAddressTest::knowsLoopback_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<bool>("expected");

    QTest::newRow("127.0.0.1") << QByteArray("127.0.0.1:1") << true;
    QTest::newRow("127.8.8.8") << QByteArray("127.8.8.8:1") << true;
    QTest::newRow("::1") << QByteArray("[::1]:1") << true;
    QTest::newRow("UNIX") << QByteArray("unix:/a") << true;
    QTest::newRow("any") << QByteArray("0.0.0.0:1") << false;
    QTest::newRow("any of IPv6") << QByteArray("[::]:1") << false;
    QTest::newRow("elsewhere") << QByteArray("10.0.0.1:1") << false;
}

void SocketAddressTest::knowsLoopback()
{
    QFETCH(const QByteArray, text);
    QFETCH(const bool, expected);

    QCOMPARE(SocketAddress::parse(text.toStdString())->isLoopback(), expected);
}

void SocketAddressTest::comesBackFromTheKernelsForm()
{
    for (const char* text : {"10.1.2.3:80", "[2001:db8::1]:443", "unix:/run/a.sock"}) {
        const auto address = *SocketAddress::parse(text);
        const auto native = address.toNative();
        QVERIFY(SocketAddress::fromNative(native.get(), native.length) == address);
    }
}

} // namespace mesh::net

QTEST_APPLESS_MAIN(mesh::net::SocketAddressTest)
#include "socket_address_test.moc"
