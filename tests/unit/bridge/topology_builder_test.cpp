// Goal: what was measured becomes the right entities, edges and instances, with their states.
// Method: a small document and hand-written sums; the rows are compared.
#include "app/bridge/topology_builder.h"

#include <QtTest>

#include <algorithm>

using namespace mesh;
using namespace mesh::bridge;

namespace {

model::Document shop()
{
    model::Document document;
    document.nodes = {
        {"edge-1", model::NodeRole::Gateway, "a", {}, {}, {}},
        {"vm-1", model::NodeRole::Sidecar, "a", {}, {}, {}},
        {"vm-2", model::NodeRole::Sidecar, "b", {}, {}, {}}};
    for (const char* name : {"frontend", "cart"}) {
        model::Service service;
        service.name = name;
        service.host = name;
        document.services.push_back(service);
    }
    document.workloads = {
        {"frontend-1", "frontend", "vm-1", {}, "v7", 100, "127.0.0.1:1", {}, {}, {}, {}},
        {"cart-1", "cart", "vm-1", {}, "v1", 100, "127.0.0.1:2", {}, {}, {}, {}},
        {"cart-2", "cart", "vm-2", {}, "v2", 100, "127.0.0.1:3", {}, {}, {}, {}}};
    return document;
}

store::SeriesTotal requests(
    const char* source, const char* service, std::uint64_t ok, std::uint64_t bad
)
{
    store::SeriesTotal total;
    total.key = {store::SeriesKind::Request, source, service, "r", {}, {}};
    total.value.answers[2] = ok;
    total.value.answers[5] = bad;
    total.value.retries = ok / 10;
    total.value.latency.record(20'000, static_cast<std::uint32_t>(ok + bad));
    return total;
}

store::SeriesTotal attempts(
    const char* source, const char* upstream, const char* instance, std::uint64_t ok
)
{
    store::SeriesTotal total;
    total.key = {store::SeriesKind::Attempt, source, upstream, {}, instance, "127.0.0.1:9"};
    total.value.answers[2] = ok;
    return total;
}

const EntityRow& entity(const Topology& topology, const QString& id)
{
    return *std::ranges::find(topology.entities, id, &EntityRow::id);
}

} // namespace

class TopologyBuilderTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_document = shop();
        m_series = {
            requests("edge-1", "frontend", 600, 0),
            requests("edge-1", "", 0, 0),
            requests("frontend", "cart", 300, 0),
            attempts("frontend", "cart", "cart-1", 120),
            attempts("frontend", "cart", "cart-2", 180)};
        m_input = {};
        m_input.document = &m_document;
        m_input.series = &m_series;
        m_input.seconds = 60;
        m_input.now_us = 1'000'000;
        m_input.silentFor_s = {{"edge-1", 0.2}, {"vm-1", 0.3}, {"vm-2", 0.4}};
    }

    void entitiesAndEdgesAreThoseOfDocumentAndTraffic()
    {
        const Topology topology = buildTopology(m_input, nullptr).topology;

        QStringList ids;
        for (const EntityRow& row : topology.entities) {
            ids.append(row.id);
        }
        QCOMPARE(
            ids, QStringList({u"gateway:edge-1"_qs, u"service:cart"_qs, u"service:frontend"_qs})
        );
        QCOMPARE(topology.edges.size(), std::size_t(2));
        QCOMPARE(topology.edges[0].source, u"gateway:edge-1"_qs);
        QCOMPARE(topology.edges[1].target, u"service:cart"_qs);
        QCOMPARE(topology.edges[1].figures.rps, 5.0);
    }

    void figuresAreOfTheWindow()
    {
        const Topology topology = buildTopology(m_input, nullptr).topology;
        const EntityRow& cart = entity(topology, u"service:cart"_qs);

        QCOMPARE(cart.figures.rps, 5.0);
        QCOMPARE(cart.figures.requests, std::uint64_t(300));
        QCOMPARE(*cart.figures.errorRatio, 0.0);
        QVERIFY(std::abs(*cart.figures.p95_ms - 20.0) < 0.4);
        QCOMPARE(cart.figures.amplification, 1.1);
        QCOMPARE(cart.zones, QStringList({u"a"_qs, u"b"_qs}));
        QCOMPARE(cart.version, u"v1 · v2"_qs);
        QCOMPARE(cart.instances[1].figures.rps, 3.0);
        QCOMPARE(cart.state, HealthState::Healthy);
        QVERIFY(entity(topology, u"gateway:edge-1"_qs).isEntry);
    }

    void edgesSayWhatCarriesThemAndHowItIsProtected()
    {
        m_document.services[1].protocol = model::Protocol::Tcp;
        m_input.carriage = {
            {"", "frontend", telemetry::EdgeProtocol::Http, 590, 10},
            {"edge-1", "frontend", telemetry::EdgeProtocol::Http, 590, 0}};

        const Topology topology = buildTopology(m_input, nullptr).topology;

        QVERIFY(topology.edges[0].lock == EdgeLock::Closed);
        QCOMPARE(topology.edges[0].protocol, u"HTTP"_qs);
        QVERIFY(!topology.edges[0].isTcp);
        QVERIFY(topology.edges[1].isTcp); // Not measured: as the document says.
        QCOMPARE(topology.edges[1].protocol, u"TCP"_qs);
        QVERIFY(entity(topology, u"service:frontend"_qs).lock == EdgeLock::Half);
        QCOMPARE(
            entity(topology, u"service:frontend"_qs).lockText,
            u"10 of 600 requests in plaintext in 60 s"_qs
        );
        QVERIFY(entity(topology, u"service:cart"_qs).lock == EdgeLock::Unknown);
    }

    void noTrafficHasNoRatioAndNoLatency()
    {
        m_series.clear();

        const Topology topology = buildTopology(m_input, nullptr).topology;
        const EntityRow& cart = entity(topology, u"service:cart"_qs);

        QCOMPARE(cart.state, HealthState::Idle);
        QVERIFY(!cart.figures.errorRatio);
        QVERIFY(!cart.figures.p95_ms);
    }

    void aTargetThatOneCallerFindsUnhealthyDegradesItsService()
    {
        telemetry::TargetHealth health;
        health.upstream = "cart";
        health.target = "127.0.0.1:9";
        health.workload = "cart-2";
        health.weight = 100;
        health.state = telemetry::TargetState::Unhealthy;
        health.reason = "3 connection failures in a row";
        m_input.targetHealth.push_back(health);

        const Topology topology = buildTopology(m_input, nullptr).topology;
        const EntityRow& cart = entity(topology, u"service:cart"_qs);

        QCOMPARE(cart.state, HealthState::Degraded);
        QCOMPARE(cart.instances[1].state, InstanceState::Ejected);
        QVERIFY(cart.instances[1].reason.contains(u"3 connection failures in a row"_qs));
        QVERIFY(cart.why.contains(u"cart-2"_qs));
    }

    void allInstancesKilledIsAFailure()
    {
        for (const char* name : {"cart-1", "cart-2"}) {
            m_input.faults.push_back(
                {FaultKind::Kill, QString::fromLatin1(name), u"service:cart"_qs, u"killed"_qs, 5}
            );
        }

        const Topology topology = buildTopology(m_input, nullptr).topology;
        const EntityRow& cart = entity(topology, u"service:cart"_qs);

        QCOMPARE(cart.state, HealthState::Failure);
        QCOMPARE(cart.instances[0].state, InstanceState::Down);
        QCOMPARE(cart.faults.size(), 2);
    }

    void aSilentNodeMakesItsInstancesStaleAndAServiceOnlyWhenAllAre()
    {
        m_input.silentFor_s["vm-2"] = 10;
        const Topology one = buildTopology(m_input, nullptr).topology;
        m_input.silentFor_s["vm-1"] = 10;
        const Topology both = buildTopology(m_input, nullptr).topology;

        QCOMPARE(entity(one, u"service:cart"_qs).instances[1].state, InstanceState::Stale);
        QCOMPARE(entity(one, u"service:cart"_qs).state, HealthState::Healthy);
        QCOMPARE(entity(both, u"service:cart"_qs).state, HealthState::Stale);
    }

    void aServiceTheDocumentDoesNotKnowIsUnknown()
    {
        m_series.push_back(requests("frontend", "ghost", 10, 0));

        const Topology topology = buildTopology(m_input, nullptr).topology;

        QCOMPARE(entity(topology, u"service:ghost"_qs).kind, EntityKind::Unknown);
    }

    void changesOfStateAreToldOnce()
    {
        HealthTracker tracker;
        static_cast<void>(buildTopology(m_input, &tracker));
        m_input.faults.push_back(
            {FaultKind::Kill, u"cart-1"_qs, u"service:cart"_qs, u"killed"_qs, 5}
        );

        const auto first = buildTopology(m_input, &tracker).changes;
        const auto second = buildTopology(m_input, &tracker).changes;

        QCOMPARE(first.size(), std::size_t(1));
        QCOMPARE(first.front().subject, u"service:cart"_qs);
        QVERIFY(second.empty());
    }

    void chartPointsSplitTheClasses()
    {
        store::MetricPoint point;
        point.time_s = 60;
        point.value.answers = {1, 0, 30, 5, 4, 10};

        const Series series = seriesOf({point}, 10);

        QCOMPARE(series.step_us, 10'000'000);
        QCOMPARE(series.points[0].rps2xx, 3.5);
        QCOMPARE(series.points[0].rps4xx, 0.4);
        QCOMPARE(series.points[0].rps5xx, 1.1);
        QVERIFY(!series.points[0].p50_ms);
    }

private:
    model::Document m_document;
    std::vector<store::SeriesTotal> m_series;
    TopologyInput m_input;
};

QTEST_APPLESS_MAIN(TopologyBuilderTest)
#include "topology_builder_test.moc"
