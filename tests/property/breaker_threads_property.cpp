#include "proxyengine/base/thread.h"
#include "proxyengine/policy/adaptive_concurrency.h"
#include "proxyengine/policy/breaker.h"
#include "tests/support/seeded_run.h"

#include <QTest>

#include <atomic>
#include <string>
#include <vector>

// Goal: through one atomic word, any number of threads together take no more than the probes there
//       are, and have no more requests in flight than the limit allows.
// Method: threads that run the pure functions in compare-exchange loops, as the proxy does. All of
//         them load the word before any stores it, so that a driver without compare-exchange is
//         caught for certain and not by luck.
namespace mesh::policy {

class BreakerThreadsProperty : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void takesEveryProbeOnce();
    void catchesAPlainStore();
    void keepsItsProbesWhileTheMachineTurns();
    void keepsTheConcurrencyLimit();
};

namespace {

constexpr std::uint32_t kThreads = 4;
constexpr std::uint32_t kProbes = 1000;

// Lets its threads go on only together.
class Meeting
{
public:
    void wait()
    {
        std::uint32_t arrived = m_arrived.fetch_add(1) + 1;
        m_arrived.notify_all();
        while (arrived < kThreads) {
            m_arrived.wait(arrived);
            arrived = m_arrived.load();
        }
    }

private:
    std::atomic<std::uint32_t> m_arrived{0};
};

struct CompareExchange
{
    static bool store(std::atomic<std::uint64_t>& word, std::uint64_t seen, std::uint64_t next)
    {
        return word.compare_exchange_strong(seen, next);
    }
};

// The mutant.
struct PlainStore
{
    static bool store(std::atomic<std::uint64_t>& word, std::uint64_t /*seen*/, std::uint64_t next)
    {
        word.store(next);
        return true;
    }
};

// How many requests all threads together got through while half-open. Each asks until it is
// rejected, and gives every seventh probe back once.
template <typename Store>
std::uint32_t countAdmitted(std::uint32_t probes, Seed seed)
{
    const BreakerGate start(BreakerState::HalfOpen, 7, 0, probes);
    std::atomic<std::uint64_t> word{start.word()};
    std::atomic<std::uint32_t> admitted{0};
    Meeting meeting;
    const auto take = [&](std::uint32_t thread) {
        Random random(deriveSeed(seed, thread));
        bool isFirst = true;
        std::uint32_t asked = 0;
        for (;;) {
            std::uint64_t seen = word.load();
            if (isFirst) {
                meeting.wait();
                isFirst = false;
            }
            const BreakerAdmission admission = admitThrough(BreakerGate::fromWord(seen), random);
            if (!admission.isAdmitted()) {
                return;
            }
            if (!Store::store(word, seen, admission.gate.word())) {
                continue;
            }
            admitted.fetch_add(1);
            if (++asked % 7 != 0) {
                continue;
            }
            do {
                seen = word.load();
            } while (!Store::store(
                word, seen, returnProbe(BreakerGate::fromWord(seen), admission.round()).word()
            ));
            admitted.fetch_sub(1);
        }
    };
    {
        std::vector<Thread> threads;
        for (std::uint32_t i = 0; i < kThreads; ++i) {
            threads.emplace_back("asker " + std::to_string(i), [&take, i] { take(i); });
        }
        for (Thread& thread : threads) {
            thread.join();
        }
    }
    return admitted.load();
}

} // namespace

void BreakerThreadsProperty::takesEveryProbeOnce()
{
    const Seed seed = test::firstSeed();
    for (int run = 0; run < 20; ++run) {
        QCOMPARE(countAdmitted<CompareExchange>(kProbes, seed), kProbes);
        QCOMPARE(countAdmitted<CompareExchange>(1, seed), 1U);
    }
}

void BreakerThreadsProperty::catchesAPlainStore()
{
    QVERIFY(countAdmitted<PlainStore>(1, test::firstSeed()) > 1);
}

