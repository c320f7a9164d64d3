// Goal: what stands between a draft and a push: the change set with its ticks, diffs that name
// lines and mark what matters, findings that block or are accepted, the button that names its
// target, and two sides' changes merged with nothing lost.
// Method: a real session with three engines that do as told; reviews and runners are the test's.
#include "app/bridge/object_diff.h"
#include "app/bridge/profile.h"
#include "app/pages/review_diff_view.h"
#include "app/pages/review_lists.h"
#include "app/pages/review_page.h"
#include "app/pages/review_plan.h"
#include "app/theme/theme.h"
#include "proxyengine/base/clock.h"
#include "proxyengine/config/codec.h"
#include "tests/gui/rollout_sample.h"

#include <QPushButton>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

namespace mesh::pages {

namespace {

using bridge::DiffLine;
using bridge::RolloutSession;

struct Review
{
    test::ToldMesh mesh;
    test::ToldFleet fleet;
    RolloutSession session{mesh.session, fleet.options()};
    ReviewPage page{mesh.session, session, nullptr, nullptr};

    Review()
    {
        page.setEnvironment(QStringLiteral("PROD"));
        page.resize(1376, 804);
        page.show();
        QObject::connect(
            &session,
            &RolloutSession::draftProposed,
            &mesh.session,
            &bridge::MeshSession::setDraftText
        );
    }

    void edit()
    {
        mesh.replace(QStringLiteral("read_timeout: 10000"), QStringLiteral("read_timeout: 3000"));
        mesh.replace(QStringLiteral("retries: 4"), QStringLiteral("retries: 2"));
    }

