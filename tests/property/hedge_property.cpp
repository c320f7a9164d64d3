#include "proxyengine/policy/hedge.h"

#include "tests/support/seeded_run.h"

#include <QTest>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <vector>

// Goal: no attempt outlives its request: after the decision only the winner runs, after the end
//       none; no attempt begins then; one attempt wins at most; hedges stay within their number.
// Method: a driver that starts and cancels attempts as it is told, while attempts fail, win and
//         report late at random. Each property must catch races that are wrong in just that way.
namespace mesh::policy {

using namespace std::chrono_literals;
using test::Mutant;
using test::Violation;

class HedgeProperty : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void holds();
    void catchesWrongRaces_data();
    void catchesWrongRaces();
};

namespace {

constexpr std::uint64_t kRuns = 4000;
constexpr int kStepsPerRun = 60; // 240 000 in all.

using Role = HedgeRace::Role;
using State = HedgeRace::State;

struct Faithful : HedgeRace
{
    using HedgeRace::HedgeRace;
};

// Lets a loser run on.
struct SparesOne : HedgeRace
{
    using HedgeRace::HedgeRace;
    AttemptSet onWon(AttemptSlot slot)
    {
        AttemptSet losers = HedgeRace::onWon(slot);
        if (losers.size() > 1) {
            losers.takeFirst();
        }
        return losers;
    }
};

// Cancels the hedges of a client that left, but not what runs in the first place.
struct SparesMain : HedgeRace
{
    using HedgeRace::HedgeRace;
    AttemptSet onClientGone()
    {
        AttemptSet rest = HedgeRace::onClientGone();
        rest.bits &= ~1U;
        return rest;
    }
};

// A fresh start whenever nothing runs, whatever happened before.
struct NeverOver : HedgeRace
{
    using HedgeRace::HedgeRace;
    std::optional<AttemptSlot> onStarted(Role role, TimePoint now)
    {
        if (state() == State::Over) {
            return AttemptSlot{7};
        }
        return HedgeRace::onStarted(role, now);
    }
};

struct OneHedgeMore : HedgeRace
{
    explicit OneHedgeMore(int maxHedges)
        : HedgeRace(maxHedges + 1)
    {}
};

// Says too early that nothing runs any more.
struct Hasty : HedgeRace
{
    using HedgeRace::HedgeRace;
    Failed onFailed(AttemptSlot slot)
    {
        const Failed failed = HedgeRace::onFailed(slot);
        return failed == Failed::OthersRun && running().size() == 1 ? Failed::NoneRuns : failed;
    }
};

// The proxy's side: what it really runs.
template <typename Race>
class Run
{
public:
    explicit Run(Seed seed)
        : m_random(seed)
        , m_hedgesMax(static_cast<int>(m_random.below(5)))
        , m_race(m_hedgesMax)
    {}

    Violation run()
    {
        for (int step = 0; step < kStepsPerRun && m_violation.empty(); ++step) {
            switch (m_random.below(8)) {
            case 0:
            case 1:
                start(Role::Main);
                break;
            case 2:
            case 3:
                start(Role::Hedge);
                break;
            case 4:
            case 5:
                fail();
                break;
            case 6:
                m_random.chance(0.3) ? win() : reportLate();
                break;
            default:
                if (m_random.chance(0.1)) {
                    leave();
                }
            }
            look();
        }
        if (m_violation.empty()) {
            leave();
            look();
        }
        return m_violation;
    }

private:
    void start(Role role)
    {
        // A driver retries only when nothing runs; hedges when it likes.
        if (role == Role::Main && !m_running.empty()) {
            return;
        }
        const bool wasEmpty = m_running.empty();
        const auto slot = m_race.onStarted(role, TimePoint(1s));
        if (!slot) {
            return;
        }
        if (m_isLeft || m_winner) {
            m_violation = "an attempt began after the request's end";
        } else if (role == Role::Hedge && wasEmpty) {
            m_violation = "a hedge began alone";
        } else if (role == Role::Hedge && ++m_hedges > m_hedgesMax) {
            m_violation = fmt::format("{} hedges of {}", m_hedges, m_hedgesMax);
        } else if (!m_running.insert(slot->index).second) {
            m_violation = "two attempts in one slot";
        }
    }

