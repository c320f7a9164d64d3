// Goal: a document that cannot be read costs at most what came after its last backup, and nothing
// is thrown away.
// Method: documents are damaged as disks and people damage them, then repaired as the console does.
#include "app/store/document_repair.h"

#include "app/store/database.h"
#include "proxyengine/base/file.h"
#include "proxyengine/base/limits.h"
#include "tests/support/store_fixture.h"

#include <QTest>

#include <filesystem>
#include <fstream>
#include <memory>

using namespace mesh;
using namespace mesh::store;
using mesh::test::answerOf;
using mesh::test::failureOf;
using mesh::test::revisionOf;

class DocumentRepairTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_folder = std::make_unique<mesh::test::TemporaryFolder>();
        auto document = MeshDocument::create(path());
        add(**document, "first");
        (*document)->saveDraft("draft text");
        (*document)->saveItem("filter", "slow", "p95 > 1s");
        (*document)->addAudit({0, 1, "ada@host", "note", "x", "y", {}});
        (*document)->addMetrics({mesh::test::requestRow(100, "a", "b", 1)});
        const auto made = answerOf<std::string>([&](auto answer) { (*document)->backUp(answer); });
        QCOMPARE(failureOf(made), std::string());
        add(**document, "second");
    }
    void cleanup() { m_folder.reset(); }

    void aDamagedDocumentIsRefusedAndItsBackupRestored_data()
    {
        QTest::addColumn<QByteArray>("damage");
        QTest::newRow("no header") << QByteArray("header");
        QTest::newRow("a page of rubbish") << QByteArray("page");
        QTest::newRow("cut in the middle") << QByteArray("cut");
        QTest::newRow("empty") << QByteArray("empty");
        QTest::newRow("other text") << QByteArray("text");
    }

    void aDamagedDocumentIsRefusedAndItsBackupRestored()
    {
        QFETCH(QByteArray, damage);
        damageBy(damage);
        const std::string broken = *readFile(path(), 1U << 24U);

        const auto refused = MeshDocument::open(path());
        const auto backup = newestBackup(path());

        QVERIFY(!refused);
        QCOMPARE(refused.error().code, ErrorCode::Syntax);
        QCOMPARE(*readFile(path(), 1U << 24U), broken); // Left as it is.
        QVERIFY(backup);
        QCOMPARE(backup->revision, std::int64_t(1));
        const auto kept = restoreBackup(path(), *backup);
        QCOMPARE(failureOf(kept), std::string());
        QCOMPARE(*kept, path() + ".broken-1");
        QCOMPARE(*readFile(*kept, 1U << 24U), broken);
        QVERIFY(std::filesystem::exists(backup->path));
        auto document = MeshDocument::open(path());
        QVERIFY2(document, failureOf(document).c_str());
        QVERIFY((*document)->access().isWritable());
        const auto opening = answerOf<Opening>([&](auto answer) { (*document)->opening(answer); });
        QCOMPARE(opening->text, std::string("text of first"));
        QCOMPARE(*opening->draft, std::string("draft text"));
        QVERIFY(opening->recorded == TimeRange{});
    }

    void brokenFilesAreNeverOverwritten()
    {
        for (int time = 1; time <= 2; ++time) {
            damageBy("header");
            QCOMPARE(
                *restoreBackup(path(), *newestBackup(path())),
                path() + ".broken-" + std::to_string(time)
            );
        }
        QVERIFY(std::filesystem::exists(path() + ".broken-1"));
        QVERIFY(std::filesystem::exists(path() + ".broken-2"));
    }

    void theLogOfABrokenDocumentIsKeptAndNotReplayed()
    {
        damageBy("header");
        std::ofstream(path() + "-wal") << "the log of the broken one";

        const auto kept = restoreBackup(path(), *newestBackup(path()));

        QVERIFY(kept);
        QCOMPARE(*readFile(*kept + "-wal", 100), std::string("the log of the broken one"));
        auto document = MeshDocument::open(path());
        QVERIFY2(document, failureOf(document).c_str());
    }

    void aDamagedBackupIsPassedOver()
    {
        {
            auto document = MeshDocument::open(path());
            QVERIFY(answerOf<std::string>([&](auto answer) { (*document)->backUp(answer); }));
        }
        QCOMPARE(newestBackup(path())->path, path() + ".backup-0002");

        std::ofstream(path() + ".backup-0002") << "rubbish";

        QCOMPARE(newestBackup(path())->path, path() + ".backup-0001");
    }

    void withoutABackupThereIsNothingToOffer()
    {
        QVERIFY(!newestBackup(m_folder->file("other.mesh")));
    }

    void anOpenDocumentIsNotReplaced()
    {
        auto document = MeshDocument::open(path());

        const auto refused = restoreBackup(path(), *newestBackup(path()));

        QCOMPARE(refused.error().code, ErrorCode::Conflict);
        QVERIFY(!std::filesystem::exists(path() + ".broken-1"));
    }

    void aBackupHasWhatPeopleMadeAndNotWhatWasMeasured()
    {
        auto backup = Database::open(path() + ".backup-0001", Connect::ReadOnly);

        QCOMPARE(*backup->number("SELECT count(*) FROM items"), 1);
        QCOMPARE(*backup->number("SELECT count(*) FROM audit"), 1);
        QCOMPARE(*backup->number("SELECT count(*) FROM metrics_1s"), 0);
        QVERIFY(!std::filesystem::exists(path() + ".backup-0001.part"));
    }

    void backupsAreBounded()
    {
        auto document = MeshDocument::open(path());
        for (int at = 0; at < 8; ++at) {
            QVERIFY(answerOf<std::string>([&](auto answer) { (*document)->backUp(answer); }));
        }

        int count = 0;
        for (const auto& entry : std::filesystem::directory_iterator(m_folder->path())) {
            count += entry.path().string().find(".backup-") != std::string::npos ? 1 : 0;
        }

        QCOMPARE(count, kAutomaticBackupsMax);
        QCOMPARE(newestBackup(path())->path, path() + ".backup-0009");
    }

private:
    [[nodiscard]] std::string path() const { return m_folder->file("a.mesh"); }

    static void add(MeshDocument& document, const std::string& message)
    {
        QVERIFY(answerOf<Revision>([&](auto answer) {
            document.addRevision(revisionOf(message), answer);
        }));
    }

    void damageBy(const QByteArray& kind) const
    {
        std::string bytes = *readFile(path(), 1U << 24U);
        if (kind == "header") {
            bytes.replace(0, 16, 16, 'x');
        } else if (kind == "page") {
            // Every page but the first, so that the tables of people are among them.
            for (std::size_t at = 8192; at < bytes.size(); ++at) {
                bytes[at] = static_cast<char>(at * 31);
            }
        } else if (kind == "cut") {
            bytes.resize(bytes.size() / 3);
        } else if (kind == "empty") {
            bytes.clear();
        } else {
            bytes = std::string(1000, 'a');
        }
        std::ofstream(path(), std::ios::trunc | std::ios::binary) << bytes;
    }

    std::unique_ptr<mesh::test::TemporaryFolder> m_folder;
};

QTEST_APPLESS_MAIN(DocumentRepairTest)
#include "document_repair_test.moc"
