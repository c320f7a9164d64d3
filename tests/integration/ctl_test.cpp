// Goal: every command of meshwrightctl answers with the documented text and exit code.
// Method: the commands as a library, files in a temporary directory, a real admin server.
#include "app/ctl/ctl.h"

#include "proxyengine/control/admin_server.h"
#include "tests/support/manual_engine.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <nlohmann/json.hpp>

#include <algorithm>

namespace mesh::ctl {

using Json = nlohmann::json;
using test::ManualEngine;

class CtlTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void usage_data();
    void usage();
    void validateNamesEveryProblemAtItsPlace();
    void validatePrintsTheHash();
    void validateListsFindingsAcrossObjects();
    void pushReadsTheHashBackFromEachNode();
    void pushSendsNothingThatIsInvalid();
    void pushTellsTheWorstOfAllNodes();
    void aRefusalIsFour();
    void dumpGivesBackWhatWasPushed();
    void colourOnlyWhenAsked();

private:
    QString write(const char* text);
    int ctl(std::vector<std::string> arguments, Colour colour = Colour::Off);
    std::string node() const { return "http://" + m_server->address(); }

    QTemporaryDir m_directory;
    SystemClock m_clock;
    CtlOutput m_output;
    std::unique_ptr<ManualEngine> m_engine;
    std::unique_ptr<control::AdminServer> m_server;
};

constexpr const char* kGood =
    "_format_version: \"3.0\"\nservices:\n- {name: shop, host: 127.0.0.1, port: 9}\n";
constexpr const char* kBad =
    "_format_version: \"3.0\"\nservices:\n- name: shop\n  host: 127.0.0.1\n  bogus: 1\n  port: x\n";

constexpr const char* kShadowed =
    "_format_version: \"3.0\"\nservices:\n- name: a\n  host: a.test\n  routes:\n"
    "  - {name: r1, paths: [/x]}\n  - {name: r2, paths: [/x]}\n";

void CtlTest::init()
{
    m_engine = std::make_unique<ManualEngine>(ManualEngine::Answers::AtOnce);
    control::AdminOptions options;
    options.address.hostPort = "127.0.0.1:0";
    auto server = control::AdminServer::start(*m_engine, m_clock, options);
    QVERIFY(server);
    m_server = *std::move(server);
}

void CtlTest::cleanup()
{
    m_server->stop();
    m_engine.reset();
    m_server.reset();
}

QString CtlTest::write(const char* text)
{
    const QString path = m_directory.filePath(QStringLiteral("mesh.yaml"));
    QFile file(path);
    if (file.open(QIODevice::WriteOnly | QIODevice::Truncate)) {
        file.write(text);
    }
    return path;
}

int CtlTest::ctl(std::vector<std::string> arguments, Colour colour)
{
    m_output = {};
    return run(arguments, m_clock, colour, m_output);
}

void CtlTest::usage_data()
{
    QTest::addColumn<QByteArray>("arguments");
    QTest::addColumn<int>("code");

    QTest::newRow("version") << QByteArray("--version") << 0;
    QTest::newRow("help") << QByteArray("--help") << 0;
    QTest::newRow("help of a command") << QByteArray("push --help") << 0;
    QTest::newRow("nothing") << QByteArray() << 2;
    QTest::newRow("unknown command") << QByteArray("destroy") << 2;
    QTest::newRow("no file") << QByteArray("validate") << 2;
    QTest::newRow("no node") << QByteArray("dump") << 2;
    QTest::newRow("no such node form") << QByteArray("dump --node http://h:1/x") << 2;
    QTest::newRow("file is not there") << QByteArray("validate /nowhere/mesh.yaml") << 3;
    QTest::newRow("nobody listens") << QByteArray("dump --node http://127.0.0.1:1") << 3;
}

void CtlTest::usage()
{
    QFETCH(const QByteArray, arguments);
    QFETCH(const int, code);
    std::vector<std::string> words;
    for (const QByteArray& word : arguments.split(' ')) {
        if (!word.isEmpty()) {
            words.push_back(word.toStdString());
        }
    }

    QCOMPARE(ctl(words), code);
    QVERIFY(!(m_output.out.empty() && m_output.err.empty()));
}

