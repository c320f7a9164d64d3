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

#include <array>
#include <cstdint>

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

// Of two replications each; the same in every build and on any number of threads. A change of the
// simulator that is meant changes them.
struct ShippedScenario
{
    const char* name;
    std::uint64_t eventHash;
};

constexpr std::array kShipped = {
    ShippedScenario{"zone-loss", 0xb6fa'11e0'0a0c'c325},
    ShippedScenario{"grey-failure", 0x48a5'6e15'edd4'ea85},
    ShippedScenario{"retry-storm", 0x607a'5a07'b318'7ea5},
    ShippedScenario{"bad-canary", 0x4552'5f73'db4a'53d7},
    ShippedScenario{"slow-database", 0xd850'1581'eb07'34ce},
    ShippedScenario{"cert-expiry", 0xcb83'36fa'37c0'b023},
};

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
    QCOMPARE(static_cast<std::size_t>(files.size()), kShipped.size());
    for (const ShippedScenario& each : kShipped) {
        QVERIFY(files.contains(QLatin1String(each.name) + QStringLiteral(".yaml")));
    }
}

void ShippedScenariosTest::theVerdictIsAsPromised_data()
{
    QTest::addColumn<QString>("name");
    QTest::addColumn<quint64>("eventHash");
    for (const ShippedScenario& each : kShipped) {
        QTest::newRow(each.name) << QString::fromLatin1(each.name) << quint64{each.eventHash};
    }
}

void ShippedScenariosTest::theVerdictIsAsPromised()
{
    QFETCH(QString, name);
    QFETCH(quint64, eventHash);

    const Rehearsal rehearsal = rehearsedFile(name);

    QVERIFY2(rehearsal.verdict == Verdict::Holds, toTerminalText(rehearsal).c_str());
    QVERIFY(rehearsal.scenario.name == name.toStdString());
    QVERIFY(!rehearsal.variants.front().asserts.empty());
    QCOMPARE(QString::number(rehearsal.eventHash, 16), QString::number(eventHash, 16));
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
