#include "simulator/live/live_mesh.h"

#include "proxyengine/base/clock.h"
#include "proxyengine/base/file.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/proxy/local_engine.h"

#include <QTest>

#include <algorithm>
#include <memory>

// Goal: a whole mesh in one process: traffic from client to gateway to sidecars to instances and
//       back, faults and their end, a changed document under load.
// Method: real engines, real sockets on loopback, every port free; conditions are waited for with
//         a deadline.
namespace mesh::simulator {

using namespace std::chrono_literals;

namespace {

model::Document smallDocument()
{
    const auto text =
        readFile(MESH_SOURCE_DIR "/tests/integration/live_mesh.yaml", kConfigBytesMax);
    const config::DecodeResult decoded = config::decode(text ? *text : std::string());
    for (const config::Problem& problem : decoded.problems) {
        qWarning("%s", config::toText(problem, "small").c_str());
    }
    return decoded.document;
}

Result<std::unique_ptr<LiveMesh>> startSmall(const Clock& clock, double rate)
{
    LiveMeshOptions options;
    options.document = smallDocument();
    options.load = {{"frontend", Arrivals::Uniform, {{Duration::zero(), rate}}}};
    options.clock = &clock;
    options.engineFactory = [](const api::EngineOptions& engine,
                               const std::shared_ptr<const model::Document>&) {
        return proxy::makeLocalEngine(engine);
    };
    return LiveMesh::start(std::move(options));
}

std::uint64_t served(const LiveMesh& mesh, const char* instance)
{
    return mesh.answeredBy(instance).value_or(0);
}

// "4 failed, last HTTP 502" for messages; empty when nothing failed.
QByteArray failuresOf(const LiveMesh& mesh)
{
    const LoadFigures figures = mesh.loadFigures();
    if (figures.failed + figures.refused == 0) {
        return {};
    }
    return QByteArray::number(figures.failed + figures.refused) + " of "
           + QByteArray::number(figures.started) + " failed, last "
           + QByteArray::fromStdString(figures.lastFailure);
}

} // namespace

class LiveMeshTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void trafficReachesEveryInstance();
    void aKilledInstanceCostsNoRequest();
    void aFrozenInstanceIsLeftAlone();
    void errorsOfAnInstanceAreSeenByClients();
    void aChangedDocumentIsAppliedUnderLoad();
    void aDocumentThatANodeRefusesChangesNothing();

private:
    bool waitForMore(const char* instance, std::uint64_t more);

    SystemClock m_clock;
    std::unique_ptr<LiveMesh> m_mesh;
};

void LiveMeshTest::init()
{
    auto mesh = startSmall(m_clock, 200);
    QVERIFY2(mesh.has_value(), mesh ? "" : toText(mesh.error()).c_str());
    m_mesh = std::move(*mesh);
}

void LiveMeshTest::cleanup()
{
    if (m_mesh) {
        m_mesh->stop();
        m_mesh.reset();
    }
}

