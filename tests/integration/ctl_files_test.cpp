// Goal: documents go in and out of the command line whole, and whatever is lost on the way is told.
// Method: the commands as a library, files in a temporary directory.
#include "app/ctl/ctl.h"
#include "app/ctl/store_answer.h"
#include "app/store/mesh_document.h"
#include "proxyengine/config/codec.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <nlohmann/json.hpp>

namespace mesh::ctl {

using Json = nlohmann::json;

class CtlFilesTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aGatewayFileIsReadAndItsChangesAreTold();
    void whatIsUnknownIsRefusedUnlessItMayBeDropped();
    void anImportIsARevisionOfItsDocument();
    void aMeshDocumentIsAFileForEveryCommand();
    void exportToTheGatewaySaysWhatIsLost();
    void exportToTheGatewayIsReadBackWithoutNotes();
    void exportMasksKeysUnlessAskedFor();
    void aBundleGivesTheWholeDocumentBack();
    void aDamagedBundleIsRefused_data();
    void aDamagedBundleIsRefused();
    void historyListsTheNewestFirst();
    void badInputEndsWithItsCode_data();
    void badInputEndsWithItsCode();

private:
    std::string path(const char* name) const { return m_directory.filePath(name).toStdString(); }
    std::string write(const char* name, const QByteArray& text) const;
    QByteArray read(const std::string& path) const;
    int ctl(const std::vector<std::string>& arguments);
    Json json() const { return Json::parse(m_output.out); }

    QTemporaryDir m_directory;
    SystemClock m_clock;
    CtlOutput m_output;
};

constexpr const char* kOldGateway = R"(_format_version: "2.1"
_comment: made by hand
_info:
  defaults:
    service: {retries: 2}
services:
- name: shop
  url: http://shop.internal:8080/api
routes:
- name: items
  service: {name: shop}
  paths: ["/items/\\d+"]
upstreams:
- name: shop.internal
  targets: [{target: 10.0.0.1}]
)";

constexpr const char* kWithPlugins = R"(_format_version: "3.0"
services:
- name: shop
  host: shop.internal
  plugins:
  - name: key-auth
    config: {key_names: [apikey]}
  - name: cors
  routes:
  - {name: items, paths: [/items]}
consumers:
- username: ada
)";

constexpr const char* kOurs = R"(_format_version: "3.0"
services:
- name: shop
  host: shop.internal
  resilience: {timeout: 2s}
  routes:
  - name: items
    paths: [/items]
    split: [{service: shop, weight: 9}, {service: shop-next, weight: 1}]
- {name: shop-next, host: shop.internal}
upstreams:
- name: shop.internal
  algorithm: least-requests
  outlier_detection: {consecutive_5xx: 3}
  targets: [{target: "10.0.0.1:80"}]
nodes:
- {name: edge-1, role: gateway, admin: "http://127.0.0.1:1"}
)";

std::string CtlFilesTest::write(const char* name, const QByteArray& text) const
{
    QFile file(m_directory.filePath(name));
    if (file.open(QIODevice::WriteOnly | QIODevice::Truncate)) {
        file.write(text);
    }
    return path(name);
}

