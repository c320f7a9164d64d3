// Goal: a run that somebody kept says the same after a restart, and nothing it cannot know.
// Method: hand-made rehearsals in a document in a temporary folder, which is closed and opened
// again; the text of a kept run, whole and cut.
#include "app/bridge/mesh_session.h"
#include "app/bridge/rehearsal_session.h"
#include "app/bridge/run_records.h"
#include "tests/gui/rehearsal_sample.h"

#include <QTemporaryDir>
#include <QtTest>

#include <memory>

using namespace mesh;
using namespace mesh::bridge;

namespace {

RunRow fullRow()
{
    RunRow row;
    row.name = QStringLiteral("Run 3");
    row.isKept = true;
    row.time_us = 1'767'225'600'123'456;
    row.source = QStringLiteral("open document, rev 42 + draft");
    row.scenario.name = QStringLiteral("zone-b");
    row.scenario.seed = 0xFFFF'FFFF'FFFF'FFFFU;
    row.scenario.replications = 20;
    row.scenario.duration_s = 600;
    row.scenario.loads = {{QStringLiteral("front"), {{0, 100}, {60, 150}}}};
    row.scenario.clips = {
        {0,
         QStringLiteral("kill"),
         QStringLiteral("power"),
         QStringLiteral("cart-1"),
         {},
         {},
         40,
         std::nullopt}};
    row.scenario.variants = QStringList{QStringLiteral("baseline")};
    row.verdict = VerdictKind::Stopped;
    row.headline = QStringLiteral("Fails: 1 of 5 \"assertions\"");
    row.verdicts = {
        {QStringLiteral("during"), QStringLiteral("p99 < 1"), QStringLiteral("2"), {}, true, 1, 2}};
    row.windows = {
        {QStringLiteral("p50"), QStringLiteral("1"), QStringLiteral("2"), {}, true, true}};
    row.worth = {
        {QStringLiteral("retry"), 2.9, std::pair(2.6, 3.2)}, {QStringLiteral("x"), -1, {}}};
    VariantRow variant;
    variant.name = QStringLiteral("baseline");
    variant.entry = {{100, 0.5, 2.0, std::nullopt}, {0, {}, {}, {}}};
    variant.reactions = {{45, ReactionMark::Kind::Ejected, QStringLiteral("cart-1 out")}};
    variant.recovered_s = 12;
    variant.worst = 13;
    row.variants = {variant};
    row.objective = std::pair(0.99, QStringLiteral("99 %"));
    row.resolved = QStringList{QStringLiteral("zone b: cart-2")};
    row.trust = {true, QStringLiteral("in calibrated range"), QStringLiteral("t"), {}};
    row.hash = QStringLiteral("9f21");
    return row;
}

} // namespace

class TimeRunsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_folder = std::make_unique<QTemporaryDir>();
        m_mesh = std::make_unique<MeshSession>(SessionOptions{});
        QVERIFY(m_mesh->importText(QLatin1String(mesh::test::kRehearsedMesh), path()));
        start();
    }
    void cleanup()
    {
        m_rehearsal.reset();
        m_mesh.reset();
        m_folder.reset();
    }

    void whatIsReadIsWhatWasWritten()
    {
        const KeptRun run{fullRow(), u"the scenario"_qs, u"ab"_qs, u"{\"verdict\": 1}"_qs};
        const QByteArray text = toJson(run);

        const auto read = keptRunFromJson(text);

        QVERIFY(read);
        QCOMPARE(toJson(*read), text);
        QCOMPARE(read->row.scenario.seed, fullRow().scenario.seed);
        QCOMPARE(read->row.time_us, fullRow().time_us);
        QVERIFY(!read->row.variants.front().entry.front().p99_ms);
        QVERIFY(read->row.worth.front().interval && !read->row.worth.back().interval);
    }

    void whatWasCutOrIsOfAnotherFormatIsRefused()
    {
        const QByteArray text = toJson({fullRow(), {}, {}, {}});

        for (qsizetype size = 0; size < text.size(); size += 7) {
            QVERIFY2(!keptRunFromJson(text.left(size)), qPrintable(QString::number(size)));
        }
        QVERIFY(!keptRunFromJson("{\"format\": 99}"));
        QVERIFY(!keptRunFromJson("[1, 2]"));
        // Members of other kinds than expected are empty, never a crash.
        QVERIFY(keptRunFromJson(R"({"format": 1, "row": {"variants": 7, "worth": [1, [2]]}})"));
    }

    void aKeptRunIsThereAfterARestartAndOneThatWasNotIsGone()
    {
        const int kept = run();
        m_rehearsal->renameRun(kept, u"Before the change"_qs);
        const QString headline = m_rehearsal->current()->headline;
        const QString report = m_rehearsal->report(u"json"_qs);
        run();

        restart();

        QTRY_COMPARE(m_rehearsal->runs().size(), std::size_t(1));
        QVERIFY(m_rehearsal->current() != nullptr);
        QCOMPARE(m_rehearsal->current()->name, u"Before the change"_qs);
        QCOMPARE(m_rehearsal->current()->headline, headline);
        QVERIFY(!m_rehearsal->current()->variants.empty());
        QCOMPARE(m_rehearsal->report(u"json"_qs), report);
        QVERIFY(!m_rehearsal->current()->isOutdated);
    }

    void aKeptRunOfEarlierSaysNothingItDoesNotKnow()
    {
        m_rehearsal->keepRun(run(), true);
        restart();
        QTRY_VERIFY(m_rehearsal->current() != nullptr);

        QVERIFY(m_rehearsal->stageAt(30).topology.entities.empty());
        QVERIFY(!m_rehearsal->policyText(u"candidate"_qs));
        QVERIFY(!m_rehearsal->runLive());
        QVERIFY(m_rehearsal->report(u"html"_qs).isEmpty());
        m_rehearsal->showVariant(u"baseline"_qs);
        m_rehearsal->setSeed(8);
        QVERIFY(m_rehearsal->current()->isOutdated);
    }

    void aKeptRunThatIsClosedIsGone()
    {
        const int kept = run();
        m_rehearsal->keepRun(kept, true);
        m_rehearsal->closeRun(kept);
        m_rehearsal->keepRun(run(), true);

        restart();

        QTRY_COMPARE(m_rehearsal->runs().size(), std::size_t(1));
    }

private:
    [[nodiscard]] QString path() const { return m_folder->filePath(u"shop.mesh"_qs); }

    void start()
    {
        RehearsalOptions options;
        options.run = mesh::test::handMade;
        options.check = [](const simulator::RehearsalRequest&) { return std::vector<Error>{}; };
        m_rehearsal = std::make_unique<RehearsalSession>(*m_mesh, options);
        if (m_rehearsal->text().isEmpty()) {
            m_rehearsal->setText(QLatin1String(mesh::test::kScenario));
        }
    }

    void restart()
    {
        m_rehearsal.reset();
        m_mesh.reset();
        m_mesh = std::make_unique<MeshSession>(SessionOptions{});
        QVERIFY(m_mesh->openDocument(path()));
        start();
    }

    // The number of the run.
    int run()
    {
        const std::size_t before = m_rehearsal->runs().size();
        if (!m_rehearsal->run()) {
            return 0;
        }
        static_cast<void>(QTest::qWaitFor([&] { return m_rehearsal->runs().size() > before; }));
        return m_rehearsal->current()->id;
    }

    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<MeshSession> m_mesh;
    std::unique_ptr<RehearsalSession> m_rehearsal;
};

QTEST_GUILESS_MAIN(TimeRunsTest)
#include "time_runs_test.moc"
