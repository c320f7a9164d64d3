#include "simulator/live/mesh_layout.h"

#include <QTest>

// Goal: what a document says about its live mesh, and what is refused with which words.
// Method: a small document, changed in one place per test.
namespace mesh::simulator {

using namespace std::chrono_literals;

namespace {

model::Workload makeWorkload(const char* name, const char* service)
{
    model::Workload workload;
    workload.name = name;
    workload.service = service;
    workload.node = "vm-1";
    workload.address = "127.0.0.1:0";
    workload.inbound = "127.0.0.1:0";
    workload.outbound = "127.0.0.1:0";
    return workload;
}

model::Document makeDocument()
{
    model::Document document;
    document.nodes.push_back({"edge-1", model::NodeRole::Gateway, {}, {}, {}, {}});
    document.nodes.push_back({"vm-1", model::NodeRole::Sidecar, {}, {}, {}, {}});
    document.services.emplace_back().name = "frontend";
    document.services.back().routes.emplace_back().paths = {"~/x", "/shop"};
    document.services.back().routes.back().hosts = {"*.shop", "my.shop"};
    document.workloads = {
        makeWorkload("frontend-1", "frontend"),
        makeWorkload("frontend-2", "frontend"),
        makeWorkload("frontend-3", "frontend")};
    document.models.emplace_back().service = "frontend";
    return document;
}

const std::vector<Load> kLoad{{"frontend", Arrivals::Uniform, {{0s, 10.0}}}};

} // namespace

class MeshLayoutTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void acceptsAWholeDocument();
    void saysWhatIsMissing();
    void reservesOnePortEach();
    void keepsPortsThatAreGiven();
    void findsTheEntry();
    void adoptsAddressesByName();
    void resolvesTargets();
};

void MeshLayoutTest::acceptsAWholeDocument()
{
    QVERIFY(checkLiveable(makeDocument(), kLoad).has_value());
}

void MeshLayoutTest::saysWhatIsMissing()
{
    model::Document noModel = makeDocument();
    noModel.models.clear();
    const auto first = checkLiveable(noModel, kLoad);
    QVERIFY(!first);
    QVERIFY(first.error().message.find("has no model") != std::string::npos);

    model::Document noRoute = makeDocument();
    noRoute.services.back().routes.clear();
    const auto second = checkLiveable(noRoute, kLoad);
    QVERIFY(!second);
    QVERIFY(second.error().message.find("no route leads to frontend") != std::string::npos);

    model::Document noGateway = makeDocument();
    noGateway.nodes.erase(noGateway.nodes.begin());
    QVERIFY(!checkLiveable(noGateway, kLoad));
    QVERIFY(checkLiveable(noGateway, {}).has_value());

    QVERIFY(!checkLiveable(model::Document(), {}));
}

void MeshLayoutTest::reservesOnePortEach()
{
    model::Document document = makeDocument();

    const auto ports = reserveListeners(document);

    QVERIFY(ports.has_value());
    QCOMPARE(ports->size(), std::size_t{6});
    QCOMPARE(*document.workloads[0].inbound, ports->at(0).address().toText());
    QCOMPARE(*document.workloads[2].outbound, ports->at(5).address().toText());
    QVERIFY(ports->at(0).address().port() != 0);
    QVERIFY(ports->at(0).address() != ports->at(1).address());
}

void MeshLayoutTest::keepsPortsThatAreGiven()
{
    model::Document document = makeDocument();
    document.workloads[0].inbound = "127.0.0.1:15006";

    const auto ports = reserveListeners(document);

    QVERIFY(ports.has_value());
    QCOMPARE(ports->size(), std::size_t{5});
    QCOMPARE(*document.workloads[0].inbound, std::string("127.0.0.1:15006"));
}

void MeshLayoutTest::findsTheEntry()
{
    const auto entry = entryOf(makeDocument(), kLoad.front());

    QVERIFY(entry.has_value());
    QCOMPARE(entry->path, std::string("/shop"));
    QCOMPARE(entry->host, std::string("my.shop"));
}

void MeshLayoutTest::adoptsAddressesByName()
{
    model::Document running = makeDocument();
    running.workloads[1].address = "127.0.0.1:7002";
    running.workloads[1].inbound = "127.0.0.1:7003";
    model::Document edited = makeDocument();
    edited.workloads.push_back(makeWorkload("frontend-9", "frontend"));

    adoptAddresses(edited, running);

    QCOMPARE(edited.workloads[1].address, std::string("127.0.0.1:7002"));
    QCOMPARE(*edited.workloads[1].inbound, std::string("127.0.0.1:7003"));
    QCOMPARE(edited.workloads[3].address, std::string("127.0.0.1:0"));
}

void MeshLayoutTest::resolvesTargets()
{
    const model::Document document = makeDocument();
    using Names = std::vector<std::string>;

    QCOMPARE(workloadsOf(document, {"frontend", "", 34, {}}), (Names{"frontend-1", "frontend-2"}));
    QCOMPARE(workloadsOf(document, {"frontend", "", {}, 1}), (Names{"frontend-1"}));
    QCOMPARE(workloadsOf(document, {"", "frontend-3", {}, {}}), (Names{"frontend-3"}));
    QCOMPARE(workloadsOf(document, {"frontend", "", {}, {}}).size(), std::size_t{3});
    QVERIFY(workloadsOf(document, {"nobody", "", {}, {}}).empty());
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::MeshLayoutTest)
#include "mesh_layout_test.moc"
