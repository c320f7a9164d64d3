// Goal: a document gives back what was put in, to one writer at a time, and says why it cannot.
// Method: real files in a folder of the test; the disk is filled by a limit on the file's size.
#include "app/store/mesh_document.h"

#include "tests/support/store_fixture.h"

#include <QTest>

#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>

using namespace mesh;
using namespace mesh::store;
using mesh::test::answerOf;
using mesh::test::failureOf;
using mesh::test::revisionOf;

class MeshDocumentTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init() { m_folder = std::make_unique<mesh::test::TemporaryFolder>(); }
    void cleanup() { m_folder.reset(); }

    void revisionsFormAChainAndKeepTheirText()
    {
        const auto document = make("a.mesh");

        const auto first = add(*document, "first");
        const auto second = add(*document, "second");

        QVERIFY(first && second);
        QCOMPARE(first->id, 1);
        QCOMPARE(first->parent, 0);
        QCOMPARE(second->id, 2);
        QCOMPARE(second->parent, 1);
        const auto text =
            answerOf<std::string>([&](auto answer) { document->revisionText(1, answer); });
        QCOMPARE(*text, std::string("text of first"));
        const auto list =
            answerOf<std::vector<Revision>>([&](auto answer) { document->revisions(answer); });
        QCOMPARE(list->size(), std::size_t(2));
        QVERIFY(list->back() == *second);
    }

    void aRevisionThatDoesNotExistIsNotFound()
    {
        const auto document = make("a.mesh");

        const auto text =
            answerOf<std::string>([&](auto answer) { document->revisionText(7, answer); });

        QVERIFY(!text);
        QCOMPARE(text.error().code, ErrorCode::NotFound);
    }

    void everythingSavedIsThereAfterReopening()
    {
        {
            const auto document = make("a.mesh");
            QVERIFY(add(*document, "first"));
            document->saveDraft("draft text");
            document->saveSetting("theme", "dark");
            document->saveLayout("topology", {{"service:cart", 1.5, -2, true}});
            document->saveNodes(
                {{"edge-1", "https://10.0.0.2:8444", WallTime(std::chrono::seconds(5)), "ab"}}
            );
        }
        auto reopened = MeshDocument::open(m_folder->file("a.mesh"));
        QVERIFY(reopened);
        QVERIFY((*reopened)->access().isWritable());

        const auto opening = answerOf<Opening>([&](auto answer) { (*reopened)->opening(answer); });

        QVERIFY(opening);
        QCOMPARE(opening->revisions.size(), std::size_t(1));
        QCOMPARE(opening->text, std::string("text of first"));
        QCOMPARE(*opening->draft, std::string("draft text"));
        QCOMPARE(opening->settings.front().second, std::string("dark"));
        QVERIFY(
            opening->positions.front().second == (LayoutPosition{"service:cart", 1.5, -2, true})
        );
        QCOMPARE(opening->nodes.front().url, std::string("https://10.0.0.2:8444"));
    }

    void aDraftThatWasDroppedIsGone()
    {
        const auto document = make("a.mesh");
        document->saveDraft("draft text");
        document->saveDraft(std::nullopt);

        const auto opening = answerOf<Opening>([&](auto answer) { document->opening(answer); });

        QVERIFY(!opening->draft);
    }

    void eventsAreFoundByOverlap()
    {
        const auto document = make("a.mesh");
        const OpenEvent fault =
            document->beginEvent({0, "fault", 100, 0, "kill", "killed cart-1", "service:cart"});
        document->addEvent({0, "revision", 200, 200, "rev 1", {}, {}});

        const auto whileActive = events(*document, 500, 600);
        document->endEvent(fault, 300);
        const auto afterEnd = events(*document, 500, 600);
        const auto all = events(*document, 0, 1000);

        QCOMPARE(whileActive.size(), std::size_t(1));
        QCOMPARE(whileActive.front().label, std::string("kill"));
        QVERIFY(afterEnd.empty());
        QCOMPARE(all.size(), std::size_t(2));
        QCOMPARE(all.front().end_us, std::int64_t(300));
    }

    void anEventMayEndBeforeItIsWritten()
    {
        {
            const auto document = make("a.mesh");
            for (int i = 0; i < 50; ++i) {
                document->addEvent({0, "revision", 1, 1, "rev", {}, {}}); // The thread is busy.
            }
            const OpenEvent event =
                document->beginEvent({0, "policy", 100, 0, "panic", {}, "service:cart"});
            document->endEvent(event, 300);
        }
        auto again = MeshDocument::open(m_folder->file("a.mesh"));
        QVERIFY(again);
        const auto found = events(**again, 200, 400);
        QCOMPARE(found.size(), std::size_t(1));
        QCOMPARE(found.front().end_us, std::int64_t(300));
    }

    void anEventThatCouldNotBeWrittenCannotEnd()
    {
        const auto document = make("a.mesh");
        const auto nothing = std::make_shared<const std::atomic<std::int64_t>>(0);

        const auto ended =
            answerOf<void>([&](auto answer) { document->endEvent(nothing, 300, answer); });

        QVERIFY(!ended);
        QCOMPARE(ended.error().code, ErrorCode::NotFound);
    }

    void aSecondStartIsReadOnlyAndSaysWhoHasIt()
    {
        const auto first = make("a.mesh");
        QVERIFY(add(*first, "first"));

        auto second = MeshDocument::open(m_folder->file("a.mesh"));

        QVERIFY(second);
        QCOMPARE((*second)->access().reason, AccessReason::InUse);
        QVERIFY((*second)->access().text.starts_with("process "));
        const auto refused = add(**second, "second");
        QCOMPARE(refused.error().code, ErrorCode::PermissionDenied);
        // It reads along while the first one writes.
        QVERIFY(add(*first, "third"));
        const auto list =
            answerOf<std::vector<Revision>>([&](auto answer) { (*second)->revisions(answer); });
        QCOMPARE(list->size(), std::size_t(2));
    }

    void afterTheFirstHasClosedTheNextCanWrite()
    {
        make("a.mesh")->close();

        auto next = MeshDocument::open(m_folder->file("a.mesh"));

        QVERIFY((*next)->access().isWritable());
    }

    void aReadOnlyFileOpensForReading()
    {
        QVERIFY(add(*make("a.mesh"), "first"));
        QCOMPARE(::chmod(m_folder->file("a.mesh").c_str(), 0444), 0);

        auto document = MeshDocument::open(m_folder->file("a.mesh"));

        QVERIFY2(document, failureOf(document).c_str());
        QCOMPARE((*document)->access().reason, AccessReason::NotWritable);
        const auto opening = answerOf<Opening>([&](auto answer) { (*document)->opening(answer); });
        QCOMPARE(opening->text, std::string("text of first"));
    }

    void aFullDiskIsToldOnceAndRowsAreCountedUntilItWorksAgain()
    {
        std::atomic<int> begun = 0;
        OpenOptions options;
        options.bytesMax = 256UL << 10U;
        options.onWriteFailure = [&](const std::optional<WriteFailure>& failure) {
            begun += failure ? 1 : 0;
        };
        auto document = MeshDocument::create(m_folder->file("a.mesh"), options);
        QVERIFY(document);
        QVERIFY(add(**document, "first"));

        Result<void> last;
        for (int batch = 0; batch < 200; ++batch) {
            std::vector<MetricRow> rows;
            for (int service = 0; service < 100; ++service) {
                rows.push_back(mesh::test::requestRow(
                    1'700'000'000 + batch, "edge", "service-" + std::to_string(service), 5
                ));
            }
            last = answerOf<void>([&](auto answer) { (*document)->addMetrics(rows, answer); });
        }

        QVERIFY(!last);
        QCOMPARE(last.error().code, ErrorCode::Io);
        QCOMPARE(begun.load(), 1);
        const auto list =
            answerOf<std::vector<Revision>>([&](auto answer) { (*document)->revisions(answer); });
        QCOMPARE(list->size(), std::size_t(1));
    }

    void aFileThatIsNoDocumentIsRefusedAndLeftAlone()
    {
        const std::string path = m_folder->file("notes.txt");
        std::ofstream(path
        ) << "just some text, long enough to be read as a header of a database file, "
             "which begins with other words than these";

        const auto document = MeshDocument::open(path);

        QVERIFY(!document);
        QCOMPARE(document.error().code, ErrorCode::Syntax);
        QVERIFY(!std::filesystem::exists(path + "-lock"));
    }

    void aMissingFileIsNotFoundAndAnExistingOneIsNotReplaced()
    {
        QCOMPARE(MeshDocument::open(m_folder->file("b.mesh")).error().code, ErrorCode::NotFound);
        const auto document = make("a.mesh");
        QCOMPARE(
            MeshDocument::create(m_folder->file("a.mesh")).error().code, ErrorCode::AlreadyExists
        );
    }

    void aCopyIsAWholeDocument()
    {
        const auto document = make("a.mesh");
        QVERIFY(add(*document, "first"));
        const std::string path = m_folder->file("copy.mesh");

        const auto copied = answerOf<void>([&](auto answer) { document->copyTo(path, answer); });
        auto copy = MeshDocument::open(path);

        QCOMPARE(failureOf(copied), std::string());
        QVERIFY2(copy, failureOf(copy).c_str());
        const auto opening = answerOf<Opening>([&](auto answer) { (*copy)->opening(answer); });
        QCOMPARE(opening->text, std::string("text of first"));
    }

    void whatWasAskedBeforeClosingIsStillAnswered()
    {
        const auto document = make("a.mesh");
        std::atomic<int> answers = 0;
        for (int at = 0; at < 100; ++at) {
            document->saveSetting("key", std::to_string(at), [&](const Result<void>& result) {
                answers += result ? 1 : 0;
            });
        }

        document->close();

        QCOMPARE(answers.load(), 100);
        const auto late = add(*document, "late");
        QCOMPARE(late.error().code, ErrorCode::Cancelled);
    }

    void pathsWithSpecialCharactersAreJustPaths()
    {
        const auto document = make("a #1 50%? ü.mesh");

        QVERIFY(add(*document, "first"));
        QVERIFY(std::filesystem::exists(m_folder->file("a #1 50%? ü.mesh")));
    }

private:
    std::unique_ptr<MeshDocument> make(const std::string& name)
    {
        auto document = MeshDocument::create(m_folder->file(name));
        return document ? std::move(*document) : nullptr;
    }

    static Result<Revision> add(MeshDocument& document, const std::string& message)
    {
        return answerOf<Revision>([&](auto answer) {
            document.addRevision(revisionOf(message), answer);
        });
    }

    static std::vector<EventRecord> events(MeshDocument& document, int begin, int end)
    {
        auto list = answerOf<std::vector<EventRecord>>([&](auto answer) {
            document.events(begin, end, answer);
        });
        return list ? *list : std::vector<EventRecord>{};
    }

    std::unique_ptr<mesh::test::TemporaryFolder> m_folder;
};

QTEST_APPLESS_MAIN(MeshDocumentTest)
#include "mesh_document_test.moc"
