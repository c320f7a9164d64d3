#include "simulator/report/windows.h"

#include <algorithm>
#include <array>
#include <string>

namespace mesh::simulator {
namespace {

using WindowSpans = std::vector<std::pair<TimePoint, TimePoint>>;

constexpr std::array<std::string_view, kWindowCount> kWindowWords = {
    "before", "during", "after", "always"};

// The union of all faults' spans, sorted and apart from each other.
WindowSpans activeSpans(const Scenario& scenario, TimePoint end)
{
    WindowSpans spans;
    for (const Fault& fault : scenario.timeline) {
        const TimePoint from = TimePoint{} + fault.at;
        spans.emplace_back(from, fault.length ? std::min(from + *fault.length, end) : end);
    }
    std::ranges::sort(spans);
    WindowSpans merged;
    for (const auto& span : spans) {
        if (!merged.empty() && span.first <= merged.back().second) {
            merged.back().second = std::max(merged.back().second, span.second);
        } else {
            merged.push_back(span);
        }
    }
    return merged;
}

// What of the spans is in [from, to).
WindowSpans cut(const WindowSpans& spans, TimePoint from, TimePoint to)
{
    WindowSpans result;
    for (const auto& [begin, end] : spans) {
        if (std::max(begin, from) < std::min(end, to)) {
            result.emplace_back(std::max(begin, from), std::min(end, to));
        }
    }
    return result;
}

// The spans without the first of their time.
WindowSpans withoutFirst(const WindowSpans& spans, Duration length)
{
    WindowSpans result;
    for (const auto& [begin, end] : spans) {
        const Duration gone = std::min(length, end - begin);
        length -= gone;
        if (begin + gone < end) {
            result.emplace_back(begin + gone, end);
        }
    }
    return result;
}

} // namespace

std::string_view toText(Window window) { return kWindowWords.at(placeOf(window)); }

ScenarioWindows::ScenarioWindows(const Scenario& scenario)
{
    const TimePoint begin = TimePoint{} + scenario.warmup;
    const TimePoint end = TimePoint{} + scenario.duration.value_or(Duration::zero());
    const WindowSpans active = activeSpans(scenario, end);
    const WindowSpans all = cut({{begin, end}}, begin, end);
    const auto add = [&](Window window, WindowSpans spans) {
        m_windows.push_back({std::string(toText(window)), std::move(spans)});
    };
    add(Window::Before, cut(all, begin, active.empty() ? end : active.front().first));
    add(Window::During, cut(active, begin, end));
    add(Window::After, active.empty() ? WindowSpans{} : cut(all, active.back().second, end));
    add(Window::Always, all);
    for (const Assertion& assertion : scenario.asserts) {
        const auto known = std::ranges::find(kWindowWords, assertion.window);
        std::size_t place = known == kWindowWords.end()
                                ? placeOf(Window::Always)
                                : static_cast<std::size_t>(known - kWindowWords.begin());
        if (assertion.within) {
            m_windows.push_back(
                {assertion.text, withoutFirst(m_windows[place].spans, *assertion.within)}
            );
            place = m_windows.size() - 1;
        }
        m_ofAssertion.push_back(place);
    }
}

std::size_t ScenarioWindows::ofFaults() const
{
    const bool hasFaults = !m_windows[placeOf(Window::During)].spans.empty();
    return placeOf(hasFaults ? Window::During : Window::Always);
}

} // namespace mesh::simulator
