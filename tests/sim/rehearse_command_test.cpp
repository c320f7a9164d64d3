// Goal: meshwrightctl rehearse says what a run found, in the documented form and exit code.
// Method: the command as a library, files in a temporary directory.
#include "app/ctl/rehearse_command.h"

#include "app/ctl/ctl.h"
#include "proxyengine/base/hash.h"
#include "simulator/report/calibration_record.h"
#include "tests/support/manual_clock.h"
#include "tests/support/small_shop.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <nlohmann/json.hpp>

#include <cmath>

namespace mesh::ctl {

using Json = nlohmann::json;

class RehearseCommandTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void theExitCodeIsTheVerdict_data();
    void theExitCodeIsTheVerdict();
    void everyProblemHasFileLineAndColumn();
    void problemsOfTheMeshAndTheRunToo();
    void whatNobodyIsOrCallsIsRefused();
    void problemsOfFileAndRunAreToldAtOnce();
    void liveRefusesWithPlacesToo();
    void numbersThatDoNotFitAreNamedShortly();
    void aFileIsNamedOnce();
    void aRunOutsideTheFittedRangeEndsWith5();
    void twoRunsThatDifferEndWith4();
    void aReplayTellsWhatPoliciesDid();
    void aSearchListsWhatBreaksAndWritesItsScenarios();
    void theJsonHasItsDocumentedShape();
    void filesAreWrittenAndStandardOutputIsTheirs();
    void aSecondRunIsTheSame();
    void optionsWinOverTheFile();
    void peopleReadTheVerdictFirst();
    void modelsAloneAreAMesh();

private:
    std::string write(const char* name, const std::string& text);
    int rehearse(const std::string& scenario, std::vector<std::string> options = {});

    std::unique_ptr<QTemporaryDir> m_directory;
    test::ManualClock m_clock;
    CtlOutput m_output;
};

namespace {

const std::string kHead = "scenario: small\nmesh: shop.yaml\nduration: 20s\n"
                          "load: [{entry: front, rate: [[0s, 50]]}]\n";

QStringList linesOf(const std::string& text)
{
    return QString::fromStdString(text).split(QLatin1Char('\n'), Qt::SkipEmptyParts);
}

} // namespace

void RehearseCommandTest::init()
{
    m_directory = std::make_unique<QTemporaryDir>();
    write("shop.yaml", std::string(test::kSmallShop));
    m_output = {};
}

std::string RehearseCommandTest::write(const char* name, const std::string& text)
{
    QFile file(m_directory->filePath(QString::fromLatin1(name)));
    if (!file.open(QIODevice::WriteOnly)) {
        return {};
    }
    file.write(text.data(), static_cast<qint64>(text.size()));
    return file.fileName().toStdString();
}

int RehearseCommandTest::rehearse(const std::string& scenario, std::vector<std::string> options)
{
    std::vector<std::string> arguments = {"rehearse", write("s.yaml", scenario)};
    arguments.insert(arguments.end(), options.begin(), options.end());
    m_output = {};
    return run(arguments, m_clock, Colour::Off, m_output);
}

void RehearseCommandTest::theExitCodeIsTheVerdict_data()
{
    QTest::addColumn<QString>("rest");
    QTest::addColumn<int>("code");

    QTest::newRow("nothing demanded") << "" << 0;
    QTest::newRow("all hold") << "assert: [{window: always, that: \"success(front) > 0.9\"}]" << 0;
    QTest::newRow("one fails") << "assert: [{window: always, that: \"p50(front) < 1us\"}]" << 1;
    QTest::newRow("a bad file") << "asert: []" << 2;
    QTest::newRow("a name that does not exist")
        << "assert: [{window: always, that: \"success(frnt) > 0\"}]" << 2;
    QTest::newRow("a guard") << "guards: [{abort_if: \"rps(front) > 1 for 3s\"}]" << 3;
}

void RehearseCommandTest::theExitCodeIsTheVerdict()
{
    QFETCH(QString, rest);
    QFETCH(int, code);

    QCOMPARE(rehearse(kHead + rest.toStdString() + "\n"), code);
    QCOMPARE(m_output.err.empty(), code != 2);
    QCOMPARE(m_output.out.empty(), code == 2);
}

