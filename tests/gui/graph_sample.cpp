#include "tests/gui/graph_sample.h"

#include <algorithm>
#include <cmath>

namespace mesh::test {

namespace {

using bridge::EntityKind;
using bridge::EntityRow;
using bridge::HealthState;
using bridge::InstanceState;

QString idOf(const char* name) { return QStringLiteral("service:") + QString::fromUtf8(name); }

EntityRow entity(const char* name, const char* version, double rps, double p95_ms, int inA, int inB)
{
    EntityRow row;
    row.id = idOf(name);
    row.name = QString::fromUtf8(name);
    row.version = QString::fromUtf8(version);
    row.zones = {QStringLiteral("a"), QStringLiteral("b")};
    row.state = HealthState::Healthy;
    row.figures.rps = rps;
    row.figures.p95_ms = p95_ms;
    row.figures.errorRatio = 0.0;
    for (int i = 0; i < inA + inB; ++i) {
        bridge::InstanceRow instance;
        instance.id = QStringLiteral("%1-%2").arg(row.name).arg(i + 1);
        instance.zone = i < inA ? QStringLiteral("a") : QStringLiteral("b");
        instance.figures.rps = rps / (inA + inB);
        row.instances.push_back(instance);
    }
    return row;
}

void addEdge(bridge::Topology& topology, const char* from, const char* to, double rps)
{
    bridge::EdgeRow edge;
    edge.source = idOf(from);
    edge.target = idOf(to);
    edge.state = HealthState::Healthy;
    edge.figures.rps = rps;
    edge.figures.errorRatio = 0.0;
    edge.figures.p95_ms = 40.0;
    topology.edges.push_back(edge);
}

void sort(bridge::Topology& topology)
{
    std::sort(
        topology.entities.begin(),
        topology.entities.end(),
        [](const EntityRow& one, const EntityRow& other) { return one.id < other.id; }
    );
    std::sort(
        topology.edges.begin(),
        topology.edges.end(),
        [](const bridge::EdgeRow& one, const bridge::EdgeRow& other) {
            return std::tie(one.source, one.target) < std::tie(other.source, other.target);
        }
    );
}

} // namespace

bridge::Topology shopTopology()
{
    bridge::Topology topology;
    topology.crossZoneShare = 0.041;
    EntityRow edge = entity("edge", "gateway · 2 nodes", 420, 198, 1, 1);
    edge.kind = EntityKind::Gateway;
    edge.isEntry = true;
    EntityRow payment = entity("payment", "v3.2 · 4 instances", 33, 486, 2, 2);
    payment.version = QStringLiteral("v3.2");
    payment.state = HealthState::Degraded;
    payment.why = QStringLiteral("5xx on 4.5 % of 1 977 attempts in 60 s");
    payment.figures.errorRatio = 0.045;
    payment.figures.clientErrorRatio = 0.018;
    payment.instances.back().state = InstanceState::Ejected;
    payment.faults = {QStringLiteral("503 30 %"), QStringLiteral("+400 ms")};
    payment.isInDraft = true;
    payment.findings = 1;
    EntityRow catalog = entity("catalog", "v5.2 · v6.0 canary", 504, 18, 2, 2);
    catalog.isInDraft = true;
    EntityRow checkout = entity("checkout", "v4.4", 31.5, 618, 2, 1);
    checkout.isInDraft = true;
    EntityRow shipping = entity("shipping", "v2.6", 31.5, 34, 1, 1);
    shipping.instances.back().state = InstanceState::Stale;
    EntityRow card = entity("card-network", "external · TLS", 31.5, 118, 0, 0);
    card.kind = EntityKind::External;
    topology.entities = {
        edge,
        entity("frontend", "v7.1", 420, 196, 2, 2),
        entity("search", "v2.0", 84, 46, 1, 1),
        entity("recommend", "v1.9", 168, 38, 1, 1),
        catalog,
        entity("cart", "v3.0", 158, 9, 2, 1),
        checkout,
        payment,
        card,
        shipping,
        entity("inventory", "v3.3", 31.5, 12, 1, 1),
        entity("cart-cache", "TCP · primary a", 24, 2, 1, 1),
        entity("stock-db", "TCP · primary a", 9, 3, 1, 1)};
    addEdge(topology, "edge", "frontend", 420);
    addEdge(topology, "frontend", "search", 84);
    addEdge(topology, "frontend", "recommend", 168);
    addEdge(topology, "frontend", "catalog", 252);
    addEdge(topology, "frontend", "cart", 126);
    addEdge(topology, "frontend", "checkout", 31.5);
    addEdge(topology, "search", "catalog", 84);
    addEdge(topology, "recommend", "catalog", 168);
    addEdge(topology, "checkout", "cart", 31.5);
    addEdge(topology, "checkout", "payment", 33);
    topology.edges.back().state = HealthState::Degraded;
    topology.edges.back().figures.errorRatio = 0.045;
    topology.edges.back().figures.p95_ms = 486;
    addEdge(topology, "checkout", "shipping", 31.5);
    addEdge(topology, "checkout", "inventory", 31.5);
    addEdge(topology, "payment", "card-network", 31.5);
    addEdge(topology, "cart", "cart-cache", 24);
    topology.edges.back().isTcp = true;
    addEdge(topology, "inventory", "stock-db", 9);
    topology.edges.back().isTcp = true;
    sort(topology);
    return topology;
}

graph::Positions shopPositions()
{
    graph::Positions positions;
    const auto place = [&positions](const char* name, double x, double y) {
        positions.insert(idOf(name), graph::Place{QPointF(x, y), false});
    };
    place("edge", 76, 352);
    place("frontend", 248, 352);
    place("search", 448, 92);
    place("recommend", 448, 224);
    place("checkout", 448, 484);
    place("catalog", 676, 92);
    place("cart", 676, 224);
    place("payment", 676, 352);
    place("shipping", 676, 484);
    place("inventory", 676, 612);
    place("cart-cache", 928, 224);
    place("card-network", 928, 352);
    place("stock-db", 928, 612);
    return positions;
}

bridge::Topology largeTopology(int nodes, int edges)
{
    bridge::Topology topology;
    const auto name = [](int number) {
        return QStringLiteral("service-%1").arg(number, 5, 10, QLatin1Char('0'));
    };
    for (int i = 0; i < nodes; ++i) {
        const QByteArray text = name(i).toUtf8();
        EntityRow row = entity(text.constData(), "v1.0", 1 + (i * 37) % 300, 5 + i % 90, 1, 1);
        row.isEntry = i == 0;
        row.state = i % 50 == 7 ? HealthState::Degraded : HealthState::Healthy;
        topology.entities.push_back(row);
    }
    std::uint64_t state = 88172645463325252ULL; // xorshift64, a fixed seed.
    const auto random = [&state](int bound) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return static_cast<int>(state % static_cast<std::uint64_t>(bound));
    };
    const int width = std::max(2, static_cast<int>(std::sqrt(nodes)));
    for (int i = 0; i < edges; ++i) {
        const int from = nodes < 2 ? 0 : random(nodes - 1);
        const int to = std::min(nodes - 1, from + 1 + random(width));
        const QByteArray source = name(from).toUtf8();
        const QByteArray target = name(to).toUtf8();
        addEdge(topology, source.constData(), target.constData(), 1 + i % 200);
    }
    sort(topology);
    const auto last = std::unique(
        topology.edges.begin(),
        topology.edges.end(),
        [](const bridge::EdgeRow& one, const bridge::EdgeRow& other) {
            return one.source == other.source && one.target == other.target;
        }
    );
    topology.edges.erase(last, topology.edges.end());
    return topology;
}

} // namespace mesh::test
