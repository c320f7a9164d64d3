// Goal: the graph keeps still, stays reachable by keyboard and never invents figures.
// Method: offscreen widgets fed with plain topologies.
#include "app/graph/painter.h"
#include "app/graph/topology_view.h"
#include "app/theme/theme.h"
#include "tests/gui/graph_sample.h"

#include <QAccessible>
#include <QSignalSpy>
#include <QtTest>

#include <algorithm>

namespace mesh::test {

namespace {

graph::Positions layered(const bridge::Topology& topology)
{
    return graph::layOut(graph::layoutInput(topology), {});
}

// Pairs of nodes whose slots overlap.
int overlaps(const graph::Positions& positions)
{
    int count = 0;
    for (auto one = positions.begin(); one != positions.end(); ++one) {
        for (auto other = std::next(one); other != positions.end(); ++other) {
            const QPointF distance = one->point - other->point;
            count += std::abs(distance.x()) < 64 && std::abs(distance.y()) < 100 ? 1 : 0;
        }
    }
    return count;
}

bridge::Topology tiny(int nodes) { return largeTopology(nodes, 0); }

} // namespace

class GraphTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { theme::apply(*qApp, theme::Choice::Dark); }

    void fiftyRefreshesMoveNothing()
    {
        bridge::Topology topology = largeTopology(100, 300);
        graph::TopologyView view;
        view.setPositions(layered(topology));
        view.setTopology(topology);
        const graph::Positions before = view.positions();
        QSignalSpy moved(&view, &graph::TopologyView::positionsChanged);

        for (int i = 0; i < 50; ++i) {
            for (bridge::EntityRow& row : topology.entities) {
                row.figures.rps = (row.figures.rps * 7 + i) / 5;
                row.state = static_cast<bridge::HealthState>((i + row.name.size()) % 6);
            }
            view.setTopology(topology);
        }

        QVERIFY(view.positions() == before);
        QCOMPARE(moved.count(), 0);
    }

    void aNewServiceMovesNobodyAndOverlapsNobody()
    {
        bridge::Topology topology = shopTopology();
        graph::TopologyView view;
        view.setPositions(shopPositions());
        view.setTopology(topology);
        bridge::EntityRow added = topology.entities.front();
        added.id = QStringLiteral("service:zebra");
        topology.entities.push_back(added);
        bridge::EdgeRow edge = topology.edges.front();
        edge.source = QStringLiteral("service:checkout");
        edge.target = added.id;
        topology.edges.push_back(edge);
        QSignalSpy moved(&view, &graph::TopologyView::positionsChanged);

        view.setTopology(topology);

        const graph::Positions shop = shopPositions();
        for (const auto& [id, place] : shop.asKeyValueRange()) {
            QCOMPARE(view.positions()[id].point, place.point);
        }
        QVERIFY(view.positions().contains(added.id));
        QCOMPARE(overlaps(view.positions()), 0);
        QCOMPARE(moved.count(), 1);
    }

    void aRemovedServiceKeepsItsPlaceAndTheOthersTheirs()
    {
        bridge::Topology topology = shopTopology();
        graph::TopologyView view;
        view.setPositions(shopPositions());
        view.setTopology(topology);

        topology.entities.erase(topology.entities.begin());
        view.setTopology(topology);

        QVERIFY(view.positions() == shopPositions());
    }

    void layoutsDoNotOverlap_data()
    {
        QTest::addColumn<int>("nodes");
        QTest::addColumn<int>("edges");
        QTest::newRow("one") << 1 << 0;
        QTest::newRow("a few") << 13 << 20;
        QTest::newRow("a hundred, by dot") << 100 << 200;
        QTest::newRow("four hundred, by layers") << 400 << 1600;
    }

