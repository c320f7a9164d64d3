#include "simulator/live/service_instance.h"

#include "proxyengine/base/clock.h"

#include <QTest>

#include <deque>
#include <memory>
#include <optional>

// Goal: workers, queue, errors, script and faults of a simulated instance.
// Method: a real loop with a clock that we move; calls are written down and answered by hand.
namespace mesh::simulator {

using namespace std::chrono_literals;

namespace {

class HandClock final : public Clock
{
public:
    [[nodiscard]] TimePoint now() const override { return m_now; }
    [[nodiscard]] WallTime wallNow() const override { return {}; }
    void advance(Duration by) { m_now += by; }

private:
    TimePoint m_now{1000s};
};

class HandCaller final : public Caller
{
public:
    void call(const OutCall& call, OnAnswer onAnswer) override
    {
        waiting.emplace_back(call, std::move(onAnswer));
        order += QByteArray::fromStdString(call.host) + ' ';
    }
    void answer(int status)
    {
        const OnAnswer next = std::move(waiting.front().second);
        waiting.pop_front();
        next(status);
    }

    std::deque<std::pair<OutCall, OnAnswer>> waiting;
    QByteArray order;
};

struct World
{
    HandClock clock;
    std::unique_ptr<net::EventLoop> loop = *net::EventLoop::make(clock);
    HandCaller caller;
    model::ServiceModel model;
    std::unique_ptr<ServiceInstance> instance;
    QByteArray answers; // "200 503 "

    World()
    {
        model.service = "cart";
        model.concurrency = 1;
        model.queue = 1;
        model.serviceTime.mean = 10ms;
        loop->runTurn(Duration::zero());
    }
    void start()
    {
        instance = std::make_unique<ServiceInstance>(
            *loop,
            caller,
            ServiceInstance::Setup{
                "cart-1",
                std::make_shared<const model::ServiceModel>(model),
                net::SocketAddress::loopback(1),
                Seed{7}}
        );
    }
    void ask(const char* path = "/", const char* from = "")
    {
        instance->onRequest(
            path,
            {"r1", "t1"},
            [this](int status) { answers += QByteArray::number(status) + ' '; },
            from
        );
    }
    void pass(Duration time)
    {
        clock.advance(time);
        loop->runTurn(Duration::zero());
    }
};

} // namespace

class ServiceInstanceTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void servesOneAfterTheOther();
    void rejectsWhatDoesNotFit();
    void answersProbesAtOnce();
    void failsAtItsErrorRate();
    void runsTheScriptInOrder();
    void endsTheScriptAtTheFirstFailure();
    void freesTheWorkerDuringCalls();
    void holdsTheWorkerWhenAsked();
    void drawsCallsByProbability();
    void freezesAndThaws();
    void isSlowAndFailsOnOrder();
    void hurtsOneCallerAlone();
    void losesRequestsAndProbes();
    void probesMeetWhatIsNotGrey();
    void worksSlowerAndWorseOnOrder();
    void callsThroughAColdCache();
    void drawsAnewForARetry();
    void writesDownCallsAndWork();
};

void ServiceInstanceTest::servesOneAfterTheOther()
{
    World world;
    world.start();
    world.ask();
    world.ask();

    world.pass(9ms);
    QCOMPARE(world.answers, QByteArray());
    world.pass(1ms);
    QCOMPARE(world.answers, QByteArray("200 "));
    world.pass(10ms);
    QCOMPARE(world.answers, QByteArray("200 200 "));
    QCOMPARE(world.instance->answered(), std::uint64_t{2});
}

void ServiceInstanceTest::rejectsWhatDoesNotFit()
{
    World world;
    world.start();
    world.ask();
    world.ask();
    world.ask();

    world.pass(100us);
    QCOMPARE(world.answers, QByteArray("503 "));
    world.pass(10ms);
    world.pass(10ms);
    QCOMPARE(world.answers, QByteArray("503 200 200 "));
}

void ServiceInstanceTest::answersProbesAtOnce()
{
    World world;
    world.start();
    InstanceFaults faults;
    faults.errorShare = 1.0;
    faults.latencyAdd = 1s;
    world.instance->setFaults(faults);

    world.ask("/ready");

    QCOMPARE(world.answers, QByteArray("200 "));
    QCOMPARE(world.instance->answered(), std::uint64_t{0});
}

void ServiceInstanceTest::failsAtItsErrorRate()
{
    World world;
    world.model.errorRate = 1.0;
    world.model.script = {{{{"db", 1.0, 1, std::nullopt}}, false}};
    world.start();
    world.ask();

    world.pass(10ms);

    QCOMPARE(world.answers, QByteArray("500 "));
    QVERIFY(world.caller.order.isEmpty());
}

