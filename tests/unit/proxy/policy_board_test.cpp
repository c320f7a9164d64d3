// Goal: breakers and adaptive limits live on the board and act through their cells; what they and
// the workers did is counted, told once, and shown while it lasts.
// Method: the board and its ledger on a loop whose clock the test moves; reports as workers send
// them.
#include "proxyengine/proxy/policy_board.h"

#include "tests/support/manual_clock.h"

#include <QTest>

#include <algorithm>
#include <string>
#include <vector>

using namespace mesh;
using namespace mesh::proxy;
using namespace std::chrono_literals;

namespace {

struct Told
{
    std::string kind;
    std::string subject;
    std::string reason;
};

struct Fixture
{
    test::ManualClock clock;
    std::unique_ptr<net::EventLoop> loop = *net::EventLoop::make(clock);
    std::vector<Told> events;
    PolicyLedger ledger{
        *loop, [this](std::string kind, std::string subject, std::string reason) {
            events.push_back({std::move(kind), std::move(subject), std::move(reason)});
        }};
    PolicyBoard board{*loop, Seed{1}, ledger};
    std::shared_ptr<BreakerCell> breaker;
    std::shared_ptr<ConcurrencyCell> limit;

    Fixture() { loop->runTurn(Duration::zero()); }

    static model::Breaker breakerSettings()
    {
        model::Breaker settings;
        settings.minRequests = 10;
        settings.open = 5s;
        settings.probes = 2;
        settings.ramp = Duration::zero();
        return settings;
    }
    void applyBreaker(const std::string& subject)
    {
        breaker = std::make_shared<BreakerCell>(config::KeptPlan<model::Breaker>{
            subject, breakerSettings()});
        auto cells = std::make_shared<PolicyCells>();
        cells->breakers.push_back(breaker);
        board.apply(std::move(cells));
    }
    void applyLimit(const model::AdaptiveConcurrency& settings)
    {
        limit = std::make_shared<ConcurrencyCell>(config::KeptPlan<model::AdaptiveConcurrency>{
            "service:cart", settings});
        auto cells = std::make_shared<PolicyCells>();
        cells->concurrencies.push_back(limit);
        board.apply(std::move(cells));
    }
    void pass(Duration time)
    {
        clock.advance(time);
        loop->runTurn(Duration::zero());
    }
    void outcomes(std::uint32_t succeeded, std::uint32_t failed)
    {
        PolicyReport report;
        report.breakers.push_back({breaker, gate().round(), {succeeded, failed, 0}});
        board.take(report);
    }
    void notice(const std::string& kind, const std::string& reason, std::uint64_t count = 1)
    {
        PolicyReport report;
        report.notices.push_back({kind, "service:cart", reason, count});
        board.take(report);
    }
    [[nodiscard]] policy::BreakerGate gate() const
    {
        return policy::BreakerGate::fromWord(breaker->gate.load());
    }
    [[nodiscard]] policy::ConcurrencyGate limitGate() const
    {
        return policy::ConcurrencyGate::fromWord(limit->gate.load());
    }
    telemetry::StatsFrame frame()
    {
        telemetry::StatsFrame made;
        board.fill(made);
        ledger.close(made);
        return made;
    }
};

} // namespace

class PolicyBoardTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void aBreakerOpensThroughItsCellAndIsTold();
    void timeAloneHalfOpensAndProbesClose();
    void aPushKeepsABreakerWhoseCellStays();
    void aBreakerThatGoesOpenIsToldAsClosed();
    void reportsOfCellsThatWentAreDropped();
    void theAdaptiveLimitIsPublishedWithoutDisturbingWhatIsInFlight();
    void aStormOfVerdictsIsOneEventASecond();
    void aNoteIsAStateUntilItHasBeenSilent();
    void whatIsOnlyCountedIsNotTold();
    void aLimitIsNamedInTheDetail();
    void injectedFaultsAreToldThoughTheirNoticeSaysNothing();
};

