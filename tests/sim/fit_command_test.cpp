// Goal: models are fitted from a document's metrics, a rehearsal on them knows the range they came
//       from, and says so with its exit code.
// Method: a known mesh is run in virtual time and its figures are put into a real document; the
//         commands are called as a library.
#include "app/ctl/ctl.h"
#include "app/store/mesh_document.h"
#include "proxyengine/base/clock.h"
#include "proxyengine/base/file.h"
#include "tests/sim/observed_mesh.h"
#include "tests/support/store_fixture.h"

#include <QTest>

namespace mesh::simulator {

class FitCommandTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void aTableSaysWhatWasFittedAndHowWellItPredicts();
    void aRehearsalInsideTheRangeIsCalibrated();
    void aRehearsalOutsideTheRangeIsFive();
    void aChangedMeshIsNotTakenForTheFittedOne();
    void aDocumentWithoutMetricsIsAnAnswer();
    void whatIsNoDocumentIsRefused();

private:
    struct Answer
    {
        int code = 0;
        ctl::CtlOutput output;
    };
    Answer call(const std::vector<std::string>& arguments) const;
    Answer rehearse(double rate) const;

    test::TemporaryFolder m_folder;
    Answer m_fitted;
};

namespace {

store::MetricRow rowOf(std::int64_t time_s, double length_s, const EdgeSample& edge)
{
    store::MetricRow row;
    row.time_s = time_s;
    const std::string source = edge.caller == "gateway" ? "edge-1" : edge.caller;
    row.key = {store::SeriesKind::Request, source, edge.callee, "main", {}, {}};
    row.value.answers[2] = edge.calls - edge.failed;
    row.value.answers[5] = edge.failed;
    row.value.retries = edge.attempts - edge.calls;
    row.value.active = static_cast<std::uint64_t>(edge.inFlight * length_s + 0.5);
    row.value.latency = edge.latency;
    return row;
}

void fill(const std::string& path)
{
    auto document = store::MeshDocument::create(path);
    if (!document) {
        qFatal("%s", document.error().message.c_str());
    }
    store::NewRevision revision = test::revisionOf("known");
    revision.text = config::toYaml(guessOf(documentOf(kTruth)));
    const auto added = test::answerOf<store::Revision>([&](auto answer) {
        (*document)->addRevision(revision, answer);
    });
    const Observed seen =
        observe(documentOf(kTruth), {10, 40, 80, 120, 20, 60, 100, 110, 90}, Seed{7});
    std::int64_t at_s = 1'700'000'040; // A whole bin begins here.
    std::vector<store::MetricRow> rows;
    for (const TelemetryBin& bin : seen.bins) {
        for (const EdgeSample& edge : bin.edges) {
            rows.push_back(rowOf(at_s, toSeconds(bin.length), edge));
        }
        at_s += bin.length / 1s;
    }
    // A second more ends the last bin; it is in none itself.
    rows.push_back(rowOf(at_s, 1.0, {"gateway", "attic", 1, 0, 1, 0.0, {}}));
    const auto kept =
        test::answerOf<void>([&](auto answer) { (*document)->addMetrics(rows, answer); });
    if (!added || !kept) {
        qFatal("the document cannot be written");
    }
}

} // namespace

FitCommandTest::Answer FitCommandTest::call(const std::vector<std::string>& arguments) const
{
    const SystemClock clock;
    Answer answer;
    answer.code = ctl::run(arguments, clock, ctl::Colour::Off, answer.output);
    return answer;
}

FitCommandTest::Answer FitCommandTest::rehearse(double rate) const
{
    const std::string text = fmt::format(
        "scenario: load\nmesh: fitted.yaml\nduration: 60s\nwarmup: 5s\nreplications: 3\n"
        "load: [{{entry: frontend, rate: [[0s, {}]]}}]\n"
        "assert: [{{window: always, that: \"success(frontend) > 0.5\"}}]\n",
        rate
    );
    const std::string path = m_folder.file("load.yaml");
    if (!writeFileAtomically(path, text, 0600)) {
        qFatal("the scenario cannot be written");
    }
    return call({"rehearse", path});
}

void FitCommandTest::initTestCase()
{
    fill(m_folder.file("shop.mesh"));
    m_fitted = call(
        {"fit", m_folder.file("shop.mesh"), "--bin", "20", "--into", m_folder.file("fitted.yaml")}
    );
    qInfo("%s%s", m_fitted.output.out.c_str(), m_fitted.output.err.c_str());
}

void FitCommandTest::aTableSaysWhatWasFittedAndHowWellItPredicts()
{
    const QString out = QString::fromStdString(m_fitted.output.out);

    QCOMPARE(m_fitted.code, 0);
    QCOMPARE(out.count(QStringLiteral(" fitted ")), 4);
    QVERIFY(out.contains(QStringLiteral("not seen"))); // The attic.
    QVERIFY(out.contains(QStringLiteral("Back-test")));
    QCOMPARE(out.count(QStringLiteral("success ")), 4);
}

void FitCommandTest::aRehearsalInsideTheRangeIsCalibrated()
{
    const Answer answer = rehearse(80.0);

    QVERIFY2(answer.code == 0, answer.output.out.c_str());
    QCOMPARE(answer.output.err, std::string());
}

void FitCommandTest::aRehearsalOutsideTheRangeIsFive() { QCOMPARE(rehearse(160.0).code, 5); }

void FitCommandTest::aChangedMeshIsNotTakenForTheFittedOne()
{
    const auto text = readFile(m_folder.file("fitted.yaml"), 1U << 20U);
    QVERIFY(text);
    QVERIFY(writeFileAtomically(m_folder.file("fitted.yaml"), *text + "# by hand\n", 0600));
    const Answer answer = rehearse(160.0);
    QVERIFY(writeFileAtomically(m_folder.file("fitted.yaml"), *text, 0600));

    QCOMPARE(answer.code, 0);
    QVERIFY(answer.output.err.find("has changed since it was fitted") != std::string::npos);
}

void FitCommandTest::aDocumentWithoutMetricsIsAnAnswer()
{
    QVERIFY(store::MeshDocument::create(m_folder.file("new.mesh")));
    const Answer answer = call({"fit", m_folder.file("new.mesh")});

    QCOMPARE(answer.code, 1);
    QVERIFY(answer.output.err.find("no service has enough calls") != std::string::npos);
}

void FitCommandTest::whatIsNoDocumentIsRefused()
{
    QVERIFY(call({"fit", m_folder.file("nowhere.mesh")}).code > 1);
    QCOMPARE(call({"fit"}).code, 2);
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::FitCommandTest)
#include "fit_command_test.moc"
