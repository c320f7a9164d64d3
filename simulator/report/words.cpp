#include "simulator/report/words.h"

#include <fmt/format.h>

namespace mesh::simulator {
namespace {

std::string millisecondsText(double value)
{
    const double size = value < 0.0 ? -value : value;
    const int digits = size < 1.0 ? 3 : size < 10.0 ? 2 : size < 100.0 ? 1 : 0;
    return fmt::format("{:.{}f} ms", value, digits);
}

} // namespace

std::string valueText(Quantity quantity, double value)
{
    switch (quantity) {
    case Quantity::Success:
        return fmt::format("{:.3f} %", value * 100.0);
    case Quantity::Utilization:
        return fmt::format("{:.1f} %", value * 100.0);
    case Quantity::Mean:
    case Quantity::P50:
    case Quantity::P90:
    case Quantity::P99:
    case Quantity::P999:
        return millisecondsText(value);
    case Quantity::Amplification:
        return fmt::format("{:.3f}", value);
    default:
        return fmt::format("{:.1f}", value);
    }
}

std::string differenceText(Quantity quantity, double difference)
{
    if (quantity == Quantity::Success || quantity == Quantity::Utilization) {
        return fmt::format("{:+.3f} pp", difference * 100.0);
    }
    const std::string text = valueText(quantity, difference);
    return difference < 0.0 ? text : "+" + text;
}

std::string resultText(const AssertionResult& result)
{
    if (!result.value) {
        return "nothing measured";
    }
    const Quantity quantity = result.assertion.condition.quantity;
    const auto say = result.assertion.window.empty() ? differenceText : valueText;
    std::string text = say(quantity, result.value->value);
    if (const auto& interval = result.value->interval) {
        text += fmt::format(
            " [{}, {}]", say(quantity, interval->first), say(quantity, interval->second)
        );
    }
    return text;
}

std::string demandText(const Assertion& assertion)
{
    return assertion.window.empty() ? fmt::format(
               "{} vs {}: {}", assertion.candidate, assertion.reference, assertion.text
           )
                                    : fmt::format("{}: {}", assertion.window, assertion.text);
}

} // namespace mesh::simulator
