// Goal: variants of a scenario change a document as a merge patch on named objects does, and what
// does not fit is named with its place in the scenario file.
// Method: small documents and patches as text.
#include "simulator/scenario/patch.h"

#include "proxyengine/config/codec.h"
#include "proxyengine/config/tree.h"

#include <QTest>

namespace mesh::simulator {

class PatchTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void nothingChangesNothing();
    void fieldsAreMergedByName();
    void nullTakesAway();
    void routesAreFoundInTheirServices();
    void targetsAreFoundByTheirAddress();
    void aPatchMayMakeWhatItNames();
    void theUpstreamOfAModelIsMade();
    void whatDoesNotFitHasItsPlace_data();
    void whatDoesNotFitHasItsPlace();
    void policiesAreTakenOutEverywhere();
};

namespace {

constexpr std::string_view kShop = R"(_format_version: "3.0"
services:
- name: front
  host: front
  resilience: {breaker: {open: 9s}, hedge: {after: p95}}
  routes: [{name: all, paths: [/], resilience: {retry: {attempts: 4}}}]
- name: cart
  host: cart
  retries: 2
  resilience: {retry: {attempts: 3, budget: {percent: 50}}}
upstreams:
- name: front
  outlier_detection: {interval: 2s}
  targets: [{target: "10.0.0.1:80"}, {target: "10.0.0.2:80"}]
models:
- {service: front, service_time: {dist: lognormal, mean: 4ms, cv: 0.5}, script: [{call: cart}]}
- {service: cart, instances: 2}
)";

model::Document shop()
{
    config::DecodeResult decoded = config::decode(kShop);
    return decoded.document;
}

// Text that begins with a brace would be JSON by itself.
model::Value valueOf(std::string_view text)
{
    const bool isFlow = text.starts_with('{');
    const auto tree = config::parseTree(isFlow ? "v: " + std::string(text) : std::string(text));
    if (!tree) {
        return "not YAML";
    }
    return isFlow ? *tree->find("v") : *tree;
}

} // namespace

void PatchTest::nothingChangesNothing()
{
    QVERIFY(!config::hasErrors(config::decode(kShop).problems));
    QVERIFY(applyPatch(shop(), model::Value()) == shop());
    QVERIFY(applyPatch(shop(), valueOf("{}")) == shop());
    QVERIFY(applyPatch(shop(), valueOf("{services: {cart: {}}}")) == shop());
}

void PatchTest::fieldsAreMergedByName()
{
    const auto patched = applyPatch(
        shop(),
        valueOf("{services: {cart: {resilience: {retry: {budget: {percent: 10}}}}},"
                " models: {front: {service_time: {mean: 9ms}}}}")
    );

    QVERIFY(patched.has_value());
    QCOMPARE(patched->services[1].resilience->retry->budget->percent, 10.0);
    QCOMPARE(patched->services[1].resilience->retry->attempts, 3);
    QVERIFY(patched->models[0].serviceTime.mean == Duration(std::chrono::milliseconds(9)));
    QCOMPARE(patched->models[0].serviceTime.cv, 0.5);
    QVERIFY(patched->services[0] == shop().services[0]);
}

void PatchTest::nullTakesAway()
{
    const auto patched = applyPatch(
        shop(), valueOf("{services: {cart: {resilience: {retry: null}}}, upstreams: {front: null}}")
    );

    QVERIFY(patched.has_value());
    QVERIFY(!patched->services[1].resilience || !patched->services[1].resilience->retry);
    QVERIFY(patched->upstreams.empty());
}

void PatchTest::routesAreFoundInTheirServices()
{
    const auto patched =
        applyPatch(shop(), valueOf("{routes: {all: {resilience: {retry: {attempts: 1}}}}}"));

    QVERIFY(patched.has_value());
    QCOMPARE(patched->services[0].routes[0].resilience->retry->attempts, 1);
    QVERIFY(patched->routes.empty());
}

