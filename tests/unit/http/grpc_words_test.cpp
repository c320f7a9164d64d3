// Goal: the words of gRPC mean what its documents say. Method: tables.
#include "proxyengine/http/grpc_words.h"

#include <QTest>

#include <string>

using namespace mesh;
using namespace mesh::http;
using namespace std::chrono_literals;

class GrpcWordsTest final : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsTimeoutsOfEveryUnit()
    {
        QCOMPARE(parseGrpcTimeout("2H"), std::optional<Duration>(2h));
        QCOMPARE(parseGrpcTimeout("3M"), std::optional<Duration>(3min));
        QCOMPARE(parseGrpcTimeout("20S"), std::optional<Duration>(20s));
        QCOMPARE(parseGrpcTimeout("500m"), std::optional<Duration>(500ms));
        QCOMPARE(parseGrpcTimeout("7u"), std::optional<Duration>(7us));
        QCOMPARE(parseGrpcTimeout("00000001n"), std::optional<Duration>(1ns));
        QCOMPARE(parseGrpcTimeout("0m"), std::optional<Duration>(0ns));
        QCOMPARE(parseGrpcTimeout("99999999H"), std::optional<Duration>(kGrpcTimeoutMax));
    }

    void refusesTimeoutsThatAreNone()
    {
        for (const char* text :
             {"", "S", "1", "1s", "123456789S", "-1S", "+1S", " 1S", "1 S", "1.5S", "0x1S"}) {
            QVERIFY2(!parseGrpcTimeout(text), text);
        }
    }

    void writesTimeoutsInTheFinestUnitThatFits()
    {
        QCOMPARE(grpcTimeoutText(0ns), std::string("1n"));
        QCOMPARE(grpcTimeoutText(-5s), std::string("1n"));
        QCOMPARE(grpcTimeoutText(20ms), std::string("20000000n"));
        QCOMPARE(grpcTimeoutText(1500ms), std::string("1500000u"));
        QCOMPARE(grpcTimeoutText(99999999us + 999ns), std::string("99999999u"));
        QCOMPARE(grpcTimeoutText(100s), std::string("100000m"));
        QCOMPARE(grpcTimeoutText(1000000s), std::string("1000000S"));
    }

    void mapsAnswersOfTheProxyToStatuses_data()
    {
        QTest::addColumn<int>("http");
        QTest::addColumn<int>("grpc");
        const int rows[][2] = {
            {200, 0},
            {400, 3},
            {401, 16},
            {403, 7},
            {404, 5},
            {409, 6},
            {413, 8},
            {429, 8},
            {499, 1},
            {500, 13},
            {501, 12},
            {502, 14},
            {503, 14},
            {504, 4},
            {418, 2}};
        for (const auto& row : rows) {
            QTest::addRow("%d", row[0]) << row[0] << row[1];
        }
    }
    void mapsAnswersOfTheProxyToStatuses()
    {
        QFETCH(int, http);
        QFETCH(int, grpc);
        QCOMPARE(static_cast<int>(grpcStatusFor(http)), grpc);
    }

    void readsStatuses()
    {
        QVERIFY(parseGrpcStatus("0") == GrpcStatus::Ok);
        QVERIFY(parseGrpcStatus("16") == GrpcStatus::Unauthenticated);
        QVERIFY(parseGrpcStatus("17") == GrpcStatus::Unknown);
        QVERIFY(!parseGrpcStatus(""));
        QVERIFY(!parseGrpcStatus("OK"));
        QVERIFY(!parseGrpcStatus("-1"));
        QVERIFY(!parseGrpcStatus("1 "));
    }

    void countsStatusesAsTheirHttpClass()
    {
        QCOMPARE(httpStatusFor(GrpcStatus::Ok), 200);
        QCOMPARE(httpStatusFor(GrpcStatus::Cancelled), 499);
        QCOMPARE(httpStatusFor(GrpcStatus::Unavailable), 503);
        QCOMPARE(httpStatusFor(GrpcStatus::NotFound), 404);
    }

    void encodesMessages()
    {
        QCOMPARE(encodeGrpcMessage("all is well"), std::string("all is well"));
        QCOMPARE(encodeGrpcMessage("50% \xc3\xa9\r\n"), std::string("50%25 %C3%A9%0D%0A"));
    }

    void knowsItsContentTypes()
    {
        QVERIFY(isGrpcContentType("application/grpc"));
        QVERIFY(isGrpcContentType("Application/gRPC+proto"));
        QVERIFY(isGrpcContentType("application/grpc;charset=utf-8"));
        QVERIFY(!isGrpcContentType("application/grpc-web"));
        QVERIFY(!isGrpcContentType("application/grp"));
        QVERIFY(!isGrpcContentType("application/json"));
    }

    void namesMethodsByTheirPath()
    {
        QVERIFY(grpcMethodOf("/shop.Cart/Add") == std::string_view("shop.Cart/Add"));
        QVERIFY(!grpcMethodOf("/shop.Cart"));
        QVERIFY(!grpcMethodOf("/shop.Cart/"));
        QVERIFY(!grpcMethodOf("/a/b/c"));
        QVERIFY(!grpcMethodOf("/a b/c"));
        QVERIFY(!grpcMethodOf("/a/" + std::string(300, 'x')));
    }
};

QTEST_APPLESS_MAIN(GrpcWordsTest)
#include "grpc_words_test.moc"
