#include "simulator/report/guard_watch.h"
#include "simulator/report/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

namespace mesh::simulator {
namespace {

constexpr double kObjective = 0.99; // When no assertion says another.
constexpr std::size_t kMitigatedSeconds = 10; // Above the objective: longer than chance.
constexpr std::size_t kRecoveredSeconds = 30; // As in the definition of recovery.

// Whether fewer calls succeeded than the objective asks for, by more than chance explains (three
// standard errors): one failure of a hundred calls says nothing about 99.9 %.
bool isBelowObjective(const RunSecond& second, double objective)
{
    const auto success = valueOf(second, Quantity::Success);
    if (!success) {
        return false;
    }
    const double calls = std::max(1.0, static_cast<double>(second.succeeded) + second.failed);
    const double chance = std::sqrt(std::max(0.0, objective * (1.0 - objective)) / calls);
    return *success < objective - 3.0 * chance;
}

// Which seconds are below the objective; seconds without calls are not.
class SuccessLine
{
public:
    SuccessLine(const std::vector<RunSeries>& series, std::string_view name, double objective)
    {
        const auto found = std::ranges::find(series, name, &RunSeries::name);
        if (found == series.end()) {
            return;
        }
        for (const RunSecond& second : found->seconds) {
            m_isBelow.push_back(isBelowObjective(second, objective));
        }
    }

    [[nodiscard]] bool isBelow(std::size_t second) const
    {
        return second < m_isBelow.size() && m_isBelow[second];
    }

    // The first second in [from, to) from which on it is not below for `length` seconds or up to
    // `to`; nothing when there is none.
    [[nodiscard]] std::optional<std::size_t> firstGood(
        std::size_t from, std::size_t to, std::size_t length
    ) const
    {
        std::size_t good = from;
        for (std::size_t second = from; second < to; ++second) {
            if (isBelow(second)) {
                good = second + 1;
            } else if (second + 1 - good >= length) {
                return good;
            }
        }
        return good < to ? std::optional(good) : std::nullopt;
    }

private:
    std::vector<bool> m_isBelow;
};

std::size_t secondOf(TimePoint time)
{
    return static_cast<std::size_t>((time - TimePoint{}) / std::chrono::seconds(1));
}

std::optional<Duration> medianOf(std::vector<std::optional<Duration>> times)
{
    // Those that never reacted come last.
    std::ranges::sort(times, {}, [](const std::optional<Duration>& time) {
        return time.value_or(Duration::max());
    });
    return times.empty() ? std::nullopt : times[(times.size() - 1) / 2];
}

std::vector<std::string> hurtServices(
    const Scenario& scenario, const ScenarioWindows& windows, const LaneTally& tally
)
{
    std::vector<std::string> hurt;
    const FiguresByName before = tally.services(placeOf(Window::Before));
    for (const auto& [name, during] : tally.services(windows.ofFaults())) {
        const double objective = objectiveOf(scenario, name);
        const auto was = before.find(name);
        const bool wasGood =
            was == before.end() || was->second.calls == 0 || was->second.success >= objective;
        if (during.calls > 0 && during.success < objective && wasGood) {
            hurt.push_back(name);
        }
    }
    return hurt;
}

} // namespace

double objectiveOf(const Scenario& scenario, std::string_view service)
{
    std::optional<double> objective;
    std::optional<double> duringFaults; // Asks for less, and is no aim but a limit of damage.
    for (const Assertion& assertion : scenario.asserts) {
        const Condition& condition = assertion.condition;
        const bool isDemand = condition.relation == Relation::GreaterOrEqual
                              || condition.relation == Relation::Greater;
        if (!assertion.window.empty() && isDemand && condition.quantity == Quantity::Success
            && condition.subject == service) {
            auto& least = assertion.window == toText(Window::During) ? duringFaults : objective;
            least = std::min(least.value_or(1.0), condition.value);
        }
    }
    return objective ? *objective : duringFaults.value_or(kObjective);
}

Reaction reactionOf(
    const Scenario& scenario, const ScenarioWindows& windows, const LaneTally& tally
)
{
    Reaction reaction;
    const MeasureWindow& during = windows.at(placeOf(Window::During));
    if (during.spans.empty() || scenario.load.empty()) {
        return reaction;
    }
    std::vector<std::optional<Duration>> detected;
    double failed = 0.0;
    double known = 0.0;
    for (const ReplicationNotes& notes : tally.notes()) {
        detected.push_back(notes.detected);
        failed += notes.success ? 1.0 - *notes.success : 0.0;
        known += notes.success ? 1.0 : 0.0;
    }
    reaction.detected = medianOf(std::move(detected));
    reaction.failedShare = known > 0.0 ? failed / known : 0.0;
    reaction.hurt = hurtServices(scenario, windows, tally);

    const std::string& entry = scenario.load.front().entry;
    const SuccessLine line(
        tally.series(), fmt::format("gateway->{}", entry), objectiveOf(scenario, entry)
    );
    const std::size_t begin = secondOf(during.spans.front().first);
    const std::size_t end = secondOf(during.spans.back().second);
    std::size_t left = begin;
    while (left < end && !line.isBelow(left)) {
        ++left;
    }
    const auto mitigated = line.firstGood(left, end, kMitigatedSeconds);
    if (left == end) {
        reaction.mitigated = Duration::zero();
    } else if (mitigated) {
        reaction.mitigated = std::chrono::seconds(*mitigated - begin);
    }
    const std::size_t last = secondOf(TimePoint{} + *scenario.duration);
    const auto recovered = line.firstGood(end, last, kRecoveredSeconds);
    if (recovered && *recovered + kRecoveredSeconds <= last) {
        reaction.recovered = std::chrono::seconds(*recovered - end);
    }
    return reaction;
}

} // namespace mesh::simulator
