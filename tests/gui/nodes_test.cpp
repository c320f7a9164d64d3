// Goal: the mode Nodes never shows a silent node as healthy, tells drift within one reading, keeps
// the order under the pointer, reaches ten thousand nodes, and asks before it changes one.
// Method: a session whose clock and nodes the test speaks for; the page and the inspector over it.
#include "app/bridge/nodes_session.h"
#include "app/bridge/session_records.h"
#include "app/pages/nodes_inspector.h"
#include "app/pages/nodes_model.h"
#include "app/pages/nodes_page.h"
#include "app/pages/nodes_table.h"
#include "app/pages/rows_table.h"
#include "app/theme/theme.h"
#include "tests/gui/fleet_session.h"

#include <QAbstractItemModelTester>
#include <QLineEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTabBar>
#include <QTest>

#include <limits>
#include <memory>
#include <variant>

namespace mesh::pages {

namespace {

using bridge::NodeState;
using bridge::NodeVerdict;
using test::FleetSession;
using test::kFleet;

constexpr std::int64_t kNow_us = 1'767'225'600LL * 1'000'000;

bridge::NodeRow nodeOf(const QString& name, const QString& zone)
{
    bridge::NodeRow node;
    node.name = name;
    node.zone = zone;
    node.state = NodeState::Running;
    node.age_ms = 100;
    node.lastFrame_us = kNow_us;
    node.rps = 10;
    return node;
}

// "action subject detail" of what was asked of nodes; the digest of an adoption is left out.
QStringList auditOf(bridge::MeshSession& session)
{
    QStringList lines;
    bool isAnswered = false;
    session.records().askAudit(
        0,
        std::numeric_limits<std::int64_t>::max(),
        [&](const std::vector<bridge::AuditRow>& rows) {
            for (const bridge::AuditRow& row : rows) {
                const QString detail =
                    row.action == QStringLiteral("node.adopt") ? QString() : row.detail;
                if (row.action.startsWith(QStringLiteral("node."))) {
                    lines << (row.action + u' ' + row.subject + u' ' + detail).trimmed();
                }
            }
            isAnswered = true;
        }
    );
    return QTest::qWaitFor([&isAnswered] { return isAnswered; }) ? lines : QStringList();
}

} // namespace

class NodesTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { theme::apply(*qApp, theme::Choice::Light); }

    void nodesWithAnAdminAddressAreFollowedWhenTheDocumentOpens()
    {
        const FleetSession fleet(kFleet);

        QCOMPARE(fleet.engines.size(), std::size_t{3});
        QCOMPARE(fleet.session->nodes().size(), std::size_t{3});
    }

    void aSilentNodeIsStaleAfterThreeIntervalsAndNeverHealthy()
    {
        FleetSession fleet(kFleet);
        fleet.measure("vm-2", fleet.hash());
        QTRY_COMPARE(fleet.node("vm-2").state, NodeState::Running);

        fleet.clock.advance(std::chrono::milliseconds(3100));

        QTRY_COMPARE(fleet.node("vm-2").state, NodeState::Stale);
        const auto now_us = fleet.clock.wallNow().time_since_epoch().count();
        QCOMPARE(bridge::verdictOf(fleet.node("vm-2"), now_us), NodeVerdict::Silent);
        QVERIFY(bridge::needsAttention(NodeVerdict::Silent));
        QVERIFY(stateOf(NodeVerdict::Silent) != theme::State::Healthy);
    }

    void driftIsToldWithinOneReading()
    {
        FleetSession fleet(kFleet);
        fleet.measure("vm-2", fleet.hash());
        QTRY_VERIFY(fleet.node("vm-2").isConverged);
        QVERIFY(!fleet.node("vm-2").isDrifted);

        fleet.measure("vm-2", std::string(64, 'd'));

        QTRY_VERIFY(fleet.node("vm-2").isDrifted);
        QCOMPARE(fleet.node("vm-2").revision, 0);
    }

