// Goal: a document of an older version is upgraded whole or not at all, after a backup.
// Method: files are made with the older tables by the same steps, then opened as a user would.
#include "app/store/migrations.h"

#include "app/store/database.h"
#include "proxyengine/base/limits.h"
#include "tests/support/store_fixture.h"

#include <QTest>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

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

    void everyOlderSchemaKeepsEveryRow_data()
    {
        QTest::addColumn<int>("version");
        for (int version = 1; version < kTablesVersion; ++version) {
            QTest::addRow("version %d", version) << version;
        }
    }

    // T17. The rows of every table are written out before and after, and compared as text.
    void everyOlderSchemaKeepsEveryRow()
    {
        QFETCH(int, version);
        makeFull(version);
        const auto before = rowsOf(path(), version);
        QVERIFY(before.size() > 1000);

        MeshDocument::open(path()).map([](auto&& document) { document->close(); });

        QCOMPARE(rowsOf(path(), version), before);
        QCOMPARE(rowsOf(path() + ".backup-0001", version), before);
        auto database = Database::open(path(), Connect::ReadOnly);
        QCOMPARE(*database->number("PRAGMA user_version"), kTablesVersion);
        // What was placed before moves were remembered has always stood there.
        QCOMPARE(*database->number("SELECT count(*) FROM layout_moves WHERE time_us = 0"), 60);
    }

    void anOlderDocumentThatCannotBeWrittenIsReadAsItIs()
    {
        makeOld();
        OpenOptions options;
        options.mode = OpenMode::ReadOnly;
        auto document = MeshDocument::open(path(), options);
        QVERIFY2(document, failureOf(document).c_str());

        const auto opening = answerOf<Opening>([&](auto answer) { (*document)->opening(answer); });
        const auto pushes =
            answerOf<std::vector<PushRecord>>([&](auto answer) { (*document)->pushes(answer); });
        const auto broken = answerOf<std::optional<std::int64_t>>([&](auto answer) {
            (*document)->verifyAudit(answer);
        });

        QCOMPARE(failureOf(opening), std::string());
        QCOMPARE(opening->text, std::string("old text"));
        QVERIFY(pushes && pushes->empty());
        QVERIFY(broken && !*broken);
        QCOMPARE(*Database::open(path(), Connect::ReadOnly)->number("PRAGMA user_version"), 1);
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

    // 60 rows in every table of that version.
    void makeFull(int version)
    {
        auto database = Database::open(path(), Connect::Create);
        QVERIFY(migrate(*database, version));
        constexpr const char* kCount =
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60) ";
        const std::vector<std::pair<int, std::string>> fills = {
            {1,
             "INSERT INTO revisions SELECT i, i - 1, 'ada', 'm' || i, i, 'h' || i, "
             "'text ' || i FROM n"},
            {1, "INSERT INTO nodes SELECT 'n' || i, 'https://' || i, i, 'h' FROM n"},
            {1, "INSERT INTO layout SELECT 'topology', 's' || i, i * 1.5, -i, i % 2 FROM n"},
            {1, "INSERT INTO settings SELECT 'k' || i, 'v' || i FROM n"},
            {1, "INSERT INTO draft SELECT 1, 'draft' FROM n WHERE i = 1"},
            {2, "INSERT INTO series SELECT i, 1, 'a', 's' || i, '', '', '' FROM n"},
            {2, "INSERT INTO metrics_1s SELECT i / 10 * 10, i, i, randomblob(40) FROM n"},
            {2, "INSERT INTO metrics_10s SELECT 0, i, i * 10, randomblob(40) FROM n"},
            {2, "INSERT INTO metrics_60s SELECT 0, i, i * 60, randomblob(40) FROM n"},
            {2, "UPDATE thinned SET end_s = 40"},
            {2, "INSERT INTO events SELECT i, 'fault', i, i + 1, 'l', 'd', 's' FROM n"},
        };
        for (const auto& [since, sql] : fills) {
            if (since <= version) {
                const auto filled =
                    database->execute(sql.starts_with("INSERT") ? kCount + sql : sql);
                QCOMPARE(failureOf(filled), std::string());
            }
        }
    }

    // Every row of every table that version has, as text.
    static QByteArray rowsOf(const std::string& file, int version)
    {
        std::vector<std::string> tables = {"revisions", "nodes", "layout", "settings", "draft"};
        if (version >= 2) {
            tables.insert(
                tables.end(),
                {"series", "metrics_1s", "metrics_10s", "metrics_60s", "thinned", "events"}
            );
        }
        auto database = Database::open(file, Connect::ReadOnly);
        QByteArray text;
        for (const std::string& table : tables) {
            text += QByteArray::fromStdString(table) + '\n';
            auto columns = database->prepare("SELECT name FROM pragma_table_info('" + table + "')");
            std::string expression;
            while (columns && *columns->step()) {
                expression +=
                    (expression.empty() ? "quote(" : " || ',' || quote(") + columns->text(0) + ")";
            }
            auto rows = database->prepare(
                "SELECT " + expression + " AS line FROM " + table + " ORDER BY line"
            );
            while (rows && *rows->step()) {
                text += QByteArray::fromStdString(rows->text(0)) + '\n';
            }
        }
        return text;
    }

    std::unique_ptr<mesh::test::TemporaryFolder> m_folder;
};

QTEST_APPLESS_MAIN(MigrationsTest)
#include "migrations_test.moc"