QByteArray CtlFilesTest::read(const std::string& path) const
{
    QFile file(QString::fromStdString(path));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

int CtlFilesTest::ctl(const std::vector<std::string>& arguments)
{
    m_output = {};
    return run(arguments, m_clock, Colour::Off, m_output);
}

// An unchanged file of another tool becomes canonical YAML; each change is told at its place.
void CtlFilesTest::aGatewayFileIsReadAndItsChangesAreTold()
{
    const std::string file = write("kong.yaml", kOldGateway);

    QCOMPARE(ctl({"import", file}), 0);

    const QByteArray err = QByteArray::fromStdString(m_output.err);
    const QByteArray name = QByteArray::fromStdString(file);
    QVERIFY2(err.contains(name + ":1:18: changed: _format_version: read as version 2.1"), err);
    QVERIFY2(err.contains(name + ":2:11: dropped: _comment: "), err);
    QVERIFY2(err.contains(": changed: _info.defaults: "), err);
    QVERIFY2(err.contains(name + ":8:8: changed: services[0].url: "), err);
    QVERIFY2(err.contains(": changed: routes[0]: stands inside its service now"), err);
    QVERIFY2(
        err.contains("upstreams[0].targets[0].target: its port is written out: 10.0.0.1:8000"), err
    );
    const config::DecodeResult decoded = config::decode(m_output.out);
    QVERIFY(decoded.problems.empty());
    QCOMPARE(decoded.document.services.front().retries, 2);
    QCOMPARE(decoded.document.services.front().host, std::string("shop.internal"));
    QCOMPARE(
        decoded.document.services.front().routes.front().paths.front(), std::string("~/items/\\d+")
    );
}

void CtlFilesTest::whatIsUnknownIsRefusedUnlessItMayBeDropped()
{
    const std::string file = write("kong.yaml", kWithPlugins);

    QCOMPARE(ctl({"import", file}), 1);
    QVERIFY(m_output.out.empty());
    QVERIFY2(m_output.err.find("--drop-unknown") != std::string::npos, m_output.err.c_str());

    QCOMPARE(ctl({"import", file, "--drop-unknown", "--json"}), 0);
    QCOMPARE(json()["valid"].get<bool>(), true);
    std::string dropped;
    const Json report = json();
    for (const Json& note : report["notes"]) {
        if (note["kind"] == "dropped") {
            dropped += note["path"].get<std::string>() + "\n";
        }
    }
    QCOMPARE(dropped, std::string("services[0].plugins[0]\nservices[0].plugins[1]\nconsumers\n"));
    const config::DecodeResult decoded = config::decode(json()["yaml"].get<std::string>());
    QVERIFY(decoded.problems.empty());
    QCOMPARE(decoded.document.services.front().routes.size(), 1U);
}

void CtlFilesTest::anImportIsARevisionOfItsDocument()
{
    const std::string document = path("imported.mesh");

    QCOMPARE(ctl({"import", write("kong.yaml", kOldGateway), "--into", document, "--check"}), 0);
    QVERIFY(!QFile::exists(QString::fromStdString(document)));
    QCOMPARE(ctl({"import", write("kong.yaml", kOldGateway), "--into", document}), 0);
    QCOMPARE(
        ctl(
            {"import",
             write("ours.yaml", kOurs),
             "--into",
             document,
             "--message",
             "split",
             "--json"}
        ),
        0
    );
    QCOMPARE(json()["revision"].get<int>(), 2);
    QCOMPARE(json()["yaml"].get<std::string>(), std::string());

    QCOMPARE(ctl({"history", document, "--json"}), 0);
    const Json revisions = json()["revisions"];
    QCOMPARE(revisions.size(), 2U);
    QCOMPARE(revisions[0]["message"].get<std::string>(), std::string("split"));
    QCOMPARE(revisions[1]["message"].get<std::string>(), std::string("imported from kong.yaml"));
}

void CtlFilesTest::aMeshDocumentIsAFileForEveryCommand()
{
    const std::string document = path("any.mesh");
    QCOMPARE(ctl({"import", write("ours.yaml", kOurs), "--into", document}), 0);
    QCOMPARE(ctl({"validate", path("ours.yaml"), "--json"}), 0);
    const std::string hash = json()["hash"];

    QCOMPARE(ctl({"validate", document, "--json"}), 0);

    QCOMPARE(json()["hash"].get<std::string>(), hash);
    QCOMPARE(ctl({"nodes", document, "--json"}), 3);
    QCOMPARE(json()["nodes"][0]["name"].get<std::string>(), std::string("edge-1"));
    QCOMPARE(json()["nodes"][0]["state"].get<std::string>(), std::string("unreachable"));
}

void CtlFilesTest::exportToTheGatewaySaysWhatIsLost()
{
    const std::string file = write("ours.yaml", kOurs);

    QCOMPARE(ctl({"export", file, "--format", "gateway", "--strict"}), 1);
    QCOMPARE(ctl({"export", file, "--format", "gateway", "--json"}), 0);

    std::string lost;
    const Json report = json();
    for (const Json& note : report["notes"]) {
        lost += note["kind"].get<std::string>() + " " + note["path"].get<std::string>() + "\n";
    }
    QCOMPARE(
        lost,
        std::string("dropped nodes\ndropped services[0].resilience\n"
                    "dropped services[0].routes[0].split\n"
                    "dropped upstreams[0].outlier_detection\nchanged upstreams[0].algorithm\n")
    );
    QVERIFY(json()["yaml"].get<std::string>().find("least-connections") != std::string::npos);
}

void CtlFilesTest::exportToTheGatewayIsReadBackWithoutNotes()
{
    QCOMPARE(ctl({"export", write("ours.yaml", kOurs), "--format", "gateway"}), 0);
    const QByteArray yaml = QByteArray::fromStdString(m_output.out);

    QCOMPARE(ctl({"import", write("out.yaml", yaml), "--json"}), 0);

    QCOMPARE(json()["notes"].size(), 0U);
    QCOMPARE(json()["yaml"].get<std::string>(), yaml.toStdString());
}

void CtlFilesTest::exportMasksKeysUnlessAskedFor()
{
    QCOMPARE(ctl({"export", write("ours.yaml", kOurs)}), 0);
    QVERIFY(m_output.err.empty());

    QCOMPARE(m_output.out, config::toYaml(config::decode(kOurs).document));
}

void CtlFilesTest::aBundleGivesTheWholeDocumentBack()
{
    const std::string document = path("whole.mesh");
    const std::string bundle = path("whole.bundle");
    const std::string copy = path("copy.mesh");
    QCOMPARE(ctl({"import", write("kong.yaml", kOldGateway), "--into", document}), 0);
    QCOMPARE(ctl({"import", write("ours.yaml", kOurs), "--into", document}), 0);
    QCOMPARE(ctl({"history", document, "--json"}), 0);
    const Json before = json()["revisions"];

    QCOMPARE(ctl({"bundle", document, "-o", bundle, "--json"}), 0);
    QCOMPARE(json()["sha256"].get<std::string>().size(), 64U);
    QCOMPARE(ctl({"import", bundle, "--check"}), 0);
    QCOMPARE(ctl({"import", bundle, "--into", copy}), 0);

    QCOMPARE(ctl({"history", copy, "--json"}), 0);
    QCOMPARE(json()["revisions"].dump(), before.dump());
    QCOMPARE(ctl({"import", bundle, "--into", copy}), 2);
    QCOMPARE(ctl({"bundle", document, "-o", bundle}), 2);
    QCOMPARE(
        m_directory.isValid()
            ? QDir(m_directory.path()).entryList({"*.partial", "*.copying"}).size()
            : -1,
        0
    );
}

void CtlFilesTest::aDamagedBundleIsRefused_data()
{
    QTest::addColumn<int>("cutFromEnd");
    QTest::addColumn<int>("changedAt"); // From the end; 0: nothing.
    QTest::addColumn<QByteArray>("message");

    QTest::newRow("cut") << 100 << 0 << QByteArray("bytes of its");
    QTest::newRow("a byte changed") << 0 << 5000 << QByteArray("damaged");
}

void CtlFilesTest::aDamagedBundleIsRefused()
{
    QFETCH(const int, cutFromEnd);
    QFETCH(const int, changedAt);
    QFETCH(const QByteArray, message);
    const std::string document = path(QTest::currentDataTag()) + ".mesh";
    const std::string bundle = path(QTest::currentDataTag()) + ".bundle";
    QCOMPARE(ctl({"import", write("ours.yaml", kOurs), "--into", document}), 0);
    QCOMPARE(ctl({"bundle", document, "-o", bundle}), 0);
    QByteArray bytes = read(bundle);
    bytes.chop(cutFromEnd);
    if (changedAt > 0) {
        bytes[bytes.size() - changedAt] = static_cast<char>(bytes[bytes.size() - changedAt] ^ 1);
    }
    const std::string damaged = write("damaged.bundle", bytes);

    QCOMPARE(ctl({"import", damaged, "--check"}), 1);
    QVERIFY2(m_output.err.find(message.toStdString()) != std::string::npos, m_output.err.c_str());
    QCOMPARE(ctl({"import", damaged, "--into", path("never.mesh")}), 1);
    QVERIFY(!QFile::exists(m_directory.filePath("never.mesh")));
}

void CtlFilesTest::historyListsTheNewestFirst()
{
    const std::string document = path("history.mesh");
    QCOMPARE(ctl({"import", write("kong.yaml", kOldGateway), "--into", document}), 0);
    QCOMPARE(ctl({"import", write("ours.yaml", kOurs), "--into", document}), 0);

    QCOMPARE(ctl({"history", document}), 0);

    const QByteArray out = QByteArray::fromStdString(m_output.out);
    QVERIFY2(out.startsWith("REV  TIME"), out);
    QVERIFY2(out.indexOf("ours.yaml") < out.indexOf("kong.yaml"), out);
}

void CtlFilesTest::badInputEndsWithItsCode_data()
{
    QTest::addColumn<QByteArray>("arguments");
    QTest::addColumn<int>("code");

    QTest::newRow("import of nothing") << QByteArray("import /nowhere.yaml") << 3;
    QTest::newRow("import of an empty file") << QByteArray("import @empty") << 1;
    QTest::newRow("import of noise") << QByteArray("import @noise") << 1;
    QTest::newRow("a bundle that is none") << QByteArray("import @head --check") << 2;
    QTest::newRow("history of text") << QByteArray("history @noise") << 2;
    QTest::newRow("history of nothing") << QByteArray("history /nowhere.mesh") << 3;
    QTest::newRow("bundle of text") << QByteArray("bundle @noise -o /nowhere/x") << 2;
    QTest::newRow("export to what is unknown") << QByteArray("export @empty --format xml") << 2;
    QTest::newRow("export of noise") << QByteArray("export @noise") << 2;
}

void CtlFilesTest::badInputEndsWithItsCode()
{
    QFETCH(QByteArray, arguments);
    QFETCH(const int, code);
    write("empty", "");
    write("noise", QByteArray("\x00\xff\xfe{[", 5));
    write("head", "{\"format\":\"meshwright-bundle\"}\nrest");
    arguments.replace("@", (m_directory.path() + "/").toUtf8());
    std::vector<std::string> words;
    for (const QByteArray& word : arguments.split(' ')) {
        words.push_back(word.toStdString());
    }

    QCOMPARE(ctl(words), code);
    QVERIFY(!(m_output.out.empty() && m_output.err.empty()));
}

} // namespace mesh::ctl

QTEST_APPLESS_MAIN(mesh::ctl::CtlFilesTest)
#include "ctl_files_test.moc"
