#include "proxyengine/policy/limits.h"

#include <QTest>

// Goal: each resource of an upstream stops at its own limit, in each lane apart.
// Method: fill and empty; the texts as people read them.
namespace mesh::policy {

class LimitsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void stopsEachResourceAtItsOwnLimit_data();
    void stopsEachResourceAtItsOwnLimit();
    void countsPrioritiesApart();
    void givesHighPriorityItsOwnNumbers();
    void limitsTheConnectionsOfATargetOnlyWhenTold();
};

namespace {

using Resource = LimitedResource;

model::Limits smallLimits()
{
    model::Limits limits;
    limits.maxConnections = 1;
    limits.maxPending = 2;
    limits.maxRequests = 3;
    limits.maxRetries = 0;
    return limits;
}

} // namespace

void LimitsTest::stopsEachResourceAtItsOwnLimit_data()
{
    QTest::addColumn<int>("resource");
    QTest::addColumn<int>("max");
    QTest::addColumn<QByteArray>("text");
    const auto row = [](const char* text, Resource resource, int max) {
        QTest::newRow(text) << static_cast<int>(resource) << max << QByteArray(text);
    };
    row("max_connections 1 reached", Resource::Connections, 1);
    row("max_pending 2 reached", Resource::Pending, 2);
    row("max_requests 3 reached", Resource::Requests, 3);
    row("max_retries 0 reached", Resource::Retries, 0);
}

void LimitsTest::stopsEachResourceAtItsOwnLimit()
{
    QFETCH(const int, resource);
    QFETCH(const int, max);
    QFETCH(const QByteArray, text);
    const LimitRules rules(smallLimits());
    LimitUse<std::uint64_t> use;
    const auto what = static_cast<Resource>(resource);
    std::uint64_t& word = use.of(what, LimitLane::Default);

    for (int i = 0; i < max; ++i) {
        const LimitVerdict verdict = admit(rules, what, LimitLane::Default, word);
        QVERIFY(verdict.isAdmitted);
        QVERIFY(toText(verdict).empty());
    }
    const LimitVerdict refused = admit(rules, what, LimitLane::Default, word);

    QVERIFY(!refused.isAdmitted);
    QCOMPARE(toText(refused), text.toStdString());
    if (max > 0) {
        release(word);
        QVERIFY(admit(rules, what, LimitLane::Default, word).isAdmitted);
    }
}

void LimitsTest::countsPrioritiesApart()
{
    const LimitRules rules(smallLimits());
    LimitUse<std::atomic<std::uint64_t>> use;
    const auto connect = [&](model::RequestPriority priority) {
        const LimitLane lane = laneOf(priority);
        return admit(rules, Resource::Connections, lane, use.of(Resource::Connections, lane))
            .isAdmitted;
    };

    QVERIFY(connect(model::RequestPriority::Default));
    QVERIFY(!connect(model::RequestPriority::Low));
    QVERIFY(connect(model::RequestPriority::High));
    QVERIFY(!connect(model::RequestPriority::High));
}

void LimitsTest::givesHighPriorityItsOwnNumbers()
{
    model::Limits limits = smallLimits();
    limits.high = model::LimitSet{10, 20, 30, 40};

    const LimitRules rules(limits);

    QVERIFY(rules.max(Resource::Retries, LimitLane::High) == 40U);
    QVERIFY(rules.max(Resource::Requests, LimitLane::High) == 30U);
    QVERIFY(rules.max(Resource::Pending, LimitLane::High) == 20U);
    QVERIFY(rules.max(Resource::Connections, LimitLane::High) == 10U);
    QVERIFY(rules.max(Resource::Connections, LimitLane::Default) == 1U);
    const LimitRules defaults{model::Limits{}};
    QVERIFY(defaults.max(Resource::Requests, LimitLane::High) == 1024U);
    QVERIFY(defaults.max(Resource::Retries, LimitLane::Default) == 3U);
}

void LimitsTest::limitsTheConnectionsOfATargetOnlyWhenTold()
{
    model::Limits limits;
    limits.maxConnectionsPerTarget = 1;
    const auto fill = [](const LimitRules& rules) {
        std::uint64_t word = 0;
        LimitVerdict verdict;
        for (int i = 0; i < 5000 && verdict.isAdmitted; ++i) {
            verdict = admit(rules, Resource::TargetConnections, LimitLane::Default, word);
        }
        return toText(verdict);
    };

    QCOMPARE(fill(LimitRules(limits)), std::string("max_connections_per_target 1 reached"));
    QCOMPARE(fill(LimitRules{model::Limits{}}), std::string());
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::LimitsTest)
#include "limits_test.moc"
