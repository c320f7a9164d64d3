// Goal: levels filter, fields print with units, and no value can forge a line.
// Method: the log goes to a file that is read back after stopLog().
#include "proxyengine/base/log.h"

#include "proxyengine/base/file.h"

#include <QTemporaryDir>
#include <QTest>

namespace mesh {

class LogTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aLineHasEventAndTypedFieldsAndCannotBeForged();
    void levelsAreReadAndRefusedByName();
};

void LogTest::aLineHasEventAndTypedFieldsAndCannotBeForged()
{
    const QTemporaryDir folder;
    const std::string path = folder.filePath(QStringLiteral("log")).toStdString();
    QVERIFY(startLog({LogLevel::Info, LogFormat::Text, path}));

    MESH_LOG(Debug, "not.written", kv("a", 1));
    MESH_LOG(
        Warn,
        "target.ejected",
        kv("target", "10.0.3.7:8080"),
        kv("for", Duration(std::chrono::seconds(30))),
        kv("key", Redacted{}),
        kv("path", "a b\nerror forged")
    );
    stopLog();

    const std::string text = *readFile(path, 10'000);
    QVERIFY(text.ends_with(" warn target.ejected target=10.0.3.7:8080 for=30s key=*** path=\"a "
                           "b\\u000aerror forged\"\n"));
    QCOMPARE(std::ranges::count(text, '\n'), 1);
}

void LogTest::levelsAreReadAndRefusedByName()
{
    QVERIFY(*parseLogLevel("warn") == LogLevel::Warn);
    QVERIFY(!parseLogLevel("loud"));
}

} // namespace mesh

QTEST_APPLESS_MAIN(mesh::LogTest)
#include "log_test.moc"
