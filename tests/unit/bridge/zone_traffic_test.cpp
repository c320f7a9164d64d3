// Goal: the share of traffic between zones is that of the frames in the window, and unknown is not
// zero. Method: frames made by hand for two nodes in two zones.
#include "app/bridge/zone_traffic.h"

#include <QtTest>

using namespace mesh;
using namespace mesh::bridge;

namespace {

model::Document twoZones()
{
    model::Document document;
    document.nodes = {
        {"vm-a", model::NodeRole::Sidecar, "a", {}, {}, {}},
        {"vm-b", model::NodeRole::Sidecar, "b", {}, {}, {}}};
    model::Workload near;
    near.name = "cart-1";
    near.node = "vm-a"; // The node's zone.
    model::Workload far;
    far.name = "cart-2";
    far.node = "vm-b";
    far.zone = "b";
    document.workloads = {near, far};
    return document;
}

telemetry::AttemptSeries attempts(std::string source, std::string workload, std::uint64_t count)
{
    telemetry::AttemptSeries series;
    series.source = std::move(source);
    series.workload = std::move(workload);
    series.answers[2] = count;
    return series;
}

} // namespace

class ZoneTrafficTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void countsAttemptsThatLeaveTheZoneOfTheirNode()
    {
        ZoneTraffic traffic;
        traffic.setDocument(twoZones());
        telemetry::StatsFrame frame;
        frame.attempts = {
            attempts("shop", "cart-1", 30),
            attempts("shop", "cart-2", 10),
            attempts("", "cart-2", 500),
            attempts("shop", "unknown", 500)};

        traffic.add("vm-a", 100, frame);

        QCOMPARE(traffic.crossShare(101, 60).value_or(-1), 0.25);
    }

    void onlyTheWindowCounts()
    {
        ZoneTraffic traffic;
        traffic.setDocument(twoZones());
        telemetry::StatsFrame frame;
        frame.attempts = {attempts("shop", "cart-2", 1)};

        traffic.add("vm-a", 100, frame);
        traffic.add("vm-b", 101, frame);

        QCOMPARE(traffic.crossShare(101, 1).value_or(-1), 1.0);
        QCOMPARE(traffic.crossShare(102, 1).value_or(-1), 0.0);
        QCOMPARE(traffic.crossShare(102, 2).value_or(-1), 0.5);
    }

    void withoutTrafficTheShareIsUnknown()
    {
        ZoneTraffic traffic;
        traffic.setDocument(twoZones());

        QVERIFY(!traffic.crossShare(101, 60));
        traffic.add("unknown node", 100, {});
        QVERIFY(!traffic.crossShare(101, 60));
    }
};

QTEST_APPLESS_MAIN(ZoneTrafficTest)
#include "zone_traffic_test.moc"
