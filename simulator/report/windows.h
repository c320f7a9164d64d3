#pragma once

#include "simulator/mesh/measures.h"
#include "simulator/report/rehearsal.h"
#include "simulator/scenario/scenario.h"

#include <cstddef>
#include <utility>
#include <vector>

namespace mesh::simulator {

// The windows of a scenario: first the four named ones, by Window, then one for every assertion
// that leaves out the first of its window.
//
// Before is from the warm-up to the first fault (without faults: all), During while any fault is
// active, After from the end of the last fault on, Always all but the warm-up; the end of the load
// ends them all. A fault without length lasts to the end.
class ScenarioWindows
{
public:
    // The scenario has a duration.
    explicit ScenarioWindows(const Scenario& scenario);

    [[nodiscard]] const std::vector<MeasureWindow>& all() const { return m_windows; }
    [[nodiscard]] const MeasureWindow& at(std::size_t place) const { return m_windows[place]; }
    // The place of the window of an assertion, by its place in the file; of a comparison: Always.
    [[nodiscard]] std::size_t ofAssertion(std::size_t assertion) const
    {
        return m_ofAssertion[assertion];
    }
    // During, or Always when there are no faults: what reactions and ablations are about.
    [[nodiscard]] std::size_t ofFaults() const;

private:
    std::vector<MeasureWindow> m_windows;
    std::vector<std::size_t> m_ofAssertion;
};

[[nodiscard]] constexpr std::size_t placeOf(Window window)
{
    return static_cast<std::size_t>(window);
}

} // namespace mesh::simulator
