// Goal: the help of rehearsals names every fault with its fields, every quantity and every shipped
//       scenario, and the file that it shows is one.
// Method: the page is read and compared with the tables of the code and the files that are shipped.
#include "simulator/scenario/condition.h"
#include "simulator/scenario/fault_table.h"
#include "simulator/scenario/scenario.h"

#include <QDir>
#include <QFile>
#include <QRegularExpression>
#include <QTest>

namespace mesh::simulator {
namespace {

QString page()
{
    QFile file(QStringLiteral(MESH_SOURCE_DIR "/resources/help/rehearse.md"));
    return file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll()) : QString();
}

QString shown(std::string_view text)
{
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

} // namespace

class RehearseHelpTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyFaultHasItsRow();
    void everyQuantityIsExplained();
    void everyShippedScenarioIsDescribed();
    void theExampleIsAScenario();
};

void RehearseHelpTest::everyFaultHasItsRow()
{
    const QString text = page();
    for (const FaultKindRow& row : faultKinds()) {
        const QRegularExpression line(
            QStringLiteral("^\\| `%1` \\| .+ \\|").arg(shown(row.name)),
            QRegularExpression::MultilineOption
        );
        QVERIFY2(text.contains(line), std::string(row.name).c_str());
        const qsizetype probability = text.indexOf(QStringLiteral("may have a `probability`"));
        const qsizetype sentence = text.lastIndexOf(QStringLiteral("\n\n"), probability);
        const QString those = text.mid(sentence, probability - sentence);
        QCOMPARE(those.contains(QStringLiteral("`%1`").arg(shown(row.name))), row.hasProbability);
    }
}

void RehearseHelpTest::everyQuantityIsExplained()
{
    for (int at = 0; at < kQuantityCount; ++at) {
        const QString name = shown(toText(static_cast<Quantity>(at)));
        QVERIFY2(page().contains(QStringLiteral("`%1`").arg(name)), qPrintable(name));
    }
}

void RehearseHelpTest::everyShippedScenarioIsDescribed()
{
    const QDir folder(QStringLiteral(MESH_SOURCE_DIR "/resources/scenarios"));
    for (const QString& name : folder.entryList({QStringLiteral("*.yaml")}, QDir::Files)) {
        const QString heading =
            QStringLiteral("- **%1**").arg(QString(name).remove(QStringLiteral(".yaml")));
        QVERIFY2(page().contains(heading), qPrintable(name));
    }
}

void RehearseHelpTest::theExampleIsAScenario()
{
    const QString example = page().section(QStringLiteral("```\n"), 1, 1);
    const ScenarioResult result = parseScenario(example.toStdString());
    for (const config::Problem& problem : result.problems) {
        qWarning("%s", config::toText(problem, "rehearse.md").c_str());
    }
    QVERIFY(result.problems.empty());
    QCOMPARE(result.scenario.policies.size(), std::size_t{2});
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::RehearseHelpTest)
#include "rehearse_help_test.moc"