    void figuresOfAFrameStandInTheRow()
    {
        FleetSession fleet(kFleet);

        fleet.measure("edge-1", fleet.hash(), 19);

        QTRY_COMPARE(fleet.node("edge-1").rps, 20.0);
        QCOMPARE(fleet.node("edge-1").errorRatio.value_or(-1), 0.05);
        QCOMPARE(fleet.node("edge-1").memoryBytes, std::uint64_t{58'000'000});
        QCOMPARE(fleet.node("edge-1").connections, std::uint64_t{7});
    }

    void restoreSendsTheNewestRevisionOnlyWhenItIsConfirmed()
    {
        FleetSession fleet(kFleet);
        bridge::NodesSession nodes(*fleet.session);
        NodesInspector inspector(*fleet.session, nodes, nullptr);
        inspector.setNode(QStringLiteral("vm-2"));
        inspector.show();
        fleet.measure("vm-2", std::string(64, 'd'));
        auto* restore = inspector.findChild<QPushButton*>(QStringLiteral("restoreNode"));
        QTRY_VERIFY(restore->isVisible());
        bool isAgreed = false;
        inspector.setConfirmation([&](const QString&, const QString&, const QString&) {
            return isAgreed;
        });

        restore->click();
        QVERIFY(!fleet.engines.at("vm-2")->takeCommand());
        isAgreed = true;
        restore->click();

        const auto command = fleet.engines.at("vm-2")->takeCommand();
        QVERIFY(command);
        QVERIFY(std::holds_alternative<api::ApplyDocument>(command->second));
    }

    void adoptMakesWhatANodeRunsTheDraft()
    {
        FleetSession fleet(kFleet);
        fleet.running["vm-2"] = "_format_version: \"3.0\"\nservices:\n- {name: other, host: a.b}\n";
        QSignalSpy finished(fleet.session.get(), &bridge::MeshSession::nodeCommandFinished);

        fleet.session->adoptNode(QStringLiteral("vm-2"));

        QTRY_COMPARE(finished.count(), 1);
        QVERIFY2(finished[0][1].toBool(), qPrintable(finished[0][2].toString()));
        QVERIFY(fleet.session->draftText().contains(QStringLiteral("other")));
        QVERIFY(fleet.session->isDraftChanged());
    }

    void anOverrideGoesToTheNodeWhoseTargetItIs()
    {
        FleetSession fleet(kFleet);
        bridge::NodesSession nodes(*fleet.session);
        NodesInspector inspector(*fleet.session, nodes, nullptr);
        inspector.setConfirmation([](const QString&, const QString&, const QString&) {
            return true;
        });
        inspector.setNode(QStringLiteral("vm-2"));
        inspector.show();
        fleet.measure("vm-2", fleet.hash());
        QTRY_COMPARE(fleet.session->targets(QStringLiteral("vm-2")).size(), std::size_t{1});
        inspector.findChild<QTabBar*>(QStringLiteral("nodeTabs"))->setCurrentIndex(2);
        auto* targets = inspector.findChild<RowsTable*>(QStringLiteral("nodeTargets"));
        QCOMPARE(targets->rowCount(), 1);
        QCOMPARE(targets->item(0, 2)->text(), QStringLiteral("3 connection failures in a row"));

        targets->selectRow(0);
        inspector.findChild<QPushButton*>(QStringLiteral("override0"))->click();

        const auto command = fleet.engines.at("vm-2")->takeCommand();
        QVERIFY(command);
        const auto* asked = std::get_if<api::SetTargetHealth>(&command->second);
        QVERIFY(asked != nullptr);
        QCOMPARE(asked->target, std::string("10.0.0.1:7001"));
        QCOMPARE(asked->health, api::HealthOverride::Unhealthy);
    }

