#include "simulator/live/live_configuration.h"

#include "proxyengine/config/codec.h"
#include "simulator/live/mesh_layout.h"

#include <QTest>

#include <algorithm>
#include <memory>
#include <string>

// Goal: which node runs which configuration when, while a timeline is played.
// Method: a small mesh, faults made by hand, times said; no engine runs.
namespace mesh::simulator {

using namespace std::chrono_literals;

namespace {

constexpr const char* kLateMesh = R"(
_format_version: "3.0"
nodes:
- {name: edge, role: gateway}
- {name: vm-1, role: sidecar}
- {name: vm-2, role: sidecar}
services:
- {name: front, host: front}
- {name: stock, host: stock}
workloads:
- {name: front-1, service: front, node: vm-1, address: "127.0.0.1:0"}
- {name: stock-1, service: stock, node: vm-2, address: "127.0.0.1:0", version: v1}
- {name: stock-2, service: stock, node: vm-2, address: "127.0.0.1:0", version: v1}
models:
- {service: front, service_time: {dist: const, mean: 1ms}, script: [{call: stock}]}
- {service: stock, instances: 2, service_time: {dist: const, mean: 1ms}}
)";

Fault during(FaultKind kind, Duration at, Duration length)
{
    Fault fault;
    fault.kind = kind;
    fault.at = at;
    fault.length = length;
    return fault;
}

struct Played
{
    std::unique_ptr<LiveConfiguration> configuration;

    explicit Played(std::vector<Fault> timeline)
    {
        const auto written =
            std::make_shared<const model::Document>(config::decode(kLateMesh).document);
        configuration = std::make_unique<LiveConfiguration>(written, std::move(timeline));
        std::vector<std::string> notes;
        auto begun = configuration->begin(
            withOwnSidecars(*written, {}, notes), WallTime(std::chrono::hours(24 * 20'000))
        );
        configuration->setRunning(std::make_shared<const model::Document>(*std::move(begun)));
    }

    // The nodes that are given another document at this time, and what of it `read` finds.
    template <typename Read>
    QString told(Duration at, Read read)
    {
        QStringList found;
        for (const auto& change : configuration->changesAt(at, std::nullopt)) {
            for (const std::string& node : change.nodes) {
                found << QString::fromStdString(node + ":" + read(change.document));
            }
        }
        found.sort();
        return found.join(QLatin1Char(' '));
    }
};

std::string versionOfStock1(const model::Document& document)
{
    const auto found = std::ranges::find(document.workloads, "stock-1", &model::Workload::name);
    return found->version.value_or("none");
}

} // namespace

class LiveConfigurationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aDeployIsSeenLateByNodesThatAreLate();
    void aCertificateIsRenewedLate();
    void verdictsAreLateWhereTheFaultsSaySo();
    void aStormIsOfAllNodes();
};

void LiveConfigurationTest::aDeployIsSeenLateByNodesThatAreLate()
{
    Fault deploy = during(FaultKind::BadDeploy, 10s, 20s);
    deploy.target.service = "stock";
    deploy.version = "v2";
    deploy.share = 0.5;
    Fault late = during(FaultKind::ConfigDelay, 5s, 10s);
    late.target.node = "vm-1"; // Of front-1, which has a sidecar of its own here.
    late.by = 8s;
    Played mesh({deploy, late});

    QCOMPARE(mesh.told(9s, versionOfStock1), QString());
    QCOMPARE(
        mesh.told(10s, versionOfStock1),
        QStringLiteral("edge:v2 stock-1-sidecar:v2 stock-2-sidecar:v2")
    );
    QCOMPARE(mesh.told(17s, versionOfStock1), QString());
    QCOMPARE(mesh.told(18s, versionOfStock1), QStringLiteral("front-1-sidecar:v2"));
    // The way back comes at once: nobody is late any more.
    QCOMPARE(
        mesh.told(30s, versionOfStock1),
        QStringLiteral("edge:v1 front-1-sidecar:v1 stock-1-sidecar:v1 stock-2-sidecar:v1")
    );
}

void LiveConfigurationTest::aCertificateIsRenewedLate()
{
    Fault expiry = during(FaultKind::CertExpiry, 10s, 10s);
    expiry.target.instance = "stock-2";
    Fault late = during(FaultKind::ConfigDelay, 15s, 10s);
    late.target.node = "vm-2";
    late.by = 7s;
    Played mesh({expiry, late});
    const auto certificate = [](const model::Document& document) {
        const auto found = std::ranges::find_if(document.certificates, [](const auto& each) {
            return each.id == "rehearsal-stock-2";
        });
        return found == document.certificates.end() ? std::string("none") : found->cert;
    };

    const QString expired = mesh.told(10s, certificate);
    QVERIFY(expired.startsWith(QStringLiteral("stock-2-sidecar:-----BEGIN CERTIFICATE")));
    QCOMPARE(mesh.told(26s, certificate), QString());
    const QString renewed = mesh.told(27s, certificate);
    QVERIFY(renewed.startsWith(QStringLiteral("stock-2-sidecar:-----BEGIN CERTIFICATE")));
    QVERIFY(renewed != expired);
}

void LiveConfigurationTest::verdictsAreLateWhereTheFaultsSaySo()
{
    Fault stale = during(FaultKind::StaleEndpoints, 10s, 10s);
    stale.target.service = "stock";
    stale.by = 3s;
    Fault late = during(FaultKind::ConfigDelay, 10s, 20s);
    late.target.node = "edge";
    late.by = 5s;
    const Played mesh({stale, late});
    const LiveConfiguration& configuration = *mesh.configuration;

    QCOMPARE(configuration.lateness("edge", "front", 9s), Duration(0s));
    QCOMPARE(configuration.lateness("edge", "front", 10s), Duration(5s));
    QCOMPARE(configuration.lateness("edge", "stock", 10s), Duration(5s));
    QCOMPARE(configuration.lateness("front-1-sidecar", "stock", 10s), Duration(3s));
    QCOMPARE(configuration.lateness("front-1-sidecar", "front", 10s), Duration(0s));
    QCOMPARE(configuration.lateness("front-1-sidecar", "stock", 20s), Duration(0s));

    const auto begun = mesh.configuration->delaysAt(10s);
    QCOMPARE(begun.size(), std::size_t{5}); // Both of the gateway's, the sidecars' of stock.
    QVERIFY(mesh.configuration->delaysAt(11s).empty());
    QCOMPARE(mesh.configuration->delaysAt(20s).size(), std::size_t{3});
}

void LiveConfigurationTest::aStormIsOfAllNodes()
{
    Fault storm = during(FaultKind::RetryStorm, 10s, 10s);
    storm.target.service = "stock";
    storm.attempts = 9;
    Played mesh({storm});
    const auto attempts = [](const model::Document& document) {
        const auto stock = std::ranges::find(document.services, "stock", &model::Service::name);
        return stock->resilience && stock->resilience->retry
                   ? std::to_string(stock->resilience->retry->attempts)
                   : std::string("none");
    };

    QCOMPARE(mesh.told(5s, attempts), QString());
    QCOMPARE(
        mesh.told(10s, attempts),
        QStringLiteral("edge:9 front-1-sidecar:9 stock-1-sidecar:9 stock-2-sidecar:9")
    );
    QCOMPARE(
        mesh.told(20s, attempts),
        QStringLiteral("edge:none front-1-sidecar:none stock-1-sidecar:none stock-2-sidecar:none")
    );
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::LiveConfigurationTest)
#include "live_configuration_test.moc"
