// Goal: the mode Rehearse as a person meets it: a drop becomes a clip and a line of text, text and
// clips follow each other, a run gives a verdict, the playhead moves the stage, a policy becomes
// the draft; and all of it with the keyboard alone. Method: a real session with a small imported
// document; runs are made by hand and handed in.
#include "app/bridge/fault_offers.h"
#include "app/bridge/mesh_session.h"
#include "app/bridge/rehearsal_session.h"
#include "app/bridge/scenario_text.h"
#include "app/charts/run_timeline.h"
#include "app/forms/config_text_edit.h"
#include "app/pages/compare_pane.h"
#include "app/pages/fault_palette.h"
#include "app/pages/rehearse_bar.h"
#include "app/pages/rehearse_page.h"
#include "app/pages/rehearse_stage.h"
#include "app/pages/stability_map.h"
#include "app/pages/topology_page.h"
#include "app/pages/verdict_pane.h"
#include "app/pages/verdict_view.h"
#include "app/shell/main_window.h"
#include "tests/gui/rehearsal_sample.h"

#include <QComboBox>
#include <QDir>
#include <QDropEvent>
#include <QElapsedTimer>
#include <QLabel>
#include <QLineEdit>
#include <QMimeData>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>

#include <set>
#include <thread>

namespace mesh::pages {

namespace {

using bridge::RehearsalSession;
using charts::RunTimeline;

// The mode over a document, with runs made by hand.
struct Mode
{
    bridge::MeshSession mesh{bridge::SessionOptions{}};
    std::unique_ptr<RehearsalSession> session;
    std::unique_ptr<RehearsePage> page;

    explicit Mode(bridge::RehearsalOptions options = handMadeOptions())
    {
        const auto imported = mesh.importText(QString::fromLatin1(test::kRehearsedMesh));
        if (!imported) {
            qWarning("%s", imported.error().message.c_str());
        }
        session = std::make_unique<RehearsalSession>(mesh, std::move(options));
        session->setText(QString::fromLatin1(test::kScenario));
        page = std::make_unique<RehearsePage>(mesh, *session, nullptr);
        page->resize(1376, 804);
        page->show();
    }

    static bridge::RehearsalOptions handMadeOptions()
    {
        bridge::RehearsalOptions options;
        options.run = test::handMade;
        options.check = [](const simulator::RehearsalRequest&) { return std::vector<Error>(); };
        return options;
    }

    bool runToTheEnd()
    {
        page->toggleRun();
        return QTest::qWaitFor([this] { return session->current() != nullptr; }, 10'000);
    }
};

void dropOn(QWidget& widget, const QPoint& at, const char* offer)
{
    QMimeData carried;
    carried.setData(QString::fromLatin1(charts::kFaultMime), offer);
    QDragEnterEvent enter(at, Qt::CopyAction, &carried, Qt::LeftButton, Qt::NoModifier);
    QCoreApplication::sendEvent(&widget, &enter);
    QDragMoveEvent move(at, Qt::CopyAction, &carried, Qt::LeftButton, Qt::NoModifier);
    QCoreApplication::sendEvent(&widget, &move);
    QDropEvent drop(at, Qt::CopyAction, &carried, Qt::LeftButton, Qt::NoModifier);
    QCoreApplication::sendEvent(&widget, &drop);
}

std::string edited(const std::optional<std::string>& text) { return text.value_or("refused"); }

const bridge::EntityRow* entityOf(const bridge::Topology& topology, const char* id)
{
    for (const bridge::EntityRow& entity : topology.entities) {
        if (entity.id == QLatin1String(id)) {
            return &entity;
        }
    }
    return nullptr;
}

} // namespace

class RehearseTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void anEditOfTheTextTouchesOnlyItsPlace_data();
    void anEditOfTheTextTouchesOnlyItsPlace();
    void anEntryIsAddedWhereverTheListStands_data();
    void anEntryIsAddedWhereverTheListStands();
    void everyOfferMakesAnEntryThatCanBeRead();
    void aDropOnAZoneMakesAClipAndALine();
    void aDropOnANodeMakesAClipAndALine();
    void aDraggedClipChangesItsLineAlone();
    void aDraggedEndChangesTheLength();
    void typingMovesTheClip();
    void aMistakeStandsAtItsLineAndKeepsTheClips();
    void aRunGivesAVerdict();
    void aRunIsCancelled();
    void theScrubberChangesTheStage();
    void theShownVariantIsChosen();
    void aPolicyBecomesTheDraft();
    void theKeyboardDoesAllOfIt();
    void thePaletteFollowsTheTarget();
    void runsAreKeptNamedAndCompared();
    void theMapIsComputedAndCancelled();
    void undoTakesADropBack();
    void theSimulatorItselfRuns();
    void aZoneOutageOfTheDemoMeshIsRehearsed();
    void aReportIsWrittenInEveryFormat();
    void aLiveRunSaysHowFarThePredictionWasOff();
    void theWindowSaysSimulation();
    void everyTabIsDrawn_data();
    void everyTabIsDrawn();
    void everyControlHasAName();
};

void RehearseTest::anEditOfTheTextTouchesOnlyItsPlace_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("expected");