    void whatIsAskedOfANodeStandsInTheAudit()
    {
        FleetSession fleet(kFleet);
        bridge::MeshSession& session = *fleet.session;
        const QString node = QStringLiteral("vm-2");
        fleet.running["vm-2"] = test::kFleetText;
        QSignalSpy finished(&session, &bridge::MeshSession::nodeCommandFinished);

        session.setNodeLogLevel(node, QStringLiteral("debug"));
        session.setNodeMaintenance(node, bridge::NodeMaintenance::On);
        session.setTargetHealth(
            node,
            QStringLiteral("cart"),
            QStringLiteral("10.0.0.1:7001"),
            bridge::TargetOverride::Unhealthy
        );
        session.restoreNode(node);
        session.drainNode(node);
        session.adoptNode(node);
        QTRY_COMPARE(finished.count(), 1); // Only what needs no answer of the node.

        QCOMPARE(
            auditOf(session),
            QStringList(
                {QStringLiteral("node.log_level vm-2 debug"),
                 QStringLiteral("node.maintenance vm-2 on"),
                 QStringLiteral("node.target_health vm-2 cart 10.0.0.1:7001: unhealthy"),
                 QStringLiteral("node.restore vm-2 revision 1"),
                 QStringLiteral("node.drain vm-2"),
                 QStringLiteral("node.adopt vm-2")}
            )
        );
    }

    void whatANodeRefusedStandsInTheAudit()
    {
        FleetSession fleet(kFleet);
        QSignalSpy finished(fleet.session.get(), &bridge::MeshSession::nodeCommandFinished);
        fleet.session->setNodeLogLevel(QStringLiteral("vm-2"), QStringLiteral("debug"));
        const auto command = fleet.engines.at("vm-2")->takeCommand();
        QVERIFY(command);

        fleet.engines.at("vm-2")->tell(api::CommandDone{
            command->first, fail(ErrorCode::Refused, "it is not asked"), {}});

        QTRY_COMPARE(finished.count(), 1);
        QCOMPARE(
            auditOf(*fleet.session).last(),
            QStringLiteral("node.log_level.refused vm-2 it is not asked")
        );
    }

    void zonesAreSortedAsPeopleCount()
    {
        FleetSession fleet(kFleet);
        bridge::NodesSession nodes(*fleet.session);
        NodesModel model(nodes, nullptr);
        const QAbstractItemModelTester tester(
            &model, QAbstractItemModelTester::FailureReportingMode::Fatal
        );

        model.setNodes(
            {nodeOf(QStringLiteral("vm-10"), QStringLiteral("a")),
             nodeOf(QStringLiteral("vm-2"), QStringLiteral("a")),
             nodeOf(QStringLiteral("edge-2"), QStringLiteral("b"))},
            NodesModel::Order::Free
        );

        QCOMPARE(
            model.names(),
            QStringList({QStringLiteral("vm-2"), QStringLiteral("vm-10"), QStringLiteral("edge-2")})
        );
    }

    void aHeldOrderStaysAndNewNodesComeLast()
    {
        FleetSession fleet(kFleet);
        bridge::NodesSession nodes(*fleet.session);
        NodesModel model(nodes, nullptr);
        bridge::NodeRow slow = nodeOf(QStringLiteral("slow"), QStringLiteral("a"));
        bridge::NodeRow fast = nodeOf(QStringLiteral("fast"), QStringLiteral("a"));
        fast.rps = 100;
        model.setNodes({slow, fast}, NodesModel::Order::Free);
        model.setSortColumn(NodesModel::Rate, Qt::DescendingOrder);
        QCOMPARE(model.names().front(), QStringLiteral("fast"));

        slow.rps = 1000;
        bridge::NodeRow late = nodeOf(QStringLiteral("late"), QStringLiteral("a"));
        late.rps = 5000;
        model.setNodes({slow, fast, late}, NodesModel::Order::Held);

        QCOMPARE(
            model.names(),
            QStringList({QStringLiteral("fast"), QStringLiteral("slow"), QStringLiteral("late")})
        );
        model.setNodes({slow, fast, late}, NodesModel::Order::Free);
        QCOMPARE(model.names().front(), QStringLiteral("late"));
    }

