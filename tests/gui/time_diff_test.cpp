// Goal: a comparison names what a person would call appeared, vanished, worse or better, and is
// silent about noise.
// Method: two topologies written down, differing in one thing at a time.
#include "app/bridge/topology_diff.h"

#include <QtTest>

#include <algorithm>

using namespace mesh::bridge;

namespace {

EntityRow entity(const QString& id, HealthState state = HealthState::Healthy)
{
    EntityRow row;
    row.id = id;
    row.name = id;
    row.state = state;
    row.figures.rps = 100;
    row.figures.requests = 6'000;
    row.figures.errorRatio = 0.001;
    row.figures.p95_ms = 40;
    return row;
}

EdgeRow edge(const QString& source, const QString& target, double rps = 100)
{
    EdgeRow row;
    row.source = source;
    row.target = target;
    row.figures.rps = rps;
    row.figures.requests = static_cast<std::uint64_t>(rps * 60);
    return row;
}

Topology at(std::int64_t time_us, std::vector<EntityRow> entities, std::vector<EdgeRow> edges = {})
{
    Topology topology;
    topology.time_us = time_us;
    topology.entities = std::move(entities);
    topology.edges = std::move(edges);
    return topology;
}

Change changeOf(const TopologyDiff& diff, const QString& id)
{
    const auto found = std::ranges::find(diff.changes, id, &TopologyChange::subject);
    return found == diff.changes.end() ? Change::None : found->change;
}

} // namespace

class TimeDiffTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void figuresAreJudgedOnlyWhenTheyDifferNoticeably_data()
    {
        QTest::addColumn<double>("errors");
        QTest::addColumn<double>("p95");
        QTest::addColumn<int>("requests");
        QTest::addColumn<Change>("change");
        QTest::newRow("the same") << 0.001 << 40.0 << 6000 << Change::None;
        QTest::newRow("a few more errors") << 0.005 << 40.0 << 6000 << Change::None;
        QTest::newRow("half a point more errors") << 0.0061 << 40.0 << 6000 << Change::Worse;
        QTest::newRow("a fifth slower") << 0.001 << 48.1 << 6000 << Change::Worse;
        QTest::newRow("a little slower") << 0.001 << 47.0 << 6000 << Change::None;
        QTest::newRow("faster") << 0.001 << 20.0 << 6000 << Change::Better;
        QTest::newRow("faster but failing") << 0.2 << 20.0 << 6000 << Change::Worse;
        QTest::newRow("too little evidence") << 0.9 << 400.0 << 19 << Change::None;
    }

    void figuresAreJudgedOnlyWhenTheyDifferNoticeably()
    {
        QFETCH(double, errors);
        QFETCH(double, p95);
        QFETCH(int, requests);
        QFETCH(Change, change);
        EntityRow later = entity(u"service:cart"_qs);
        later.figures.errorRatio = errors;
        later.figures.p95_ms = p95;
        later.figures.requests = static_cast<std::uint64_t>(requests);

        const auto diff = diffOf(at(1, {entity(u"service:cart"_qs)}), at(2, {std::move(later)}));

        QCOMPARE(changeOf(diff, u"service:cart"_qs), change);
    }

    void aWorseStateIsWorseAndSilenceIsNoVerdict()
    {
        const Topology before =
            at(1, {entity(u"service:a"_qs), entity(u"service:b"_qs, HealthState::NoData)});
        const Topology after =
            at(2,
               {entity(u"service:a"_qs, HealthState::Failure),
                entity(u"service:b"_qs, HealthState::Failure)});

        const auto diff = diffOf(before, after);

        QCOMPARE(changeOf(diff, u"service:a"_qs), Change::Worse);
        QCOMPARE(changeOf(diff, u"service:b"_qs), Change::None);
    }

    void whatCameAndWentIsNamedAndBothAreOnTheGraph()
    {
        const Topology before =
            at(1,
               {entity(u"service:a"_qs), entity(u"service:old"_qs)},
               {edge(u"service:a"_qs, u"service:old"_qs)});
        const Topology after =
            at(2,
               {entity(u"service:a"_qs), entity(u"service:new"_qs)},
               {edge(u"service:a"_qs, u"service:new"_qs)});

        const auto diff = diffOf(before, after);
        const Topology both = unionOf(before, after, diff);

        QCOMPARE(diff.count(Change::Appeared), 2);
        QCOMPARE(diff.count(Change::Vanished), 2);
        QCOMPARE(both.entities.size(), std::size_t(3));
        QCOMPARE(both.edges.size(), std::size_t(2));
        QCOMPARE(both.entities[1].change, Change::Appeared);
        QCOMPARE(both.entities[2].change, Change::Vanished);
        QVERIFY(std::ranges::is_sorted(both.entities, {}, &EntityRow::id));
        QCOMPARE(diff.changes.front().change, Change::Vanished);
    }

    void anEdgeThatCarriesNothingAnyMoreVanishedThoughItIsConfigured()
    {
        const QString a = u"service:a"_qs;
        const QString b = u"service:b"_qs;
        const Topology before = at(1, {entity(a), entity(b)}, {edge(a, b)});
        const Topology after = at(2, {entity(a), entity(b)}, {edge(a, b, 0)});

        const auto diff = diffOf(before, after);
        const Topology both = unionOf(before, after, diff);

        QCOMPARE(changeOf(diff, u"service:a -> service:b"_qs), Change::Vanished);
        QCOMPARE(both.edges.size(), std::size_t(1));
        QCOMPARE(both.edges.front().change, Change::Vanished);
    }

    void comparingWithItselfSaysNothing()
    {
        const Topology one =
            at(1,
               {entity(u"service:a"_qs), entity(u"service:b"_qs, HealthState::Failure)},
               {edge(u"service:a"_qs, u"service:b"_qs)});

        const auto diff = diffOf(one, one);

        QVERIFY(diff.changes.empty());
        QVERIFY(unionOf(one, one, diff) == one);
    }
};

QTEST_GUILESS_MAIN(TimeDiffTest)
#include "time_diff_test.moc"