    QTest::newRow("in a line, with a comment behind it")
        << QByteArray("# a\ntimeline:\n- {at: 3m, fault: kill, target: {service: x}} # b\n")
        << QByteArray("# a\ntimeline:\n- {at: 90s, fault: kill, target: {service: x}} # b\n");
    QTest::newRow("in a block"
    ) << QByteArray("timeline:\n  - fault: kill\n    at: 3m   # when\n    target: {service: x}\n")
      << QByteArray("timeline:\n  - fault: kill\n    at: 90s   # when\n    target: {service: x}\n");
    QTest::newRow("quoted") << QByteArray("timeline: [{\"at\": \"3m\", fault: kill}]\n")
                            << QByteArray("timeline: [{\"at\": 90s, fault: kill}]\n");
    QTest::newRow("JSON") << QByteArray("{\"timeline\": [{\"at\": \"3m\", \"fault\": \"kill\"}]}")
                          << QByteArray("{\"timeline\": [{\"at\": \"90s\", \"fault\": \"kill\"}]}");
}

void RehearseTest::anEditOfTheTextTouchesOnlyItsPlace()
{
    QFETCH(const QByteArray, text);
    QFETCH(const QByteArray, expected);

    const auto changed = bridge::setEntryMember(text.toStdString(), "timeline", 0, "at", "90s");

    QCOMPARE(QByteArray::fromStdString(edited(changed)), expected);
}

void RehearseTest::anEntryIsAddedWhereverTheListStands_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("expected");

    QTest::newRow("no list") << QByteArray("seed: 1\n")
                             << QByteArray("seed: 1\ntimeline:\n- {at: 1s, fault: kill}\n");
    QTest::newRow("an empty one") << QByteArray("timeline: []\nseed: 1\n")
                                  << QByteArray("timeline:\n- {at: 1s, fault: kill}\nseed: 1\n");
    QTest::newRow("behind the last, as deep as it")
        << QByteArray("timeline:\n  - {at: 5s, fault: freeze} # x\nseed: 1\n")
        << QByteArray(
               "timeline:\n  - {at: 5s, fault: freeze} # x\n  - {at: 1s, fault: kill}\nseed: 1\n"
           );
    QTest::newRow("behind a block") << QByteArray("timeline:\n- at: 5s\n  fault: freeze\nseed: 1\n")
                                    << QByteArray("timeline:\n- at: 5s\n  fault: freeze\n"
                                                  "- {at: 1s, fault: kill}\nseed: 1\n");
    QTest::newRow("in a line") << QByteArray("timeline: [{at: 5s, fault: freeze}]\n")
                               << QByteArray("timeline: [{at: 5s, fault: freeze}, "
                                             "{at: 1s, fault: kill}]\n");
}

void RehearseTest::anEntryIsAddedWhereverTheListStands()
{
    QFETCH(const QByteArray, text);
    QFETCH(const QByteArray, expected);

    const auto changed =
        bridge::addEntry(text.toStdString(), "timeline", {{"at", "1s"}, {"fault", "kill"}});

    QCOMPARE(QByteArray::fromStdString(edited(changed)), expected);
    // And out again: only the spelling of an empty list may differ.
    const auto before = bridge::lineOfEntry(edited(changed), "timeline", 0);
    QVERIFY(before > 0);
}