    [[nodiscard]] bool isReviewed() const
    {
        return QTest::qWaitFor([this] { return session.review().isReady; }, 10'000);
    }
};

} // namespace

class ReviewTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { theme::apply(*qApp, theme::Choice::Light); }
    void aReplacedValueIsMarkedAndWeighed();
    void eachObjectHasItsOwnLinesWithTheirNumbers();
    void spaceTakesAnObjectOutOfThePush();
    void aDiscardedChangeLeavesTheOthers();
    void theButtonNamesCountTargetAndNodes();
    void anErrorBlocksThePush();
    void aNewWarningIsAcceptedOnProduction();
    void aMutedFindingKeepsItsReason();
    void twoSidesAreMergedAndNothingIsLost();
    void bothSidesOfTheDiffStandBesideEachOther();
    void whatTheDocumentKeepsIsRoutedAgainWithItsHeaders();
};

void ReviewTest::whatTheDocumentKeepsIsRoutedAgainWithItsHeaders()
{
    const QTemporaryDir folder;
    const QString path = folder.filePath(QStringLiteral("shop.mesh"));
    {
        test::ToldMesh mesh(path);
        api::AccessEvent event;
        event.node = "edge-1";
        event.time = SystemClock().wallNow();
        event.method = "GET";
        event.host = "shop";
        event.path = "/cart?a=1";
        event.status = 200;
        event.requestHeaders = {{"x-version", "2"}};
        mesh.engines.front()->answer(event);
        QTRY_COMPARE(mesh.session.tap().size(), std::size_t{1});
    }
    bridge::MeshSession reopened{bridge::SessionOptions{}};
    QVERIFY(reopened.openDocument(path));
    QVERIFY(reopened.tap().empty());
    test::ToldFleet fleet;
    RolloutSession session(reopened, fleet.options());
    session.setReviewed(true);
    QString text = reopened.draftText();
    reopened.setDraftText(text.replace(QStringLiteral("retries: 4"), QStringLiteral("retries: 2")));

    QTRY_VERIFY(session.review().isReady);

    QCOMPARE(fleet.samples.size(), std::size_t{1});
    QCOMPARE(fleet.samples.front().path, std::string("/cart?a=1"));
    const std::vector<std::pair<std::string, std::string>> headers = {{"x-version", "2"}};
    QCOMPARE(fleet.samples.front().headers, headers);
}

void ReviewTest::aReplacedValueIsMarkedAndWeighed()
{
    DiffLine removed{
        DiffLine::Kind::Removed,
        98,
        0,
        QStringLiteral("split: [{service: catalog, weight: 90}, {service: catalog-v6, weight: 10}]"
        ),
        {}};
    DiffLine added{
        DiffLine::Kind::Added,
        0,
        98,
        QStringLiteral("split: [{service: catalog, weight: 80}, {service: catalog-v6, weight: 20}]"
        ),
        {}};

    bridge::markDifference(removed, added);

    QCOMPARE(removed.marks.size(), std::size_t{2});
    QCOMPARE(
        removed.text.mid(removed.marks[0].begin, removed.marks[0].length), QStringLiteral("90")
    );
    QCOMPARE(added.text.mid(added.marks[1].begin, added.marks[1].length), QStringLiteral("20"));
    QVERIFY(added.marks[0].isWeighty && added.marks[1].isWeighty);
}

void ReviewTest::eachObjectHasItsOwnLinesWithTheirNumbers()
{
    const auto before = config::decode(test::kFleetMesh);
    auto after = before.document;
    after.services[0].retries = 2;
    after.services[1].readTimeout = std::chrono::milliseconds(3000);

    const auto diffs = bridge::objectDiffs(before.document, after);

    QCOMPARE(diffs.size(), std::size_t{2});
    QCOMPARE(diffs[0].name, QStringLiteral("cart"));
    // The canonical form leaves defaults out: five retries are not written, two are.
    const QStringList lines =
        QString::fromStdString(config::toYaml(after)).split(QLatin1Char('\n'));
    for (const bridge::ObjectDiff& diff : diffs) {
        QVERIFY(diff.changed > 0);
        for (const DiffLine& line : diff.lines) {
            if (line.after > 0) {
                QCOMPARE(lines[line.after - 1], line.text);
            }
        }
    }
}

void ReviewTest::spaceTakesAnObjectOutOfThePush()
{
    Review review;
    review.edit();
    QCOMPARE(review.page.list().count(), 2);
    QVERIFY(review.session.pushLabel(QStringLiteral("PROD")).contains(QStringLiteral("2")));
    review.page.list().setCurrentRow(0);

    QTest::keyClick(&review.page.list(), Qt::Key_Space);

    QCOMPARE(review.session.includedCount(), 1);
    QVERIFY(review.isReviewed());
    QCOMPARE(review.session.review().objects.size(), std::size_t{1});
    QVERIFY(!review.session.changes()[0].isIncluded);
}

void ReviewTest::aDiscardedChangeLeavesTheOthers()
{
    Review review;
    review.edit();
    const QString key = review.session.changes()[0].key;

    const auto done = review.session.discardChange(key);

    QVERIFY2(done, done ? "" : done.error().message.c_str());
    QCOMPARE(review.session.changes().size(), std::size_t{1});
    QVERIFY(review.session.changes()[0].key != key);
}

void ReviewTest::theButtonNamesCountTargetAndNodes()
{
    Review review;
    review.edit();
    QVERIFY(review.isReviewed());

    const QString label = review.page.plan().pushButton().text();

    QVERIFY2(label.contains(QStringLiteral("PROD shop")), qPrintable(label));
    QVERIFY2(label.contains(QStringLiteral("2 change")), qPrintable(label));
    QVERIFY2(label.contains(QStringLiteral("3 node")), qPrintable(label));
    QVERIFY(review.page.plan().pushButton().isEnabled());
}

void ReviewTest::anErrorBlocksThePush()
{
    Review review;
    fleet::ReviewFinding finding;
    finding.severity = fleet::ReviewFinding::Severity::Error;
    finding.code = "MW-101";
    finding.title = "Upstream without targets";
    review.fleet.findings = {finding};
    review.edit();
    QVERIFY(review.isReviewed());

    QVERIFY(!review.page.plan().pushButton().isEnabled());
    const auto pushed = review.session.push();

    QVERIFY(!pushed);
    QVERIFY(review.fleet.requests.empty());
}

void ReviewTest::aNewWarningIsAcceptedOnProduction()
{
    Review review;
    bridge::Profile profile;
    profile.environment = QStringLiteral("production");
    profile.level = bridge::SafetyLevel::Confirm;
    review.mesh.session.gate().setProfile(profile);
    fleet::ReviewFinding finding;
    finding.code = "MW-214";
    finding.title = "Timeout below retries";
    finding.isNew = true;
    review.fleet.findings = {finding};
    review.edit();
    QVERIFY(review.isReviewed());
    review.session.setMessage(QStringLiteral("sooner"));
    QVERIFY(review.session.whyNotPush().contains(QStringLiteral("MW-214")));

    review.session.acceptFinding(review.session.review().findings[0].key, true);
    QCOMPARE(review.session.whyNotPush(), QString());
    review.session.setMessage({});

    QVERIFY(!review.session.whyNotPush().isEmpty()); // A message is asked for there.
}

void ReviewTest::aMutedFindingKeepsItsReason()
{
    Review review;
    fleet::ReviewFinding finding;
    finding.code = "MW-214";
    review.fleet.findings = {finding};
    review.edit();
    QVERIFY(review.isReviewed());

    review.session.muteFinding(review.session.review().findings[0].key, QStringLiteral("known"));

    QVERIFY(review.session.review().findings[0].isMuted);
    RolloutSession again(review.mesh.session, review.fleet.options());
    again.setReviewed(true);
    QTRY_VERIFY(again.review().isReady && !again.review().findings.empty());
    QCOMPARE(again.review().findings[0].mutedBecause, QStringLiteral("known"));
}

void ReviewTest::twoSidesAreMergedAndNothingIsLost()
{
    Review review;
    review.edit();
    model::Document theirs = *review.mesh.session.document();
    theirs.services[0].retries = 9; // Both.
    theirs.services[1].connectTimeout = std::chrono::milliseconds(700); // Only they.
    bool isSaved = false;

    review.mesh.session.saveRevision(
        std::make_shared<const model::Document>(theirs),
        QStringLiteral("of somebody else"),
        [&isSaved](const Result<std::int64_t>& saved) { isSaved = saved.has_value(); }
    );

    QTRY_VERIFY(isSaved);
    QVERIFY(review.session.merge().isNeeded);
    QCOMPARE(review.session.merge().conflicts.size(), std::size_t{1});
    QVERIFY(!review.session.push()); // Nothing is overwritten.
    review.session.chooseTheirs(review.session.merge().conflicts[0].key, true);
    const auto merged = review.session.takeMerge();
    QVERIFY2(merged, merged ? "" : merged.error().message.c_str());
    QVERIFY(!review.session.merge().isNeeded);
    const auto draft = review.mesh.session.draftDocument();
    QVERIFY(draft != nullptr);
    QCOMPARE(draft->services[0].retries, 9);
    QCOMPARE(draft->services[1].readTimeout, std::chrono::milliseconds(3000));
    QCOMPARE(draft->services[1].connectTimeout, std::chrono::milliseconds(700));
}

void ReviewTest::bothSidesOfTheDiffStandBesideEachOther()
{
    Review review;
    review.edit();
    QVERIFY(review.isReviewed());
    ReviewDiffView& diff = review.page.diff();
    const int inlineRows = diff.rowCount();
    QVERIFY(inlineRows > 2);

    diff.setForm(ReviewDiffView::Form::SideBySide);

    QVERIFY(diff.rowCount() <= inlineRows);
    review.page.stepChange(1);
    QVERIFY(diff.currentRow() > 0);
}

} // namespace mesh::pages

QTEST_MAIN(mesh::pages::ReviewTest)
#include "review_test.moc"
