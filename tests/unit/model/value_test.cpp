#include "proxyengine/model/value.h"

#include <QTest>

namespace mesh::model {

class ValueTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void knowsItsType()
    {
        QCOMPARE(Value().type(), Value::Type::Null);
        QCOMPARE(Value(true).type(), Value::Type::Bool);
        QCOMPARE(Value(3).type(), Value::Type::Int);
        QCOMPARE(Value(3.5).type(), Value::Type::Double);
        QCOMPARE(Value("text").type(), Value::Type::String);
        QCOMPARE(Value(Value::List()).type(), Value::Type::List);
        QCOMPARE(Value(Value::Map()).type(), Value::Type::Map);
        QCOMPARE(toText(Value::Type::Map), std::string_view("map"));
    }

    void wholeNumbersAreNumbersToo()
    {
        QVERIFY(Value(3).isNumber());
        QCOMPARE(Value(3).toNumber(), 3.0);
        QVERIFY(!Value("3").isNumber());
    }

    void keepsTheOrderOfMembers()
    {
        Value map;
        map.set("b", 1);
        map.set("a", 2);
        map.set("b", 3);
        QCOMPARE(map.map().size(), std::size_t{2});
        QCOMPARE(map.map().front().key, std::string("b"));
        QCOMPARE(map.find("b")->toInt(), std::int64_t{3});
        QVERIFY(map.remove("b"));
        QVERIFY(!map.remove("b"));
        QCOMPARE(map.find("b"), nullptr);
        QCOMPARE(Value(1).find("b"), nullptr);
    }

    void placesTakeNoPartInComparisons()
    {
        Value placed("x");
        placed.setMark(Mark{3, 4});
        QVERIFY(placed == Value("x"));
        QCOMPARE(placed.mark().place()->column, 4);
        QVERIFY(!Value("x").mark().place().has_value());
        QVERIFY(!(Value(1) == Value("1")));
    }
};

} // namespace mesh::model

QTEST_APPLESS_MAIN(mesh::model::ValueTest)
#include "value_test.moc"
