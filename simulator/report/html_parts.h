#pragma once

#include "simulator/report/html.h"
#include "simulator/report/rehearsal.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// The parts of the report's page, in their order. Each appends one <section>, or nothing when it
// has nothing to say. Private to report/html*.cpp.
namespace mesh::simulator {

void appendVerdict(std::string& page, const Rehearsal& rehearsal);
void appendWindows(std::string& page, const Rehearsal& rehearsal);
void appendTimelines(std::string& page, const Rehearsal& rehearsal);
void appendReactions(std::string& page, const Rehearsal& rehearsal);
void appendServices(std::string& page, const Rehearsal& rehearsal);
void appendWaterfalls(std::string& page, const Rehearsal& rehearsal);
void appendAmplification(std::string& page, const Rehearsal& rehearsal);
void appendAblation(std::string& page, const Rehearsal& rehearsal);
void appendMargins(std::string& page, const Rehearsal& rehearsal, const HtmlOptions& options);
void appendTrust(std::string& page, const Rehearsal& rehearsal, const HtmlOptions& options);
void appendRepeat(std::string& page, const Rehearsal& rehearsal, const HtmlOptions& options);

// A cell with this text, escaped, and these classes.
[[nodiscard]] std::string cell(std::string_view text, std::string_view classes = {});
[[nodiscard]] std::string headCell(std::string_view text, std::string_view classes = {});
[[nodiscard]] std::string rowHead(std::string_view text, std::string_view classes = {});
[[nodiscard]] std::string paragraph(std::string_view text, std::string_view classes = {});
// A word of state with its sign, as a cell of its own: ✓, !, ✕.
enum class Tone : std::uint8_t { Good, Warn, Bad };
[[nodiscard]] std::string markCell(Tone tone);

// "3.8 to 4.4", in the words of `text`; empty without an interval.
template <typename Text>
std::string intervalText(const Estimate& estimate, Text text)
{
    if (!estimate.interval) {
        return {};
    }
    return text(estimate.interval->first) + " to " + text(estimate.interval->second);
}

// A variant's figures; null when nothing was measured.
[[nodiscard]] const RehearsalFigures* serviceFigures(
    const VariantResult& variant, Window window, const std::string& name
);
[[nodiscard]] const RehearsalFigures* edgeFigures(
    const VariantResult& variant, Window window, const std::string& name
);

} // namespace mesh::simulator
