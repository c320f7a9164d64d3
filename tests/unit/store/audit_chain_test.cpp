// Goal: what somebody did stays as it was written, and tampering shows at the row where it was.
// Method: rows are written as the console does, then changed behind its back with the triggers
// dropped, as somebody with the file and an editor would.
#include "app/store/audit_chain.h"

#include "app/store/database.h"
#include "proxyengine/base/file.h"
#include "proxyengine/base/limits.h"
#include "tests/support/store_fixture.h"

#include <QTest>

#include <algorithm>
#include <memory>

using namespace mesh;
using namespace mesh::store;
using mesh::test::answerOf;
using mesh::test::failureOf;

class AuditChainTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_folder = std::make_unique<mesh::test::TemporaryFolder>();
        m_document = *MeshDocument::create(path());
        for (int at = 1; at <= 5; ++at) {
            add(
                {0,
                 at * 10,
                 "ada@host",
                 "revision.applied",
                 "revision " + std::to_string(at),
                 {},
                 {}}
            );
        }
    }
    void cleanup()
    {
        m_document.reset();
        m_folder.reset();
    }

    void rowsComeBackInOrderAndTheChainHolds()
    {
        const auto rows = read(20, 40);

        QCOMPARE(rows.size(), std::size_t(3));
        QCOMPARE(rows.front().id, std::int64_t(2));
        QCOMPARE(rows.front().subject, std::string("revision 2"));
        QCOMPARE(rows.back().hash, auditHash(rows[1].hash, rows.back()));
        QCOMPARE(broken(), std::int64_t(0));
    }

    void theChainGoesOnAfterReopening()
    {
        m_document->close();
        m_document = *MeshDocument::open(path());

        add({0, 60, "ada@host", "fault.started", "service:cart", "kill", {}});

        QCOMPARE(read(0, 100).size(), std::size_t(6));
        QCOMPARE(broken(), std::int64_t(0));
    }

    void theFileItselfRefusesChanges_data()
    {
        QTest::addColumn<QByteArray>("sql");
        QTest::newRow("a change") << QByteArray("UPDATE audit SET actor = 'eve' WHERE id = 2");
        QTest::newRow("a removal") << QByteArray("DELETE FROM audit WHERE id = 5");
        QTest::newRow("a replacement")
            << QByteArray("INSERT OR REPLACE INTO audit VALUES(2, 0, 'eve', '', '', '', '')");
    }

    void theFileItselfRefusesChanges()
    {
        QFETCH(QByteArray, sql);
        m_document->close();
        auto database = Database::open(path(), Connect::ReadWrite);

        QVERIFY(!database->execute(sql.toStdString()));

        QCOMPARE(*database->number("SELECT count(*) FROM audit WHERE actor = 'ada@host'"), 5);
    }

    void tamperingIsFoundAtItsRow_data()
    {
        QTest::addColumn<QByteArray>("sql");
        QTest::addColumn<int>("row");
        QTest::newRow("another actor")
            << QByteArray("UPDATE audit SET actor = 'eve' WHERE id = 2") << 2;
        QTest::newRow("another time")
            << QByteArray("UPDATE audit SET time_us = 1 WHERE id = 3") << 3;
        QTest::newRow("words moved between fields")
            << QByteArray("UPDATE audit SET actor = 'ada@', action = 'hostrevision.applied' "
                          "WHERE id = 4")
            << 4;
        QTest::newRow("another hash")
            << QByteArray("UPDATE audit SET hash = 'ab' WHERE id = 1") << 1;
        QTest::newRow("a row taken out") << QByteArray("DELETE FROM audit WHERE id = 3") << 3;
        QTest::newRow("the first row taken out")
            << QByteArray("DELETE FROM audit WHERE id = 1") << 1;
        QTest::newRow("the end cut off") << QByteArray("DELETE FROM audit WHERE id > 3") << 4;
        QTest::newRow("all of it") << QByteArray("DELETE FROM audit") << 1;
    }

    void tamperingIsFoundAtItsRow()
    {
        QFETCH(QByteArray, sql);
        QFETCH(int, row);
        m_document->close();
        {
            auto database = Database::open(path(), Connect::ReadWrite);
            QVERIFY(database->execute("DROP TRIGGER audit_stays; DROP TRIGGER audit_remains"));
            QCOMPARE(failureOf(database->execute(sql.toStdString())), std::string());
        }
        m_document = *MeshDocument::open(path());

        QCOMPARE(broken(), std::int64_t(row));
    }

    void theExportHasARowALineWithItsHash()
    {
        add({0, 1'700'000'000'123'456, "ada@host", "note", "say \"hi\"", "two\nlines \\", {}});
        const std::string target = m_folder->file("audit.jsonl");

        const auto count =
            answerOf<std::int64_t>([&](auto answer) { m_document->exportAudit(target, answer); });
        const auto again =
            answerOf<std::int64_t>([&](auto answer) { m_document->exportAudit(target, answer); });

        QCOMPARE(*count, std::int64_t(6));
        QCOMPARE(again.error().code, ErrorCode::AlreadyExists);
        const auto text = readFile(target, 1U << 20U);
        QCOMPARE(std::ranges::count(*text, '\n'), 6);
        const std::string last =
            R"({"id": 6, "time": "2023-11-14T22:13:20.123456Z", "actor": "ada@host", )"
            R"("action": "note", "subject": "say \"hi\"", "detail": "two\u000alines \\", "hash": ")"
            + read(0, 2'000'000'000'000'000).back().hash + "\"}\n";
        QVERIFY2(text->ends_with(last), text->c_str());
    }

    void aFieldThatIsTooLongIsCutAtAWholeCharacterAndSaysSo()
    {
        std::string detail;
        while (detail.size() <= kAuditFieldBytesMax) {
            detail += "ü";
        }
        add({0, 100, "ada@host", "note", {}, detail, {}});

        const std::string kept = read(100, 100).front().detail;

        QVERIFY(kept.size() <= kAuditFieldBytesMax);
        QVERIFY(kept.ends_with("ü…"));
        QCOMPARE(broken(), std::int64_t(0));
    }

private:
    [[nodiscard]] std::string path() const { return m_folder->file("a.mesh"); }

    void add(AuditRecord record)
    {
        QCOMPARE(
            failureOf(answerOf<std::int64_t>([&](auto answer) {
                m_document->addAudit(std::move(record), answer);
            })),
            std::string()
        );
    }

    std::vector<AuditRecord> read(std::int64_t begin, std::int64_t end)
    {
        auto rows = answerOf<std::vector<AuditRecord>>([&](auto answer) {
            m_document->audit(begin, end, answer);
        });
        return rows ? *rows : std::vector<AuditRecord>{};
    }

    // 0: the chain holds.
    std::int64_t broken()
    {
        const auto row = answerOf<std::optional<std::int64_t>>([&](auto answer) {
            m_document->verifyAudit(answer);
        });
        return row ? row->value_or(0) : -1;
    }

    std::unique_ptr<mesh::test::TemporaryFolder> m_folder;
    std::unique_ptr<MeshDocument> m_document;
};

QTEST_APPLESS_MAIN(AuditChainTest)
#include "audit_chain_test.moc"
