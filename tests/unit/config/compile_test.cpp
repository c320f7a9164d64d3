#include "proxyengine/config/compile.h"

#include "proxyengine/config/codec.h"

#include <QTest>

#include <algorithm>

namespace mesh::config {
namespace {

constexpr const char* kShop = R"(
_format_version: "3.0"
mesh: {name: shop}
services:
- name: frontend
  host: frontend
  routes: [{name: web, paths: [/]}]
- {name: cart, host: cart.mesh, retries: 2, read_timeout: 1000}
- {name: redis, host: redis}
- {name: external, host: api.example, port: 443, protocol: https, path: /v2}
- {name: off, host: off.example, enabled: false, routes: [{name: off, paths: [/off]}]}
routes:
- {name: nobody, paths: [/nobody]}
- {name: raw, service: redis, protocols: [tcp], destinations: [{port: 6379}]}
upstreams:
- {name: cart.mesh, algorithm: least-requests, healthchecks: {active: {healthy: {interval: 1}}}}
- name: redis
  targets:
  - {target: "10.0.0.9:6379", weight: 5, tags: [zone:b, version:v7]}
nodes:
- {name: edge, zone: a}
- {name: vm-1, role: sidecar, zone: a}
- {name: vm-2, role: sidecar, zone: b}
workloads:
- name: frontend-1
  service: frontend
  node: vm-1
  address: "127.0.0.1:7000"
  inbound: "10.0.0.1:15006"
  outbound: "127.0.0.1:15001"
- name: cart-1
  service: cart
  node: vm-1
  version: v1
  address: "127.0.0.1:7001"
  inbound: "10.0.0.1:15007"
- {name: cart-2, service: cart, node: vm-2, zone: c, weight: 7, address: "10.0.0.2:7001"}
)";

model::Document shop()
{
    const DecodeResult result = decode(kShop);
    for (const Problem& problem : result.problems) {
        if (problem.severity == Severity::Error) {
            qWarning("%s", toText(problem, "shop").c_str());
        }
    }
    return result.document;
}

const ServicePlan* serviceOf(
    const Snapshot& snapshot,
    const ListenerPlan& listener,
    std::string_view host,
    std::string_view path
)
{
    policy::RequestView request;
    request.method = "GET";
    request.host = host;
    request.path = path;
    const RouteTable& table = snapshot.tables[listener.table];
    const auto match = table.router.match(request);
    if (!match || !table.routes[match->route].service) {
        return nullptr;
    }
    return &snapshot.services[*table.routes[match->route].service];
}

const ListenerPlan* listenerOf(const Snapshot& snapshot, std::string_view name)
{
    const auto found = std::ranges::find(snapshot.listeners, name, &ListenerPlan::name);
    return found == snapshot.listeners.end() ? nullptr : &*found;
}

} // namespace

class CompileTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aGatewayRoutesToUpstreamsAndWorkloads()
    {
        const CompileResult result = compile(shop(), "edge");
        QVERIFY(result.snapshot != nullptr);
        const Snapshot& snapshot = *result.snapshot;
        QCOMPARE(snapshot.zone, std::string("a"));
        QCOMPARE(snapshot.hash, hashOf(shop()));
        QCOMPARE(snapshot.listeners.size(), std::size_t{1});
        const ListenerPlan& gateway = snapshot.listeners[0];
        QCOMPARE(gateway.kind, ListenerKind::Gateway);
        const ServicePlan* const web = serviceOf(snapshot, gateway, "any", "/x");
        QVERIFY(web != nullptr);
        QCOMPARE(web->name, std::string("frontend"));
        const UpstreamPlan& upstream = snapshot.upstreams[web->upstream];
        QVERIFY(!upstream.isDeclared);
        QCOMPARE(upstream.targets[0].address, std::string("10.0.0.1:15006"));
        QCOMPARE(upstream.targets[0].workload, std::string("frontend-1"));
        QCOMPARE(upstream.targets[0].zone, std::string("a"));
        QCOMPARE(*upstream.hostHeader, std::string("frontend"));
    }

    void aServicelessRouteHasNoService()
    {
        const CompileResult result = compile(shop(), "");
        const RouteTable& table = result.snapshot->tables[0];
        const auto named = std::ranges::find(table.routes, std::string("nobody"), &RoutePlan::name);
        QVERIFY(named != table.routes.end());
        QVERIFY(!named->service.has_value());
        QCOMPARE(
            std::ranges::find(table.routes, std::string("off"), &RoutePlan::name),
            table.routes.end()
        );
    }

    void declaredUpstreamsKeepTheirSettingsAndGetWorkloads()
    {
        const CompileResult result = compile(shop(), "edge");
        const auto cart = std::ranges::find(
            result.snapshot->upstreams, std::string("cart.mesh"), &UpstreamPlan::name
        );
        QVERIFY(cart->isDeclared);
        QCOMPARE(cart->algorithm, model::Algorithm::LeastRequests);
        QCOMPARE(cart->healthchecks.active.healthy.interval, Duration(std::chrono::seconds(1)));
        QCOMPARE(cart->targets.size(), std::size_t{2});
        QCOMPARE(cart->targets[0].address, std::string("10.0.0.1:15007"));
        QCOMPARE(cart->targets[0].version, std::string("v1"));
        QCOMPARE(cart->targets[1].address, std::string("10.0.0.2:7001")); // It has no sidecar.
        QCOMPARE(cart->targets[1].zone, std::string("c"));
        const auto redis = std::ranges::find(
            result.snapshot->upstreams, std::string("redis"), &UpstreamPlan::name
        );
        QCOMPARE(redis->targets[0].weight, 5);
        QCOMPARE(redis->targets[0].zone, std::string("b"));
        QCOMPARE(redis->targets[0].version, std::string("v7"));
    }

    void tcpRoutesBecomeStreamRoutes()
    {
        const CompileResult result = compile(shop(), "edge");
        QCOMPARE(result.snapshot->streamRoutes.size(), std::size_t{1});
        QCOMPARE(result.snapshot->streamRoutes[0].ports, std::vector<std::uint16_t>{6379});
        const ServicePlan& service =
            result.snapshot->services[*result.snapshot->streamRoutes[0].service];
        QCOMPARE(service.name, std::string("redis"));
    }

    void aSidecarHasListenersForItsOwnWorkloads()
    {
        const CompileResult result = compile(shop(), "vm-1");
        const Snapshot& snapshot = *result.snapshot;
        QCOMPARE(snapshot.listeners.size(), std::size_t{3});

        const ListenerPlan* const inbound = listenerOf(snapshot, "cart-1 inbound");
        QVERIFY(inbound != nullptr);
        QCOMPARE(inbound->address, std::string("10.0.0.1:15007"));
        QCOMPARE(inbound->source, std::string());
        const ServicePlan* const process = serviceOf(snapshot, *inbound, "anything", "/any/path");
        QVERIFY(process != nullptr);
        QCOMPARE(process->name, std::string("cart"));
        QCOMPARE(process->readTimeout, Duration(std::chrono::seconds(1)));
        const TargetPlan& target = snapshot.upstreams[process->upstream].targets.at(0);
        QCOMPARE(target.address, std::string("127.0.0.1:7001"));
        QCOMPARE(target.workload, std::string("cart-1"));
    }

    void aWorkloadHasItsShareOfItsService()
    {
        const CompileResult result = compile(shop(), "vm-1");
        const Snapshot& snapshot = *result.snapshot;
        const ServicePlan* const cart =
            serviceOf(snapshot, *listenerOf(snapshot, "frontend-1 outbound"), "cart", "/x");
        QVERIFY(cart != nullptr);
        std::vector<std::pair<std::string, int>> shares;
        for (const TargetPlan& target : snapshot.upstreams[cart->upstream].targets) {
            shares.emplace_back(target.workload, target.weight);
        }
        const std::vector<std::pair<std::string, int>> expected = {{"cart-1", 100}, {"cart-2", 7}};
        QCOMPARE(shares, expected);
    }

    void outboundRoutesByTheNameOfTheService()
    {
        const CompileResult result = compile(shop(), "vm-1");
        const Snapshot& snapshot = *result.snapshot;
        const ListenerPlan* const outbound = listenerOf(snapshot, "frontend-1 outbound");
        QVERIFY(outbound != nullptr);
        QCOMPARE(outbound->kind, ListenerKind::Outbound);
        QCOMPARE(outbound->source, std::string("frontend"));
        QCOMPARE(outbound->workload, std::string("frontend-1"));
        const ServicePlan* const cart = serviceOf(snapshot, *outbound, "cart", "/x");
        QVERIFY(cart != nullptr);
        QCOMPARE(cart->retries, 2);
        QCOMPARE(snapshot.upstreams[cart->upstream].targets.size(), std::size_t{2});
        const ServicePlan* const external = serviceOf(snapshot, *outbound, "external", "/x");
        QVERIFY(external != nullptr);
        QCOMPARE(external->path, std::string("/v2"));
        QCOMPARE(
            snapshot.upstreams[external->upstream].targets[0].address,
            std::string("api.example:443")
        );
        QCOMPARE(serviceOf(snapshot, *outbound, "unknown", "/x"), nullptr);
        QCOMPARE(serviceOf(snapshot, *outbound, "off", "/x"), nullptr);
    }

    void aSidecarWithoutWorkloadsListensNowhere()
    {
        model::Document document = shop();
        std::erase_if(document.workloads, [](const model::Workload& workload) {
            return workload.node == "vm-1";
        });
        const CompileResult result = compile(document, "vm-1");
        QVERIFY(result.snapshot != nullptr);
        QVERIFY(result.snapshot->listeners.empty());
    }

    void anUnknownNodeIsAProblem()
    {
        const CompileResult result = compile(shop(), "nowhere");
        QVERIFY(result.snapshot == nullptr);
        QCOMPARE(result.problems.at(0).path, std::string("nodes"));
    }

    void aRegexThatDoesNotCompileIsAProblem()
    {
        model::Document document = shop();
        document.services[0].routes[0].paths = {"~/("};
        const CompileResult result = compile(document, "edge");
        QVERIFY(result.snapshot == nullptr);
        QVERIFY(result.problems.at(0).path.ends_with("paths[0]"));
    }

    void aServiceThatIsNotThereIsAProblem()
    {
        model::Document document = shop();
        document.services[0].routes[0].split = {{"frontend", 1}, {"off", 1}};
        model::Resilience& resilience = document.services[0].resilience.emplace();
        resilience.mirror.emplace().service = "nobody";
        const CompileResult result = compile(document, "edge");
        QVERIFY(result.snapshot == nullptr);
        QStringList lines;
        for (const Problem& problem : result.problems) {
            lines << QString::fromStdString(problem.path + ": " + problem.message);
        }
        const QString text = lines.join(QLatin1Char('|'));
        QVERIFY2(
            text.contains(QStringLiteral(".resilience.mirror.service: there is no enabled service "
                                         "'nobody' in this document")),
            qPrintable(text)
        );
        QVERIFY2(
            text.contains(
                QStringLiteral(".split: there is no enabled service 'off' in this document")
            ),
            qPrintable(text)
        );
    }

    void orderInTheFileMakesNoDifference()
    {
        model::Document turned = shop();
        std::ranges::reverse(turned.services);
        std::ranges::reverse(turned.workloads);
        std::ranges::reverse(turned.upstreams);
        const CompileResult one = compile(shop(), "edge");
        const CompileResult two = compile(turned, "edge");
        QCOMPARE(one.snapshot->hash, two.snapshot->hash);
        QCOMPARE(one.snapshot->services.size(), two.snapshot->services.size());
        for (std::size_t at = 0; at < one.snapshot->services.size(); ++at) {
            QCOMPARE(one.snapshot->services[at].name, two.snapshot->services[at].name);
        }
        for (std::size_t at = 0; at < one.snapshot->upstreams.size(); ++at) {
            QCOMPARE(one.snapshot->upstreams[at].name, two.snapshot->upstreams[at].name);
        }
    }
};

} // namespace mesh::config

QTEST_APPLESS_MAIN(mesh::config::CompileTest)
#include "compile_test.moc"