void RehearseTest::everyOfferMakesAnEntryThatCanBeRead()
{
    const std::map<bridge::TargetKind, QString> targets = {
        {bridge::TargetKind::Service, QStringLiteral("service:cart")},
        {bridge::TargetKind::Gateway, QStringLiteral("gateway:edge-1")},
        {bridge::TargetKind::Edge, QStringLiteral("service:front -> service:cart")},
        {bridge::TargetKind::Zone, QStringLiteral("zone:b")}};
    for (const bridge::FaultOffer& offer : bridge::faultOffers()) {
        for (const auto& [kind, target] : targets) {
            const auto members = bridge::entryOf(offer, target, 40);
            QCOMPARE(members.empty(), !offer.supports(kind));
            if (members.empty()) {
                continue;
            }
            const auto text = bridge::addEntry(
                "scenario: x\nduration: 3m\nload:\n- {entry: front, rate: [[0s, 10]]}\n",
                "timeline",
                members
            );
            const auto read = simulator::parseScenario(edited(text));
            const std::string first =
                read.problems.empty() ? std::string() : read.problems.front().message;
            QVERIFY2(read.problems.empty(), qPrintable(offer.key + QString::fromStdString(first)));
            QCOMPARE(read.scenario.timeline.size(), std::size_t(1));
        }
    }
}

void RehearseTest::aDropOnAZoneMakesAClipAndALine()
{
    Mode mode;
    auto* zone = mode.page->findChild<QWidget*>(QStringLiteral("zone-a"));
    QVERIFY(zone != nullptr);

    dropOn(*zone, zone->rect().center(), "zone_outage");

    QCOMPARE(mode.page->timeline().content().clips.size(), std::size_t(2));
    QVERIFY(mode.session->text().contains(QStringLiteral("fault: zone_outage, target: {zone: a}")));
    QVERIFY(mode.session->text().startsWith(QStringLiteral("# A comment that stays.\n")));
    QCOMPARE(mode.page->verdict().text().toPlainText(), mode.session->text());
}

