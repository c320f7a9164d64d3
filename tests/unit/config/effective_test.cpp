// Goal: the effective configuration of a node has every value that it runs with, and says of each
// where it comes from.
// Method: documents as text; single values looked up in the answer.
#include "proxyengine/config/effective.h"

#include "proxyengine/config/codec.h"
#include "proxyengine/config/tree.h"

#include <QTest>

#include <algorithm>
#include <tuple>

namespace mesh::config {

constexpr const char* kMesh = R"(_format_version: "3.0"
services:
- name: news
  host: news.test
- name: cart
  host: cart
  resilience: {timeout: 2s, per_try_timeout: 500ms}
  routes:
  - {name: plain, paths: [/plain]}
  - {name: own, paths: [/own], resilience: {timeout: 9s}}
- {name: off, host: off.test, enabled: false}
upstreams:
- name: cart
  targets: [{target: "10.0.0.3:7001", weight: 7}]
nodes:
- {name: edge-1, role: gateway, zone: a}
- {name: vm-3, role: sidecar, zone: b}
workloads:
- {name: cart-1, service: cart, node: vm-3, address: "127.0.0.1:7001", inbound: "127.0.0.1:15006"}
)";

class EffectiveTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyValueHasItsOrigin_data();
    void everyValueHasItsOrigin();
    void aSidecarHasItsWorkloadsAndNoRoutes();
    void secretsAreMasked();
    void theAnswerIsSortedAndPure();
    void aNodeThatIsNotThereIsAnError();
    void theTextIsJson();

private:
    static Result<EffectiveConfig> ask(const char* text, const char* node);
    static const EffectiveValue* find(
        const EffectiveConfig& config, const std::string& object, const std::string& field
    );
};

Result<EffectiveConfig> EffectiveTest::ask(const char* text, const char* node)
{
    return effective(decode(text).document, node);
}

const EffectiveValue* EffectiveTest::find(
    const EffectiveConfig& config, const std::string& object, const std::string& field
)
{
    const auto found = std::ranges::find_if(config.values, [&](const EffectiveValue& value) {
        return value.object == object && value.field == field;
    });
    return found == config.values.end() ? nullptr : &*found;
}

void EffectiveTest::everyValueHasItsOrigin_data()
{
    QTest::addColumn<QString>("object");
    QTest::addColumn<QString>("field");
    QTest::addColumn<QString>("value");
    QTest::addColumn<QString>("origin");
    QTest::addColumn<QString>("from");

    const auto row = [](const char* object,
                        const char* field,
                        const char* value,
                        const char* origin,
                        const char* from) {
        QTest::addRow("%s %s", object, field)
            << QString::fromLatin1(object) << QString::fromLatin1(field)
            << QString::fromLatin1(value) << QString::fromLatin1(origin)
            << QString::fromLatin1(from);
    };
    row("services/cart", "host", "\"cart\"", "document", "services[1].host");
    row("services/cart", "retries", "5", "default", "");
    row("services/cart",
        "resilience.timeout",
        "\"2s\"",
        "document",
        "services[1].resilience.timeout");
    row("routes/plain",
        "resilience.timeout",
        "\"2s\"",
        "inherited",
        "services[1].resilience.timeout");
    row("routes/own",
        "resilience.timeout",
        "\"9s\"",
        "document",
        "services[1].routes[1].resilience.timeout");
    row("routes/own",
        "resilience.per_try_timeout",
        "\"500ms\"",
        "inherited",
        "services[1].resilience.per_try_timeout");
    row("routes/own", "paths", "[\"/own\"]", "document", "services[1].routes[1].paths");
    row("upstreams/cart/targets/10.0.0.3:7001",
        "weight",
        "7",
        "document",
        "upstreams[0].targets[0].weight");
    row("nodes/edge-1", "zone", "\"a\"", "document", "nodes[0].zone");
}

void EffectiveTest::everyValueHasItsOrigin()
{
    QFETCH(const QString, object);
    QFETCH(const QString, field);
    QFETCH(const QString, value);
    QFETCH(const QString, origin);
    QFETCH(const QString, from);

    const auto config = ask(kMesh, "edge-1");

    QVERIFY2(config.has_value(), config ? "" : config.error().message.c_str());
    const EffectiveValue* found = find(*config, object.toStdString(), field.toStdString());
    QVERIFY(found != nullptr);
    QCOMPARE(QString::fromStdString(found->value), value);
    QCOMPARE(QString::fromUtf8(toText(found->origin).data()), origin);
    QCOMPARE(QString::fromStdString(found->from), from);
    QVERIFY(find(*config, "services/off", "host") == nullptr); // It runs nowhere.
    QVERIFY(find(*config, "nodes/vm-3", "zone") == nullptr); // Another node's.
}

void EffectiveTest::aSidecarHasItsWorkloadsAndNoRoutes()
{
    const auto config = ask(kMesh, "vm-3");

    QVERIFY2(config.has_value(), config ? "" : config.error().message.c_str());
    QVERIFY(find(*config, "routes/plain", "paths") == nullptr);
    QVERIFY(find(*config, "services/cart", "host") != nullptr);
    const EffectiveValue* zone = find(*config, "workloads/cart-1", "zone");
    QVERIFY(zone != nullptr);
    QCOMPARE(zone->value, std::string("\"b\""));
    QCOMPARE(zone->origin, Origin::Inherited);
    QCOMPARE(zone->from, std::string("nodes[1].zone"));
}

void EffectiveTest::secretsAreMasked()
{
    model::Document document = decode(kMesh).document;
    model::Certificate certificate;
    certificate.id = "4e13f54a-bbf1-47a8-8777-255fed7116f2";
    certificate.cert = "not looked at here";
    certificate.key = "a very private key";
    document.certificates.push_back(certificate);

    // Without a listener of TLS nothing reads it, so that compile() takes it as it is.
    const auto config = effective(document, "edge-1");

    QVERIFY2(config.has_value(), config ? "" : config.error().message.c_str());
    const EffectiveValue* key = find(*config, "certificates/" + *certificate.id, "key");
    QVERIFY(key != nullptr);
    QCOMPARE(key->value, std::string("\"***\""));
    QVERIFY(toJson(*config).find("private key") == std::string::npos);
}

void EffectiveTest::theAnswerIsSortedAndPure()
{
    const auto first = ask(kMesh, "edge-1");
    const auto second = ask(kMesh, "edge-1");

    QVERIFY(first && second);
    QCOMPARE(first->values == second->values, true);
    QCOMPARE(first->hash, hashOf(decode(kMesh).document));
    QVERIFY(std::ranges::is_sorted(
        first->values,
        [](const EffectiveValue& a, const EffectiveValue& b) {
            return std::tie(a.object, a.field) < std::tie(b.object, b.field);
        }
    ));
}

void EffectiveTest::aNodeThatIsNotThereIsAnError()
{
    const auto config = ask(kMesh, "edge-9");

    QVERIFY(!config.has_value());
    QVERIFY(config.error().message.find("edge-9") != std::string::npos);
}

void EffectiveTest::theTextIsJson()
{
    const auto config = ask(kMesh, "edge-1");
    const auto tree = parseTree(toJson(*config));

    QVERIFY(tree.has_value());
    QCOMPARE(tree->find("node")->text(), std::string("edge-1"));
    QCOMPARE(tree->find("values")->list().size(), config->values.size());
    QVERIFY(tree->find("values")->list().front().find("origin") != nullptr);
}

} // namespace mesh::config

QTEST_APPLESS_MAIN(mesh::config::EffectiveTest)
#include "effective_test.moc"
