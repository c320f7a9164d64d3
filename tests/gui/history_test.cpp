// Goal: the way back: what lies between two revisions, a rollback that is the inverse of the push,
// whole or object by object, through the same review, and the undo of the last push.
// Method: a real session with engines that do as told; pushes are told to have converged.
#include "app/pages/history_page.h"
#include "app/pages/rows_table.h"
#include "app/theme/theme.h"
#include "proxyengine/model/diff.h"
#include "tests/gui/rollout_sample.h"

#include <QSignalSpy>
#include <QTest>

namespace mesh::pages {

namespace {

using bridge::RolloutSession;

struct History
{
    test::ToldMesh mesh;
    test::ToldFleet fleet;
    RolloutSession session{mesh.session, fleet.options()};
    HistoryPage page{session, nullptr};

    History()
    {
        page.resize(1376, 804);
        page.show();
        QObject::connect(
            &session,
            &RolloutSession::draftProposed,
            &mesh.session,
            &bridge::MeshSession::setDraftText
        );
        session.setReviewed(true);
    }

    // Pushes the draft; every node has it.
    bool push(const char* message)
    {
        const std::size_t asked = fleet.requests.size();
        session.setMessage(QString::fromLatin1(message));
        if (!QTest::qWaitFor([this] { return session.review().isReady; }, 10'000) || !session.push()
            || !QTest::qWaitFor([&] { return fleet.requests.size() > asked; }, 10'000)) {
            return false;
        }
        fleet::Rollout rollout = test::rolloutSample();
        rollout.revision = fleet.requests.back().revision;
        rollout.revisionBefore = fleet.requests.back().revisionBefore;
        rollout.state = fleet::RolloutState::Done;
        rollout.endedAt = mesh.session.clock().wallNow();
        for (fleet::NodeProgress& node : rollout.nodes) {
            node.phase = fleet::NodePhase::Done;
            node.hashNow = rollout.hash;
        }
        fleet.tell(rollout);
        return QTest::qWaitFor(
            [this] {
                return session.rollout().verdict == bridge::RolloutVerdict::Converged
                       && session.rollout().revision == mesh.session.revisions().front().id;
            },
            10'000
        );
    }

    // Two pushes after the import: revisions 2 and 3.
    bool pushTwice()
    {
        mesh.replace(QStringLiteral("retries: 4"), QStringLiteral("retries: 2"));
        if (!push("fewer retries")) {
            return false;
        }
        mesh.replace(QStringLiteral("read_timeout: 10000"), QStringLiteral("read_timeout: 3000"));
        return push("shorter");
    }
};

} // namespace

class HistoryTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { theme::apply(*qApp, theme::Choice::Light); }
    void everyRevisionHasItsOutcome();
    void theRollbackIsTheInverseOfThePush();
    void oneObjectAloneGoesBack();
    void goingBackSaysWhatElseItUndoes();
    void theLastPushIsUndoneThroughAReview();
};

void HistoryTest::everyRevisionHasItsOutcome()
{
    History history;
    QVERIFY(history.pushTwice());

    QCOMPARE(history.session.history().size(), std::size_t{3});
    const bridge::HistoryRow& newest = history.session.history().front();
    QCOMPARE(newest.message, QStringLiteral("shorter"));
    QCOMPARE(newest.outcome, QStringLiteral("converged"));
    QCOMPARE(newest.convergence, QStringLiteral("3/3"));
    QVERIFY(history.session.history().back().outcome.isEmpty()); // Imported, not pushed.
    QCOMPARE(history.page.table().rowCount(), 3);
}

void HistoryTest::theRollbackIsTheInverseOfThePush()
{
    History history;
    mesh::model::Document first = *history.mesh.session.document();
    history.mesh.replace(QStringLiteral("retries: 4"), QStringLiteral("retries: 2"));
    history.mesh.replace(
        QStringLiteral("read_timeout: 10000"), QStringLiteral("read_timeout: 3000")
    );
    const auto pushed = model::diff(first, *history.mesh.session.draftDocument());
    QVERIFY(history.push("both"));
    QSignalSpy shown(&history.session, &RolloutSession::reviewProposed);

    history.session.goBackTo(1);

    QTRY_COMPARE(shown.count(), 1);
    auto back =
        model::diff(*history.mesh.session.document(), *history.mesh.session.draftDocument());
    QCOMPARE(back.size(), pushed.size());
    for (std::size_t i = 0; i < back.size(); ++i) {
        QCOMPARE(back[i].fields.size(), pushed[i].fields.size());
        for (std::size_t j = 0; j < back[i].fields.size(); ++j) {
            QVERIFY(back[i].fields[j].before == pushed[i].fields[j].after);
            QVERIFY(back[i].fields[j].after == pushed[i].fields[j].before);
        }
    }
}

void HistoryTest::oneObjectAloneGoesBack()
{
    History history;
    QVERIFY(history.pushTwice());
    history.session.requestDiff(0, 1);
    QTRY_COMPARE(history.session.historyDiff().changes.size(), std::size_t{2});
    const auto& changes = history.session.historyDiff().changes;
    const auto cart = std::ranges::find(changes, QStringLiteral("cart"), &bridge::ChangeRow::name);
    QVERIFY(cart != changes.end());

    history.session.goBackTo(1, {cart->key});

    QTRY_VERIFY(history.mesh.session.isDraftChanged());
    const auto draft = history.mesh.session.draftDocument();
    QCOMPARE(draft->services[0].retries, 4);
    QCOMPARE(draft->services[1].readTimeout, std::chrono::milliseconds(3000));
}

void HistoryTest::goingBackSaysWhatElseItUndoes()
{
    History history;
    QVERIFY(history.pushTwice());

    history.session.goBackTo(1);

    QTRY_VERIFY(!history.session.origin().isEmpty());
    QVERIFY2(
        history.session.origin().contains(QStringLiteral("2, 3")),
        qPrintable(history.session.origin())
    );
}

void HistoryTest::theLastPushIsUndoneThroughAReview()
{
    History history;
    QCOMPARE(history.session.undoable(), std::int64_t{0});
    QVERIFY(history.pushTwice());
    QCOMPARE(history.session.undoable(), std::int64_t{3});
    const std::size_t asked = history.fleet.requests.size();

    history.session.undoLastPush();

    QTRY_VERIFY(history.mesh.session.isDraftChanged());
    const auto draft = history.mesh.session.draftDocument();
    QCOMPARE(draft->services[0].retries, 2); // The push before stays.
    QCOMPARE(draft->services[1].readTimeout, std::chrono::seconds(10));
    QCOMPARE(history.fleet.requests.size(), asked); // Nothing was sent.
}

} // namespace mesh::pages

QTEST_MAIN(mesh::pages::HistoryTest)
#include "history_test.moc"
