// Goal: pushes, items, samples and moves of the layout come back as they were put in, within their
// limits.
// Method: real documents in a folder of the test, reopened where it matters.
#include "app/store/records.h"

#include "app/store/database.h"
#include "proxyengine/base/limits.h"
#include "tests/support/store_fixture.h"

#include <QTest>

#include <memory>

using namespace mesh;
using namespace mesh::store;
using mesh::test::answerOf;
using mesh::test::failureOf;

class RecordsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_folder = std::make_unique<mesh::test::TemporaryFolder>();
        m_document = *MeshDocument::create(m_folder->file("a.mesh"));
    }
    void cleanup()
    {
        m_document.reset();
        m_folder.reset();
    }

    void aPushThatGoesOnIsKnownAfterReopening()
    {
        const PushRecord begun = pushOf(41);
        const auto id = save(begun);
        QCOMPARE(failureOf(id), std::string());
        reopen();

        const auto kept = pushes();

        QCOMPARE(kept.size(), std::size_t(1));
        PushRecord expected = begun;
        expected.id = *id;
        QVERIFY(kept.front() == expected);
        QCOMPARE(kept.front().end_us, std::int64_t(0));
    }

    void savingWithAnIdReplacesThePush()
    {
        PushRecord push = pushOf(41);
        push.id = *save(push);
        push.outcome = "partial";
        push.converged = 3;
        push.end_us = 99;

        QVERIFY(save(push));
        QVERIFY(save(pushOf(42)));

        const auto kept = pushes();
        QCOMPARE(kept.size(), std::size_t(2));
        QVERIFY(kept.front() == push);
        QCOMPARE(kept.back().revision, std::int64_t(42));
    }

    void aPushNobodyBeganIsNotFound()
    {
        PushRecord push = pushOf(41);
        push.id = 7;

        QCOMPARE(save(push).error().code, ErrorCode::NotFound);
        const auto one = answerOf<PushRecord>([&](auto answer) { m_document->push(7, answer); });
        QCOMPARE(one.error().code, ErrorCode::NotFound);
    }

    void onlyTheNewestPushesKeepEveryNodesWay()
    {
        PushRecord ended = pushOf(1);
        ended.end_us = 5;
        const auto first = save(ended);
        const auto stillGoing = save(pushOf(2));
        for (std::size_t at = 0; at < kPushDetailsMax; ++at) {
            m_document->savePush(ended);
        }

        const auto one =
            answerOf<PushRecord>([&](auto answer) { m_document->push(*first, answer); });
        const auto two =
            answerOf<PushRecord>([&](auto answer) { m_document->push(*stillGoing, answer); });

        QCOMPARE(one->json, std::string());
        QCOMPARE(one->expected, 8);
        QCOMPARE(two->json, std::string("{}"));
    }

    void aPushThatIsTooLargeIsRefused()
    {
        PushRecord push = pushOf(41);
        push.json.assign(kPushBytesMax + 1, 'x');

        QCOMPARE(save(push).error().code, ErrorCode::LimitExceeded);
    }

    void itemsAreKeptByKindAndReplacedByName()
    {
        m_document->saveItem("filter", "slow", "p95 > 1s");
        m_document->saveItem("filter", "bad", "error% > 1");
        m_document->saveItem("filter", "slow", "p95 > 2s");
        m_document->saveItem("mute", "slow", "because");
        m_document->removeItem("filter", "bad");
        reopen();

        const auto filters = items("filter");

        QCOMPARE(filters.size(), std::size_t(1));
        QVERIFY(filters.front() == (ItemRecord{"filter", "slow", "p95 > 2s"}));
        QCOMPARE(items("mute").size(), std::size_t(1));
    }

    void moreItemsThanAllowedAreRefusedButOldOnesCanChange()
    {
        for (std::size_t at = 0; at < kItemsPerKindMax; ++at) {
            m_document->saveItem("filter", "f" + std::to_string(at), "x");
        }

        const auto tooMany = answerOf<void>([&](auto answer) {
            m_document->saveItem("filter", "one more", "x", answer);
        });
        const auto changed =
            answerOf<void>([&](auto answer) { m_document->saveItem("filter", "f0", "y", answer); });

        QCOMPARE(tooMany.error().code, ErrorCode::LimitExceeded);
        QCOMPARE(failureOf(changed), std::string());
    }

    void samplesComeBackNewestWithinTheirTime()
    {
        m_document->addSamples({sampleOf(10), sampleOf(20), sampleOf(30), sampleOf(40)});

        const auto found = samples(20, 40, 10);
        const auto newest = samples(0, 100, 1);

        QCOMPARE(found.size(), std::size_t(2));
        QVERIFY(found.front() == sampleOf(20));
        QVERIFY(found.back() == sampleOf(30));
        QCOMPARE(newest.size(), std::size_t(1));
        QCOMPARE(newest.front().time_us, std::int64_t(40));
    }

    void onlyTheNewestSamplesAreKept()
    {
        std::vector<SampleRecord> many;
        for (std::size_t at = 0; at < kSamplesKeptMax + 10; ++at) {
            many.push_back(sampleOf(static_cast<std::int64_t>(at)));
        }
        m_document->addSamples(std::move(many));

        const auto kept = samples(0, 1'000'000'000, kSamplesKeptMax * 2);

        QCOMPARE(kept.size(), kSamplesKeptMax);
        QCOMPARE(kept.front().time_us, std::int64_t(10));
    }

    void theLayoutOfATimeIsTheOneOfThen()
    {
        m_document->addLayoutMoves("topology", 100, {{"a", 1, 1, false}, {"b", 2, 2, false}});
        m_document->addLayoutMoves("topology", 200, {{"a", 5, 5, true}, {"b", 2, 2, false}});
        m_document->addLayoutMoves("topology", 300, {{"c", 9, 9, false}});
        m_document->addLayoutMoves("rehearse", 150, {{"a", 7, 7, false}});

        const auto then = layoutAt(150);
        const auto later = layoutAt(250);

        QCOMPARE(then.size(), std::size_t(3));
        QVERIFY(then[0] == (LayoutPosition{"a", 1, 1, false}));
        QVERIFY(then[1] == (LayoutPosition{"b", 2, 2, false}));
        QVERIFY(then[2] == (LayoutPosition{"c", 9, 9, false})); // Placed later; there already.
        QVERIFY(later[0] == (LayoutPosition{"a", 5, 5, true}));
    }

    void whatDoesNotMoveIsNotWrittenAgain()
    {
        m_document->addLayoutMoves("topology", 100, {{"a", 1, 1, false}});
        m_document->addLayoutMoves("topology", 200, {{"a", 1, 1, false}});
        m_document->close();
        auto database = Database::open(m_folder->file("a.mesh"), Connect::ReadOnly);

        QCOMPARE(*database->number("SELECT count(*) FROM layout_moves"), std::int64_t(1));
    }

    void theOldestMovesGoFirstAndTheLastOneStays()
    {
        std::vector<LayoutPosition> positions;
        for (int at = 0; at < 20'000; ++at) {
            positions.push_back({"n" + std::to_string(at), 0, 0, false});
        }
        m_document->addLayoutMoves("topology", 1, {{"still", 3, 3, true}});
        for (int move = 0; move < 6; ++move) {
            for (LayoutPosition& position : positions) {
                position.x = move + 1;
            }
            m_document->addLayoutMoves("topology", 10 + move, positions);
        }

        const auto first = layoutAt(10);
        m_document->close();
        auto database = Database::open(m_folder->file("a.mesh"), Connect::ReadOnly);

        QCOMPARE(
            *database->number("SELECT count(*) FROM layout_moves"),
            static_cast<std::int64_t>(kLayoutMovesMax)
        );
        QVERIFY(first.back() == (LayoutPosition{"still", 3, 3, true}));
        QCOMPARE(first.size(), std::size_t(20'001));
    }

private:
    static PushRecord pushOf(std::int64_t revision)
    {
        PushRecord push;
        push.revision = revision;
        push.revisionBefore = revision - 1;
        push.begin_us = 1;
        push.expected = 8;
        push.json = "{}";
        return push;
    }

    static SampleRecord sampleOf(std::int64_t time_us)
    {
        return {
            time_us,
            "edge-1",
            "GET",
            "http",
            "shop",
            "/cart?id=1",
            "[]",
            "10.0.0.1",
            "cart",
            "cart",
            200,
            1.5,
            "r1"};
    }

    void reopen()
    {
        m_document->close();
        m_document = *MeshDocument::open(m_folder->file("a.mesh"));
    }

    Result<std::int64_t> save(const PushRecord& push)
    {
        return answerOf<std::int64_t>([&](auto answer) { m_document->savePush(push, answer); });
    }

    std::vector<PushRecord> pushes()
    {
        auto list =
            answerOf<std::vector<PushRecord>>([&](auto answer) { m_document->pushes(answer); });
        return list ? *list : std::vector<PushRecord>{};
    }

    std::vector<ItemRecord> items(const std::string& kind)
    {
        auto list = answerOf<std::vector<ItemRecord>>([&](auto answer) {
            m_document->items(kind, answer);
        });
        return list ? *list : std::vector<ItemRecord>{};
    }

    std::vector<SampleRecord> samples(std::int64_t begin, std::int64_t end, std::size_t max)
    {
        auto list = answerOf<std::vector<SampleRecord>>([&](auto answer) {
            m_document->samples(begin, end, max, answer);
        });
        return list ? *list : std::vector<SampleRecord>{};
    }

    std::vector<LayoutPosition> layoutAt(std::int64_t time_us)
    {
        auto list = answerOf<std::vector<LayoutPosition>>([&](auto answer) {
            m_document->layoutAt("topology", time_us, answer);
        });
        return list ? *list : std::vector<LayoutPosition>{};
    }

    std::unique_ptr<mesh::test::TemporaryFolder> m_folder;
    std::unique_ptr<MeshDocument> m_document;
};

QTEST_APPLESS_MAIN(RecordsTest)
#include "records_test.moc"