void RehearseTest::aDropOnANodeMakesAClipAndALine()
{
    Mode mode;
    QVERIFY(mode.runToTheEnd()); // Its graph has nodes.
    StageView& view = mode.page->stage().view();
    QVERIFY(QTest::qWaitFor([&view] { return view.positions().size() >= 3; }, 10'000));
    view.fit();
    const QPointF cart =
        view.toWidget(view.positions().value(QStringLiteral("service:cart")).point);
    QCOMPARE(view.idAt(cart), QStringLiteral("service:cart"));

    dropOn(view, cart.toPoint(), "latency");

    QVERIFY(mode.session->text().contains(
        QStringLiteral("fault: latency, target: {service: cart}, add: 200ms, jitter: 50ms")
    ));
    QCOMPARE(mode.page->timeline().selectedClip(), 1);
}

void RehearseTest::aDraggedClipChangesItsLineAlone()
{
    Mode mode;
    RunTimeline& timeline = mode.page->timeline();
    const QString before = mode.session->text();
    const QPoint from = timeline.clipRect(0).center().toPoint();
    const int way = static_cast<int>(timeline.xOf(17) - timeline.xOf(0));

    QTest::mousePress(&timeline, Qt::LeftButton, {}, from);
    QTest::mouseMove(&timeline, from + QPoint(way / 2, 0));
    QTest::mouseMove(&timeline, from + QPoint(way, 0));
    QTest::mouseRelease(&timeline, Qt::LeftButton, {}, from + QPoint(way, 0));

    const double at = mode.session->scenario().clips.front().at_s;
    QVERIFY2(std::abs(at - 57) <= 1, qPrintable(QString::number(at)));
    QString expected = before;
    expected.replace(QStringLiteral("at: 40s"), QStringLiteral("at: %1s").arg(at));
    QCOMPARE(mode.session->text(), expected);
}

void RehearseTest::aDraggedEndChangesTheLength()
{
    Mode mode;
    RunTimeline& timeline = mode.page->timeline();
    const QRectF clip = timeline.clipRect(0);
    const QPoint from(static_cast<int>(clip.right()) - 2, static_cast<int>(clip.center().y()));
    const int way = static_cast<int>(timeline.xOf(20) - timeline.xOf(0));

    QTest::mousePress(&timeline, Qt::LeftButton, {}, from);
    QTest::mouseMove(&timeline, from + QPoint(way, 0));
    QTest::mouseRelease(&timeline, Qt::LeftButton, {}, from + QPoint(way, 0));

    const bridge::ClipRow& moved = mode.session->scenario().clips.front();
    QCOMPARE(moved.at_s, 40.0);
    QVERIFY2(std::abs(*moved.length_s - 50) <= 1, qPrintable(QString::number(*moved.length_s)));
    QVERIFY(mode.session->text().contains(QStringLiteral("# the outage")));
}

void RehearseTest::typingMovesTheClip()
{
    Mode mode;
    const double before = mode.page->timeline().clipRect(0).left();
    QString text = mode.session->text();
    text.replace(QStringLiteral("at: 40s"), QStringLiteral("at: 1m"));

    mode.page->verdict().text().setPlainText(text); // As if typed.

    QTRY_COMPARE(mode.page->timeline().content().clips.front().at_s, 60.0);
    QVERIFY(mode.page->timeline().clipRect(0).left() > before);
}

void RehearseTest::aMistakeStandsAtItsLineAndKeepsTheClips()
{
    Mode mode;
    QString text = mode.session->text();
    text.replace(QStringLiteral("fault: zone_outage"), QStringLiteral("fault: zone_outrage"));

    mode.session->setText(text);

    QVERIFY(mode.session->hasErrors());
    QCOMPARE(mode.session->problems().front().line, 13);
    QVERIFY(mode.page->verdict().problemLabel().text().contains(QStringLiteral("13")));
    QCOMPARE(mode.page->timeline().content().clips.size(), std::size_t(1));
    QVERIFY(!mode.session->run());
    mode.session->undo();
    QVERIFY(!mode.session->hasErrors());
}

void RehearseTest::aRunGivesAVerdict()
{
    Mode mode;
    const QSignalSpy progress(mode.session.get(), &RehearsalSession::progressChanged);

    QVERIFY(mode.runToTheEnd());

    const bridge::RunRow& run = *mode.session->current();
    QCOMPARE(run.shown, QStringLiteral("candidate"));
    QCOMPARE(run.headline, QStringLiteral("Holds: 1 of 1 assertions"));
    QVERIFY(run.summary.contains(QStringLiteral("baseline holds 0 of 1")));
    QCOMPARE(run.verdicts.front().value, QStringLiteral("90.00\u202F%"));
    QCOMPARE(run.worth.front().policy, QStringLiteral("retry"));
    QCOMPARE(run.variants.size(), std::size_t(2));
    QCOMPARE(run.variants.front().entry.size(), std::size_t(120));
    QVERIFY(mode.page->verdict().verdict().accessibleDescription().contains(run.headline));
    QVERIFY(progress.count() >= 2);
    QCOMPARE(mode.page->timeline().content().shown.size(), std::size_t(120));
    QCOMPARE(mode.page->timeline().content().reference.size(), std::size_t(120));
    // Its scenario changes: the run says that it is of another one.
    mode.session->moveClip(0, 50, std::nullopt);
    QVERIFY(mode.session->current()->isOutdated);
}

void RehearseTest::aRunIsCancelled()
{
    bridge::RehearsalOptions options = Mode::handMadeOptions();
    options.run = [](const simulator::RehearsalRequest& request) -> Result<simulator::Rehearsal> {
        while (!request.cancelled->load()) {
            std::this_thread::yield();
        }
        return fail(ErrorCode::Cancelled, "cancelled");
    };
    Mode mode(std::move(options));
    const QSignalSpy failures(mode.page.get(), &RehearsePage::failed);
    mode.page->toggleRun();
    QVERIFY(mode.session->isRunning());
    QVERIFY(!mode.session->run()); // One at a time.

    QTest::mouseClick(&mode.page->bar().runButton(), Qt::LeftButton);

    QVERIFY(QTest::qWaitFor([&mode] { return !mode.session->isRunning(); }, 10'000));
    QVERIFY(mode.session->current() == nullptr);
    QCOMPARE(failures.count(), 0);
}

void RehearseTest::theScrubberChangesTheStage()
{
    Mode mode;
    QVERIFY(mode.runToTheEnd());
    RunTimeline& timeline = mode.page->timeline();
    const RehearseStage& stage = mode.page->stage();
    const auto clickAt = [&timeline](double second) {
        QTest::mouseClick(
            &timeline, Qt::LeftButton, {}, QPoint(static_cast<int>(timeline.xOf(second)), 8)
        );
    };

    clickAt(20);
    QCOMPARE(entityOf(stage.state().topology, "service:cart")->state, bridge::HealthState::Healthy);
    QVERIFY(stage.state().faults.empty());
    clickAt(50);

    const bridge::EntityRow* cart = entityOf(stage.state().topology, "service:cart");
    QCOMPARE(cart->state, bridge::HealthState::Failure);
    QCOMPARE(cart->instances.size(), std::size_t(2));
    QCOMPARE(cart->instances[0].state, bridge::InstanceState::Ejected); // By its caller.
    QCOMPARE(cart->instances[1].state, bridge::InstanceState::Down); // With its zone.
    QCOMPARE(stage.state().faults.size(), std::size_t(1));
    QCOMPARE(stage.state().faults.front().zone, QStringLiteral("b"));
    QVERIFY(std::abs(stage.state().faults.front().left_s - 20) <= 1);
    clickAt(100);
    QCOMPARE(entityOf(stage.state().topology, "service:cart")->state, bridge::HealthState::Healthy);
}

void RehearseTest::theShownVariantIsChosen()
{
    Mode mode;
    QVERIFY(mode.runToTheEnd());
    mode.session->showVariant(QStringLiteral("baseline"));

    QCOMPARE(mode.session->current()->shown, QStringLiteral("baseline"));
    QCOMPARE(mode.session->current()->verdict, bridge::VerdictKind::Fails);
    QCOMPARE(mode.session->current()->reference, QStringLiteral("candidate"));
    // It changes nothing that could be used.
    QCOMPARE(mode.page->verdict().primaryButton().text(), QStringLiteral("Review this draft…"));
}

void RehearseTest::aPolicyBecomesTheDraft()
{
    Mode mode;
    QVERIFY(mode.runToTheEnd());
    const QSignalSpy chosen(mode.page.get(), &RehearsePage::policyChosen);
    QPushButton& use = mode.page->verdict().primaryButton();
    QCOMPARE(use.text(), QStringLiteral("Use this policy…"));

    QTest::mouseClick(&use, Qt::LeftButton);

    QCOMPARE(chosen.count(), 1);
    const QString text = chosen.front().front().toString();
    QVERIFY(text.contains(QStringLiteral("retries: 4")));
    mode.mesh.setDraftText(text);
    QVERIFY(mode.mesh.isDraftChanged());
    QVERIFY(!mode.mesh.hasDraftErrors());
    QTRY_VERIFY(mode.session->source().endsWith(QStringLiteral("+ draft")));
}

void RehearseTest::theKeyboardDoesAllOfIt()
{
    Mode mode;
    mode.page->stage().setTarget(QStringLiteral("zone:a"));
    FaultList& list = mode.page->palette().list();
    list.chooseOffer(QStringLiteral("kill"));
    list.setFocus();
    QTest::keyClick(&list, Qt::Key_Return);
    QCOMPARE(mode.session->scenario().clips.size(), std::size_t(2));
    QVERIFY(mode.session->text().contains(QStringLiteral("fault: kill, target: {zone: a}")));

    RunTimeline& timeline = mode.page->timeline();
    timeline.setFocus();
    QCOMPARE(timeline.selectedClip(), 1);
    const double before = mode.session->scenario().clips[1].at_s;
    QTest::keyClick(&timeline, Qt::Key_Right);
    QTest::keyClick(&timeline, Qt::Key_Right, Qt::ShiftModifier);
    QCOMPARE(mode.session->scenario().clips[1].at_s, before + 11);
    QTest::keyClick(&timeline, Qt::Key_Left, Qt::ControlModifier);
    QCOMPARE(*mode.session->scenario().clips[1].length_s, 59.0);
    QTest::keyClick(&timeline, Qt::Key_Return); // Its line.
    QCOMPARE(mode.page->verdict().tab(), VerdictTab::Text);
    QTest::keyClick(&timeline, Qt::Key_Delete);
    QCOMPARE(mode.session->scenario().clips.size(), std::size_t(1));
    QTest::keyClick(&timeline, Qt::Key_Escape);
    QTest::keyClick(&timeline, Qt::Key_End);
    QCOMPARE(timeline.playhead(), 120.0);
}

void RehearseTest::thePaletteFollowsTheTarget()
{
    Mode mode;
    FaultPalette& palette = mode.page->palette();
    QVERIFY(palette.list().isOffered(QStringLiteral("zone_outage")));
    palette.setTarget(QStringLiteral("service:cart"));
    QVERIFY(!palette.list().isOffered(QStringLiteral("zone_outage")));
    QVERIFY(palette.list().isOffered(QStringLiteral("retry_storm")));
    palette.setTarget(QStringLiteral("service:front -> service:cart"));
    QVERIFY(palette.list().isOffered(QStringLiteral("partition")));
    QVERIFY(!palette.list().isOffered(QStringLiteral("kill")));
    palette.setTarget({});
    palette.list().setFilter(QStringLiteral("laten"));
    QVERIFY(palette.list().isOffered(QStringLiteral("latency")));
    QVERIFY(!palette.list().isOffered(QStringLiteral("kill")));
}

void RehearseTest::runsAreKeptNamedAndCompared()
{
    Mode mode;
    QVERIFY(mode.runToTheEnd());
    const int first = mode.session->current()->id;
    mode.session->renameRun(first, QStringLiteral("before the budget"));
    mode.page->toggleRun();
    QVERIFY(QTest::qWaitFor([&mode] { return mode.session->runs().size() == 2; }, 10'000));

    QVERIFY(mode.session->runs().front().isKept);
    QCOMPARE(mode.session->runs().front().name, QStringLiteral("before the budget"));
    const auto compared = mode.session->compare(
        first, QStringLiteral("candidate"), first, QStringLiteral("baseline")
    );
    QVERIFY(compared.has_value());
    QVERIFY(compared->isSameLuck);
    QCOMPARE(compared->windows.front().during, QStringLiteral("+10.00"));
    // More runs than are held: the kept one stays.
    for (std::size_t i = 3; i < 10; ++i) {
        const int before = mode.session->current()->id;
        mode.page->toggleRun();
        QVERIFY(QTest::qWaitFor([&] { return mode.session->current()->id != before; }, 10'000));
    }
    QCOMPARE(mode.session->runs().front().id, first);
    mode.session->closeRun(first);
    QVERIFY(mode.session->runs().front().id != first);
}

void RehearseTest::theMapIsComputedAndCancelled()
{
    Mode mode;
    mode.page->verdict().setTab(VerdictTab::Stability);
    QVERIFY(mode.session->runStability().has_value());
    const auto isOver = [&mode] { return !mode.session->stability().isRunning; };
    QVERIFY(QTest::qWaitFor(isOver, 10'000));
    const bridge::StabilityRows& rows = mode.session->stability();
    QCOMPARE(rows.done, static_cast<int>(rows.cells.size()));
    QCOMPARE(*rows.cells.front().recovered_s, 12.0);
    // A cell opens as a run of its own.
    StabilityMap& map = mode.page->verdict().map();
    map.setFocus();
    QTest::keyClick(&map, Qt::Key_Right);
    QTest::keyClick(&map, Qt::Key_Return);
    QVERIFY(QTest::qWaitFor([&mode] { return mode.session->current() != nullptr; }, 10'000));
    QCOMPARE(mode.session->current()->scenario.replications, 1);
    QCOMPARE(*mode.session->current()->scenario.clips.front().length_s, 5.0);

    bridge::RehearsalOptions slow = Mode::handMadeOptions();
    slow.run = [](const simulator::RehearsalRequest& request) -> Result<simulator::Rehearsal> {
        while (!request.cancelled->load()) {
            std::this_thread::yield();
        }
        return fail(ErrorCode::Cancelled, "cancelled");
    };
    Mode other(std::move(slow));
    QVERIFY(other.session->runStability().has_value());
    other.session->cancel();
    QVERIFY(QTest::qWaitFor([&other] { return !other.session->stability().isRunning; }, 10'000));
    QCOMPARE(other.session->stability().done, 0);
    QVERIFY(other.session->stability().error.isEmpty());
}

void RehearseTest::undoTakesADropBack()
{
    Mode mode;
    const QString before = mode.session->text();
    QVERIFY(
        mode.session->addFault(QStringLiteral("freeze"), QStringLiteral("service:cart"), 30) >= 0
    );
    mode.session->undo();
    QCOMPARE(mode.session->text(), before);
    mode.session->redo();
    QVERIFY(mode.session->text().contains(QStringLiteral("freeze")));
    QVERIFY(mode.session->removeClip(1));
    QCOMPARE(mode.session->text(), before);
}

void RehearseTest::theSimulatorItselfRuns()
{
    Mode mode(bridge::RehearsalOptions{});
    mode.session->useTemplate(QStringLiteral("zone_outage"), QStringLiteral("zone:b"));
    QVERIFY2(
        !mode.session->hasErrors(),
        mode.session->problems().empty() ? "" : qPrintable(mode.session->problems().front().message)
    );

    QVERIFY(mode.runToTheEnd());

    const bridge::RunRow& run = *mode.session->current();
    QCOMPARE(run.entry, QStringLiteral("front"));
    QCOMPARE(run.verdicts.size(), std::size_t(3));
    QVERIFY(run.resolved.front().contains(QStringLiteral("cart-2")));
    const bridge::StageState stage = mode.session->stageAt(55);
    QVERIFY(entityOf(stage.topology, "service:cart")->figures.rps > 50);
    QCOMPARE(
        entityOf(stage.topology, "service:cart")->instances[1].state, bridge::InstanceState::Down
    );
}

// The code path of the graph's "Rehearse the loss of this zone". How long it took is printed; it is
// to be five seconds at most to the first result.
void RehearseTest::aZoneOutageOfTheDemoMeshIsRehearsed()
{
    bridge::MeshSession mesh{bridge::SessionOptions{}};
    const auto imported = mesh.importFile(QStringLiteral(MESH_DEMO_FILE));
    QVERIFY2(imported, imported ? "" : imported.error().message.c_str());
    RehearsalSession session(mesh, bridge::RehearsalOptions{});
    QElapsedTimer clock;
    qint64 first_ms = -1;
    connect(&session, &RehearsalSession::progressChanged, &session, [&] {
        if (first_ms < 0 && !session.progress().preview.empty()) {
            first_ms = clock.elapsed();
        }
    });
    clock.start();
    session.useTemplate(QStringLiteral("zone_outage"), bridge::zoneTarget(QStringLiteral("b")));
    const auto begun = session.run();
    QVERIFY2(begun, begun ? "" : begun.error().message.c_str());
    QVERIFY(QTest::qWaitFor([&] { return session.current() != nullptr; }, 120'000));
    const qint64 whole_ms = clock.elapsed();

    qInfo(
        "zone loss of the demo mesh: first figures after %lld ms, verdict of %d runs after %lld ms",
        static_cast<long long>(first_ms),
        session.current()->scenario.replications,
        static_cast<long long>(whole_ms)
    );
    QVERIFY(first_ms >= 0);
    QVERIFY(!session.current()->verdicts.empty());
    QVERIFY(!session.current()->resolved.front().isEmpty());
}

void RehearseTest::aReportIsWrittenInEveryFormat()
{
    Mode mode;
    QVERIFY(mode.session->report(QStringLiteral("json")).isEmpty());
    QVERIFY(mode.runToTheEnd());
    QVERIFY(mode.session->report(QStringLiteral("json")).startsWith(u'{'));
    QVERIFY(mode.session->report(QStringLiteral("xml")).contains(QStringLiteral("<testcase")));
    QVERIFY(mode.session->report(QStringLiteral("html")).contains(QStringLiteral("zone-b")));
}

void RehearseTest::aLiveRunSaysHowFarThePredictionWasOff()
{
    bridge::RehearsalOptions options = Mode::handMadeOptions();
    options.runLive = [](const simulator::LiveRehearsalRequest& request) {
        simulator::LiveProgress told;
        told.length = std::chrono::seconds(120);
        request.onProgress(told);
        simulator::LiveRehearsal live;
        live.figures.name = "live";
        simulator::RehearsalFigures figures;
        figures.calls = 1000;
        figures.success = 0.94;
        figures.p50_ms = 5;
        figures.p99_ms = 20;
        live.figures.services[simulator::Window::Always]["front"] = figures;
        live.entries = {"front"};
        return Result<simulator::LiveRehearsal>(live);
    };
    Mode mode(std::move(options));
    QVERIFY(!mode.session->runLive()); // Nothing has been predicted yet.
    QVERIFY(mode.runToTheEnd());
    const QString before = mode.session->current()->trust.text;

    QVERIFY(mode.session->runLive().has_value());
    QVERIFY(mode.session->progress().isLive);

    QVERIFY(QTest::qWaitFor([&mode] { return !mode.session->isRunning(); }, 10'000));
    const QString after = mode.session->current()->trust.text;
    QVERIFY(after != before);
    QVERIFY2(after.startsWith(QStringLiteral("Against live: success 1.00 pp")), qPrintable(after));
}

// Ctrl+3 and Ctrl+R, the frame, the words in the strip, and what the topology asks for.
void RehearseTest::theWindowSaysSimulation()
{
    bridge::MeshSession session{bridge::SessionOptions{}};
    QVERIFY(session.importText(QString::fromLatin1(test::kRehearsedMesh)).has_value());
    shell::WindowOptions options;
    options.isPersistent = false;
    shell::MainWindow window(session, options);
    window.resize(1440, 900);
    window.show();
    QVERIFY(QTest::qWaitForWindowActive(&window));
    auto* frame = window.findChild<QWidget*>(QStringLiteral("simulationFrame"));
    auto* words = window.findChild<QWidget*>(QStringLiteral("simulationStatus"));
    QVERIFY(words != nullptr);
    QVERIFY(!frame->isVisible());

    QTest::keyClick(&window, Qt::Key_3, Qt::ControlModifier);
    QCOMPARE(window.mode(), shell::Mode::Rehearse);
    QVERIFY(frame->isVisible());
    QVERIFY(words->isVisible());
    QTest::keyClick(&window, Qt::Key_1, Qt::ControlModifier);
    QVERIFY(!frame->isVisible());
    QVERIFY(!words->isVisible()); // What is live must not say simulation.
    QTest::keyClick(&window, Qt::Key_3, Qt::ControlModifier);
    QCOMPARE(frame->size(), window.size());
    QVERIFY(window.rehearsal().text().contains(QStringLiteral("zone_outage"))); // A start.
    QTest::keyClick(&window, Qt::Key_R, Qt::ControlModifier);
    QVERIFY(QTest::qWaitFor([&] { return window.rehearsal().current() != nullptr; }, 20'000));

    QTest::keyClick(&window, Qt::Key_1, Qt::ControlModifier);
    QVERIFY(!frame->isVisible());
    Q_EMIT window.topologyPage().rehearseRequested(
        QStringLiteral("kill"), QStringLiteral("service:cart")
    );
    QCOMPARE(window.mode(), shell::Mode::Rehearse);
    QVERIFY(window.rehearsal().isRunning());
    QVERIFY(window.rehearsal().text().contains(QStringLiteral("fault: kill")));
    // The mode's undo is of its text.
    QTest::keyClick(&window, Qt::Key_Z, Qt::ControlModifier);
    QVERIFY(!window.rehearsal().text().contains(QStringLiteral("fault: kill")));
    QVERIFY(QTest::qWaitFor([&] { return !window.rehearsal().isRunning(); }, 20'000));
}

void RehearseTest::everyTabIsDrawn_data()
{
    QTest::addColumn<int>("tab");
    QTest::newRow("verdict") << static_cast<int>(VerdictTab::Verdict);
    QTest::newRow("compare") << static_cast<int>(VerdictTab::Compare);
    QTest::newRow("stability") << static_cast<int>(VerdictTab::Stability);
    QTest::newRow("text") << static_cast<int>(VerdictTab::Text);
}

// Pictures for people are in the build's folder; here only that there is something in them.
void RehearseTest::everyTabIsDrawn()
{
    QFETCH(const int, tab);
    Mode mode;
    mode.session->addFault(
        QStringLiteral("latency"), QStringLiteral("service:front -> service:cart"), 65
    );
    QVERIFY(mode.runToTheEnd());
    mode.page->toggleRun();
    QVERIFY(QTest::qWaitFor([&mode] { return mode.session->runs().size() == 2; }, 10'000));
    QVERIFY(mode.session->runStability().has_value());
    QVERIFY(QTest::qWaitFor([&mode] { return !mode.session->stability().isRunning; }, 10'000));
    mode.page->verdict().setTab(static_cast<VerdictTab>(tab));

    const QImage picture = mode.page->grab().toImage();

    QDir().mkpath(QStringLiteral(MESH_PICTURE_DIR));
    const QString name = QStringLiteral(MESH_PICTURE_DIR "/rehearse-%1.png")
                             .arg(QString::fromLatin1(QTest::currentDataTag()));
    QVERIFY(picture.save(name));
    std::set<QRgb> colors;
    const QRect pane(picture.width() - 400, 40, 380, picture.height() - 120);
    for (int y = pane.top(); y < pane.bottom(); ++y) {
        for (int x = pane.left(); x < pane.right(); ++x) {
            colors.insert(picture.pixel(x, y));
        }
    }
    QVERIFY2(colors.size() > 40, qPrintable(QString::number(colors.size())));
}

void RehearseTest::everyControlHasAName()
{
    Mode mode;
    QVERIFY(mode.runToTheEnd());
    QStringList nameless;
    for (const QWidget* widget : mode.page->findChildren<QWidget*>()) {
        const bool isReached = (widget->focusPolicy() & Qt::TabFocus) != 0
                               && widget->isVisibleTo(mode.page.get())
                               && !widget->objectName().startsWith(QStringLiteral("qt_"));
        const auto* button = qobject_cast<const QAbstractButton*>(widget);
        const bool hasWords = button != nullptr && !button->text().isEmpty();
        if (isReached && !hasWords && widget->accessibleName().isEmpty()
            && widget->focusProxy() == nullptr) {
            nameless << QString::fromLatin1(widget->metaObject()->className()) + u'/'
                            + widget->objectName();
        }
    }
    QCOMPARE(nameless, QStringList());
}

} // namespace mesh::pages

QTEST_MAIN(mesh::pages::RehearseTest)
#include "rehearse_test.moc"
