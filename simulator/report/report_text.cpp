#include "simulator/report/report_text.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

namespace mesh::simulator {
namespace {

constexpr std::string_view kThinSpace = "\u2009";
constexpr std::string_view kUnitSpace = "\u202f";
constexpr std::string_view kMinus = "\u2212";
constexpr std::string_view kReplacement = "\ufffd";

enum class Unit : std::uint8_t { Share, Time, Rate, Plain, Times };

// By Quantity.
constexpr std::array<Unit, kQuantityCount> kUnits = {
    Unit::Share, // success
    Unit::Rate,
    Unit::Time, // mean
    Unit::Time,
    Unit::Time,
    Unit::Time,
    Unit::Time,
    Unit::Plain, // inflight
    Unit::Share, // utilization
    Unit::Times,
    Unit::Rate, // goodput
};

Unit unitOf(Quantity quantity) { return kUnits[static_cast<std::size_t>(quantity)]; }

int decimalsOf(double value)
{
    const double size = std::abs(value);
    if (size < 0.995) {
        return 2;
    }
    return size < 99.95 ? 1 : 0;
}

std::string withUnit(const std::string& number, std::string_view unit)
{
    return fmt::format("{}{}{}", number, kUnitSpace, unit);
}

std::string_view entityOf(char byte)
{
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return {};
    }
}

bool isContinuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

// The length of the well-formed sequence at the start that no XML document refuses; 0 when there
// is none. Source: RFC 3629, section 4; XML 1.0, production Char.
std::size_t sequenceLength(std::string_view text)
{
    const auto first = static_cast<unsigned char>(text[0]);
    if (first < 0x80U) {
        const bool isText = first >= 0x20U && first != 0x7FU;
        return isText || first == '\n' || first == '\t' ? 1 : 0;
    }
    const std::size_t length = first >= 0xF0U ? 4 : first >= 0xE0U ? 3 : 2;
    if (first < 0xC2U || first > 0xF4U || text.size() < length) {
        return 0;
    }
    for (std::size_t at = 1; at < length; ++at) {
        if (!isContinuation(text[at])) {
            return 0;
        }
    }
    const auto second = static_cast<unsigned char>(text[1]);
    const bool isOverlong =
        (first == 0xE0U && second < 0xA0U) || (first == 0xF0U && second < 0x90U);
    const bool isOutside = (first == 0xEDU && second > 0x9FU) || (first == 0xF4U && second > 0x8FU);
    const bool isNoCharacter =
        first == 0xEFU && second == 0xBFU && static_cast<unsigned char>(text[2]) >= 0xBEU;
    return isOverlong || isOutside || isNoCharacter ? 0 : length;
}

} // namespace

std::string escapeMarkup(std::string_view text)
{
    std::string escaped;
    escaped.reserve(text.size());
    while (!text.empty()) {
        const std::string_view entity = entityOf(text[0]);
        const std::size_t length = sequenceLength(text);
        if (!entity.empty()) {
            escaped += entity;
        } else if (length > 0) {
            escaped += text.substr(0, length);
        } else {
            escaped += kReplacement;
        }
        text.remove_prefix(length > 0 ? length : 1);
    }
    return escaped;
}

std::string_view noValueText() { return "\u2013"; }

std::string numberText(double value, int decimals)
{
    if (!std::isfinite(value)) {
        return std::string(noValueText());
    }
    std::string text = fmt::format("{:.{}f}", std::abs(value), decimals);
    const bool isZero = text.find_first_not_of("0.") == std::string::npos;
    const std::size_t dot = text.find('.');
    for (std::size_t at = dot == std::string::npos ? text.size() : dot; at > 3;) {
        at -= 3;
        text.insert(at, kThinSpace);
    }
    return value < 0.0 && !isZero ? fmt::format("{}{}", kMinus, text) : text;
}

std::string countText(std::uint64_t count)
{
    std::string text = fmt::format("{}", count);
    for (std::size_t at = text.size(); at > 3;) {
        at -= 3;
        text.insert(at, kThinSpace);
    }
    return text;
}

std::string rateText(std::optional<double> perSecond)
{
    return perSecond ? numberText(*perSecond, decimalsOf(*perSecond)) : std::string(noValueText());
}

std::string millisecondsText(std::optional<double> value_ms)
{
    if (!value_ms || !std::isfinite(*value_ms)) {
        return std::string(noValueText());
    }
    const double size = std::abs(*value_ms);
    if (size >= 59'950.0) {
        const std::string text = lengthText(fromSeconds(size / 1000.0));
        return *value_ms < 0.0 ? fmt::format("{}{}", kMinus, text) : text;
    }
    if (size >= 999.5) {
        return withUnit(numberText(*value_ms / 1000.0, 1), "s");
    }
    return withUnit(numberText(*value_ms, size < 0.995 ? 2 : size < 9.95 ? 1 : 0), "ms");
}

std::string shareText(std::optional<double> share)
{
    if (!share || !std::isfinite(*share)) {
        return std::string(noValueText());
    }
    const double percent = *share * 100.0;
    if (percent < 100.0 && percent >= 99.995) {
        return withUnit(">99.99", "%");
    }
    if (percent > 0.0 && percent < 0.005) {
        return withUnit("<0.01", "%");
    }
    const bool isWhole = percent == 0.0 || percent == 100.0;
    return withUnit(numberText(percent, isWhole ? 0 : 2), "%");
}

std::string timesText(std::optional<double> factor)
{
    if (!factor || !std::isfinite(*factor)) {
        return std::string(noValueText());
    }
    return withUnit(numberText(*factor, std::abs(*factor) < 99.995 ? 2 : 0), "×");
}

std::string lengthText(std::optional<Duration> length)
{
    if (!length) {
        return std::string(noValueText());
    }
    const double all_s = toSeconds(*length);
    if (all_s == 0.0) {
        return withUnit("0", "s");
    }
    if (std::abs(all_s) < 1.0) {
        return millisecondsText(all_s * 1000.0);
    }
    if (std::abs(all_s) < 59.95) {
        const double rounded = std::round(all_s * 10.0) / 10.0;
        return withUnit(numberText(rounded, rounded == std::round(rounded) ? 0 : 1), "s");
    }
    const auto seconds = static_cast<std::int64_t>(std::llround(all_s));
    if (seconds % 60 == 0) {
        return withUnit(countText(static_cast<std::uint64_t>(seconds / 60)), "min");
    }
    return fmt::format(
        "{} {}",
        withUnit(countText(static_cast<std::uint64_t>(seconds / 60)), "min"),
        withUnit(countText(static_cast<std::uint64_t>(seconds % 60)), "s")
    );
}

std::string typesetValue(Quantity quantity, double value)
{
    switch (unitOf(quantity)) {
    case Unit::Share:
        return shareText(value);
    case Unit::Time:
        return millisecondsText(value);
    case Unit::Times:
        return timesText(value);
    case Unit::Rate:
        return withUnit(rateText(value), "/s");
    case Unit::Plain:
        break;
    }
    return rateText(value);
}

std::string typesetDifference(Quantity quantity, double value)
{
    if (!std::isfinite(value)) {
        return std::string(noValueText());
    }
    const std::string text = unitOf(quantity) == Unit::Share
                                 ? withUnit(numberText(value * 100.0, 2), "pp")
                                 : typesetValue(quantity, value);
    return value > 0.0 ? "+" + text : text;
}

} // namespace mesh::simulator
