// Goal: what a worker counts arrives in the frame, once and under its names.
#include "proxyengine/telemetry/counters.h"

#include <QTest>

using namespace mesh;
using namespace mesh::telemetry;

class CountersTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void statusesFallIntoTheirClass()
    {
        QCOMPARE(classOf(0), 0U);
        QCOMPARE(classOf(99), 0U);
        QCOMPARE(classOf(101), 1U);
        QCOMPARE(classOf(204), 2U);
        QCOMPARE(classOf(599), 5U);
        QCOMPARE(classOf(600), 0U);
    }

    void takingEmptiesTheIntervalButKeepsWhatIsInFlight()
    {
        WorkerCounters counters;
        RequestRow& row = counters.holdRequests("shop", "cart", "cart-route");
        row.answers[2] = 3;
        row.inflight = 1;
        row.latency.record(1500);

        const Reading first = counters.take();
        const Reading second = counters.take();

        QCOMPARE(first.requests.size(), 1U);
        QCOMPARE(first.requests[0].service, std::string("cart"));
        QCOMPARE(first.requests[0].answers[2], 3U);
        QCOMPARE(first.requests[0].latency.total(), 1U);
        QCOMPARE(second.requests.size(), 1U);
        QCOMPARE(second.requests[0].answers[2], 0U);
        QCOMPARE(second.requests[0].inflight, 1U);
        QCOMPARE(second.requests[0].latency.total(), 0U);
    }

    void sameNamesAreTheSameRow()
    {
        WorkerCounters counters;

        AttemptRow& first = counters.holdAttempts("a", "b", "c:1", "");
        AttemptRow& second = counters.holdAttempts("a", "b", "c:1", "");

        QCOMPARE(&first, &second);
        QCOMPARE(first.holders, 2U);
    }

    void aRowNobodyHoldsIsForgottenAfterItsLastNews()
    {
        WorkerCounters counters;
        RequestRow& row = counters.holdRequests("a", "b", "c");
        row.answers[5] = 1;
        WorkerCounters::release(row);

        QCOMPARE(counters.take().requests.size(), 1U);
        QCOMPARE(counters.take().requests.size(), 0U);
        QCOMPARE(counters.holdRequests("a", "b", "c").answers[5], 0U);
    }

    void readingsOfWorkersAddUpInOneFrame()
    {
        WorkerCounters one;
        WorkerCounters two;
        for (WorkerCounters* counters : {&one, &two}) {
            RequestRow& row = counters->holdRequests("a", "b", "c");
            row.answers[2] = 2;
            row.latency.record(100);
            counters->connections = 4;
        }
        two.holdRequests("a", "b", "other").answers[4] = 1;

        StatsFrame frame;
        merge(frame, one.take());
        merge(frame, two.take());

        QCOMPARE(frame.requests.size(), 2U);
        QCOMPARE(frame.requests[0].answers[2], 4U);
        QCOMPARE(frame.requests[0].latency.total(), 2U);
        QCOMPARE(frame.connections, 8U);
    }
};

QTEST_APPLESS_MAIN(CountersTest)
#include "counters_test.moc"
