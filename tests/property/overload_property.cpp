#include "proxyengine/policy/overload.h"

#include "tests/support/seeded_run.h"

#include <QTest>

#include <fmt/format.h>

#include <array>

// Goal: more pressure never sheds less, a higher priority is never shed more, nothing is shed
//       without pressure, and what is shed is the share that was promised.
// Method: random settings, readings and priorities; each property must catch a decision that is
//         wrong in just that way.
namespace mesh::policy {

using test::Mutant;
using test::Violation;

class OverloadProperty : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void holds();
    void catchesWrongDecisions_data();
    void catchesWrongDecisions();
};

namespace {

constexpr std::uint64_t kRuns = 20'000; // Each a random pair of readings.

struct Faithful
{
    static double share(
        const model::Overload& settings, model::RequestPriority priority, double pressure
    )
    {
        return shedShare(settings, priority, pressure);
    }
    static double pressure(const model::Overload& settings, const OverloadReading& reading)
    {
        return pressureOf(settings, reading);
    }
};

// Takes high for low.
struct UpsideDown : Faithful
{
    static double share(
        const model::Overload& settings, model::RequestPriority priority, double pressure
    )
    {
        constexpr std::array<model::RequestPriority, 3> kOther = {
            model::RequestPriority::High,
            model::RequestPriority::Default,
            model::RequestPriority::Low};
        return shedShare(settings, kOther[static_cast<std::size_t>(priority)], pressure);
    }
};

// Sheds less again when it is far too much.
struct Exhausted : Faithful
{
    static double share(
        const model::Overload& settings, model::RequestPriority priority, double pressure
    )
    {
        return shedShare(settings, priority, pressure > 3 ? 0.9 : pressure);
    }
};

// Looks at the loop only.
struct HalfBlind : Faithful
{
    static double pressure(model::Overload settings, const OverloadReading& reading)
    {
        settings.maxRequests = 0;
        return pressureOf(settings, reading);
    }
};

// Sheds a little all the time.
struct Grumpy : Faithful
{
    static double share(
        const model::Overload& settings, model::RequestPriority priority, double pressure
    )
    {
        return std::min(1.0, shedShare(settings, priority, pressure) + 0.01);
    }
};

OverloadReading randomReading(Random& random)
{
    return {random.below(3000), std::chrono::microseconds(random.below(60'000))};
}

template <typename Decision>
Violation check(Seed seed)
{
    using Priority = model::RequestPriority;
    constexpr std::array<Priority, 3> kPriorities = {
        Priority::Low, Priority::Default, Priority::High};
    Random random(seed);
    model::Overload settings;
    settings.maxRequests = random.chance(0.2) ? 0 : static_cast<int>(1 + random.below(1000));
    settings.maxLoopLag =
        std::chrono::microseconds(random.chance(0.2) ? 0 : 1 + random.below(20'000));
    settings.shedFrom = static_cast<double>(1 + random.below(100));
    const OverloadReading less = randomReading(random);
    const OverloadReading more{
        less.inFlight + random.below(500),
        less.loopLag + std::chrono::microseconds(random.below(9000))};
    const double low = Decision::pressure(settings, less);
    const double high = Decision::pressure(settings, more);
    if (high < low) {
        return fmt::format("a pressure of {} and then of {}", low, high);
    }
    if (settings.maxRequests > 0
        && less.inFlight >= static_cast<std::uint64_t>(settings.maxRequests) && low < 1) {
        return fmt::format("a pressure of {} with a limit reached", low);
    }

    double above = 1;
    for (const Priority priority : kPriorities) {
        const double before = Decision::share(settings, priority, low);
        const double after = Decision::share(settings, priority, high);
        if (before < 0 || before > 1) {
            return fmt::format("a share of {}", before);
        }
        if (after < before) {
            return fmt::format("sheds {} at {} and {} at {}", before, low, after, high);
        }
        if (before > above) {
            return fmt::format("sheds more ({}) of a higher priority than of a lower", before);
        }
        above = before;
        if (low * 100 < settings.shedFrom && before > 0) {
            return fmt::format("sheds {} without need at {}", before, low);
        }
    }
    return {};
}

template <typename Decision>
Violation checkAll(Seed first)
{
    return test::runSeeds(first, kRuns, check<Decision>);
}

constexpr std::array<Mutant, 4> kMutants = {
    Mutant{"priorities upside down", "higher priority", checkAll<UpsideDown>},
    Mutant{"sheds less under more", "sheds", checkAll<Exhausted>},
    Mutant{"blind for requests", "limit reached", checkAll<HalfBlind>},
    Mutant{"sheds at rest", "without need", checkAll<Grumpy>}};

} // namespace

void OverloadProperty::holds()
{
    const Violation violation = checkAll<Faithful>(test::firstSeed());
    QVERIFY2(violation.empty(), violation.c_str());
}

void OverloadProperty::catchesWrongDecisions_data() { test::addRows(kMutants); }

void OverloadProperty::catchesWrongDecisions()
{
    QFETCH(const int, mutant);
    test::expectCaught(kMutants[static_cast<std::size_t>(mutant)]);
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::OverloadProperty)
#include "overload_property.moc"