void RehearseCommandTest::everyProblemHasFileLineAndColumn()
{
    QCOMPARE(
        rehearse(kHead + "seed: x\ntimeline: [{at: 1s, fault: meteor, target: {zone: a}}]\n"), 2
    );

    const QStringList lines = linesOf(m_output.err);
    QCOMPARE(lines.size(), 2);
    QVERIFY(lines[0].contains(QStringLiteral("s.yaml:5:7: seed: expected a whole number")));
    QVERIFY(lines[1].contains(QStringLiteral("s.yaml:6:28: timeline[0].fault: there is no fault")));
}

void RehearseCommandTest::problemsOfTheMeshAndTheRunToo()
{
    QCOMPARE(rehearse("scenario: s\nmesh: nowhere.yaml\nduration: 5s\n"), 2);
    QCOMPARE(linesOf(m_output.err).filter(QStringLiteral("s.yaml:2:7: mesh: ")).size(), 1);
    QCOMPARE(linesOf(m_output.err).filter(QStringLiteral("s.yaml:1:1: load: ")).size(), 1);

    write("shop.yaml", "_format_version: \"3.0\"\nservics: []\n");
    QCOMPARE(rehearse(kHead), 2);
    QVERIFY(linesOf(m_output.err).front().contains(QStringLiteral("shop.yaml:2:1: servics: ")));

    write("shop.yaml", std::string(test::kSmallShop));
    QCOMPARE(
        rehearse(
            kHead
            + "timeline: [{at: 1s, fault: kill, target: {service: nobody}}]\n"
              "assert: [{window: always, that: \"p99(no) < 1s\"}]\n"
        ),
        2
    );
    const QStringList lines = linesOf(m_output.err);
    QCOMPARE(lines.size(), 2);
    QVERIFY(lines[1].contains(QStringLiteral("s.yaml:6:33: assert[0].that: ")));
    QVERIFY(lines[0].contains(QStringLiteral("s.yaml:5:12: timeline[0] (kill): ")));
}

// Names of services and edges in everything that is demanded; each at its place.
void RehearseCommandTest::whatNobodyIsOrCallsIsRefused()
{
    QCOMPARE(
        rehearse(
            kHead
            + "policies: {a: {}, b: {}}\n"
              "guards: [{abort_if: \"success(store->front) < 0.5\"}]\n"
              "assert:\n"
              "- {window: always, that: \"p99(front->nobody) < 1s\"}\n"
              "- {window: always, that: \"p99(gateway->cart) < 1s\"}\n"
              "- {window: always, that: \"p99(front->cart) < 1s\"}\n"
              "- {window: always, that: \"p99(gateway->front) < 1s\"}\n"
              "- {compare: \"b vs a\", that: \"p99(cart->front) <= 0\"}\n"
        ),
        2
    );

    const QStringList lines = linesOf(m_output.err);
    QCOMPARE(lines.size(), 4);
    QVERIFY(lines[0].endsWith(
        QStringLiteral("s.yaml:6:21: guards[0].abort_if: \"store\" does not call \"front\"")
    ));
    QVERIFY(lines[1].contains(QStringLiteral("s.yaml:8:26: assert[0].that: there is no model of")));
    QVERIFY(lines[2].endsWith(QStringLiteral("\"gateway\" does not call \"cart\"")));
    QVERIFY(lines[3].contains(QStringLiteral("s.yaml:12:29: assert[4].that: \"cart\" does")));
}

// A list of what to do, not the first of several: what cannot be read does not hide what cannot
// run, and is not told twice.
void RehearseCommandTest::problemsOfFileAndRunAreToldAtOnce()
{
    QCOMPARE(
        rehearse(
            kHead
            + "seed: x\n"
              "timeline: [{at: 1s, fault: kill, target: {service: nobody}}, {at: 1s, fault: kil}]\n"
              "assert: [{window: always, that: \"p99(no) < 1s\"}, {window: late, that: "
              "\"p99(cart\"}]\n"
        ),
        2
    );
    QStringList lines = linesOf(m_output.err);
    QCOMPARE(lines.size(), 7);
    QVERIFY(lines[0].contains(QStringLiteral("s.yaml:5:7: seed: ")));
    QVERIFY(lines[1].contains(QStringLiteral("s.yaml:6:12: timeline[0] (kill): ")));
    QCOMPARE(lines.filter(QStringLiteral("timeline[1]")).size(), 2); // The kind, and no target.
    QVERIFY(lines[4].contains(QStringLiteral("s.yaml:7:33: assert[0].that: there is no model")));
    QCOMPARE(lines.filter(QStringLiteral("assert[1]")).size(), 2); // The window, the condition.

    write("shop.yaml", "_format_version: \"3.0\"\nservics: []\n");
    QCOMPARE(rehearse("scenario: s\nmesh: shop.yaml\nduration: 5\n"), 2);
    lines = linesOf(m_output.err);
    QCOMPARE(lines.size(), 3);
    QCOMPARE(lines.filter(QStringLiteral("duration: ")).size(), 1);
    QCOMPARE(lines.filter(QStringLiteral("load: nothing calls the mesh")).size(), 1);
    QVERIFY(lines[2].contains(QStringLiteral("shop.yaml:2:1: servics: ")));
}