void PolicyBoardTest::aBreakerOpensThroughItsCellAndIsTold()
{
    Fixture f;
    f.applyBreaker("service:cart");
    f.outcomes(5, 4);
    QVERIFY(f.gate().state() == policy::BreakerState::Closed);

    f.outcomes(0, 1);

    QVERIFY(f.gate().state() == policy::BreakerState::Open);
    QCOMPARE(f.events.size(), std::size_t{1});
    QCOMPARE(f.events[0].kind, std::string("breaker_opened"));
    QCOMPARE(f.events[0].subject, std::string("service:cart"));
    QVERIFY2(f.events[0].reason.find("5 of 10") == 0, f.events[0].reason.c_str());
    f.pass(1s);
    const telemetry::StatsFrame frame = f.frame();
    QCOMPARE(frame.states.size(), std::size_t{1});
    QCOMPARE(frame.states[0].kind, std::string("breaker_open"));
    QVERIFY(f.clock.wallNow() - frame.states[0].since == 1s);
    QCOMPARE(frame.policy.size(), std::size_t{1});
    QCOMPARE(frame.policy[0].kind, std::string("breaker_opened"));
}

void PolicyBoardTest::timeAloneHalfOpensAndProbesClose()
{
    Fixture f;
    f.applyBreaker("route:checkout");
    f.outcomes(0, 10);

    f.pass(4s);
    QVERIFY(f.gate().state() == policy::BreakerState::Open);
    f.pass(1s);
    QVERIFY(f.gate().state() == policy::BreakerState::HalfOpen);
    QCOMPARE(f.gate().probesLeft(), std::uint32_t{2});
    QCOMPARE(f.frame().states.at(0).kind, std::string("breaker_half_open"));
    f.outcomes(2, 0);

    QVERIFY(f.gate().state() == policy::BreakerState::Closed);
    QCOMPARE(f.events.size(), std::size_t{3});
    QCOMPARE(f.events[1].kind, std::string("breaker_half_opened"));
    QCOMPARE(f.events[2].kind, std::string("breaker_closed"));
    QVERIFY(f.frame().states.empty());
}

void PolicyBoardTest::aPushKeepsABreakerWhoseCellStays()
{
    Fixture f;
    f.applyBreaker("service:cart");
    f.outcomes(0, 10);
    auto cells = std::make_shared<PolicyCells>();
    cells->breakers.push_back(std::make_shared<BreakerCell>(config::KeptPlan<model::Breaker>{
        "service:other", Fixture::breakerSettings()}));
    cells->breakers.push_back(f.breaker);

    f.board.apply(std::move(cells));

    QVERIFY(f.gate().state() == policy::BreakerState::Open);
    QCOMPARE(f.events.size(), std::size_t{1});
    f.pass(5s);
    QVERIFY(f.gate().state() == policy::BreakerState::HalfOpen);
}

void PolicyBoardTest::aBreakerThatGoesOpenIsToldAsClosed()
{
    Fixture f;
    f.applyBreaker("service:cart");
    f.outcomes(0, 10);

    f.applyBreaker("service:cart"); // A new cell: other settings, say.

    QCOMPARE(f.events.size(), std::size_t{2});
    QCOMPARE(f.events[1].kind, std::string("breaker_closed"));
    QVERIFY(f.gate().state() == policy::BreakerState::Closed);
    QVERIFY(f.frame().states.empty());
}

void PolicyBoardTest::reportsOfCellsThatWentAreDropped()
{
    Fixture f;
    f.applyBreaker("service:cart");
    const auto gone = f.breaker;
    f.applyBreaker("service:cart");
    PolicyReport report;
    report.breakers.push_back({gone, 0, {0, 100, 0}});

    f.board.take(report);

    QVERIFY(f.events.empty());
    QVERIFY(f.gate().state() == policy::BreakerState::Closed);
}