    void fail()
    {
        if (m_running.empty()) {
            return;
        }
        const std::uint32_t index = pick();
        m_running.erase(index);
        const auto said = m_race.onFailed({index});
        const auto expected =
            m_running.empty() ? HedgeRace::Failed::NoneRuns : HedgeRace::Failed::OthersRun;
        if (said != expected) {
            m_violation = fmt::format("{} run, and the race says otherwise", m_running.size());
        }
        if (m_winner) {
            m_isLeft = true; // Nothing can be done for the client any more.
        }
    }

    void win()
    {
        if (m_running.empty() || m_winner) {
            return;
        }
        m_winner = pick();
        cancel(m_race.onWon({*m_winner}));
    }

    // Of an attempt that was cancelled meanwhile.
    void reportLate()
    {
        const auto index = static_cast<std::uint32_t>(m_random.below(HedgeRace::kAttemptsMax));
        if (m_running.contains(index)) {
            return;
        }
        if (m_race.onFailed({index}) != HedgeRace::Failed::Ignored
            || !m_race.onWon({index}).isEmpty()) {
            m_violation = "a report of nobody counted";
        }
    }

    void leave()
    {
        cancel(m_race.onClientGone());
        m_isLeft = true;
    }

    void cancel(AttemptSet losers)
    {
        while (!losers.isEmpty() && m_violation.empty()) {
            if (m_running.erase(losers.takeFirst().index) == 0) {
                m_violation = "cancelled what does not run";
            }
        }
    }

    void look()
    {
        if (!m_violation.empty()) {
            return;
        }
        if (m_isLeft && !m_running.empty()) {
            m_violation = fmt::format("{} attempts outlive their request", m_running.size());
        } else if (m_winner && !m_isLeft && m_running != std::set{*m_winner}) {
            m_violation = "others run beside the winner";
        } else if (m_race.running().size() != static_cast<int>(m_running.size())) {
            m_violation = "the race counts otherwise";
        }
    }

    std::uint32_t pick()
    {
        auto at = m_running.begin();
        std::advance(at, static_cast<std::ptrdiff_t>(m_random.below(m_running.size())));
        return *at;
    }

    Random m_random;
    int m_hedgesMax;
    Race m_race;
    std::set<std::uint32_t> m_running;
    std::optional<std::uint32_t> m_winner;
    bool m_isLeft = false;
    int m_hedges = 0;
    Violation m_violation;
};

template <typename Race>
Violation checkAll(Seed first)
{
    return test::runSeeds(first, kRuns, [](Seed seed) { return Run<Race>(seed).run(); });
}

constexpr std::array<Mutant, 5> kMutants = {
    Mutant{"spares a loser", "beside the winner", checkAll<SparesOne>},
    Mutant{"spares the first attempt", "outlive their request", checkAll<SparesMain>},
    Mutant{"starts again after the end", "began after", checkAll<NeverOver>},
    Mutant{"one hedge more", "hedges of", checkAll<OneHedgeMore>},
    Mutant{"gives up while one runs", "says otherwise", checkAll<Hasty>}};

} // namespace

void HedgeProperty::holds()
{
    const Violation violation = checkAll<Faithful>(test::firstSeed());
    QVERIFY2(violation.empty(), violation.c_str());
}

void HedgeProperty::catchesWrongRaces_data() { test::addRows(kMutants); }

void HedgeProperty::catchesWrongRaces()
{
    QFETCH(const int, mutant);
    test::expectCaught(kMutants[static_cast<std::size_t>(mutant)]);
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::HedgeProperty)
#include "hedge_property.moc"