    void tenThousandNodesAreReachable()
    {
        FleetSession fleet(kFleet);
        bridge::NodesSession nodes(*fleet.session);
        NodesModel model(nodes, nullptr);
        std::vector<bridge::NodeRow> rows;
        for (int i = 0; i < 10'001; ++i) {
            rows.push_back(nodeOf(
                QStringLiteral("vm-%1").arg(i),
                i % 2 == 0 ? QStringLiteral("a") : QStringLiteral("b")
            ));
        }

        model.setNodes(rows, NodesModel::Order::Free);

        QCOMPARE(model.nodeCount(), 10'001);
        for (const QString& name :
             {QStringLiteral("vm-0"), QStringLiteral("vm-9999"), QStringLiteral("vm-10000")}) {
            const QModelIndex index = model.indexOf(name);
            QVERIFY(index.isValid());
            QCOMPARE(index.data().toString(), name);
        }
    }

    void theFilterAndThePartsNarrowTheTable()
    {
        FleetSession fleet(kFleet);
        bridge::NodesSession nodes(*fleet.session);
        NodesPage page(*fleet.session, nodes, nullptr);
        page.resize(1000, 700);
        page.show();
        fleet.measure("edge-1", fleet.hash());
        QTRY_COMPARE(page.model().nodeCount(), 3);

        auto* find = page.findChild<QLineEdit*>(QStringLiteral("nodesFind"));
        find->setText(QStringLiteral("zone = b"));
        QCOMPARE(page.model().names(), QStringList({QStringLiteral("vm-10")}));
        find->setText(QStringLiteral("zo"));
        QTest::keyClick(find, Qt::Key_Tab);
        QCOMPARE(find->text(), QStringLiteral("zone "));
        find->clear();
        page.findChild<QAbstractButton*>(QStringLiteral("nodesPart2"))->click();

        QCOMPARE(page.model().names(), QStringList({QStringLiteral("edge-1")}));
    }

    void everyControlHasAName()
    {
        FleetSession fleet(kFleet);
        bridge::NodesSession nodes(*fleet.session);
        NodesPage page(*fleet.session, nodes, nullptr);
        NodesInspector inspector(*fleet.session, nodes, nullptr);
        inspector.setNode(QStringLiteral("vm-2"));
        for (QWidget* root : std::initializer_list<QWidget*>{&page, &inspector}) {
            for (const auto* button : root->findChildren<QAbstractButton*>()) {
                const bool isReached = (button->focusPolicy() & Qt::TabFocus) != 0;
                const bool isNamed =
                    !button->accessibleName().isEmpty() || !button->text().isEmpty();
                QVERIFY2(!isReached || isNamed, qPrintable(button->objectName()));
            }
        }
    }

    void silenceIsAGapInTheHistory()
    {
        FleetSession fleet(kFleet);
        fleet.measure("vm-2", fleet.hash());
        QTRY_VERIFY(fleet.node("vm-2").lastFrame_us != 0);
        bridge::NodesSession nodes(*fleet.session); // Reads nothing by itself until events run.
        nodes.read(kNow_us);

        nodes.read(kNow_us + 60'000'000);

        const auto history = nodes.history(QStringLiteral("vm-2"));
        const auto last = static_cast<std::size_t>(bridge::NodesSession::kSteps - 1);
        QVERIFY(!history.samples[last].rps);
        QVERIFY(history.samples[last - 6].rps);
        QVERIFY(history.known <= bridge::NodesSession::kSteps - 7);
    }
};

} // namespace mesh::pages

QTEST_MAIN(mesh::pages::NodesTest)
#include "nodes_test.moc"
