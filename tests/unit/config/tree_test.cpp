#include "proxyengine/config/tree.h"

#include "proxyengine/base/limits.h"
#include "tests/unit/config/round_trip_texts.h"

#include <QTest>

namespace mesh::config {
namespace {

// The first problem as "line:column message"; empty: none.
QString refusalOf(std::string_view text)
{
    std::vector<Problem> problems;
    const TreeNode tree = parseTree(text, problems);
    if (problems.empty()) {
        return {};
    }
    const Problem& first = problems.front();
    const LineColumn place = first.place.value_or(LineColumn{0, 0});
    return QStringLiteral("%1:%2 ").arg(place.line).arg(place.column)
           + QString::fromStdString(first.message);
}

} // namespace

class TreeTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void yamlScalarsFollowTheCoreRules_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("json");
        const auto row = [](const char* text, const char* json) {
            QTest::newRow(text) << QString::fromUtf8(text) << QString::fromUtf8(json);
        };
        row("12", "12");
        row("-12", "-12");
        row("+12", "12");
        row("0x1F", "31");
        row("0o17", "15");
        row("010", "\"010\"");
        row("1_000", "\"1_000\"");
        row("1.50", "1.5");
        row("1e3", "1000.0");
        row(".5", "0.5");
        row("-.5", "-0.5");
        row("1.2.3", "\"1.2.3\"");
        row("+-1", "\"+-1\"");
        row("9223372036854775808", "9.223372036854776e+18");
        row("1e999", "\"1e999\"");
        row("true", "true");
        row("yes", "\"yes\"");
        row("~", "null");
        row("null", "null");
        row("\"12\"", "\"12\"");
        row("'true'", "\"true\"");
        row("!!str 12", "\"12\"");
        row("[a, [1, {b: c}]]", "[\"a\",[1,{\"b\":\"c\"}]]");
        row("{a: , b: 1}", "{\"a\":null,\"b\":1}");
        row("\"\\u00e9\\n\"", "\"é\\n\"");
        row("|\n  two\n  lines\n", "\"two\\nlines\\n\"");
    }

    void yamlScalarsFollowTheCoreRules()
    {
        QFETCH(QString, text);
        QFETCH(QString, json);
        // As a list, so that no text is taken for JSON.
        const Result<TreeNode> tree = parseTree("- " + text.toStdString());
        QVERIFY(tree.has_value());
        QCOMPARE(QString::fromStdString(toJson(tree->list().front())), json);
    }

    void jsonIsReadAsRfc8259Says_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("refusal");
        const auto row = [](const char* text, const char* refusal = "") {
            QTest::newRow(text) << QString::fromUtf8(text) << QString::fromUtf8(refusal);
        };
        row("{\"a\": [1, -2.5e3, true, false, null, \"\\u00e9\\ud83d\\ude00\"]}");
        row("{\"a\": 01}", "1:8 expected ',' or '}'");
        row("{\"a\": 1.}", "1:9 expected a digit");
        row("{\"a\": tru}", "1:7 expected a value");
        row("{\"a\": \"\\x\"}", "1:9 unknown escape");
        row("{\"a\": \"\\ud83d\"}", "1:14 half of a surrogate pair");
        row("{\"a\": \"\\ude00\"}", "1:14 half of a surrogate pair");
        row("{\"a\": \"\\u00g0\"}", "1:10 expected four hexadecimal digits");
        row("{\"a\": \"x\ny\"}", "1:9 a control character must be escaped");
        row("{\"a\": \"x", "1:8 the string does not end");
        row("{\"a\"\n: 1,\n \"a\": 2}", "3:2 the key 'a' stands twice");
        row("{\"a\": 1} x", "1:10 text after the end of the JSON value");
        row("{\"a\": [1 2]}", "1:10 expected ',' or ']'");
        row("{\"a\": 1e999}", "1:12 the number is too large");
        row("{a: 1}", "1:2 expected a key in double quotes");
        row("{\"a\" 1}", "1:6 expected ':'");
        row("{\"a\":", "1:6 the text ends too early");
    }

    void jsonIsReadAsRfc8259Says()
    {
        QFETCH(QString, text);
        QFETCH(QString, refusal);
        QCOMPARE(refusalOf(text.toStdString()), refusal);
    }

    void yamlIsRefusedWithItsPlace_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("refusal");
        const auto row = [](const char* name, const QByteArray& text, const char* refusal) {
            QTest::newRow(name) << text << QString::fromUtf8(refusal);
        };
        row("anchor", "a: &x 1", "1:4 anchors and aliases are not supported; write the value out");
        row("alias",
            "a: &x 1\nb: *x",
            "1:4 anchors and aliases are not supported; write the value out");
        row("tag", "a: !mine 1", "1:4 tags are not supported; remove '!mine'");
        row("an escape that yaml-cpp turns into a bare byte",
            "a: \"\\N\"",
            "1:4 the escapes \\N and \\_ are not supported; write \\u0085 and \\u00a0");
        row("documents",
            "a: 1\n---\nb: 2",
            "2:1 only one document in a file; remove what follows the first");
        // yaml-cpp finds an endless row of empty documents here.
        row("endless documents",
            ",f{\n",
            "1:1 only one document in a file; remove what follows the first");
        row("stray bracket", "a: 1\n]", "2:1 illegal flow end");
        row("key", "? [a]\n: 1", "1:3 a key must be a text");
        row("duplicate", "a: 1\nb: 2\na: 3", "3:1 the key 'a' stands twice");
        row("control character",
            QByteArray("a: b\x04 c"),
            "1:5 the text has a control character (0x04)");
        row("not UTF-8", QByteArray("a: \xc3("), "1:4 the text has bytes that are not UTF-8 (0xc3)"
        );
        row("overlong",
            QByteArray("a: \xe0\x80\x80"),
            "1:4 the text has bytes that are not UTF-8 (0xe0)");
    }

    void yamlIsRefusedWithItsPlace()
    {
        QFETCH(QByteArray, text);
        QFETCH(QString, refusal);
        QCOMPARE(refusalOf(text.toStdString()), refusal);
    }

    void depthIsLimited_data()
    {
        QTest::addColumn<QString>("open");
        QTest::addColumn<QString>("start");
        QTest::newRow("YAML") << QStringLiteral("[") << QString();
        QTest::newRow("YAML maps") << QStringLiteral("{a: ") << QStringLiteral("- ");
        QTest::newRow("JSON") << QStringLiteral("{\"a\":") << QString();
        QTest::newRow("JSON lists") << QStringLiteral("[") << QStringLiteral("{\"a\":");
    }

    void depthIsLimited()
    {
        QFETCH(QString, open);
        QFETCH(QString, start);
        const std::string text =
            (start + open.repeated(static_cast<int>(kConfigDepthMax) + 2)).toStdString();
        QVERIFY(!parseTree(text).has_value());
        QVERIFY(!parseTree((start + open.repeated(20000)).toStdString()).has_value());
    }

    void manyKeysAreComparedQuickly()
    {
        std::string text = "a: 1\n";
        for (int at = 0; at < 20000; ++at) {
            text += "key-" + std::to_string(at) + ": 1\n";
        }
        QVERIFY(parseTree(text).has_value());
        QCOMPARE(parseTree(text + "key-7: 2\n").error().code, ErrorCode::Duplicate);
    }

    void aTextThatIsTooLongIsRefused()
    {
        const std::string text(kConfigBytesMax + 1, ' ');
        QCOMPARE(parseTree(text).error().code, ErrorCode::LimitExceeded);
    }

    void placesAreThoseOfTheText()
    {
        const TreeNode tree = *parseTree("a:\n  - b: [x,\n      y]\n");
        const TreeNode* const node = nodeAt(tree, "a[0].b[1]");
        QCOMPARE(node->text(), std::string("y"));
        QVERIFY((*node->mark().place() == LineColumn{3, 7}));
        const TreeNode json = *parseTree("{\"a\":\n [1,\n  {\"b.c\": 2}]}");
        QVERIFY((*nodeAt(json, "a[1].b.c")->mark().place() == LineColumn{3, 11}));
    }

    void aMissingNodeLeadsToTheDeepestThatExists()
    {
        const TreeNode tree = *parseTree("a: {b: 1}");
        QCOMPARE(nodeAt(tree, "a.c.d"), tree.find("a"));
        QCOMPARE(nodeAt(tree, "a[3]"), tree.find("a"));
        QCOMPARE(nodeAt(tree, ""), &tree);
    }

    void yamlReadsBackWhatWasWritten_data()
    {
        QTest::addColumn<QString>("json");
        for (const char* const json : kRoundTripTexts) {
            QTest::newRow(json) << QString::fromUtf8(json);
        }
    }

    void yamlReadsBackWhatWasWritten()
    {
        QFETCH(QString, json);
        const Result<TreeNode> tree = parseTree(json.toStdString());
        QVERIFY(tree.has_value());
        const std::string yaml = toYaml(*tree);
        const Result<TreeNode> again = parseTree(yaml);
        QVERIFY2(again.has_value(), yaml.c_str());
        QCOMPARE(QString::fromStdString(toJson(*again)), QString::fromStdString(toJson(*tree)));
        QVERIFY2(yaml.find(" \n") == std::string::npos, yaml.c_str());
    }

    void problemsReadLikeThoseOfCompilers()
    {
        Problem problem{"a.b", LineColumn{3, 4}, ErrorCode::Syntax, Severity::Error, "wrong"};
        QCOMPARE(toText(problem, "f.yaml"), std::string("f.yaml:3:4: a.b: wrong"));
        problem.severity = Severity::Warning;
        problem.place.reset();
        problem.path.clear();
        QCOMPARE(toText(problem, "f.yaml"), std::string("f.yaml: warning: wrong"));
        QVERIFY(!hasErrors({problem}));
    }
};

} // namespace mesh::config

QTEST_APPLESS_MAIN(mesh::config::TreeTest)
#include "tree_test.moc"
