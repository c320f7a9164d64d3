// Goal: the server that the fault tests stand on does exactly the wrong that it is told, and the
// client that they count with sees it.
#include "tests/support/misbehaving_server.h"

#include "tests/support/load_client.h"
#include "tests/support/loopback.h"

#include <QTest>

using namespace mesh;
using namespace mesh::test;

namespace {

struct Pair
{
    SystemClock clock;
    std::unique_ptr<net::EventLoop> loop = *net::EventLoop::make(clock);
    MisbehavingServer server{"origin"};

    LoadAnswer ask(std::string_view body = {}, std::string_view method = "GET")
    {
        return test::ask(*loop, server.address(), "/path", "X-More: 1\r\n", body, method);
    }
    LoadReport load(std::size_t requests, std::size_t connections = 4)
    {
        LoadPlan plan;
        plan.address = server.address();
        plan.requests = requests;
        plan.connections = connections;
        return runLoad(*loop, plan);
    }
};

} // namespace

class MisbehavingServerTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void aGoodServerAnswersAndRemembers()
    {
        Pair pair;
        const LoadAnswer answer = pair.ask("hello", "POST");
        QVERIFY(answer.isGood());
        QCOMPARE(answer.body, std::string("origin"));
        QCOMPARE(answer.header("x-server"), std::string("origin"));
        QCOMPARE(answer.header("x-got"), std::string("5"));

        const auto received = pair.server.takeReceived();
        QCOMPARE(received.size(), 1U);
        QCOMPARE(received[0].method, std::string("POST"));
        QCOMPARE(received[0].target, std::string("/path"));
        QCOMPARE(received[0].header("x-more"), std::string("1"));
        QCOMPARE(received[0].body, std::string("hello"));
        QCOMPARE(pair.server.takeReceived().size(), 0U);
    }

    void chunkedBodiesAreDecoded()
    {
        Pair pair;
        LoadPlan plan;
        plan.address = pair.server.address();
        plan.requests = 2;
        plan.connections = 1;
        plan.request = [](std::size_t) {
            return std::string("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
        };
        QCOMPARE(runLoad(*pair.loop, plan).good(), 2U);
        QCOMPARE(pair.server.takeReceived().at(1).body, std::string("abcde"));
        QCOMPARE(pair.server.accepted(), 1U);
    }

    void whatComesOfEachFault_data()
    {
        QTest::addColumn<QString>("fault");
        QTest::addColumn<int>("status");
        QTest::addColumn<bool>("isWhole");
        QTest::newRow("refuse") << "refuse" << 0 << false;
        QTest::newRow("reset at accept") << "reset-at-accept" << 0 << false;
        QTest::newRow("reset at request") << "reset-at-request" << 0 << false;
        QTest::newRow("unavailable") << "unavailable" << 503 << true;
        QTest::newRow("retry later") << "retry-later" << 503 << true;
        QTest::newRow("length too long") << "length-too-long" << 200 << false;
        QTest::newRow("length too short") << "length-too-short" << 200 << true;
        QTest::newRow("close mid body") << "close-mid-body" << 200 << false;
        QTest::newRow("garbage") << "garbage" << 0 << false;
    }
    void whatComesOfEachFault()
    {
        QFETCH(QString, fault);
        QFETCH(int, status);
        QFETCH(bool, isWhole);
        Pair pair;
        pair.server.behave(*parseFault(fault.toStdString()));
        const LoadAnswer answer = pair.ask();
        QCOMPARE(answer.status, status);
        QCOMPARE(answer.isWhole, isWhole);
    }

    void aHangingServerIsSeenToBeLeft()
    {
        Pair pair;
        pair.server.behave(Fault::Hang);
        RawSocket client(pair.server.address());
        QVERIFY(client.send(*pair.loop, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
        QVERIFY(runUntil(*pair.loop, [&] { return pair.server.requests() == 1; }));
        QCOMPARE(pair.server.abandoned(), 0U);
        client.close();
        QVERIFY(runUntil(*pair.loop, [&] { return pair.server.abandoned() == 1; }));
    }

    void slowBytesArriveInTheEnd()
    {
        Pair pair;
        for (const Fault fault : {Fault::SlowHead, Fault::SlowBody}) {
            Behaviour slow;
            slow.fault = fault;
            slow.pace = std::chrono::milliseconds(1);
            pair.server.behave(slow);
            const LoadAnswer answer = pair.ask();
            QVERIFY(answer.isGood());
            QCOMPARE(answer.body, std::string("origin"));
            QVERIFY(answer.took >= std::chrono::milliseconds(6)); // A byte each.
        }
    }

    void everySecondRequestIs503()
    {
        Pair pair;
        pair.server.behave(Fault::HalfUnavailable);
        const LoadReport report = pair.load(100);
        QCOMPARE(report.count(503), 50U);
        QCOMPARE(report.count(200), 50U);
    }

    void aFlappingServerComesBackOnItsPort()
    {
        Pair pair;
        for (int flap = 0; flap < 5; ++flap) {
            pair.server.behave(Fault::Refuse);
            QCOMPARE(pair.ask().status, 0);
            pair.server.behave(Fault::None);
            QCOMPARE(pair.ask().status, 200);
        }
    }

    void oneConnectionCarriesManyRequests()
    {
        Pair pair;
        const LoadReport report = pair.load(500, 2);
        QCOMPARE(report.good(), 500U);
        QCOMPARE(pair.server.accepted(), 2U);
    }

    // A request decides for itself, so that faults can be exact by request.
    void aDecisionLooksAtTheRequest()
    {
        Pair pair;
        pair.server.decide([](const ReceivedRequest& request) {
            Behaviour behaviour;
            behaviour.status = request.body == "bad" ? 500 : 200;
            return behaviour;
        });
        QCOMPARE(pair.ask("bad", "POST").status, 500);
        QCOMPARE(pair.ask("good", "POST").status, 200);
    }
};

QTEST_APPLESS_MAIN(MisbehavingServerTest)
#include "misbehaving_server_test.moc"