void CtlTest::validateNamesEveryProblemAtItsPlace()
{
    const std::string file = write(kBad).toStdString();

    QCOMPARE(ctl({"validate", file}), 1);
    const QByteArray out = QByteArray::fromStdString(m_output.out);
    QVERIFY2(
        out.contains(QByteArray::fromStdString(file) + ":5:3: services[0].bogus: unknown field"),
        out
    );
    QVERIFY2(out.contains(QByteArray::fromStdString(file) + ":6:"), out);

    QCOMPARE(ctl({"validate", file, "--json"}), 1);
    const Json json = Json::parse(m_output.out);
    QCOMPARE(json["valid"].get<bool>(), false);
    QCOMPARE(json["problems"].size(), 2U);
    QCOMPARE(json["problems"][0]["line"].get<int>(), 5);
}

void CtlTest::validatePrintsTheHash()
{
    QCOMPARE(ctl({"validate", write(kGood).toStdString(), "--json"}), 0);

    QCOMPARE(Json::parse(m_output.out)["hash"].get<std::string>().size(), 64U);
}

void CtlTest::validateListsFindingsAcrossObjects()
{
    const std::string file = write(kShadowed).toStdString();

    QCOMPARE(ctl({"validate", file}), 0); // Doubtful is not invalid.
    const QByteArray out = QByteArray::fromStdString(m_output.out);
    QVERIFY2(out.contains(": MW-201 warning: "), out);

    QCOMPARE(ctl({"validate", file, "--json"}), 0);
    const Json json = Json::parse(m_output.out);
    QCOMPARE(json["valid"].get<bool>(), true);
    QVERIFY(json["warnings"].get<int>() > 0);
    const auto found = std::ranges::find_if(json["findings"], [](const Json& each) {
        return each["code"] == "MW-201";
    });
    QVERIFY2(found != json["findings"].end(), m_output.out.c_str());
    QCOMPARE((*found)["severity"].get<std::string>(), std::string("warning"));
    QVERIFY(!(*found)["title"].get<std::string>().empty());
    QVERIFY(!(*found)["path"].get<std::string>().empty());
    QVERIFY((*found)["fix"].is_string());
    QCOMPARE((*found)["muted"].get<bool>(), false);
}

void CtlTest::pushReadsTheHashBackFromEachNode()
{
    const std::string file = write(kGood).toStdString();

    std::string other = node(); // The same node by another name.
    other.replace(other.find("127.0.0.1"), 9, "localhost");

    QCOMPARE(ctl({"push", file, "--node", node(), "--node", other, "--json"}), 0);

    const Json json = Json::parse(m_output.out);
    QCOMPARE(json["nodes"].size(), 2U);
    for (const Json& row : json["nodes"]) {
        QCOMPARE(row["result"].get<std::string>(), std::string("converged"));
        QCOMPARE(row["hash"].get<std::string>(), json["hash"].get<std::string>());
    }
}

void CtlTest::pushSendsNothingThatIsInvalid()
{
    QCOMPARE(ctl({"push", write(kBad).toStdString(), "--node", node()}), 1);

    QVERIFY(!m_engine->takeCommand());
    QVERIFY(m_output.err.find(":5:3: services[0].bogus") != std::string::npos);
}

void CtlTest::pushTellsTheWorstOfAllNodes()
{
    const std::string file = write(kGood).toStdString();

    QCOMPARE(ctl({"push", file, "--node", "http://127.0.0.1:1", "--node", node()}), 3);

    QVERIFY(m_output.out.find("unreachable") != std::string::npos);
    QVERIFY(m_output.out.find("converged") != std::string::npos);
}

void CtlTest::aRefusalIsFour()
{
    QCOMPARE(ctl({"dump", "--node", node()}), 4);

    QVERIFY(m_output.err.find("no configuration runs yet") != std::string::npos);
}

void CtlTest::dumpGivesBackWhatWasPushed()
{
    const std::string file = write(kGood).toStdString();
    QCOMPARE(ctl({"push", file, "--node", node(), "--json"}), 0);
    const std::string hash = Json::parse(m_output.out)["hash"];

    QCOMPARE(ctl({"dump", "--node", node()}), 0);
    const std::string yaml = m_output.out;
    QCOMPARE(ctl({"validate", write(yaml.c_str()).toStdString(), "--json"}), 0);

    QCOMPARE(Json::parse(m_output.out)["hash"].get<std::string>(), hash);
}

void CtlTest::colourOnlyWhenAsked()
{
    const std::string file = write(kGood).toStdString();

    QCOMPARE(ctl({"validate", file}), 0);
    QVERIFY(m_output.out.find('\x1b') == std::string::npos);
    QCOMPARE(ctl({"validate", file}, Colour::On), 0);
    QVERIFY(m_output.out.find("\x1b[32m") != std::string::npos);
}

} // namespace mesh::ctl

QTEST_APPLESS_MAIN(mesh::ctl::CtlTest)
#include "ctl_test.moc"