void PolicyBoardTest::theAdaptiveLimitIsPublishedWithoutDisturbingWhatIsInFlight()
{
    Fixture f;
    model::AdaptiveConcurrency settings;
    settings.minRttRequests = 10;
    f.applyLimit(settings);
    QCOMPARE(f.limitGate().limit(), std::uint32_t{3});
    for (int request = 0; request < 2; ++request) {
        f.limit->gate.store(policy::enter(f.limitGate()).gate.word());
    }
    const auto measure = [&](Duration roundTrip) {
        PolicyReport report;
        report.concurrencies.push_back(
            {f.limit, f.limitGate().epoch(), std::vector<Duration>(10, roundTrip)}
        );
        f.board.take(report);
        f.pass(100ms);
    };

    measure(10ms); // The smallest round trip.
    for (int update = 0; update < 10; ++update) {
        measure(10ms);
    }

    QVERIFY(f.limitGate().limit() > 3);
    QCOMPARE(f.limitGate().inFlight(), std::uint32_t{2});
    const std::uint32_t wide = f.limitGate().limit();
    for (int update = 0; update < 10; ++update) {
        measure(100ms);
    }
    QVERIFY(f.limitGate().limit() < wide);
    QCOMPARE(f.limitGate().inFlight(), std::uint32_t{2});
}

void PolicyBoardTest::aStormOfVerdictsIsOneEventASecond()
{
    Fixture f;
    for (int step = 0; step < 30; ++step) { // Four workers, three seconds.
        for (int worker = 0; worker < 4; ++worker) {
            f.notice("rate_limited", "10 requests per 1 s reached");
        }
        f.pass(100ms);
    }

    QCOMPARE(f.events.size(), std::size_t{3});
    QCOMPARE(f.events[0].reason, std::string("10 requests per 1 s reached"));
    QCOMPARE(f.events[1].reason, std::string("10 requests per 1 s reached (40 times)"));
    f.pass(1s);
    const telemetry::StatsFrame frame = f.frame();
    QCOMPARE(f.events.size(), std::size_t{4}); // What had waited.
    QCOMPARE(frame.policy.size(), std::size_t{1});
    QCOMPARE(frame.policy[0].count, std::uint64_t{120});
}

void PolicyBoardTest::aNoteIsAStateUntilItHasBeenSilent()
{
    Fixture f;
    f.notice("budget_exhausted", "3 of 3 retries in flight");
    const WallTime since = f.clock.wallNow();

    for (int frame = 0; frame < 2; ++frame) { // The second: one silent interval is jitter.
        f.pass(1s);
        const telemetry::StatsFrame made = f.frame();
        QCOMPARE(made.states.size(), std::size_t{1});
        QCOMPARE(made.states[0].kind, std::string("budget_exhausted"));
        QCOMPARE(made.states[0].reason, std::string("3 of 3 retries in flight"));
        QVERIFY(made.states[0].since == since);
    }
    f.pass(1s);
    QVERIFY(f.frame().states.empty());

    f.notice("budget_exhausted", "3 of 3 retries in flight");
    QCOMPARE(f.events.size(), std::size_t{2}); // News again.
}

void PolicyBoardTest::whatIsOnlyCountedIsNotTold()
{
    Fixture f;
    f.notice("retried", "", 7);

    const telemetry::StatsFrame frame = f.frame();
    QVERIFY(f.events.empty());
    QVERIFY(frame.states.empty());
    QCOMPARE(frame.policy.size(), std::size_t{1});
    QCOMPARE(frame.policy[0].count, std::uint64_t{7});
}

void PolicyBoardTest::aLimitIsNamedInTheDetail()
{
    Fixture f;
    f.notice("limit_reached", "max_pending 2 reached", 3);
    f.notice("limit_reached", "max_connections 8 reached");

    const telemetry::StatsFrame frame = f.frame();
    QCOMPARE(frame.policy.size(), std::size_t{2});
    QCOMPARE(frame.policy[0].detail, std::string("max_connections"));
    QCOMPARE(frame.policy[1].detail, std::string("max_pending"));
    QCOMPARE(frame.policy[1].count, std::uint64_t{3});
    QCOMPARE(frame.states.size(), std::size_t{2});
}

void PolicyBoardTest::injectedFaultsAreToldThoughTheirNoticeSaysNothing()
{
    Fixture f;
    f.notice("fault_injected", "", 2);

    QCOMPARE(f.events.size(), std::size_t{1});
    QCOMPARE(f.frame().states.at(0).kind, std::string("fault"));
}

QTEST_APPLESS_MAIN(PolicyBoardTest)
#include "policy_board_test.moc"
