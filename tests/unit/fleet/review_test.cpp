#include "app/fleet/review.h"

#include "proxyengine/config/codec.h"
#include "tests/support/certificate_maker.h"

#include <QTest>

#include <algorithm>
#include <string>

// What a review says before a push: per node, per request, and what is doubtful.
namespace mesh::fleet {
namespace {

model::Document documentOf(const std::string& text)
{
    config::DecodeResult decoded = config::decode("_format_version: \"3.0\"\n" + text);
    for (const config::Problem& problem : decoded.problems) {
        if (problem.severity == config::Severity::Error) {
            qFatal("%s", config::toText(problem, "test").c_str());
        }
    }
    return std::move(decoded.document);
}

std::string replaced(std::string text, std::string_view what, std::string_view with)
{
    const std::size_t at = text.find(what);
    return at == std::string::npos ? "not there" : text.replace(at, what.size(), with);
}

const std::string kShop = R"(
nodes:
- {name: edge-1, role: gateway, zone: a}
- {name: edge-2, role: gateway, zone: a}
- {name: vm-1, role: sidecar, zone: a}
services:
- name: catalog
  host: catalog
  resilience: {timeout: 5s}
  routes: [{name: catalog, paths: [/catalog], methods: [GET]}]
- {name: catalog-v6, host: catalog-v6}
- {name: stock, host: catalog, routes: [{name: stock, paths: [/stock]}]}
upstreams:
- {name: catalog, targets: [{target: "10.0.0.1:80"}]}
- {name: catalog-v6, targets: [{target: "10.0.0.2:80"}]}
)";

RequestSample sampleOf(const std::string& path, double latency_ms = 10, int number = 0)
{
    RequestSample sample;
    sample.node = "edge-1";
    sample.method = "GET";
    sample.host = "shop.test";
    sample.path = path;
    sample.sourceIp = "10.1.0." + std::to_string(number % 250);
    sample.status = 200;
    sample.latency_ms = latency_ms;
    return sample;
}

// "GET /catalog/*: catalog -> 404 x2 worse"
std::string changesOf(const Behaviour& behaviour)
{
    std::string text;
    for (const BehaviourChange& change : behaviour.changes) {
        text += (text.empty() ? "" : " | ") + change.request + ": " + change.before + " -> "
                + change.after + " x" + std::to_string(change.count)
                + (change.isWorse ? " worse" : "");
    }
    return text;
}

std::string linesOf(const EffectiveGroup& group)
{
    std::string text;
    for (const EffectiveLine& line : group.lines) {
        if (line.kind != EffectiveLine::Kind::Same) {
            text += (text.empty() ? "" : " ")
                    + std::string(line.kind == EffectiveLine::Kind::Added ? "+" : "-") + line.text;
        }
    }
    return text;
}

const ReviewFinding* findingOf(const std::vector<ReviewFinding>& findings, std::string_view code)
{
    const auto found = std::ranges::find(findings, code, &ReviewFinding::code);
    return found == findings.end() ? nullptr : &*found;
}

} // namespace

class ReviewTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void groupsNodesByEqualChange();
    void saysNothingWhereNothingChanges();
    void tellsWhatARouteHasOfItsService();
    void tellsANodeThatItCannotRunOn();
    void neverShowsASecret();
    void tellsWhereRequestsGo_data();
    void tellsWhereRequestsGo();
    void movesTheShareOfASplit();
    void findsWhatIsDoubtful_data();
    void findsWhatIsDoubtful();
    void mergesAPartThatStandsTwice();
    void findsNothingInAPlainShop();
    void mutesByATag();
    void knowsWhatIsNew();
};

void ReviewTest::groupsNodesByEqualChange()
{
    const auto groups = effectiveChanges(
        documentOf(kShop), documentOf(replaced(kShop, "methods: [GET]", "methods: [POST]"))
    );

    QCOMPARE(groups.size(), std::size_t{1});
    QCOMPARE(groups[0].nodes.size(), std::size_t{2}); // A sidecar knows no routes.
    QCOMPARE(groups[0].nodes[1], "edge-2");
    QCOMPARE(
        linesOf(groups[0]), "-routes/catalog methods: [\"GET\"] +routes/catalog methods: [\"POST\"]"
    );
    QCOMPARE(groups[0].bytes, std::int64_t{1});
}