void PatchTest::targetsAreFoundByTheirAddress()
{
    const auto patched = applyPatch(
        shop(), valueOf("{upstreams: {front: {targets: {\"10.0.0.2:80\": {weight: 7}}}}}")
    );

    QVERIFY(patched.has_value());
    QCOMPARE(patched->upstreams[0].targets.size(), std::size_t{2});
    QCOMPARE(patched->upstreams[0].targets[1].weight, 7);
}

void PatchTest::aPatchMayMakeWhatItNames()
{
    const auto patched = applyPatch(
        shop(),
        valueOf("{services: {cache: {name: cache, host: cache}},"
                " models: {cache: {service: cache, instances: 2}}}")
    );

    QVERIFY2(patched.has_value(), patched ? "" : patched.error().message.c_str());
    QCOMPARE(patched->models.size(), std::size_t{3});
    QCOMPARE(patched->models[2].service, std::string("cache"));
}

void PatchTest::theUpstreamOfAModelIsMade()
{
    const auto patched =
        applyPatch(shop(), valueOf("{upstreams: {cart: {outlier_detection: {interval: 3s}}}}"));

    QVERIFY(patched.has_value());
    QCOMPARE(patched->upstreams.size(), std::size_t{2});
    QVERIFY(patched->upstreams[1].outlierDetection.has_value());
}

void PatchTest::whatDoesNotFitHasItsPlace_data()
{
    QTest::addColumn<QString>("patch");
    QTest::addColumn<QString>("said");

    QTest::newRow("no such service")
        << "services:\n  crt: {retries: 1}"
        << "f:2:3: p.services.crt: there is no service \"crt\"; there are front, cart";
    QTest::newRow("no such kind") << "service: {}"
                                  << "f:1:1: p.service: a document has no such objects; it has "
                                     "services, routes, upstreams, models and so on";
    QTest::newRow("no such field") << "services:\n  cart:\n    resilience: {retri: 1}"
                                   << "f:3:25: p.services.cart.resilience.retri: unknown field";
    QTest::newRow("out of range"
    ) << "services:\n  cart: {resilience: {retry: {attempts: -1}}}"
      << "f:2:41: p.services.cart.resilience.retry.attempts: value should be between 1 and 10";
    QTest::newRow("not an object") << "services: {cart: 5}"
                                   << "f:1:18: p.services.cart: expected fields to change, as in "
                                      "{key: value}, or null";
}

void PatchTest::whatDoesNotFitHasItsPlace()
{
    QFETCH(QString, patch);
    QFETCH(QString, said);

    const PatchResult result = patched(shop(), valueOf(patch.toStdString()), "p");

    QCOMPARE(result.problems.size(), std::size_t{1});
    QCOMPARE(QString::fromStdString(config::toText(result.problems[0], "f")), said);
}

void PatchTest::policiesAreTakenOutEverywhere()
{
    const model::Document without = withoutPolicies(
        shop(),
        {AblatedPolicy::Retry,
         AblatedPolicy::Breaker,
         AblatedPolicy::OutlierDetection,
         AblatedPolicy::Hedge}
    );

    for (const model::Service& service : without.services) {
        QVERIFY(!service.resilience->retry && !service.resilience->breaker);
        QVERIFY(!service.resilience->hedge);
        QCOMPARE(service.retries, 0);
    }
    QVERIFY(!without.services[0].routes[0].resilience->retry);
    QVERIFY(!without.upstreams[0].outlierDetection);

    const model::Document withoutHedge = withoutPolicies(shop(), {AblatedPolicy::Hedge});
    QVERIFY(!withoutHedge.services[0].resilience->hedge);
    QVERIFY(withoutHedge.services[0].resilience->breaker.has_value());
    QVERIFY(withoutHedge.services[1] == shop().services[1]);
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::PatchTest)
#include "patch_test.moc"