void RehearseCommandTest::liveRefusesWithPlacesToo()
{
    QCOMPARE(
        rehearse(
            kHead
                + "timeline:\n- {at: 1s, fault: bandwidth, target: {service: cart}, "
                  "bytes_per_second: 1000, probability: 0.5}\n"
                  "- {at: 1s, fault: kill, target: {service: nobody}}\n",
            {"--mode", "live"}
        ),
        2
    );
    const QStringList lines = linesOf(m_output.err);
    QCOMPARE(lines.size(), 2);
    QVERIFY(lines[0].contains(QStringLiteral("s.yaml:6:3: timeline[0]: ")));
    QVERIFY(lines[0].contains(QStringLiteral("cannot be played live")));
    QVERIFY(lines[1].contains(QStringLiteral("s.yaml:7:3: timeline[1] (kill): ")));
}

void RehearseCommandTest::numbersThatDoNotFitAreNamedShortly()
{
    QCOMPARE(
        rehearse("scenario: s\nmesh: shop.yaml\nduration: 5s\n"
                 "load: [{entry: front, rate: [[0s, -5], [1s, fast]]}]\n"),
        2
    );
    QStringList lines = linesOf(m_output.err);
    QCOMPARE(lines.size(), 2);
    QVERIFY(lines[0].contains(
        QStringLiteral("s.yaml:4:35: load[0].rate: a rate is between 0 and 1000000 requests")
    ));
    QVERIFY(lines[1].contains(QStringLiteral("expected pairs of a time and a rate")));

    for (const char* const seed : {"x", "-1", "1.5", "99999999999999999999"}) {
        QCOMPARE(rehearse(kHead, {"--seed", seed}), 2);
        lines = linesOf(m_output.err);
        QVERIFY2(lines.front().contains(QLatin1String("--seed: ")), m_output.err.c_str());
        QVERIFY2(lines.front().size() < 90, m_output.err.c_str());
    }
}

void RehearseCommandTest::aFileIsNamedOnce()
{
    CtlOutput output;
    QCOMPARE(run({"rehearse", "/nowhere/s.yaml"}, m_clock, Colour::Off, output), 2);
    QCOMPARE(linesOf(output.err).size(), 1);
    QCOMPARE(linesOf(output.err).front().count(QStringLiteral("/nowhere/s.yaml")), 1);

    QCOMPARE(rehearse(kHead, {"--json", "/nowhere/at/all.json"}), 2);
    QCOMPARE(linesOf(m_output.err).front().count(QStringLiteral("/nowhere/at/all.json")), 1);
}

void RehearseCommandTest::theJsonHasItsDocumentedShape()
{
    const int code = rehearse(
        kHead
            + "replications: 2\nseed: 9\nablate: [retry]\n"
              "timeline: [{at: 5s, for: 5s, fault: kill, target: {instance: cart-2}}]\n"
              "policies: {a: {}, b: {}}\n"
              "assert:\n- {window: during, that: \"success(front) > 0.5\"}\n"
              "- {compare: \"b vs a\", that: \"p99(front) <= 0\"}\n",
        {"--json", "-"}
    );
    const Json json = Json::parse(m_output.out, nullptr, false);

    QCOMPARE(code, 0);
    QVERIFY(json.is_object());
    QCOMPARE(json.at("scenario").get<std::string>(), std::string("small"));
    QCOMPARE(json.at("seed").get<int>(), 9);
    QCOMPARE(json.at("verdict").get<std::string>(), std::string("holds"));
    QCOMPARE(json.at("event_hash").get<std::string>().size(), std::size_t{16});
    QVERIFY(json.at("events").get<int>() > 1000);
    QVERIFY(json.at("wall_seconds").is_number());
    const Json& variant = json.at("variants").at("a");
    for (const char* const window : {"before", "during", "after", "always"}) {
        for (const char* const service : {"front", "cart", "store"}) {
            const Json& row = variant.at("windows").at(window).at(service);
            for (const char* const figure :
                 {"rps",
                  "success",
                  "mean_ms",
                  "p50_ms",
                  "p90_ms",
                  "p99_ms",
                  "p999_ms",
                  "inflight",
                  "utilization",
                  "amplification"}) {
                QVERIFY2(row.at(figure).is_number(), figure);
            }
        }
        QVERIFY(variant.at("edges").at(window).contains("gateway->front"));
        QVERIFY(variant.at("edges").at(window).contains("front->cart"));
    }
    const Json& assertion = variant.at("asserts").at(0);
    QCOMPARE(assertion.at("text").get<std::string>(), std::string("success(front) > 0.5"));
    QCOMPARE(assertion.at("window").get<std::string>(), std::string("during"));
    QVERIFY(assertion.at("value").is_number() && assertion.at("holds").get<bool>());
    QVERIFY(json.at("comparisons").at(0).at("holds").get<bool>());
    QVERIFY(json.at("ablation").at("retry").at("success").is_number());
    QCOMPARE(
        json.at("faults").at(0).at("instances").at(0).get<std::string>(), std::string("cart-2")
    );
}

