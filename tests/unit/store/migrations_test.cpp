// Goal: a document of an older version is upgraded whole or not at all, after a backup.
// Method: files are made with the older tables by the same steps, then opened as a user would.
#include "app/store/migrations.h"

#include "app/store/database.h"
#include "proxyengine/base/limits.h"
#include "tests/support/store_fixture.h"

#include <QTest>

#include <filesystem>
#include <memory>

using namespace mesh;
using namespace mesh::store;
using mesh::test::answerOf;
using mesh::test::failureOf;

class MigrationsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init() { m_folder = std::make_unique<mesh::test::TemporaryFolder>(); }
    void cleanup() { m_folder.reset(); }

    void anOlderDocumentKeepsItsRowsAndGetsABackup()
    {
        makeOld();

        auto document = MeshDocument::open(path());

        QVERIFY2(document, failureOf(document).c_str());
        const auto opening = answerOf<Opening>([&](auto answer) { (*document)->opening(answer); });
        QVERIFY2(opening, failureOf(opening).c_str());
        QCOMPARE(opening->text, std::string("old text"));
        QVERIFY(std::filesystem::exists(path() + ".backup-0001"));
        const auto added = answerOf<void>([&](auto answer) {
            (*document)->addMetrics({mesh::test::requestRow(100, "a", "b", 1)}, answer);
        });
        QCOMPARE(failureOf(added), std::string());
        auto backup = Database::open(path() + ".backup-0001", Connect::ReadOnly);
        QCOMPARE(*backup->number("PRAGMA user_version"), 1);
        QCOMPARE(*backup->number("SELECT count(*) FROM revisions"), 1);
    }

    void aStepThatFailsLeavesTheFileAsItWas()
    {
        makeOld();
        auto database = Database::open(path(), Connect::ReadWrite);
        QVERIFY(database->execute("CREATE TABLE events(x)")); // In the way of the next step.

        const auto migrated = migrate(*database);

        QVERIFY(!migrated);
        QCOMPARE(*database->number("PRAGMA user_version"), 1);
        QCOMPARE(
            *database->number("SELECT count(*) FROM sqlite_master WHERE name = 'metrics_1s'"), 0
        );
    }

    void aNewerDocumentOpensForReadingWithTheReason()
    {
        MeshDocument::create(path()).map([](auto&& document) { document->close(); });
        QVERIFY(Database::open(path(), Connect::ReadWrite)->execute("PRAGMA user_version = 99"));

        auto document = MeshDocument::open(path());

        QVERIFY2(document, failureOf(document).c_str());
        QCOMPARE((*document)->access().reason, AccessReason::NewerVersion);
        QVERIFY((*document)->access().text.find("newer version") != std::string::npos);
        QVERIFY(!std::filesystem::exists(path() + "-lock"));
    }

    void onlyTheNewestBackupsAreKept()
    {
        makeOld();
        auto database = Database::open(path(), Connect::ReadWrite);

        for (int at = 0; at < 8; ++at) {
            QVERIFY(backUp(*database, path()));
        }

        int count = 0;
        for (const auto& entry : std::filesystem::directory_iterator(m_folder->path())) {
            count += entry.path().string().find(".backup-") != std::string::npos ? 1 : 0;
        }
        QCOMPARE(count, kAutomaticBackupsMax);
        QVERIFY(std::filesystem::exists(path() + ".backup-0008"));
        QVERIFY(!std::filesystem::exists(path() + ".backup-0003"));
    }

    void revisionsCannotBeChangedOrRemoved()
    {
        makeOld();
        auto database = Database::open(path(), Connect::ReadWrite);

        QVERIFY(!database->execute("UPDATE revisions SET text = 'x'"));
        QVERIFY(!database->execute("DELETE FROM revisions"));
    }

private:
    [[nodiscard]] std::string path() const { return m_folder->file("a.mesh"); }

    void makeOld()
    {
        auto database = Database::open(path(), Connect::Create);
        QVERIFY(database);
        QVERIFY(migrate(*database, 1));
        QVERIFY(
            database->execute("INSERT INTO revisions(parent, author, message, time_us, hash, text) "
                              "VALUES(0, 'ada', 'old', 1, 'ab', 'old text')")
        );
    }

    std::unique_ptr<mesh::test::TemporaryFolder> m_folder;
};

QTEST_APPLESS_MAIN(MigrationsTest)
#include "migrations_test.moc"
