// Goal: a refresh changes only the rows that differ; numbers sort as numbers; nothing is a dash.
// Method: every model runs under QAbstractItemModelTester in Fatal mode.
#include "app/models/object_tree_model.h"
#include "app/models/tables.h"
#include "proxyengine/config/codec.h"

#include <QAbstractItemModelTester>
#include <QPersistentModelIndex>
#include <QSignalSpy>
#include <QSortFilterProxyModel>
#include <QtTest>

using namespace mesh;
using namespace mesh::models;

namespace {

bridge::EntityRow entity(const QString& name, double rps)
{
    bridge::EntityRow row;
    row.id = u"service:"_qs + name;
    row.name = name;
    row.figures.rps = rps;
    row.figures.requests = rps > 0 ? 100 : 0;
    return row;
}

// The tree as text, two spaces a level, "*" for changed and "!n" for findings.
QString toText(const ObjectTreeModel& model, const QModelIndex& parent = {}, int depth = 0)
{
    QString text;
    for (int row = 0; row < model.rowCount(parent); ++row) {
        const QModelIndex index = model.index(row, 0, parent);
        text += QString(depth * 2, u' ') + index.data().toString();
        text += index.data(ObjectTreeModel::ChangedRole).toBool() ? u"*"_qs : QString();
        const int findings = index.data(ObjectTreeModel::FindingsRole).toInt();
        text += findings > 0 ? u"!%1"_qs.arg(findings) : QString();
        text += u'\n';
        text += toText(model, index, depth + 1);
    }
    return text;
}

model::Document documentOf(const char* yaml) { return config::decode(yaml).document; }

constexpr const char* kShop = R"(_format_version: "3.0"
services:
- name: cart
  host: cart
  routes:
  - {name: cart, paths: [/cart]}
- {name: web, host: web.local}
upstreams:
- name: cart
  targets:
  - {target: "10.0.0.1:80"}
)";

} // namespace

class ModelsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aRefreshChangesOnlyWhatDiffers()
    {
        EntityTableModel model;
        const QAbstractItemModelTester tester(
            &model, QAbstractItemModelTester::FailureReportingMode::Fatal
        );
        model.setRows({entity(u"a"_qs, 1), entity(u"b"_qs, 2), entity(u"c"_qs, 3)});
        const QPersistentModelIndex selected = model.index(2, 0);
        const QSignalSpy changed(&model, &QAbstractItemModel::dataChanged);
        const QSignalSpy reset(&model, &QAbstractItemModel::modelReset);

        model.setRows({entity(u"a"_qs, 1), entity(u"aa"_qs, 5), entity(u"c"_qs, 4)});

        QCOMPARE(reset.count(), 0);
        QCOMPARE(changed.count(), 1);
        QCOMPARE(model.rowCount(), 3);
        QVERIFY(selected.isValid());
        QCOMPARE(selected.data(KeyRole).toString(), u"service:c"_qs);
        QCOMPARE(model.rowOf(u"service:aa"_qs), 1);
        QCOMPARE(model.rowOf(u"service:b"_qs), -1);
    }

    void numbersSortAsNumbersAndNothingIsADash()
    {
        EntityTableModel model;
        QSortFilterProxyModel sorted;
        sorted.setSourceModel(&model);
        sorted.setSortRole(SortRole);
        model.setRows({entity(u"a"_qs, 1977), entity(u"b"_qs, 84), entity(u"c"_qs, 0)});
        constexpr int kRateColumn = 5;

        sorted.sort(kRateColumn, Qt::DescendingOrder);

        QCOMPARE(sorted.index(0, kRateColumn).data().toString(), u"1\u2009977"_qs);
        QCOMPARE(sorted.index(1, kRateColumn).data().toString(), u"84.0"_qs);
        QCOMPARE(sorted.index(2, kRateColumn).data().toString(), u"\u2013"_qs);
    }

    void everyTableKeepsTheContractOfModels()
    {
        EdgeTableModel edges;
        InstanceTableModel instances;
        EventsModel events;
        ProblemsModel problems;
        RevisionsModel revisions;
        for (QAbstractItemModel* model : std::initializer_list<QAbstractItemModel*>{
                 &edges, &instances, &events, &problems, &revisions}) {
            new QAbstractItemModelTester(
                model, QAbstractItemModelTester::FailureReportingMode::Fatal, model
            );
        }

        bridge::EdgeRow edge;
        edge.source = u"gateway:e"_qs;
        edge.target = u"service:a"_qs;
        edges.setRows({edge});
        bridge::InstanceRow instance;
        instance.id = u"a-1"_qs;
        instance.zone = u"z"_qs;
        instances.setRows({instance});
        bridge::Marker fault;
        fault.kind = bridge::Marker::Kind::Fault;
        fault.begin_us = 5;
        fault.label = u"fault"_qs;
        events.setRows({fault});
        problems.setRows({{bridge::ProblemSeverity::Error, u"a"_qs, 3, 1, {}, u"wrong"_qs, {}, {}}}
        );
        revisions.setRows({{2, 1, u"ada"_qs, u"x"_qs, 0, u"abcdef0123"_qs, true}});

        QCOMPARE(edges.index(0, 0).data().toString(), u"e"_qs);
        QCOMPARE(instances.index(0, 0).data().toString(), u"a-1"_qs);
        QCOMPARE(events.index(0, 1).data().toString(), u"fault"_qs);
        QCOMPARE(problems.index(0, 3).data().toString(), u"3"_qs);
        QCOMPARE(revisions.index(0, 4).data().toString(), u"abcdef01"_qs);
        edges.setRows({});
        QCOMPARE(edges.rowCount(), 0);
    }

    void theTreeShowsKindsObjectsAndChildren()
    {
        ObjectTreeModel model;
        const QAbstractItemModelTester tester(
            &model, QAbstractItemModelTester::FailureReportingMode::Fatal
        );

        model.setDocument(documentOf(kShop), {}, {});

        QCOMPARE(
            toText(model),
            u"Services\n  cart\n    cart\n  web\nUpstreams\n  cart\n    10.0.0.1:80\n"_qs
        );
        const QModelIndex route = model.indexOf({"routes", "cart", "cart"});
        QVERIFY(route.isValid());
        QCOMPARE(route.parent().data().toString(), u"cart"_qs);
    }

    void theTreeMarksChangesAndFindingsAndKeepsSelections()
    {
        ObjectTreeModel model;
        const QAbstractItemModelTester tester(
            &model, QAbstractItemModelTester::FailureReportingMode::Fatal
        );
        const model::Document before = documentOf(kShop);
        model.setDocument(before, {}, {});
        const QPersistentModelIndex selected = model.indexOf({"services", "web", ""});
        model::Document after = before;
        after.services[0].port = 81;
        after.services.push_back(after.services[1]);
        after.services.back().name = "new";
        bridge::ProblemRow problem;
        problem.path = u"services[1].host"_qs;

        model.setDocument(after, model::diff(before, after), {problem});

        QCOMPARE(
            toText(model),
            QStringLiteral("Services*!1\n  cart*\n    cart\n  web!1\n  new*\n"
                           "Upstreams\n  cart\n    10.0.0.1:80\n")
        );
        QVERIFY(selected.isValid());
        QCOMPARE(selected.data().toString(), u"web"_qs);
    }
};

QTEST_GUILESS_MAIN(ModelsTest)
#include "models_test.moc"
