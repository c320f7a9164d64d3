#include "proxyengine/base/file.h"
#include "proxyengine/config/codec.h"

#include <QDir>
#include <QTest>

#include <string>
#include <string_view>

// Every *.case under tests/golden/config is a text, a line "----", and what decode() makes of it:
// its problems as FILE:LINE:COL lines, then the canonical YAML when none of them is an error.
// MESH_UPDATE_GOLDEN=1 writes what came out instead of comparing.
namespace mesh::config {
namespace {

constexpr std::string_view kSeparator = "\n----\n";

std::string answerTo(std::string_view input)
{
    const DecodeResult result = decode(input);
    std::string answer;
    for (const Problem& problem : result.problems) {
        answer += toText(problem, "case") + "\n";
    }
    if (!hasErrors(result.problems)) {
        answer += toYaml(result.document, Secrets::Masked);
    }
    return answer;
}

} // namespace

class GoldenTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void answersAsWritten_data();
    void answersAsWritten();
    void canonicalTextIsAFixedPoint_data() { answersAsWritten_data(); }
    void canonicalTextIsAFixedPoint();
};

void GoldenTest::answersAsWritten_data()
{
    QTest::addColumn<QString>("path");
    const QDir folder(QStringLiteral(MESH_SOURCE_DIR "/tests/golden/config"));
    const QStringList names = folder.entryList({QStringLiteral("*.case")}, QDir::Files, QDir::Name);
    QVERIFY(names.size() >= 12);
    for (const QString& name : names) {
        QTest::newRow(qPrintable(name)) << folder.filePath(name);
    }
}

void GoldenTest::answersAsWritten()
{
    QFETCH(QString, path);
    const Result<std::string> content = readFile(path.toStdString(), 1U << 20U);
    QVERIFY(content.has_value());
    const std::size_t separator = content->find(kSeparator);
    QVERIFY2(separator != std::string::npos, "the case has no line '----'");
    const std::string input = content->substr(0, separator + 1);
    const std::string expected = content->substr(separator + kSeparator.size());
    const std::string answer = answerTo(input);
    if (qEnvironmentVariableIntValue("MESH_UPDATE_GOLDEN") == 1) {
        const std::string updated = input + std::string(kSeparator.substr(1)) + answer;
        QVERIFY(writeFileAtomically(path.toStdString(), updated).has_value());
        return;
    }
    QCOMPARE(QString::fromStdString(answer), QString::fromStdString(expected));
}

void GoldenTest::canonicalTextIsAFixedPoint()
{
    QFETCH(QString, path);
    const Result<std::string> content = readFile(path.toStdString(), 1U << 20U);
    QVERIFY(content.has_value());
    const DecodeResult first = decode(content->substr(0, content->find(kSeparator) + 1));
    if (hasErrors(first.problems)) {
        return;
    }
    const std::string yaml = toYaml(first.document);
    const DecodeResult again = decode(yaml);
    QVERIFY(!hasErrors(again.problems));
    QCOMPARE(toYaml(again.document), yaml);
    QCOMPARE(hashOf(again.document), hashOf(first.document));
}

} // namespace mesh::config

QTEST_APPLESS_MAIN(mesh::config::GoldenTest)
#include "golden_test.moc"