    void layoutsDoNotOverlap()
    {
        QFETCH(const int, nodes);
        QFETCH(const int, edges);

        const graph::Positions positions = layered(largeTopology(nodes, edges));

        QCOMPARE(positions.size(), nodes);
        QCOMPARE(overlaps(positions), 0);
        for (const graph::Place& place : positions) {
            QCOMPARE(std::fmod(place.point.x(), graph::kGrid), 0.0);
            QCOMPARE(std::fmod(place.point.y(), graph::kGrid), 0.0);
        }
    }

    void aCancelledLayoutGivesNothing()
    {
        std::stop_source stop;
        stop.request_stop();

        QVERIFY(graph::layOut(graph::layoutInput(shopTopology()), stop.get_token()).isEmpty());
    }

    void theFirstLayoutArrivesByItself()
    {
        graph::TopologyView view;
        QSignalSpy done(&view, &graph::TopologyView::layoutFinished);

        view.setTopology(shopTopology());

        QTRY_COMPARE_WITH_TIMEOUT(done.count(), 1, 10'000);
        QCOMPARE(view.positions().size(), 13);
    }

    void drawsSmallAndOddGraphs()
    {
        graph::TopologyView view;
        view.resize(600, 400);
        for (int nodes = 0; nodes <= 2; ++nodes) {
            bridge::Topology topology = tiny(nodes);
            if (nodes == 1) {
                bridge::EdgeRow self;
                self.source = topology.entities.front().id;
                self.target = self.source;
                topology.edges.push_back(self);
            }
            view.setPositions(layered(topology));
            view.setTopology(topology);
            QVERIFY(!view.grab().isNull());
        }
    }

    void zeroTrafficPrintsADash()
    {
        const bridge::EdgeRow quiet;
        const bridge::EntityRow silent;

        const QString dash = QString(QChar(0x2013));
        QCOMPARE(graph::plateLines(quiet, graph::EdgeLabels::Rate, false), QStringList{dash});
        QCOMPARE(graph::plateLines(quiet, graph::EdgeLabels::Errors, false), QStringList{dash});
        QCOMPARE(
            graph::plateLines(quiet, graph::EdgeLabels::Rate, true), (QStringList{dash, dash, dash})
        );
        QCOMPARE(graph::figuresLine(silent), dash);
    }

    void arrowsWalkAlongEdges()
    {
        graph::TopologyView view;
        view.setPositions(shopPositions());
        view.setTopology(shopTopology());
        view.setSelection(QStringLiteral("service:edge"));
        QSignalSpy chosen(&view, &graph::TopologyView::selected);

        QTest::keyClick(&view, Qt::Key_Right);
        QCOMPARE(view.selection(), QStringLiteral("service:frontend"));
        QTest::keyClick(&view, Qt::Key_Left);
        QCOMPARE(view.selection(), QStringLiteral("service:edge"));
        QTest::keyClick(&view, Qt::Key_Escape);
        QVERIFY(view.selection().isEmpty());
        QCOMPARE(chosen.count(), 3);
    }

    void theWorstComesFirst()
    {
        graph::TopologyView view;
        view.setPositions(shopPositions());
        view.setTopology(shopTopology());

        QCOMPARE(view.severityOrder().first(), QStringLiteral("service:payment"));
    }

    void enterActivatesAndADragPins()
    {
        graph::TopologyView view;
        view.resize(1032, 708);
        view.setPositions(shopPositions());
        view.setTopology(shopTopology());
        view.centerOn(QPointF(516, 354));
        view.setSelection(QStringLiteral("service:cart"));
        QSignalSpy activated(&view, &graph::TopologyView::activated);
        QSignalSpy moved(&view, &graph::TopologyView::positionsChanged);

        QTest::keyClick(&view, Qt::Key_Return);
        const QPoint from =
            view.toWidget(view.positions()[QStringLiteral("service:cart")].point).toPoint();
        QTest::mousePress(&view, Qt::LeftButton, {}, from);
        QTest::mouseMove(&view, from + QPoint(20, 10));
        QTest::mouseMove(&view, from + QPoint(40, 40));
        QTest::mouseRelease(&view, Qt::LeftButton, {}, from + QPoint(40, 40));

        QCOMPARE(activated.count(), 1);
        QCOMPARE(moved.count(), 1);
        const graph::Place cart = view.positions()[QStringLiteral("service:cart")];
        QVERIFY(cart.isPinned);
        QCOMPARE(cart.point, QPointF(716, 264));
    }

    void everythingStaysInSightUntilTheUserZooms()
    {
        graph::TopologyView view;
        view.resize(1032, 708);
        view.setPositions(shopPositions());
        view.setTopology(shopTopology());
        view.show();
        const auto isInSight = [&view] {
            const QRectF room(view.rect());
            const graph::Positions places = view.positions();
            return std::all_of(places.begin(), places.end(), [&](const graph::Place& place) {
                return room.contains(view.toWidget(place.point - QPointF(62, 42)))
                       && room.contains(view.toWidget(place.point + QPointF(62, 94)));
            });
        };

        QVERIFY(isInSight());
        QVERIFY(view.zoom() <= 1.0);
        view.resize(800, 500);
        QVERIFY(isInSight());

        view.setZoom(1.5);
        view.resize(820, 520);
        QCOMPARE(view.zoom(), 1.5);
    }

    void aFaultTagSaysEffectsOnly()
    {
        bridge::EntityRow row;
        row.name = QStringLiteral("payment");
        row.faults = {
            QStringLiteral("payment-3 +60 ms"),
            QStringLiteral("payment-3 503 12 %"),
            QStringLiteral("payment-1 +60 ms"),
            QStringLiteral("payment-1 reset")};

        QCOMPARE(graph::faultText(row), QStringLiteral("+60 ms · 503 12 % · +1"));
    }

    void zoomKeepsThePointUnderTheCursor()
    {
        graph::TopologyView view;
        view.resize(800, 600);
        view.setPositions(shopPositions());
        view.setTopology(shopTopology());
        const QPointF cursor(200, 150);
        const QPointF before = view.toCanvas(cursor);

        view.setZoom(1.7, cursor);

        QVERIFY(QLineF(view.toCanvas(cursor), before).length() < 1e-6);
    }

    void platesStandOnTheirOwnEdgeOnly()
    {
        graph::Scene scene = graph::buildScene(shopTopology(), shopPositions(), {});
        graph::routeEdges(scene);
        graph::placePlates(scene, {});

        int plates = 0;
        for (std::size_t i = 0; i < scene.edges.size(); ++i) {
            const graph::SceneEdge& edge = scene.edges[i];
            if (!edge.hasPlate) {
                continue;
            }
            ++plates;
            const QSizeF size = graph::plateSize(edge.row, graph::isStacked(edge.row));
            const auto at =
                static_cast<std::size_t>(std::lround(edge.plateAt * (graph::kEdgeSamples - 1)));
            const QPointF corner(size.width() / 2, size.height() / 2);
            const QRectF plate(edge.samples[at] - corner, size);
            for (std::size_t j = 0; j < scene.edges.size(); ++j) {
                for (const QPointF point : scene.edges[j].samples) {
                    QVERIFY(i == j || !plate.contains(point));
                }
            }
            for (const graph::SceneNode& node : scene.nodes) {
                QVERIFY(!plate.intersects(node.glyphBox));
            }
        }
        QVERIFY(plates >= 13);
    }

    void nodesAreReachableByAssistiveTechnology()
    {
        graph::TopologyView view;
        view.setPositions(shopPositions());
        view.setTopology(shopTopology());

        QAccessibleInterface* const list = QAccessible::queryAccessibleInterface(&view);

        QVERIFY(list != nullptr);
        QCOMPARE(list->childCount(), 13);
        QStringList names;
        for (int i = 0; i < list->childCount(); ++i) {
            names.append(list->child(i)->text(QAccessible::Name));
        }
        QVERIFY(names.contains(QStringLiteral("payment, degraded")));
    }
};

} // namespace mesh::test

QTEST_MAIN(mesh::test::GraphTest)
#include "graph_test.moc"