void ReviewTest::saysNothingWhereNothingChanges()
{
    QCOMPARE(effectiveChanges(documentOf(kShop), documentOf(kShop)).size(), std::size_t{0});
    const Review review = reviewOf(documentOf(kShop), documentOf(kShop), {sampleOf("/catalog")});
    QCOMPARE(review.nodesUnchanged, std::size_t{3});
    QCOMPARE(review.behaviour.unchanged, std::size_t{1});
    QCOMPARE(review.objects.size(), std::size_t{0});
}

// The timeout stands at the service; what runs is the route's.
void ReviewTest::tellsWhatARouteHasOfItsService()
{
    const auto groups = effectiveChanges(
        documentOf(kShop), documentOf(replaced(kShop, "timeout: 5s", "timeout: 7s"))
    );

    QCOMPARE(groups.size(), std::size_t{2}); // Two gateways, and a sidecar that knows no routes.
    const std::string lines = linesOf(groups[0]);
    QVERIFY2(
        lines.find("+routes/catalog resilience.timeout: \"7s\"") != std::string::npos, lines.c_str()
    );
    QVERIFY2(
        lines.find("+services/catalog resilience.timeout: \"7s\"") != std::string::npos,
        lines.c_str()
    );
    QCOMPARE(linesOf(groups[1]).find("routes/"), std::string::npos);
}

void ReviewTest::tellsANodeThatItCannotRunOn()
{
    model::Document after = documentOf(kShop);
    after.services[0].routes[0].paths = {"~/("}; // No regular expression.

    const auto groups = effectiveChanges(documentOf(kShop), after);

    QVERIFY(!groups.empty());
    QVERIFY(!groups[0].errors.empty());
    QCOMPARE(groups[0].lines.size(), std::size_t{0});
    QCOMPARE(groups[0].summary, "cannot be compiled");
}

void ReviewTest::neverShowsASecret()
{
    const auto withCertificate = [](model::Document document) {
        test::CertificateSpec spec;
        spec.name = "shop.test";
        const test::IssuedCertificate made = test::issue(spec, nullptr);
        model::Certificate certificate;
        certificate.id = "a0000000-0000-4000-8000-000000000001";
        certificate.cert = made.pem();
        certificate.key = made.keyPem();
        document.certificates.push_back(certificate);
        return document;
    };
    const model::Document before = withCertificate(documentOf(kShop));
    const model::Document after = withCertificate(documentOf(kShop)); // Another pair.

    const auto groups = effectiveChanges(before, after);

    QCOMPARE(groups.size(), std::size_t{1});
    const std::string lines = linesOf(groups[0]);
    QVERIFY2(lines.find(" key: \"*** (") != std::string::npos, lines.c_str()); // That it changed.
    QCOMPARE(lines.find("PRIVATE KEY"), std::string::npos);
}

void ReviewTest::tellsWhereRequestsGo_data()
{
    QTest::addColumn<QString>("what");
    QTest::addColumn<QString>("with");
    QTest::addColumn<QString>("changes");
    const auto row = [](const char* name, const char* what, const char* with, const char* changes) {
        QTest::newRow(name) << QString::fromUtf8(what) << QString::fromUtf8(with)
                            << QString::fromUtf8(changes);
    };
    row("nothing", "", "", "");
    row("a method is not taken any more",
        "methods: [GET]",
        "methods: [POST]",
        "GET /catalog/*: catalog -> 404 x2 worse");
    row("a path goes elsewhere",
        "{name: catalog-v6, host: catalog-v6}",
        "{name: catalog-v6, host: catalog-v6, routes: [{name: deep, paths: [/catalog/7], methods: "
        "[GET]}]}",
        "GET /catalog/*: catalog -> catalog-v6 x1");
    row("a shorter timeout",
        "timeout: 5s",
        "timeout: 3s",
        "GET /catalog/*: catalog -> 504 at 3.0 s x1 worse");
    row("a target without weight",
        "{target: \"10.0.0.1:80\"}",
        "{target: \"10.0.0.1:80\", weight: 0}",
        "GET /catalog/*: catalog -> 503 x2 worse | GET /stock: stock -> 503 x1 worse");
    row("only https",
        "paths: [/stock]",
        "paths: [/stock], protocols: [https]",
        "GET /stock: stock -> 426 x1 worse");
    row("everything is new",
        "paths: [/stock]",
        "paths: [/nothing]",
        "GET /nothing: 404 -> stock x1 | GET /stock: stock -> 404 x1 worse");
}