// The control thread opens, half-opens and opens again while workers ask: in no round more probes
// than there are.
void BreakerThreadsProperty::keepsItsProbesWhileTheMachineTurns()
{
    using namespace std::chrono_literals;
    constexpr std::uint32_t kRounds = 300;
    model::Breaker settings;
    settings.minRequests = 1;
    settings.probes = 5;
    TimePoint now(0s);
    BreakerMachine machine(settings, now);
    std::atomic<std::uint64_t> word{machine.gate().word()};
    std::vector<std::atomic<std::uint32_t>> admitted(kRounds + 2);
    std::atomic<bool> isOver{false};
    const auto ask = [&](std::uint32_t thread) {
        Random random(deriveSeed(Seed{1}, thread));
        while (!isOver.load()) {
            std::uint64_t seen = word.load();
            const BreakerAdmission admission = admitThrough(BreakerGate::fromWord(seen), random);
            if (!admission.isAdmitted()) {
                word.wait(seen);
            } else if (word.compare_exchange_strong(seen, admission.gate.word())) {
                admitted[admission.round()].fetch_add(1);
                admitted[admission.round()].notify_all();
            }
        }
    };
    const auto publish = [&](const BreakerStep& step) {
        if (step.gate) {
            word.store(step.gate->word());
            word.notify_all();
        }
    };
    {
        std::vector<Thread> threads;
        for (std::uint32_t i = 1; i < kThreads; ++i) {
            threads.emplace_back("asker " + std::to_string(i), [&ask, i] { ask(i); });
        }
        publish(machine.observe(now, 0, {0, 1, 0}));
        for (std::uint32_t round = 1; round <= kRounds; ++round) {
            now += settings.open;
            publish(machine.advance(now));
            // Some probe is answered badly while others are still being taken.
            admitted[round].wait(0);
            publish(machine.observe(now, round, {0, 1, 0}));
        }
        isOver.store(true);
        publish(machine.advance(now + settings.open));
        for (Thread& thread : threads) {
            thread.join();
        }
    }
    for (std::uint32_t round = 1; round <= kRounds; ++round) {
        QVERIFY(admitted[round].load() >= 1 && admitted[round].load() <= 5);
    }
    QVERIFY(admitted[kRounds + 1].load() <= 5); // The call to come home.
}

void BreakerThreadsProperty::keepsTheConcurrencyLimit()
{
    constexpr std::uint32_t kLimit = 3;
    std::atomic<std::uint64_t> word{ConcurrencyGate(0, kLimit, 0).word()};
    std::atomic<std::uint32_t> running{0};
    std::atomic<std::uint32_t> runningMax{0};
    Meeting meeting;
    const auto work = [&] {
        meeting.wait();
        for (int i = 0; i < 5000; ++i) {
            std::uint64_t seen = word.load();
            const ConcurrencyAdmission admission = enter(ConcurrencyGate::fromWord(seen));
            if (!admission.isAdmitted()
                || !word.compare_exchange_strong(seen, admission.gate.word())) {
                continue;
            }
            const std::uint32_t now = running.fetch_add(1) + 1;
            std::uint32_t most = runningMax.load();
            while (most < now && !runningMax.compare_exchange_weak(most, now)) {
            }
            running.fetch_sub(1);
            seen = word.load();
            while (!word.compare_exchange_weak(seen, leave(ConcurrencyGate::fromWord(seen)).word())
            ) {
            }
        }
    };
    {
        std::vector<Thread> threads;
        for (std::uint32_t i = 0; i < kThreads; ++i) {
            threads.emplace_back("worker " + std::to_string(i), work);
        }
        for (Thread& thread : threads) {
            thread.join();
        }
    }
    QVERIFY(runningMax.load() >= 1 && runningMax.load() <= kLimit);
    QCOMPARE(ConcurrencyGate::fromWord(word.load()).inFlight(), 0U);
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::BreakerThreadsProperty)
#include "breaker_threads_property.moc"