void RehearseCommandTest::filesAreWrittenAndStandardOutputIsTheirs()
{
    const std::string junit = m_directory->filePath(QStringLiteral("r.xml")).toStdString();
    const std::string scenario = kHead + "assert: [{window: always, that: \"p50(front) < 1us\"}]\n";

    QCOMPARE(rehearse(scenario, {"--junit", junit}), 1);
    QVERIFY(m_output.out.starts_with("small: fails"));
    QFile file(QString::fromStdString(junit));
    QVERIFY(file.open(QIODevice::ReadOnly));
    QVERIFY(file.readAll().contains("<failure message=\"measured "));

    QCOMPARE(rehearse(scenario, {"--junit", "-"}), 1);
    QVERIFY(m_output.out.starts_with("<?xml"));
    QCOMPARE(rehearse(scenario, {"--json", "/nowhere/at/all.json"}), 2);
}

void RehearseCommandTest::aSecondRunIsTheSame()
{
    QCOMPARE(rehearse(kHead, {"--check-determinism", "--threads", "3"}), 0);

    QVERIFY(m_output.out.find("A second run gave the same event hash.") != std::string::npos);
}

void RehearseCommandTest::optionsWinOverTheFile()
{
    QCOMPARE(
        rehearse(kHead + "seed: 1\n", {"--seed", "7", "--replications", "3", "--json", "-"}), 0
    );

    const Json json = Json::parse(m_output.out, nullptr, false);
    QCOMPARE(json.at("seed").get<int>(), 7);
    QCOMPARE(json.at("replications").get<int>(), 3);
    QCOMPARE(rehearse(kHead, {"--replications", "0"}), 2);
    QCOMPARE(rehearse(kHead, {"--mode", "dream"}), 2);
}

void RehearseCommandTest::peopleReadTheVerdictFirst()
{
    rehearse(
        kHead
        + "timeline: [{at: 5s, for: 5s, fault: kill, target: {service: cart, instances: "
          "\"30%\"}}]\n"
    );

    const QStringList lines = linesOf(m_output.out);
    QVERIFY(lines.front().startsWith(QStringLiteral("small: holds; ")));
    QVERIFY(lines[2].contains(QStringLiteral("5s to 10s: kill cart, 30% of instances (cart-1)")));
    QVERIFY(lines.back().startsWith(QStringLiteral("meshwrightctl rehearse ")));
    QVERIFY(lines.back().endsWith(QStringLiteral("--seed 42 --replications 1")));
}

// What fitting left beside the mesh file: the carts were never seen that busy.
void RehearseCommandTest::aRunOutsideTheFittedRangeEndsWith5()
{
    simulator::CalibrationRecord record;
    record.meshHash = sha256Hex(test::kSmallShop);
    for (const char* const service : {"front", "cart", "store"}) {
        record.services.push_back({service, true, 1.0, 100.0});
    }
    write("shop.yaml.fit.json", simulator::toJson(record));
    QCOMPARE(rehearse(kHead), 0);
    record.services[1].rateTo = 20.0;
    write("shop.yaml.fit.json", simulator::toJson(record));

    QCOMPARE(rehearse(kHead), 5);

    QVERIFY(m_output.out.starts_with("small: outside the calibrated range"));
    const std::string fails = "assert: [{window: always, that: \"p50(front) < 1us\"}]\n";
    QCOMPARE(rehearse(kHead + fails), 1); // Which is worse.
}

