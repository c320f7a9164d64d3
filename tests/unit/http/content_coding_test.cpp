// Goal: Accept-Encoding says what RFC 9110 says it says. Method: a table of fields.
#include "proxyengine/http/content_coding.h"

#include <QTest>

using namespace mesh::http;

class ContentCodingTest final : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void weighsCodings_data()
    {
        QTest::addColumn<QByteArray>("field");
        QTest::addColumn<int>("gzip");
        QTest::addColumn<int>("brotli");
        QTest::addColumn<int>("identity");
        QTest::newRow("nothing") << QByteArray() << 0 << 0 << 1;
        QTest::newRow("plain names") << QByteArray("gzip, deflate, br") << 1000 << 1000 << 1;
        QTest::newRow("x-gzip, any case") << QByteArray("X-GZip;Q=0.5") << 500 << 0 << 1;
        QTest::newRow("weights") << QByteArray("br ; q=0.123,gzip;q=1.000") << 1000 << 123 << 1;
        QTest::newRow("refused") << QByteArray("gzip;q=0, br;q=0.0") << 0 << 0 << 1;
        QTest::newRow("anything") << QByteArray("*") << 1000 << 1000 << 1;
        QTest::newRow("anything else") << QByteArray("*;q=0.2, br;q=0") << 200 << 0 << 1;
        QTest::newRow("nothing else") << QByteArray("gzip, *;q=0") << 1000 << 0 << 0;
        QTest::newRow("not as it is") << QByteArray("identity;q=0, br;q=0.001") << 0 << 1 << 0;
        QTest::newRow("as it is first") << QByteArray("identity, gzip;q=0.9") << 900 << 0 << 1000;
        QTest::newRow("identity in spite of any")
            << QByteArray("*;q=0, identity;q=0.3") << 0 << 0 << 300;
        QTest::newRow("malformed weights")
            << QByteArray("gzip;q=2, br;q=0.1234, *;q=x") << 0 << 0 << 1;
        QTest::newRow("more than one") << QByteArray("gzip;q=1.001") << 0 << 0 << 1;
        QTest::newRow("other parameters") << QByteArray("gzip;level=9") << 0 << 0 << 1;
        QTest::newRow("empty elements") << QByteArray(",, gzip ,") << 1000 << 0 << 1;
    }
    void weighsCodings()
    {
        QFETCH(QByteArray, field);
        QFETCH(int, gzip);
        QFETCH(int, brotli);
        QFETCH(int, identity);
        AcceptedCodings accepted;

        accepted.add({field.constData(), static_cast<std::size_t>(field.size())});

        QCOMPARE(int{accepted.gzip()}, gzip);
        QCOMPARE(int{accepted.brotli()}, brotli);
        QCOMPARE(int{accepted.identity()}, identity);
    }

    void joinsSeveralFields()
    {
        AcceptedCodings accepted;
        accepted.add("gzip;q=0.5");
        accepted.add("br");

        QCOMPARE(int{accepted.gzip()}, 500);
        QCOMPARE(int{accepted.brotli()}, 1000);
    }
};

QTEST_APPLESS_MAIN(ContentCodingTest)
#include "content_coding_test.moc"
