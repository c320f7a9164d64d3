// Goal: every scenario in resources/scenarios says what its text promises.
// Method: each is run as shipped, but with two replications, and its verdict and its story
// compared.
#include "proxyengine/base/file.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/config/codec.h"
#include "simulator/report/rehearsal.h"
#include "simulator/report/terminal.h"

#include <QDir>
#include <QTest>

#include <algorithm>

namespace mesh::simulator {

class ShippedScenariosTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyOneIsRunHere();
    void theVerdictIsAsPromised_data();
    void theVerdictIsAsPromised();
    void aRetryStormStaysWithoutABudget();
    void detectionFindsTheGreyInstance();
    void detectionKeepsTheBadCanaryOut();
};

namespace {

const char* const kNames[] = {
    "zone-loss", "grey-failure", "retry-storm", "bad-canary", "slow-database", "cert-expiry"};

QString folder() { return QStringLiteral(MESH_SOURCE_DIR "/resources/scenarios/"); }

Rehearsal rehearsedFile(const QString& name)
{
    const std::string path = (folder() + name + QStringLiteral(".yaml")).toStdString();
    const auto text = readFile(path, kScenarioBytesMax);
    ScenarioResult scenario = parseScenario(text ? *text : "");
    for (const config::Problem& problem : scenario.problems) {
        qFatal("%s", config::toText(problem, path).c_str());
    }
    const auto mesh = readFile(folder().toStdString() + scenario.scenario.mesh, kConfigBytesMax);
    RehearsalRequest request;
    request.scenario = std::move(scenario.scenario);
    request.scenario.replications = 2;
    request.document =
        std::make_shared<const model::Document>(config::decode(mesh ? *mesh : "").document);
    auto result = rehearse(request);
    if (!result) {
        qFatal("%s: %s", path.c_str(), result.error().message.c_str());
    }
    return *std::move(result);
}

double success(const Rehearsal& rehearsal, std::size_t variant, Window window, const char* service)
{
    return rehearsal.variants[variant].services.at(window).at(service).success;
}

} // namespace

void ShippedScenariosTest::everyOneIsRunHere()
{
    const QStringList files = QDir(folder()).entryList({QStringLiteral("*.yaml")}, QDir::Files);
    QCOMPARE(static_cast<std::size_t>(files.size()), std::size(kNames));
    for (const char* const name : kNames) {
        QVERIFY(files.contains(QLatin1String(name) + QStringLiteral(".yaml")));
    }
}

void ShippedScenariosTest::theVerdictIsAsPromised_data()
{
    QTest::addColumn<QString>("name");
    for (const char* const name : kNames) {
        QTest::newRow(name) << QString::fromLatin1(name);
    }
}

void ShippedScenariosTest::theVerdictIsAsPromised()
{
    QFETCH(QString, name);

    const Rehearsal rehearsal = rehearsedFile(name);

    QVERIFY2(rehearsal.verdict == Verdict::Holds, toTerminalText(rehearsal).c_str());
    QVERIFY(rehearsal.scenario.name == name.toStdString());
    QVERIFY(!rehearsal.variants.front().asserts.empty());
}

// Load is back to normal for 100 s of the window, and it still fails: a collapse that stays.
void ShippedScenariosTest::aRetryStormStaysWithoutABudget()
{
    const Rehearsal rehearsal = rehearsedFile(QStringLiteral("retry-storm"));

    QCOMPARE(rehearsal.variants[1].name, std::string("without-budget"));
    QVERIFY(success(rehearsal, 1, Window::Before, "frontend") > 0.99);
    QVERIFY(success(rehearsal, 1, Window::After, "frontend") < 0.4);
    QVERIFY(!rehearsal.variants[1].reaction.recovered.has_value());
    QVERIFY(rehearsal.variants[0].reaction.recovered.has_value());
}

void ShippedScenariosTest::detectionFindsTheGreyInstance()
{
    const Rehearsal rehearsal = rehearsedFile(QStringLiteral("grey-failure"));

    QVERIFY(rehearsal.variants[0].reaction.detected.has_value());
    QVERIFY(
        success(rehearsal, 0, Window::During, "cart")
        > success(rehearsal, 1, Window::During, "cart") + 0.1
    );
    QVERIFY(rehearsal.ablation.front().success.value > 0.02);
}

void ShippedScenariosTest::detectionKeepsTheBadCanaryOut()
{
    const Rehearsal rehearsal = rehearsedFile(QStringLiteral("bad-canary"));

    QVERIFY(
        success(rehearsal, 0, Window::During, "catalog")
        > success(rehearsal, 1, Window::During, "catalog") + 0.03
    );
    const std::vector<std::string> canary = {"catalog-1"};
    QCOMPARE(rehearsal.faults.front().instances, canary);
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::ShippedScenariosTest)
#include "shipped_scenarios_test.moc"