void ServiceInstanceTest::runsTheScriptInOrder()
{
    World world;
    world.model.script = {
        {{{"a", 1.0, 2, std::nullopt}}, false},
        {{{"b", 1.0, 1, std::nullopt}, {"c", 1.0, 1, std::nullopt}}, true}};
    world.start();
    world.ask();
    world.pass(10ms);

    QCOMPARE(world.caller.order, QByteArray("a "));
    QCOMPARE(world.caller.waiting.front().first.trace.requestId, std::string("r1"));
    QCOMPARE(world.caller.waiting.front().first.trace.traceparent, std::string("t1"));
    world.caller.answer(200);
    QCOMPARE(world.caller.order, QByteArray("a a "));
    world.caller.answer(404); // Somebody else's business; not a failure of the callee.
    QCOMPARE(world.caller.order, QByteArray("a a b c "));
    world.caller.answer(200);
    QCOMPARE(world.answers, QByteArray());
    world.caller.answer(200);
    QCOMPARE(world.answers, QByteArray("200 "));
}

void ServiceInstanceTest::endsTheScriptAtTheFirstFailure()
{
    World world;
    world.model.script = {
        {{{"a", 1.0, 1, std::nullopt}, {"b", 1.0, 1, std::nullopt}}, true},
        {{{"c", 1.0, 1, std::nullopt}}, false}};
    world.start();
    world.ask();
    world.pass(10ms);

    world.caller.answer(503);
    QCOMPARE(world.answers, QByteArray()); // The other call of the step is still on its way.
    world.caller.answer(200);

    QCOMPARE(world.answers, QByteArray("502 "));
    QCOMPARE(world.caller.order, QByteArray("a b "));
}

void ServiceInstanceTest::freesTheWorkerDuringCalls()
{
    World world;
    world.model.script = {{{{"a", 1.0, 1, std::nullopt}}, false}};
    world.start();
    world.ask();
    world.ask();
    world.pass(10ms);
    world.pass(10ms);

    QCOMPARE(world.caller.order, QByteArray("a a "));
}

void ServiceInstanceTest::holdsTheWorkerWhenAsked()
{
    World world;
    world.model.script = {{{{"a", 1.0, 1, std::nullopt}}, false}};
    world.model.holdWorkerDuringCalls = true;
    world.start();
    world.ask();
    world.ask();
    world.pass(10ms);
    world.pass(10ms);

    QCOMPARE(world.caller.order, QByteArray("a "));
    world.caller.answer(200);
    world.pass(10ms);
    QCOMPARE(world.caller.order, QByteArray("a a "));
}

void ServiceInstanceTest::drawsCallsByProbability()
{
    World world;
    world.model.script = {{{{"a", 0.25, 400, std::nullopt}, {"b", 1.0, 400, 0.75}}, true}};
    world.start();
    world.ask();
    world.pass(10ms);

    const auto a = world.caller.order.count('a');
    const auto b = world.caller.order.count('b');
    QVERIFY(a > 70 && a < 130);
    QVERIFY(b > 70 && b < 130);
}

void ServiceInstanceTest::freezesAndThaws()
{
    World world;
    world.start();
    InstanceFaults faults;
    faults.isFrozen = true;
    world.instance->setFaults(faults);
    world.ask();
    world.ask("/ready");
    world.pass(10s);
    QCOMPARE(world.answers, QByteArray());

    world.instance->setFaults({});
    world.pass(10ms);
    QCOMPARE(world.answers, QByteArray("200 200 "));
}

void ServiceInstanceTest::isSlowAndFailsOnOrder()
{
    World world;
    world.start();
    InstanceFaults faults;
    faults.latencyAdd = 400ms;
    faults.errorShare = 1.0;
    faults.errorStatus = 503;
    QCOMPARE(toText(faults), std::string("503 100 % \xC2\xB7 +400 ms"));
    world.instance->setFaults(faults);
    world.ask();

    world.pass(399ms);
    QCOMPARE(world.answers, QByteArray());
    world.pass(1ms);
    QCOMPARE(world.answers, QByteArray("503 "));
    QCOMPARE(toText(InstanceFaults()), std::string());
}

// A fault of an edge, and one that resets.
void ServiceInstanceTest::hurtsOneCallerAlone()
{
    World world;
    world.model.concurrency = 9;
    world.start();
    Fault fault;
    fault.kind = FaultKind::Error;
    fault.status = 502;
    fault.target.edge = {"shop", "cart"};
    InstanceFaults faults = withFault({}, fault);
    fault.kind = FaultKind::Reset;
    fault.target.edge = {"gateway", "cart"};
    faults = withFault(faults, fault);
    QCOMPARE(toText(faults), std::string("502 100 % for shop \xC2\xB7 reset 100 % for gateway"));
    world.instance->setFaults(faults);

    world.ask("/", "shop");
    world.ask("/", "gateway");
    world.ask("/", "other");
    world.ask("/ready");
    world.pass(10ms);

    QCOMPARE(world.answers, QByteArray("502 0 200 200 "));
    QCOMPARE(ServiceInstance::kReset, 0);
}

