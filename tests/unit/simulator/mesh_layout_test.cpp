#include "simulator/live/mesh_layout.h"

#include <QTest>

#include <utility>

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
    void givesEveryInstanceItsSidecar();
    void onlyCallersCheck();
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
    model::Document document = makeDocument();
    document.nodes[1].zone = "a";
    document.workloads[1].zone = "b";
    document.workloads[2].version = "v2";
    document.workloads.push_back(makeWorkload("cart-1", "cart"));
    using Names = std::vector<std::string>;
    const auto hit = [&document](FaultTarget target) {
        Fault fault;
        fault.target = std::move(target);
        return workloadsOf(document, fault);
    };
    FaultTarget service;
    service.service = "frontend";
    QCOMPARE(hit(service), (Names{"frontend-1", "frontend-2", "frontend-3"}));
    FaultTarget part = service;
    part.percent = 34;
    QCOMPARE(hit(part), (Names{"frontend-1", "frontend-2"}));
    part.percent.reset();
    part.count = 1;
    QCOMPARE(hit(part), (Names{"frontend-1"}));
    part.count.reset();
    part.names = {"frontend-3", "frontend-1"};
    QCOMPARE(hit(part), (Names{"frontend-1", "frontend-3"}));

    FaultTarget other;
    other.instance = "frontend-3";
    QCOMPARE(hit(std::exchange(other, {})), (Names{"frontend-3"}));
    other.zone = "a"; // Some by their node.
    QCOMPARE(hit(std::exchange(other, {})), (Names{"cart-1", "frontend-1", "frontend-3"}));
    other.version = "v2";
    QCOMPARE(hit(std::exchange(other, {})), (Names{"frontend-3"}));
    other.edge = {"frontend", "cart"};
    QCOMPARE(hit(std::exchange(other, {})), (Names{"cart-1"}));
    other.service = "nobody";
    QVERIFY(hit(other).empty());

    Fault deploy;
    deploy.kind = FaultKind::BadDeploy;
    deploy.target = service;
    deploy.share = 0.5;
    QCOMPARE(workloadsOf(document, deploy), (Names{"frontend-1", "frontend-2"}));
}

// What virtual time makes up is made for the live twin, too.
void MeshLayoutTest::givesEveryInstanceItsSidecar()
{
    model::Document document = makeDocument();
    document.nodes.push_back({"edge-2", model::NodeRole::Gateway, {}, {}, {}, {}});
    model::ServiceModel& cart = document.models.emplace_back();
    cart.service = "cart";
    cart.instances = 2;
    cart.zones = {"x", "y"};
    std::vector<std::string> notes;

    const model::Document whole =
        withOwnSidecars(document, {{"cart", Arrivals::Poisson, {{0s, 1.0}}}}, notes);

    QCOMPARE(whole.workloads.size(), std::size_t{5});
    QCOMPARE(whole.nodes.size(), std::size_t{6}); // One gateway.
    QCOMPARE(whole.workloads[4].name, std::string("cart-2"));
    QCOMPARE(whole.workloads[4].zone, std::optional<std::string>("y"));
    QCOMPARE(whole.workloads[4].node, std::string("cart-2-sidecar"));
    QCOMPARE(whole.services.back().name, std::optional<std::string>("cart"));
    QCOMPARE(whole.services.back().routes.size(), std::size_t{1});
    QCOMPARE(notes.size(), std::size_t{1});
    QVERIFY(checkLiveable(whole, {{"cart", Arrivals::Poisson, {{0s, 1.0}}}}).has_value());

    // More than one machine carries: one sidecar per zone.
    document.models.back().instances = 100;
    const model::Document large = withOwnSidecars(document, {}, notes);
    QCOMPARE(large.workloads.size(), std::size_t{103});
    QCOMPARE(large.nodes.size(), std::size_t{4}); // edge-1, x, y, and those without a zone.
    QVERIFY(notes.back().find("103 instances share") != std::string::npos);
}

void MeshLayoutTest::onlyCallersCheck()
{
    model::Document document = makeDocument();
    document.services.back().host = "frontend";
    document.nodes.push_back({"vm-2", model::NodeRole::Sidecar, {}, {}, {}, {}});
    model::Upstream& upstream = document.upstreams.emplace_back();
    upstream.name = "frontend";
    upstream.healthchecks.active.healthy.interval = 1s;
    upstream.healthchecks.active.unhealthy.interval = 2s;
    const auto checks = [&](const char* node) {
        const model::Document seen = withChecksOfCallers(document, node, kLoad);
        const model::ActiveHealthcheck& active = seen.upstreams.front().healthchecks.active;
        return active.healthy.interval == Duration(1s) && active.unhealthy.interval == 2s;
    };

    QVERIFY(checks("edge-1")); // By the load.
    QVERIFY(!checks("vm-1")); // Its frontends call nobody.
    document.models.emplace_back().service = "shop";
    document.models.back().script.emplace_back().calls.emplace_back().call = "frontend";
    document.workloads.push_back(makeWorkload("shop-1", "shop"));
    document.workloads.back().node = "vm-2";
    QVERIFY(checks("vm-2"));
    QVERIFY(!checks("vm-1"));
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::MeshLayoutTest)
#include "mesh_layout_test.moc"
