#include "simulator/live/load_generator.h"

#include "proxyengine/base/clock.h"

#include <QTest>

#include <map>
#include <memory>

// Goal: the load is open, hits its rate, and measures from the intended start.
// Method: a real loop with a clock that we move, and a caller that answers when we say so.
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
        ++callsByPort[call.to.port()];
        waiting.push_back(std::move(onAnswer));
    }
    void answerAll(int status)
    {
        for (const OnAnswer& answer : std::exchange(waiting, {})) {
            answer(status);
        }
    }

    std::vector<OnAnswer> waiting;
    std::map<int, int> callsByPort;
};

struct World
{
    HandClock clock;
    std::unique_ptr<net::EventLoop> loop = *net::EventLoop::make(clock);
    HandCaller caller;
    LoadCounters counters;
    std::unique_ptr<LoadGenerator> generator;

    World() { loop->runTurn(Duration::zero()); }
    void start(
        Arrivals arrivals,
        std::vector<std::pair<Duration, double>> rate,
        Duration length = Duration::max(),
        CallBook* book = nullptr
    )
    {
        generator = std::make_unique<LoadGenerator>(
            *loop,
            caller,
            std::vector<LoadGenerator::Entry>{{{"frontend", arrivals, std::move(rate)}, "", "/"}},
            std::vector{net::SocketAddress::loopback(1), net::SocketAddress::loopback(2)},
            Seed{42},
            counters,
            LoadGenerator::Span{loop->now(), length},
            book
        );
    }
    void pass(Duration time)
    {
        for (Duration done{}; done < time; done += 1ms) {
            clock.advance(1ms);
            loop->runTurn(Duration::zero());
        }
    }
};

} // namespace

class LoadGeneratorTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void sendsAtTheRate();
    void poissonArrivalsHaveTheRate();
    void followsTheStepsOfTheRate();
    void doesNotWaitForAnswers();
    void measuresFromTheIntendedStart();
    void countsWhatFailed();
    void endsWithItsSpan();
    void writesItsCallsDown();
};

void LoadGeneratorTest::sendsAtTheRate()
{
    World world;
    world.start(Arrivals::Uniform, {{0s, 100.0}});

    world.pass(1s);

    QCOMPARE(world.counters.figures().started, std::uint64_t{100});
    QCOMPARE(world.caller.callsByPort[1], 50);
    QCOMPARE(world.caller.callsByPort[2], 50);
}

void LoadGeneratorTest::poissonArrivalsHaveTheRate()
{
    World world;
    world.start(Arrivals::Poisson, {{0s, 1000.0}});

    world.pass(4s);

    const std::uint64_t started = world.counters.figures().started;
    QVERIFY(started > 3800 && started < 4200); // Three deviations are 190.
}

void LoadGeneratorTest::followsTheStepsOfTheRate()
{
    World world;
    world.start(Arrivals::Uniform, {{0s, 100.0}, {1s, 0.0}, {2s, 200.0}});

    world.pass(1500ms);
    const std::uint64_t first = world.counters.figures().started;
    world.pass(1500ms);
    const std::uint64_t second = world.counters.figures().started - first;

    QVERIFY(first >= 99 && first <= 101);
    QVERIFY(second >= 178 && second <= 201); // Looks at a zero rate ten times a second.
}

void LoadGeneratorTest::doesNotWaitForAnswers()
{
    World world;
    world.start(Arrivals::Uniform, {{0s, 1000.0}});

    world.pass(5s);

    const LoadFigures figures = world.counters.figures();
    QCOMPARE(figures.started, std::uint64_t{5000});
    QCOMPARE(figures.refused, 5000 - LoadGenerator::kInFlightMax);
    QCOMPARE(figures.inFlight, LoadGenerator::kInFlightMax);
}

void LoadGeneratorTest::measuresFromTheIntendedStart()
{
    World world;
    world.start(Arrivals::Uniform, {{0s, 10.0}});
    // The generator itself stalls: the request due at 100 ms is sent at 600 ms.
    world.clock.advance(600ms);
    world.loop->runTurn(Duration::zero());
    world.caller.answerAll(200);

    const LoadFigures figures = world.counters.figures();
    QCOMPARE(figures.succeeded, std::uint64_t{6});
    QVERIFY(figures.latency.quantile(1.0) > 490'000);
}

void LoadGeneratorTest::countsWhatFailed()
{
    World world;
    world.start(Arrivals::Uniform, {{0s, 10.0}});
    world.pass(100ms);
    world.caller.answerAll(404);
    world.pass(100ms);
    world.caller.answerAll(503);
    QCOMPARE(world.counters.figures().lastFailure, std::string("HTTP 503"));
    world.pass(100ms);
    for (const OnAnswer& answer : std::exchange(world.caller.waiting, {})) {
        answer(fail(ErrorCode::Refused, "nobody listens"));
    }

    const LoadFigures figures = world.counters.figures();
    QCOMPARE(figures.succeeded, std::uint64_t{1});
    QCOMPARE(figures.failed, std::uint64_t{2});
    QCOMPARE(figures.lastFailure, std::string("refused"));
}

void LoadGeneratorTest::endsWithItsSpan()
{
    World world;
    world.start(Arrivals::Uniform, {{0s, 10.0}}, 1s);
    world.pass(3s);

    QCOMPARE(world.counters.figures().started, std::uint64_t{9}); // At 0.1 s to 0.9 s.
}

// A call counts from its intended start, which may lie before the turn that sends it.
void LoadGeneratorTest::writesItsCallsDown()
{
    World world;
    CallBook book({{"early", {{TimePoint(0s), TimePoint(250ms)}}}});
    book.setBegin(world.loop->now());
    world.start(Arrivals::Uniform, {{0s, 10.0}}, 350ms, &book);
    world.pass(300ms);
    world.caller.answerAll(200);
    world.pass(100ms);
    world.caller.answerAll(503);
    book.close(world.loop->now());

    QCOMPARE(book.lines().size(), std::size_t{1});
    const CallBook::Line& line = *book.lines().front();
    QCOMPARE(line.series.name, std::string("gateway->frontend"));
    QCOMPARE(line.row.figures(0).calls, std::uint64_t{2});
    QCOMPARE(line.row.figures(0).succeeded, std::uint64_t{2});
    QCOMPARE(line.row.figures(0).durations.mean(), Duration(150ms));
    QCOMPARE(line.inFlight, 0U);
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::LoadGeneratorTest)
#include "load_generator_test.moc"
