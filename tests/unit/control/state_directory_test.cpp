// Goal: a stored configuration comes back whole, damage is noticed and the previous one is used.
// Method: a temporary directory, files damaged by hand.
#include "proxyengine/control/state_directory.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

namespace mesh::control {

class StateDirectoryTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void givesBackWhatWasStoredLast();
    void anEmptyDirectoryHasNothing();
    void fallsBackWhenTheNewestIsDamaged_data();
    void fallsBackWhenTheNewestIsDamaged();
    void aDamagedNewestNeverReplacesTheGoodPrevious();
    void saysWhyWhenAllIsDamaged();
    void belongsToOneProcess();
    void removesWhatAKilledWriterLeft();
    void filesAreForTheOwnerAlone();

private:
    QTemporaryDir m_directory;
    std::string m_path;

    std::string fresh()
    {
        static int count = 0;
        return m_directory.filePath(QString::number(++count)).toStdString();
    }
};

static void overwrite(const std::string& file, const QByteArray& content)
{
    QFile opened(QString::fromStdString(file));
    QVERIFY(opened.open(QIODevice::WriteOnly | QIODevice::Truncate));
    opened.write(content);
}

void StateDirectoryTest::givesBackWhatWasStoredLast()
{
    const std::string path = fresh();
    auto directory = StateDirectory::open(path);
    QVERIFY(directory);

    QVERIFY(directory->store("{\"one\":1}"));
    QVERIFY(directory->store("{\"two\":2}"));
    const auto loaded = directory->load();

    QVERIFY(loaded);
    QCOMPARE(loaded->json, std::string("{\"two\":2}"));
    QVERIFY(loaded->warnings.empty());
}

void StateDirectoryTest::anEmptyDirectoryHasNothing()
{
    const auto directory = StateDirectory::open(fresh());
    QVERIFY(directory);

    const auto loaded = directory->load();

    QVERIFY(!loaded);
    QCOMPARE(loaded.error().code, ErrorCode::NotFound);
}

void StateDirectoryTest::fallsBackWhenTheNewestIsDamaged_data()
{
    QTest::addColumn<QByteArray>("content");

    QTest::newRow("empty file") << QByteArray();
    QTest::newRow("cut off") << QByteArray("meshwright-state 1 00");
    QTest::newRow("other bytes under the checksum")
        << QByteArray("meshwright-state 1 ") + QByteArray(64, '0') + "\n{}";
    QTest::newRow("something else") << QByteArray(200, 'x');
}

void StateDirectoryTest::fallsBackWhenTheNewestIsDamaged()
{
    QFETCH(const QByteArray, content);
    const std::string path = fresh();
    auto directory = StateDirectory::open(path);
    QVERIFY(directory);
    QVERIFY(directory->store("{\"one\":1}"));
    QVERIFY(directory->store("{\"two\":2}"));

    overwrite(path + "/config.state", content);
    const auto loaded = directory->load();

    QVERIFY(loaded);
    QCOMPARE(loaded->json, std::string("{\"one\":1}"));
    QCOMPARE(loaded->warnings.size(), 1U);
}

void StateDirectoryTest::aDamagedNewestNeverReplacesTheGoodPrevious()
{
    const std::string path = fresh();
    auto directory = StateDirectory::open(path);
    QVERIFY(directory);
    QVERIFY(directory->store("{\"one\":1}"));
    QVERIFY(directory->store("{\"two\":2}"));
    overwrite(path + "/config.state", "damage");

    QVERIFY(directory->store("{\"three\":3}"));
    overwrite(path + "/config.state", "damage");

    const auto loaded = directory->load();
    QVERIFY(loaded);
    QCOMPARE(loaded->json, std::string("{\"one\":1}"));
}

void StateDirectoryTest::saysWhyWhenAllIsDamaged()
{
    const std::string path = fresh();
    auto directory = StateDirectory::open(path);
    QVERIFY(directory);
    QVERIFY(directory->store("{}"));

    overwrite(path + "/config.state", "damage");
    const auto loaded = directory->load();

    QVERIFY(!loaded);
    QCOMPARE(loaded.error().code, ErrorCode::Io);
    QVERIFY(QByteArray::fromStdString(loaded.error().message).contains("not a stored"));
}

void StateDirectoryTest::belongsToOneProcess()
{
    const std::string path = fresh();
    const auto first = StateDirectory::open(path);
    QVERIFY(first);

    const auto second = StateDirectory::open(path);

    QVERIFY(!second);
    QCOMPARE(second.error().code, ErrorCode::Conflict);
}

void StateDirectoryTest::removesWhatAKilledWriterLeft()
{
    const std::string path = fresh();
    QVERIFY(QDir().mkpath(QString::fromStdString(path)));
    overwrite(path + "/config.state.aB3xYz", "half");
    overwrite(path + "/config.state.1.aB3xYz", "half");
    overwrite(path + "/notes.txt", "the operator's");

    QVERIFY(StateDirectory::open(path));

    const QStringList left = QDir(QString::fromStdString(path)).entryList(QDir::Files);
    QCOMPARE(left, QStringList({QStringLiteral("lock"), QStringLiteral("notes.txt")}));
}

void StateDirectoryTest::filesAreForTheOwnerAlone()
{
    const std::string path = fresh();
    auto directory = StateDirectory::open(path);
    QVERIFY(directory);
    QVERIFY(directory->store("{}"));

    const auto others = QFile::ReadGroup | QFile::WriteGroup | QFile::ReadOther | QFile::WriteOther;
    QVERIFY(!(QFile::permissions(QString::fromStdString(path + "/config.state")) & others));
    QVERIFY(!(QFile::permissions(QString::fromStdString(path)) & others));
}

} // namespace mesh::control

QTEST_APPLESS_MAIN(mesh::control::StateDirectoryTest)
#include "state_directory_test.moc"