void ReviewTest::tellsWhereRequestsGo()
{
    QFETCH(QString, what);
    QFETCH(QString, with);
    QFETCH(QString, changes);
    const model::Document after = documentOf(
        what.isEmpty() ? kShop : replaced(kShop, what.toStdString(), with.toStdString())
    );

    const Behaviour behaviour = behaviourChanges(
        documentOf(kShop),
        after,
        {sampleOf("/catalog/7?x=1"),
         sampleOf("/catalog/8", 4000),
         sampleOf("/stock"),
         sampleOf("/nothing")}
    );

    QCOMPARE(QString::fromStdString(changesOf(behaviour)), changes);
    QCOMPARE(behaviour.sampled, std::size_t{4});
}

void ReviewTest::movesTheShareOfASplit()
{
    const model::Document after = documentOf(replaced(
        kShop,
        "methods: [GET]",
        "split: [{service: catalog, weight: 80}, {service: catalog-v6, weight: 20}]"
    ));
    std::vector<RequestSample> samples;
    for (int each = 0; each < 2000; ++each) {
        samples.push_back(sampleOf("/catalog", 10, each));
    }

    const Behaviour behaviour = behaviourChanges(documentOf(kShop), after, samples);

    QCOMPARE(behaviour.changes.size(), std::size_t{1});
    QCOMPARE(behaviour.changes[0].after, "catalog-v6");
    QVERIFY2(
        behaviour.changes[0].count > 320 && behaviour.changes[0].count < 480,
        std::to_string(behaviour.changes[0].count).c_str()
    );
}

void ReviewTest::findsWhatIsDoubtful_data()
{
    QTest::addColumn<QString>("document");
    QTest::addColumn<QString>("code");
    QTest::addColumn<bool>("isFixed"); // A fix is offered, and takes the finding away.
    const auto row =
        [](const char* code, const char* name, const char* document, bool isFixed = false) {
            QTest::addRow("%s %s", code, name)
                << QString::fromUtf8(document) << QString::fromUtf8(code) << isFixed;
        };
    row("MW-201",
        "a route that is never reached",
        "services: [{name: a, host: a.test, routes: [{name: r1, paths: [/x]}, {name: r2, paths: "
        "[/x]}]}]",
        true);
    row("MW-213",
        "weight to nowhere",
        "services: [{name: a, host: a.test, routes: [{name: r, paths: [/], split: "
        "[{service: a, weight: 1}, {service: b, weight: 1}]}]}, {name: b, host: b}]\nupstreams: "
        "[{name: b}]");
    row("MW-214",
        "a method nobody uses",
        "services: [{name: a, host: a.test, routes: [{name: r, paths: [/], methods: [GTE]}]}]");
    row("MW-301", "no such upstream", "services: [{name: a, host: payments}]");
    row("MW-310",
        "no time for all tries",
        "services: [{name: a, host: a.test, resilience: {timeout: 1s, per_try_timeout: 400ms, "
        "retry: {attempts: 4}}}]",
        true);
    row("MW-311",
        "a callee slower than its caller",
        "services: [{name: a, host: a.test, resilience: {timeout: 1s}}, {name: b, host: b.test, "
        "resilience: {timeout: 2s}}]\n"
        "models: [{service: a, service_time: {dist: const, mean: 1ms}, script: [{call: b}]}, "
        "{service: b, service_time: {dist: const, mean: 1ms}}]",
        true);
    row("MW-312",
        "tries that multiply",
        "services: [{name: a, host: a.test, resilience: {retry: {attempts: 3}}}, {name: b, host: "
        "b.test, resilience: {retry: {attempts: 3}}}]\n"
        "models: [{service: a, service_time: {dist: const, mean: 1ms}, script: [{call: b}]}, "
        "{service: b, service_time: {dist: const, mean: 1ms}}]");
    row("MW-320",
        "a fault",
        "services: [{name: a, host: a.test, resilience: {fault: {abort: {status: 503, percent: "
        "1}}}}]",
        true);
    row("MW-330",
        "workloads without policy",
        "nodes: [{name: n, role: sidecar}]\nservices: [{name: a, host: a}]\n"
        "workloads: [{name: w, service: a, node: n, address: \"127.0.0.1:1\"}]");
    row("MW-401", "no target", "services: [{name: a, host: u}]\nupstreams: [{name: u}]");
    row("MW-402",
        "an upstream for nobody",
        "upstreams: [{name: u, targets: [{target: \"10.0.0.1:80\"}]}]",
        true);
    row("MW-403",
        "nobody to eject",
        "services: [{name: a, host: u}]\nupstreams: [{name: u, outlier_detection: {}, targets: "
        "[{target: \"10.0.0.1:80\"}]}]");
    row("MW-410",
        "failover to nowhere",
        "services: [{name: a, host: u}]\nupstreams: [{name: u, locality: {failover: [b]}, targets: "
        "[{target: \"10.0.0.1:80\", tags: [\"zone:a\"]}]}]");
    row("MW-420",
        "probes for nothing",
        "services: [{name: a, host: u}]\nupstreams: [{name: u, healthchecks: {active: {healthy: "
        "{interval: 5}}}, targets: [{target: \"10.0.0.1:80\"}]}]");
    row("MW-421",
        "probes that are too slow",
        "services: [{name: a, host: u}]\nupstreams: [{name: u, outlier_detection: {interval: 1s}, "
        "healthchecks: {active: {healthy: {interval: 60, successes: 1}, unhealthy: {interval: 1, "
        "http_failures: 1}}}, targets: [{target: \"10.0.0.1:80\"}]}]",
        true);
    row("MW-430",
        "a limit below what there is",
        "services: [{name: a, host: u}]\nupstreams: [{name: u, limits: {max_requests: 10}, "
        "targets: [{target: \"10.0.0.1:80\"}]}]\n"
        "models: [{service: a, instances: 3, concurrency: 8, service_time: {dist: const, mean: "
        "1ms}}]",
        true);
    row("MW-520",
        "a gateway as a sidecar",
        "nodes: [{name: n, role: gateway}]\nservices: [{name: a, host: a}]\n"
        "workloads: [{name: w, service: a, node: n, address: \"127.0.0.1:1\", inbound: "
        "\"127.0.0.1:2\"}]");
}

