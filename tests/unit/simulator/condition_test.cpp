// Goal: conditions of scenario files are read as people write them, and what does not fit is named.
// Method: texts in, values or errors out.
#include "simulator/scenario/condition.h"

#include <QTest>

namespace mesh::simulator {

class ConditionTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void reads_data();
    void reads();
    void withinAndForStandBehindTheValue();
    void everyQuantityHasAName();
    void whatDoesNotFitIsNamed_data();
    void whatDoesNotFitIsNamed();
    void aRelationDecides_data();
    void aRelationDecides();
};

void ConditionTest::reads_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<int>("quantity");
    QTest::addColumn<QString>("subject");
    QTest::addColumn<int>("relation");
    QTest::addColumn<double>("value");
    const auto row = [](const char* name,
                        const char* text,
                        Quantity quantity,
                        const char* subject,
                        Relation relation,
                        double value) {
        QTest::newRow(name) << text << static_cast<int>(quantity) << subject
                            << static_cast<int>(relation) << value;
    };
    row("a duration is milliseconds",
        "p99(frontend) < 300ms",
        Quantity::P99,
        "frontend",
        Relation::Less,
        300.0);
    row("seconds too", "mean(a) <= 2s", Quantity::Mean, "a", Relation::LessOrEqual, 2000.0);
    row("a plain time is milliseconds", "p50(a) > 1.5", Quantity::P50, "a", Relation::Greater, 1.5);
    row("a share", "success(x) >= 0.999", Quantity::Success, "x", Relation::GreaterOrEqual, 0.999);
    row("a percentage", "utilization(x) < 80%", Quantity::Utilization, "x", Relation::Less, 0.8);
    row("a ratio of an edge",
        "amplification(a->b) <= 1.2",
        Quantity::Amplification,
        "a->b",
        Relation::LessOrEqual,
        1.2);
    row("no blanks", "rps(a)>=5", Quantity::Rps, "a", Relation::GreaterOrEqual, 5.0);
    row("blanks in brackets", "p999( a ) < 1s", Quantity::P999, "a", Relation::Less, 1000.0);
    row("a difference below zero",
        "p90(a) <= -20ms",
        Quantity::P90,
        "a",
        Relation::LessOrEqual,
        -20.0);
    row("a share below zero",
        "success(a) > -0.5%",
        Quantity::Success,
        "a",
        Relation::Greater,
        -0.005);
}

void ConditionTest::reads()
{
    QFETCH(QString, text);
    QFETCH(int, quantity);
    QFETCH(QString, subject);
    QFETCH(int, relation);
    QFETCH(double, value);

    const auto parsed = parseCondition(text.toStdString());

    QVERIFY2(parsed.has_value(), parsed ? "" : parsed.error().message.c_str());
    const Condition expected{
        static_cast<Quantity>(quantity),
        subject.toStdString(),
        static_cast<Relation>(relation),
        value};
    QVERIFY(parsed->condition == expected);
    QVERIFY(!parsed->within && !parsed->length);
}

void ConditionTest::withinAndForStandBehindTheValue()
{
    const auto within = parseCondition("success(frontend) >= 0.999 within 20s");
    const auto length = parseCondition("success(frontend) < 0.5 for 60s");

    QVERIFY(within && within->within == Duration(std::chrono::seconds(20)) && !within->length);
    QVERIFY(length && length->length == Duration(std::chrono::minutes(1)) && !length->within);
}

void ConditionTest::everyQuantityHasAName()
{
    for (int at = 0; at < kQuantityCount; ++at) {
        const auto quantity = static_cast<Quantity>(at);
        const auto parsed = parseCondition(std::string(toText(quantity)) + "(a) < 1");

        QVERIFY(parsed && parsed->condition.quantity == quantity);
    }
}

void ConditionTest::whatDoesNotFitIsNamed_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<int>("offset");
    QTest::addColumn<QString>("words");

    QTest::newRow("no quantity") << "latency(a) < 1" << 0 << "one of success, rps, mean";
    QTest::newRow("nothing") << "" << 0 << "at the end";
    QTest::newRow("no bracket") << "p99 frontend < 1" << 4 << "in brackets";
    QTest::newRow("no closing bracket") << "p99(frontend < 1" << 16 << "closing bracket";
    QTest::newRow("no subject") << "p99() < 1" << 4 << "name of a service";
    QTest::newRow("no relation") << "p99(a) = 1" << 7 << "<, <=, > or >=";
    QTest::newRow("a unit of a share") << "success(a) > 5ms" << 13 << "a share";
    QTest::newRow("a percentage of a time") << "p99(a) > 5%" << 9 << "a duration";
    QTest::newRow("a unit of a rate") << "rps(a) > 5ms" << 9 << "a number without unit";
    QTest::newRow("not a number") << "rps(a) > inf" << 9 << "a number without unit";
    QTest::newRow("no duration") << "p99(a) < 1s within 20" << 19 << "a duration as in 20s";
    QTest::newRow("more words") << "p99(a) < 1s always" << 12 << "the end";
    QTest::newRow("within twice") << "p99(a) < 1s within 1s within 2s" << 22 << "the end";
}

void ConditionTest::whatDoesNotFitIsNamed()
{
    QFETCH(QString, text);
    QFETCH(int, offset);
    QFETCH(QString, words);

    const auto parsed = parseCondition(text.toStdString());

    QVERIFY(!parsed.has_value());
    const Error& error = parsed.error();
    QVERIFY2(QString::fromStdString(error.message).contains(words), error.message.c_str());
    QVERIFY(error.place == ErrorPlace(Offset{static_cast<std::size_t>(offset)}));
}

void ConditionTest::aRelationDecides_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<bool>("below");
    QTest::addColumn<bool>("same");
    QTest::addColumn<bool>("above");

    QTest::newRow("<") << "rps(a) < 5" << true << false << false;
    QTest::newRow("<=") << "rps(a) <= 5" << true << true << false;
    QTest::newRow(">") << "rps(a) > 5" << false << false << true;
    QTest::newRow(">=") << "rps(a) >= 5" << false << true << true;
}

void ConditionTest::aRelationDecides()
{
    QFETCH(QString, text);
    QFETCH(bool, below);
    QFETCH(bool, same);
    QFETCH(bool, above);
    const auto parsed = parseCondition(text.toStdString());
    QVERIFY(parsed.has_value());

    QCOMPARE(parsed->condition.holds(4.0), below);
    QCOMPARE(parsed->condition.holds(5.0), same);
    QCOMPARE(parsed->condition.holds(6.0), above);
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::ConditionTest)
#include "condition_test.moc"