// Real runs do not differ, so that the second one is given another seed here.
void RehearseCommandTest::twoRunsThatDifferEndWith4()
{
    RehearseOptions options;
    options.file = write("s.yaml", kHead);
    options.checksDeterminism = true;
    int runs = 0;
    const auto otherLuck = [&runs](const simulator::RehearsalRequest& request) {
        simulator::RehearsalRequest changed = request;
        changed.scenario.seed.value += static_cast<std::uint64_t>(runs++);
        return simulator::rehearse(changed);
    };

    QCOMPARE(runRehearse(options, m_clock, Colour::Off, m_output, otherLuck), 4);

    QCOMPARE(runs, 2);
    QVERIFY(m_output.out.find("A second run gave another event hash.") != std::string::npos);
}

void RehearseCommandTest::aReplayTellsWhatPoliciesDid()
{
    const std::string kills = kHead
                              + "replications: 2\ntimeline: [{at: 5s, for: 5s, fault: kill, "
                                "target: {instance: cart-2}}]\n";

    QCOMPARE(rehearse(kills, {"--replay", "2"}), 0);

    const QStringList lines = linesOf(m_output.out);
    QCOMPARE(lines.front(), QStringLiteral("Run 2 of baseline, what its policies did:"));
    QVERIFY(lines.size() > 1);
    QVERIFY(lines.filter(QStringLiteral("cart-2")).size() >= 1);
    QCOMPARE(rehearse(kills, {"--replay", "3"}), 2);
    QVERIFY(m_output.err.ends_with(": there is no run 3 of \"baseline\"; it has 2\n"));
}

// Every find is a file that shows it.
void RehearseCommandTest::aSearchListsWhatBreaksAndWritesItsScenarios()
{
    const std::string demands =
        kHead
        + "timeline: [{at: 5s, for: 5s, fault: kill, target: {instance: cart-2}}]\n"
          "assert: [{window: during, that: \"success(front) >= 0.9\"}]\n";
    const std::string folder = m_directory->path().toStdString();

    QCOMPARE(rehearse(demands, {"--explore", "--budget", "8", "--into", folder}), 1);

    const QStringList lines = linesOf(m_output.out);
    QVERIFY(lines.front().contains(QStringLiteral(" smallest ways to break it; ")));
    const QStringList files = lines.filter(QStringLiteral(".yaml"));
    QVERIFY(!files.isEmpty());
    for (const QString& file : files) {
        CtlOutput output;
        QCOMPARE(run({"rehearse", file.toStdString()}, m_clock, Colour::Off, output), 1);
    }
    QCOMPARE(rehearse(demands, {"--explore", "--budget", "1"}), 0); // Nothing so far.
    QCOMPARE(rehearse(demands, {"--budget", "8"}), 2);
}

// A service that only a model knows repeats nothing; an edge may be written with blanks; what was
// never called has a row without success.
void RehearseCommandTest::modelsAloneAreAMesh()
{
    write(
        "models.yaml",
        "_format_version: \"3.0\"\nmodels:\n"
        "- {service: front, instances: 4, service_time: {dist: const, mean: 1ms},"
        " script: [{call: store, probability: 0}]}\n"
        "- {service: store, service_time: {dist: const, mean: 1ms}}\n"
    );
    const std::string scenario =
        "scenario: models\nmesh: models.yaml\nduration: 40s\n"
        "load: [{entry: front, rate: [[0s, 200]]}]\n"
        "timeline: [{at: 10s, for: 20s, fault: kill, target: {instance: front-1}}]\n"
        "assert: [{window: always, that: \"p99(gateway -> front) < 1s\"}]\n";

    QCOMPARE(rehearse(scenario, {"--json", "-"}), 0);

    const Json windows = Json::parse(m_output.out)["variants"]["baseline"]["windows"];
    const auto success = windows["during"]["front"]["success"].get<double>();
    QVERIFY2(std::abs(success - 0.75) < 0.02, std::to_string(success).c_str());
    QCOMPARE(windows["during"]["front"]["amplification"].get<double>(), 1.0);
    QCOMPARE(windows["always"]["store"]["calls"].get<int>(), 0);
    QVERIFY(windows["always"]["store"]["success"].is_null());
}

} // namespace mesh::ctl

QTEST_APPLESS_MAIN(mesh::ctl::RehearseCommandTest)
#include "rehearse_command_test.moc"
