#include "proxyengine/model/diff.h"

#include "proxyengine/model/canonical.h"

#include <QTest>

namespace mesh::model {
namespace {

Document shop()
{
    Document document;
    Service& cart = document.services.emplace_back();
    cart.name = "cart";
    cart.host = "cart";
    cart.routes.emplace_back().name = "cart";
    Upstream& upstream = document.upstreams.emplace_back();
    upstream.name = "cart";
    upstream.targets.emplace_back().target = "10.0.0.1:80";
    upstream.targets.emplace_back().target = "10.0.0.2:80";
    return document;
}

// "updated services cart: port" and so on, joined by '|'.
QString textOf(const std::vector<ObjectChange>& changes)
{
    QStringList lines;
    for (const ObjectChange& change : changes) {
        std::string line(toText(change.kind));
        line += " " + change.object.kind + " " + change.object.name;
        for (const FieldChange& field : change.fields) {
            line += " " + field.path;
        }
        lines << QString::fromStdString(line);
    }
    return lines.join(QLatin1Char('|'));
}

} // namespace

class DiffTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void sameDocumentsHaveNoDifference() { QVERIFY(diff(shop(), shop()).empty()); }

    void orderIsNoDifference()
    {
        Document turned = shop();
        std::swap(turned.upstreams[0].targets[0], turned.upstreams[0].targets[1]);
        QVERIFY(diff(shop(), turned).empty());
    }

    void namesChangedFields()
    {
        Document changed = shop();
        changed.services[0].port = 81;
        changed.services[0].routes[0].paths = {"/x"};
        changed.upstreams[0].healthchecks.active.healthy.interval = std::chrono::seconds(1);
        const std::vector<ObjectChange> changes = diff(shop(), changed);
        QCOMPARE(
            textOf(changes),
            QStringLiteral("updated services cart port|updated routes cart paths|updated "
                           "upstreams cart healthchecks.active.healthy.interval")
        );
        QVERIFY(changes[0].fields[0].before.isNull());
        QCOMPARE(changes[0].fields[0].after.toInt(), std::int64_t{81});
    }

    void namesCreatedAndDeletedObjects()
    {
        Document changed = shop();
        changed.upstreams[0].targets.pop_back();
        changed.upstreams[0].targets.emplace_back().target = "10.0.0.3";
        changed.nodes.emplace_back().name = "edge";
        QCOMPARE(
            textOf(diff(shop(), changed)),
            QStringLiteral("deleted targets 10.0.0.2:80|created targets 10.0.0.3:8000|created "
                           "nodes edge")
        );
    }

    void secretsAreMasked()
    {
        Document before;
        Certificate& certificate = before.certificates.emplace_back();
        certificate.id = "c";
        certificate.key = "old";
        Document after = before;
        after.certificates[0].key = "new";
        const std::vector<ObjectChange> changes = diff(before, after);
        QCOMPARE(changes[0].fields[0].after.text(), std::string("***"));
    }

    void canonicalFormNestsAndSorts()
    {
        Document document = shop();
        document.services.insert(document.services.begin(), Service())->name = "zebra";
        Route& route = document.routes.emplace_back();
        route.name = "add";
        route.service = "cart";
        route.protocols = {Protocol::Https, Protocol::Http};
        const Document settled = canonical(document);
        QCOMPARE(*settled.services[0].name, std::string("cart"));
        QVERIFY(settled.routes.empty());
        QCOMPARE(*settled.services[0].routes[0].name, std::string("add"));
        QVERIFY(settled.services[0].routes[0].protocols == Route().protocols);
        QVERIFY(!settled.services[0].routes[0].service.has_value());
        QVERIFY(canonical(settled) == settled);
    }
};

} // namespace mesh::model

QTEST_APPLESS_MAIN(mesh::model::DiffTest)
#include "diff_test.moc"