void ReviewTest::findsWhatIsDoubtful()
{
    QFETCH(QString, document);
    QFETCH(QString, code);
    QFETCH(bool, isFixed);

    const auto findings =
        findingsOf(config::decode("_format_version: \"3.0\"\n" + document.toStdString()).document);
    const ReviewFinding* const finding = findingOf(findings, code.toStdString());

    QVERIFY2(finding != nullptr, findings.empty() ? "none" : findings[0].title.c_str());
    QCOMPARE(finding->path.empty(), false);
    QCOMPARE(finding->fixed != nullptr, isFixed);
    QCOMPARE(finding->fixLabel.empty(), !isFixed);
    if (isFixed) {
        QCOMPARE(findingOf(findingsOf(*finding->fixed), code.toStdString()), nullptr);
    }
}

void ReviewTest::mergesAPartThatStandsTwice()
{
    model::Document document =
        documentOf("services: [{name: a, host: a.test, routes: [{name: r, paths: [/], split: "
                   "[{service: a, weight: 1}, {service: b, weight: 1}]}]}, {name: b, host: b.test}]"
        );
    document.services[0].routes[0].split.push_back({"a", 2}); // No file is read like that.

    const auto findings = findingsOf(document);

    const ReviewFinding* const finding = findingOf(findings, "MW-211");
    QVERIFY(finding != nullptr && finding->fixed != nullptr);
    QCOMPARE(finding->fixed->services[0].routes[0].split[0].weight, 3);
    QCOMPARE(config::hasErrors(config::validate(*finding->fixed)), false);
}

void ReviewTest::findsNothingInAPlainShop()
{
    const auto findings = findingsOf(documentOf(kShop));

    QVERIFY2(findings.empty(), findings.empty() ? "" : findings[0].title.c_str());
}

void ReviewTest::mutesByATag()
{
    const std::string tag = muteTag("MW-301", "known, to Ann/Bob");

    const auto findings =
        findingsOf(documentOf("services: [{name: a, host: payments, tags: [\"" + tag + "\"]}]"));

    const ReviewFinding* const finding = findingOf(findings, "MW-301");
    QVERIFY(finding != nullptr);
    QCOMPARE(finding->isMuted, true);
    QCOMPARE(finding->mutedBecause, "known; to Ann|Bob");
}

void ReviewTest::knowsWhatIsNew()
{
    const std::string old = "services: [{name: a, host: payments}";

    const Review review =
        reviewOf(documentOf(old + "]"), documentOf(old + ", {name: b, host: orders}]"), {});

    QCOMPARE(review.findings.size(), std::size_t{2});
    QCOMPARE(review.findings[0].isNew, false);
    QCOMPARE(review.findings[1].isNew, true);
}

} // namespace mesh::fleet

QTEST_APPLESS_MAIN(mesh::fleet::ReviewTest)
#include "review_test.moc"