bool LiveMeshTest::waitForMore(const char* instance, std::uint64_t more)
{
    const std::uint64_t wanted = served(*m_mesh, instance) + more;
    return QTest::qWaitFor([&] { return served(*m_mesh, instance) >= wanted; }, 10'000);
}

// A request passes the gateway, two sidecars per call, and every instance gets its part.
void LiveMeshTest::trafficReachesEveryInstance()
{
    for (const std::string& name : m_mesh->instances()) {
        QVERIFY2(waitForMore(name.c_str(), 20), name.c_str());
    }

    QCOMPARE(failuresOf(*m_mesh), QByteArray());
    QCOMPARE(m_mesh->gatewayAddresses().size(), std::size_t{1});
    QCOMPARE(m_mesh->nodes().size(), std::size_t{3});
    for (const model::Workload& workload : m_mesh->document()->workloads) {
        QVERIFY(!QByteArray::fromStdString(workload.address).endsWith(":0"));
        QVERIFY(!QByteArray::fromStdString(*workload.inbound).endsWith(":0"));
    }
}

// While another instance is healthy, a killed one is not noticed by clients; restored, it works.
void LiveMeshTest::aKilledInstanceCostsNoRequest()
{
    QVERIFY(waitForMore("cart-1", 20));
    InstanceFaults killed;
    killed.isKilled = true;
    QVERIFY(m_mesh->setFaults("cart-1", killed).has_value());

    QVERIFY(waitForMore("cart-2", 300));
    const std::uint64_t atRest = served(*m_mesh, "cart-1");
    QVERIFY(waitForMore("cart-2", 100));
    QCOMPARE(served(*m_mesh, "cart-1"), atRest);

    QVERIFY(m_mesh->setFaults("cart-1", {}).has_value());
    QVERIFY(waitForMore("cart-1", 20));
    QCOMPARE(failuresOf(*m_mesh), QByteArray());
}

// Requests that hang in a frozen instance are repeated elsewhere after the read timeout.
void LiveMeshTest::aFrozenInstanceIsLeftAlone()
{
    QVERIFY(waitForMore("frontend-1", 20));
    InstanceFaults frozen;
    frozen.isFrozen = true;
    QVERIFY(m_mesh->setFaults("cart-1", frozen).has_value());

    QVERIFY(waitForMore("cart-2", 400));
    const std::uint64_t atRest = served(*m_mesh, "cart-1");
    QVERIFY(waitForMore("cart-2", 100));
    QCOMPARE(served(*m_mesh, "cart-1"), atRest);

    QVERIFY(m_mesh->setFaults("cart-1", {}).has_value());
    QVERIFY(waitForMore("cart-1", 20));
    QCOMPARE(failuresOf(*m_mesh), QByteArray());
}

// A status is never retried: it comes through to the client.
void LiveMeshTest::errorsOfAnInstanceAreSeenByClients()
{
    QVERIFY(waitForMore("db-1", 20));
    InstanceFaults faulty;
    faulty.errorShare = 1.0;
    QVERIFY(m_mesh->setFaults("db-1", faulty).has_value());
    QCOMPARE(m_mesh->faults("db-1"), faulty);

    QVERIFY(QTest::qWaitFor([&] { return m_mesh->loadFigures().failed >= 20; }, 10'000));
    QCOMPARE(m_mesh->loadFigures().lastFailure, std::string("HTTP 502"));
}

// The model and the balancer change while requests are in flight; none is lost.
void LiveMeshTest::aChangedDocumentIsAppliedUnderLoad()
{
    QVERIFY(waitForMore("db-1", 20));
    model::Document changed = smallDocument(); // With port 0 again: the running ports stay.
    changed.models[1].script.clear();
    changed.upstreams[0].algorithm = model::Algorithm::Random;

    const auto applied = m_mesh->apply(changed);
    QVERIFY2(applied.has_value(), applied ? "" : toText(applied.error()).c_str());

    QVERIFY(waitForMore("cart-1", 50));
    const std::uint64_t before = served(*m_mesh, "db-1");
    QVERIFY(waitForMore("cart-1", 50));
    QCOMPARE(served(*m_mesh, "db-1"), before); // Nobody calls it any more.
    QCOMPARE(failuresOf(*m_mesh), QByteArray());
}

void LiveMeshTest::aDocumentThatANodeRefusesChangesNothing()
{
    QVERIFY(waitForMore("cart-1", 20));
    model::Document broken = smallDocument();
    broken.nodes.clear();

    QVERIFY(!m_mesh->apply(broken));

    QVERIFY(waitForMore("cart-1", 50));
    QCOMPARE(failuresOf(*m_mesh), QByteArray());
}

} // namespace mesh::simulator

QTEST_GUILESS_MAIN(mesh::simulator::LiveMeshTest)
#include "live_mesh_test.moc"
