// Goal: what carried an edge is what its frames counted in the window, and nothing counted is not
// "plaintext". Method: frames made by hand.
#include "app/bridge/edge_carriage.h"

#include <QtTest>

using namespace mesh;
using namespace mesh::bridge;
using telemetry::EdgeProtocol;

namespace {

telemetry::RequestSeries counted(
    std::string source, std::string service, std::uint64_t mtls, std::uint64_t plaintext
)
{
    telemetry::RequestSeries series;
    series.source = std::move(source);
    series.service = std::move(service);
    series.mtls = mtls;
    series.plaintext = plaintext;
    return series;
}

} // namespace

class EdgeCarriageTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void framesOfAllNodesAddUpWithinTheWindow()
    {
        EdgeCarriage carriage;
        telemetry::StatsFrame frame;
        frame.requests = {counted("shop", "cart", 30, 0), counted("", "cart", 28, 2)};
        carriage.add(100, frame);
        carriage.add(101, frame);
        carriage.add(102, frame);

        const std::vector<CarriageRow> rows = carriage.rows(102, 2);

        QCOMPARE(rows.size(), 2U);
        QCOMPARE(rows[0], (CarriageRow{"", "cart", EdgeProtocol::Http, 56, 4}));
        QCOMPARE(rows[1], (CarriageRow{"shop", "cart", EdgeProtocol::Http, 60, 0}));
    }

    void aStreamIsKnownByItsProtocol()
    {
        EdgeCarriage carriage;
        telemetry::StatsFrame frame;
        frame.requests = {counted("shop", "db", 0, 0), counted("shop", "cart", 0, 0)};
        frame.requests[0].protocol = EdgeProtocol::TlsPassthrough;
        carriage.add(100, frame);

        const std::vector<CarriageRow> rows = carriage.rows(101, 60);

        QCOMPARE(rows.size(), 1U); // Of plain requests there is nothing to say.
        EdgeRow edge;
        describe(rows[0], 60, edge);
        QVERIFY(edge.isTcp);
        QCOMPARE(edge.protocol, QStringLiteral("TLS passthrough"));
        QVERIFY(edge.lock == EdgeLock::Unknown);
        QVERIFY(edge.lockText.isEmpty());
    }

    void theLockSaysWhetherSomethingWasPlain()
    {
        QVERIFY(lockOf(0, 0) == EdgeLock::Unknown);
        QVERIFY(lockOf(7, 0) == EdgeLock::Closed);
        QVERIFY(lockOf(7, 1) == EdgeLock::Half);
        QVERIFY(lockOf(0, 1) == EdgeLock::Open);
        QCOMPARE(
            lockTextOf({"a", "b", EdgeProtocol::Http, 328, 12}, 60),
            QStringLiteral("12 of 340 requests in plaintext in 60 s")
        );
        QCOMPARE(
            lockTextOf({"a", "b", EdgeProtocol::Http, 5, 0}, 60),
            QStringLiteral("all 5 requests under mutual TLS in 60 s")
        );
    }
};

QTEST_APPLESS_MAIN(EdgeCarriageTest)
#include "edge_carriage_test.moc"
