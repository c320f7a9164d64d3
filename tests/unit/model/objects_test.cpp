#include "proxyengine/model/objects.h"

#include <QTest>

namespace mesh::model {
namespace {

Document shop()
{
    Document document;
    Service& cart = document.services.emplace_back();
    cart.name = "cart";
    cart.host = "cart";
    Route& named = cart.routes.emplace_back();
    named.name = "cart";
    named.paths = {"/cart"};
    cart.routes.emplace_back().paths = {"/unnamed"};
    Route& top = document.routes.emplace_back();
    top.name = "top";
    top.paths = {"/top"};
    Upstream& upstream = document.upstreams.emplace_back();
    upstream.name = "cart";
    upstream.targets.emplace_back().target = "10.0.0.1:80";
    return document;
}

Value targetRecord(const char* address)
{
    Value record;
    record.set("target", address);
    return record;
}

} // namespace

class ObjectsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void listsObjectsWithTheirParents()
    {
        const std::vector<ObjectRef> routes = objectsOf(shop(), "routes");
        QCOMPARE(routes.size(), std::size_t{3});
        QVERIFY((routes[0] == ObjectRef{"routes", "cart", "cart"}));
        QVERIFY((routes[1] == ObjectRef{"routes", "#2", "cart"}));
        QVERIFY((routes[2] == ObjectRef{"routes", "top", ""}));
        QVERIFY(objectsOf(shop(), "mesh").empty());
        QVERIFY(objectsOf(shop(), "nonsense").empty());
    }

    void givesRecordsWithoutChildren()
    {
        const Value record = objectAt(shop(), {"services", "cart", ""}, Defaults::Omitted);
        QCOMPARE(record.find("host")->text(), std::string("cart"));
        QCOMPARE(record.find("routes"), nullptr);
        QVERIFY(objectAt(shop(), {"services", "nobody", ""}).isNull());
    }

    void replacingKeepsChildren()
    {
        Document document = shop();
        Value record = objectAt(document, {"services", "cart", ""});
        record.set("port", 81);
        QVERIFY(replaceObject(document, {"services", "cart", ""}, record).has_value());
        QCOMPARE(document.services[0].port, std::uint16_t{81});
        QCOMPARE(document.services[0].routes.size(), std::size_t{2});
    }

    void aWholeRecordPutBackChangesNothing()
    {
        Document document = shop();
        for (const EntityKind& kind : entityKinds()) {
            for (const ObjectRef& ref : objectsOf(document, kind.plural)) {
                const Value record = objectAt(document, ref, Defaults::Left);
                QVERIFY(replaceObject(document, ref, record).has_value());
            }
        }
        QVERIFY(document == shop());
    }

    void refusesWhatIsNotValid()
    {
        Document document = shop();
        Value record;
        record.set("host", 1);
        const Result<void> refused = replaceObject(document, {"services", "cart", ""}, record);
        QCOMPARE(refused.error().code, ErrorCode::InvalidArgument);
        QVERIFY(document == shop());
        QCOMPARE(
            replaceObject(document, {"services", "x", ""}, record).error().code, ErrorCode::NotFound
        );
    }

    void addsAndRemoves()
    {
        Document document = shop();
        const Result<ObjectRef> added =
            addObject(document, "targets", "cart", targetRecord("10.0.0.2:80"));
        QVERIFY(added.has_value());
        QCOMPARE(added->name, std::string("10.0.0.2:80"));
        QCOMPARE(
            addObject(document, "targets", "cart", targetRecord("10.0.0.2:80")).error().code,
            ErrorCode::AlreadyExists
        );
        QCOMPARE(
            addObject(document, "targets", "none", targetRecord("10.0.0.2:80")).error().code,
            ErrorCode::NotFound
        );
        QVERIFY(removeObject(document, *added).has_value());
        QVERIFY(document == shop());
        QCOMPARE(removeObject(document, *added).error().code, ErrorCode::NotFound);
    }

    void theMeshIsAnObjectToo()
    {
        Document document = shop();
        Value record;
        record.set("name", "shop");
        QVERIFY(addObject(document, "mesh", "", record).has_value());
        QCOMPARE(document.mesh->name, std::string("shop"));
        QCOMPARE(addObject(document, "mesh", "", record).error().code, ErrorCode::AlreadyExists);
        QCOMPARE(pathOf(document, {"mesh", "mesh", ""}), std::string("mesh"));
        QVERIFY(removeObject(document, {"mesh", "mesh", ""}).has_value());
        QVERIFY(!document.mesh.has_value());
    }

    void pathsLeadToObjects()
    {
        QCOMPARE(pathOf(shop(), {"routes", "#2", "cart"}), std::string("services[0].routes[1]"));
        QCOMPARE(pathOf(shop(), {"routes", "top", ""}), std::string("routes[0]"));
        QVERIFY(pathOf(shop(), {"routes", "top", "cart"}).empty());
    }
};

} // namespace mesh::model

QTEST_APPLESS_MAIN(mesh::model::ObjectsTest)
#include "objects_test.moc"
