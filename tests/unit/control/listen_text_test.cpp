// Goal: the grammar of --proxy-listen, --admin-listen and --node, and that a wrong text names its
// place and the remedy.
// Method: texts in, values or messages out.
#include "proxyengine/control/listen_text.h"

#include <QTest>

namespace mesh::control {

class ListenTextTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsAddressesWithTheirWords();
    void streamsHaveWordsOfTheirOwn();
    void offMeansNoListener();
    void refusesWithPlaceAndRemedy_data();
    void refusesWithPlaceAndRemedy();
    void adminListensOnLoopbackOrUnixOnly_data();
    void adminListensOnLoopbackOrUnixOnly();
    void adminListensAnywhereWithMutualTls();
    void readsNodeUrls_data();
    void readsNodeUrls();
};

void ListenTextTest::readsAddressesWithTheirWords()
{
    const auto options = parseListen("127.0.0.1:0,  *:8443 ssl http2 , [::1]:81", ListenUse::Proxy);

    QVERIFY(options);
    QCOMPARE(options->size(), 3U);
    QCOMPARE((*options)[0].address, std::string("127.0.0.1:0"));
    QCOMPARE((*options)[1].address, std::string("0.0.0.0:8443"));
    QVERIFY((*options)[1].ssl && (*options)[1].http2);
    QVERIFY(!(*options)[0].ssl && !(*options)[0].http2);
    QCOMPARE((*options)[2].address, std::string("[::1]:81"));
}

void ListenTextTest::streamsHaveWordsOfTheirOwn()
{
    const auto options = parseListen(
        "127.0.0.1:53 udp reuseport, 127.0.0.1:53 ssl proxy_protocol", ListenUse::Stream
    );

    QVERIFY(options); // The same port, but of two protocols.
    QVERIFY((*options)[0].udp && (*options)[0].reusePort && !(*options)[0].ssl);
    QVERIFY((*options)[1].ssl && (*options)[1].proxyProtocol && !(*options)[1].udp);
    const auto mixed = parseListen("127.0.0.1:53 udp ssl", ListenUse::Stream);
    QVERIFY(!mixed);
    QVERIFY(mixed.error().message.find("remove one of them") != std::string::npos);
    QVERIFY(!parseListen("127.0.0.1:53 udp", ListenUse::Proxy));
    QVERIFY(!parseListen("127.0.0.1:53 http2", ListenUse::Stream));
}

void ListenTextTest::offMeansNoListener()
{
    const auto options = parseListen(" off ", ListenUse::Stream);

    QVERIFY(options);
    QVERIFY(options->empty());
}

void ListenTextTest::refusesWithPlaceAndRemedy_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<int>("offset");
    QTest::addColumn<QByteArray>("part");

    QTest::newRow("no port") << QByteArray("127.0.0.1") << 0 << QByteArray("ADDR:PORT");
    QTest::newRow("port above the range")
        << QByteArray("127.0.0.1:70000") << 10 << QByteArray("0 to 65535");
    QTest::newRow("unknown word in the second") << QByteArray("127.0.0.1:1, 127.0.0.1:2 tls") << 25
                                                << QByteArray("ssl, http2, proxy_protocol");
    QTest::newRow("host name") << QByteArray("example.com:80") << 0 << QByteArray("not an address");
    QTest::newRow("empty element")
        << QByteArray("127.0.0.1:1,") << 12 << QByteArray("address is missing");
    QTest::newRow("twice") << QByteArray("127.0.0.1:1, 127.0.0.1:1") << 12
                           << QByteArray("stands twice");
}

void ListenTextTest::refusesWithPlaceAndRemedy()
{
    QFETCH(const QByteArray, text);
    QFETCH(const int, offset);
    QFETCH(const QByteArray, part);

    const auto options = parseListen(text.toStdString(), ListenUse::Proxy);

    QVERIFY(!options);
    const auto* place = std::get_if<Offset>(&options.error().place);
    QVERIFY(place != nullptr);
    QCOMPARE(static_cast<int>(place->value), offset);
    QVERIFY2(
        QByteArray::fromStdString(options.error().message).contains(part),
        options.error().message.c_str()
    );
}

void ListenTextTest::adminListensOnLoopbackOrUnixOnly_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<bool>("isAccepted");

    QTest::newRow("loopback") << QByteArray("127.0.0.1:8001") << true;
    QTest::newRow("another loopback") << QByteArray("127.8.0.1:0") << true;
    QTest::newRow("IPv6 loopback") << QByteArray("[::1]:8001") << true;
    QTest::newRow("localhost") << QByteArray("localhost:8001") << true;
    QTest::newRow("a socket") << QByteArray("unix:/tmp/x.sock") << true;
    QTest::newRow("all addresses") << QByteArray("0.0.0.0:8001") << false;
    QTest::newRow("another machine's") << QByteArray("10.0.0.1:8001") << false;
    QTest::newRow("all of IPv6") << QByteArray("[::]:8001") << false;
    QTest::newRow("a socket without a path") << QByteArray("unix:") << false;
}

void ListenTextTest::adminListensOnLoopbackOrUnixOnly()
{
    QFETCH(const QByteArray, text);
    QFETCH(const bool, isAccepted);

    const auto address = parseAdminListen(text.toStdString());

    QCOMPARE(address.has_value(), isAccepted);
    if (!isAccepted && !text.startsWith("unix:")) {
        QVERIFY(QByteArray::fromStdString(address.error().message).contains("mutual TLS"));
    }
}

void ListenTextTest::adminListensAnywhereWithMutualTls()
{
    const auto all = parseAdminListen("0.0.0.0:8444", AdminSecurity::MutualTls);
    const auto socket = parseAdminListen("unix:/tmp/x.sock", AdminSecurity::MutualTls);

    QVERIFY(all && all->isTls);
    QCOMPARE(toText(*all), std::string("https://0.0.0.0:8444"));
    QVERIFY(!socket.has_value());
    QCOMPARE(socket.error().code, ErrorCode::InvalidArgument);
}

void ListenTextTest::readsNodeUrls_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("expected"); // Empty: refused.

    QTest::newRow("url") << QByteArray("http://127.0.0.1:81/") << QByteArray("127.0.0.1:81");
    QTest::newRow("default port") << QByteArray("http://node") << QByteArray("node:8001");
    QTest::newRow("bare") << QByteArray("localhost:9") << QByteArray("localhost:9");
    QTest::newRow("socket") << QByteArray("unix:/a/b") << QByteArray("unix:/a/b");
    QTest::newRow("with a path") << QByteArray("http://h:1/x") << QByteArray();
    QTest::newRow("https") << QByteArray("https://h:1/") << QByteArray("https://h:1");
    QTest::newRow("https default") << QByteArray("https://h") << QByteArray("https://h:8444");
    QTest::newRow("https with a path") << QByteArray("https://h:1/x") << QByteArray();
    QTest::newRow("https of nobody") << QByteArray("https://") << QByteArray();
    QTest::newRow("another scheme") << QByteArray("ftp://h:1") << QByteArray();
    QTest::newRow("nothing") << QByteArray("") << QByteArray();
}

void ListenTextTest::readsNodeUrls()
{
    QFETCH(const QByteArray, text);
    QFETCH(const QByteArray, expected);

    const auto address = parseNodeUrl(text.toStdString());

    QCOMPARE(address ? QByteArray::fromStdString(toText(*address)) : QByteArray(), expected);
}

} // namespace mesh::control

QTEST_APPLESS_MAIN(mesh::control::ListenTextTest)
#include "listen_text_test.moc"
