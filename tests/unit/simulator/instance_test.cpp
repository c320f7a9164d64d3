// Goal: instances are named and dealt to zones as the scenario format says.
// Method: a model with zones, without, and with workloads that take its place.
#include "simulator/models/instance.h"

#include <QTest>

namespace mesh::simulator {

class InstanceTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void instancesAreDealtToZonesInTurn();
    void withoutZonesTheyHaveNone();
    void workloadsTakeTheModelsPlace();
};

void InstanceTest::instancesAreDealtToZonesInTurn()
{
    model::ServiceModel model;
    model.service = "cart";
    model.instances = 3;
    model.zones = {"a", "b"};

    const std::vector<Instance> expected = {
        {"cart-1", "cart", "a"}, {"cart-2", "cart", "b"}, {"cart-3", "cart", "a"}};
    QVERIFY(instancesOf(model, {}) == expected);
}

void InstanceTest::withoutZonesTheyHaveNone()
{
    model::ServiceModel model;
    model.service = "cart";

    QVERIFY((instancesOf(model, {}) == std::vector<Instance>{{"cart-1", "cart", ""}}));
}

void InstanceTest::workloadsTakeTheModelsPlace()
{
    model::ServiceModel model;
    model.service = "cart";
    model.instances = 9;
    model::Workload mine;
    mine.name = "cart-blue";
    mine.service = "cart";
    mine.zone = "b";
    model::Workload other;
    other.name = "pay-1";
    other.service = "pay";

    QVERIFY((instancesOf(model, {mine, other}) == std::vector<Instance>{{"cart-blue", "cart", "b"}})
    );
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::InstanceTest)
#include "instance_test.moc"