void ServiceInstanceTest::probesMeetWhatIsNotGrey()
{
    World world;
    world.start();
    Fault fault;
    fault.kind = FaultKind::Grey;
    fault.status = 500;
    fault.target.service = "cart";
    world.instance->setFaults(withFault({}, fault));
    world.ask("/ready");
    world.pass(10ms);
    QCOMPARE(world.answers, QByteArray("200 "));

    fault.kind = FaultKind::Error;
    fault.status = 502;
    InstanceFaults faults = withFault(world.instance->faults(), fault);
    fault.kind = FaultKind::Latency;
    fault.add = 50ms;
    world.instance->setFaults(withFault(faults, fault));
    world.ask("/ready");
    world.pass(10ms);
    QCOMPARE(world.answers, QByteArray("200 "));
    world.pass(50ms);
    QCOMPARE(world.answers, QByteArray("200 502 "));
    QCOMPARE(world.instance->answered(), std::uint64_t{0});
}

void ServiceInstanceTest::losesRequestsAndProbes()
{
    World world;
    world.start();
    Fault fault;
    fault.kind = FaultKind::BlackHole;
    fault.target.service = "cart";
    world.instance->setFaults(withFault({}, fault));
    world.ask();
    world.ask("/ready");
    world.pass(10s);
    QCOMPARE(world.answers, QByteArray());

    // What was lost stays lost.
    world.instance->setFaults({});
    world.pass(10s);
    QCOMPARE(world.answers, QByteArray());
    world.ask();
    world.pass(10ms);
    QCOMPARE(world.answers, QByteArray("200 "));
}

void ServiceInstanceTest::worksSlowerAndWorseOnOrder()
{
    World world;
    world.start();
    Fault fault;
    fault.kind = FaultKind::BadDeploy;
    fault.factor = 3.0;
    fault.errorRate = 1.0;
    world.instance->setFaults(withFault({}, fault));
    world.ask();

    world.pass(29ms);
    QCOMPARE(world.answers, QByteArray());
    world.pass(1ms);
    QCOMPARE(world.answers, QByteArray("500 "));
}

void ServiceInstanceTest::callsThroughAColdCache()
{
    World world;
    world.model.script = {{{{"a", 1.0, 3, 1.0}}, true}};
    world.start();
    world.ask();
    world.pass(10ms);
    QCOMPARE(world.answers, QByteArray("200 "));
    QCOMPARE(world.caller.order, QByteArray());

    InstanceFaults faults;
    faults.isCacheCold = true;
    world.instance->setFaults(faults);
    world.ask();
    world.pass(10ms);
    QCOMPARE(world.caller.order, QByteArray("a a a "));
}

// The same root request again is a retry, or another call of it.
void ServiceInstanceTest::drawsAnewForARetry()
{
    World world;
    world.model.concurrency = 100;
    world.model.errorRate = 0.5;
    world.start();
    for (int i = 0; i < 100; ++i) {
        world.ask();
    }
    world.pass(10ms);

    const auto failed = world.answers.count("500");
    QVERIFY2(failed > 25 && failed < 75, world.answers.constData());
}

void ServiceInstanceTest::writesDownCallsAndWork()
{
    World world;
    world.model.script = {{{{"a", 1.0, 2, std::nullopt}}, false}};
    CallBook book({{"all", {{TimePoint(0s), TimePoint(1s)}}}});
    book.setBegin(world.loop->now());
    world.instance = std::make_unique<ServiceInstance>(
        *world.loop,
        world.caller,
        ServiceInstance::Setup{
            "cart-1",
            std::make_shared<const model::ServiceModel>(world.model),
            net::SocketAddress::loopback(1),
            Seed{7},
            &book}
    );
    world.ask();
    world.pass(10ms);
    world.pass(5ms);
    world.caller.answer(200);
    world.pass(7ms);
    world.caller.answer(502);
    book.close(world.loop->now());

    QCOMPARE(book.busy("cart", 0), Duration(10ms));
    const CallFigures& calls = book.lines().front()->row.figures(0);
    QCOMPARE(book.lines().front()->series.name, std::string("cart->a"));
    QCOMPARE(calls.calls, std::uint64_t{2});
    QCOMPARE(calls.succeeded, std::uint64_t{1});
    QCOMPARE(calls.waited, Duration(12ms));
    QCOMPARE(world.caller.waiting.size(), std::size_t{0});
    const RunSecond& second = book.lines().front()->series.seconds.front();
    QCOMPARE(second.begun, 2U);
    QCOMPARE(second.failed, 1U);
    QCOMPARE(second.inFlight, 0U);
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::ServiceInstanceTest)
#include "service_instance_test.moc"
