#include "simulator/report/html_parts.h"
#include "simulator/report/objective.h"
#include "simulator/report/report_text.h"
#include "simulator/report/run_timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace mesh::simulator {
namespace {

constexpr std::size_t kEntriesDrawnMax = 4; // More pictures than anybody compares.
constexpr double kBudget_s = 30.0 * 24 * 3600; // Error budgets are agreed on for 30 days.

struct MetricRow
{
    std::string_view name;
    Quantity quantity;
};

constexpr std::array kMetricRows = {
    MetricRow{"requests", Quantity::Rps},
    MetricRow{"success", Quantity::Success},
    MetricRow{"p50", Quantity::P50},
    MetricRow{"p99", Quantity::P99},
    MetricRow{"p99.9", Quantity::P999},
    MetricRow{"goodput", Quantity::Goodput},
    MetricRow{"in progress", Quantity::InFlight},
    MetricRow{"attempts per call", Quantity::Amplification},
};

constexpr std::array kWindowColumns = {
    Window::Before, Window::During, Window::After, Window::Always};

std::string_view columnClass(Window window) { return window == Window::During ? "n in" : "n"; }

void appendWindowHead(std::string& page, std::string_view title)
{
    page += "<div class=\"wide\"><table class=\"windows\"><thead><tr>" + headCell(title);
    for (const Window window : kWindowColumns) {
        page += headCell(toText(window), columnClass(window));
    }
    page += "</tr></thead><tbody>\n";
}

void appendMetricRow(
    std::string& page,
    const VariantResult& variant,
    const std::string& entry,
    const MetricRow& metric,
    const std::optional<double>& objective
)
{
    for (const Window window : kWindowColumns) {
        const RehearsalFigures* figures = serviceFigures(variant, window, entry);
        const auto value = figures != nullptr ? figures->value(metric.quantity) : std::nullopt;
        const bool isBelow =
            metric.quantity == Quantity::Success && objective && value && *value < *objective;
        page += cell(
            value ? typesetValue(metric.quantity, *value) : noValueText(),
            fmt::format("{}{}", columnClass(window), isBelow ? " bad" : "")
        );
    }
    page += "</tr>\n";
}

// Failures over those that the objective allows: 1 uses a budget up in exactly its time.
std::optional<double> burnOf(const RehearsalFigures* figures, double objective)
{
    if (figures == nullptr || objective >= 1.0) {
        return std::nullopt;
    }
    return (1.0 - figures->success) / (1.0 - objective);
}

void appendBudgetRows(
    std::string& page,
    const VariantResult& variant,
    const std::string& entry,
    double objective,
    int replications
)
{
    std::string burns;
    std::string shares;
    for (const Window window : kWindowColumns) {
        const RehearsalFigures* figures = serviceFigures(variant, window, entry);
        const std::optional<double> burn = burnOf(figures, objective);
        const std::string classes =
            fmt::format("{}{}", columnClass(window), burn && *burn > 1.0 ? " bad" : "");
        burns += cell(timesText(burn), classes);
        std::optional<double> share;
        if (burn && figures->rps > 0.0) {
            const double window_s =
                static_cast<double>(figures->calls) / figures->rps / std::max(1, replications);
            share = *burn * window_s / kBudget_s;
        }
        shares += cell(shareText(share), columnClass(window));
    }
    page += rowHead("error budget, burn rate", "sub") + burns + "</tr>\n<tr>";
    page += rowHead("of a 30-day budget", "sub") + shares + "</tr>\n";
}

void appendEntryTable(std::string& page, const Rehearsal& rehearsal, const std::string& entry)
{
    const auto objective = demandedSuccess(rehearsal.scenario, entry);
    const VariantResult& first = rehearsal.variants.front();
    const bool isAlone = rehearsal.variants.size() == 1;
    appendWindowHead(page, isAlone ? entry : fmt::format("{}, {}", entry, first.name));
    for (const MetricRow& metric : kMetricRows) {
        page += "<tr>" + rowHead(metric.name);
        appendMetricRow(page, first, entry, metric, objective);
        for (std::size_t at = 1; at < rehearsal.variants.size(); ++at) {
            page += "<tr class=\"quiet\">" + rowHead(rehearsal.variants[at].name, "sub");
            appendMetricRow(page, rehearsal.variants[at], entry, metric, objective);
        }
    }
    for (const VariantResult& variant : rehearsal.variants) {
        if (objective) {
            page += "<tr class=\"first\">";
            page += rowHead(isAlone ? "objective" : fmt::format("objective, {}", variant.name));
            for (const Window window : kWindowColumns) {
                page += cell("\u2265 " + shareText(*objective), columnClass(window));
            }
            page += "</tr>\n<tr>";
            appendBudgetRows(page, variant, entry, *objective, rehearsal.scenario.replications);
        }
    }
    page += "</tbody></table></div>\n";
}

void appendLegend(std::string& page, const Rehearsal& rehearsal)
{
    page += "<ul class=\"legend\">";
    for (std::size_t at = 0; at < rehearsal.variants.size(); ++at) {
        fmt::format_to(
            std::back_inserter(page),
            "<li><svg viewBox=\"0 0 24 8\" aria-hidden=\"true\"><path class=\"line s{}\" "
            "d=\"M0 4h24\"/></svg>{}</li>",
            styleOf(rehearsal, at),
            escapeMarkup(rehearsal.variants[at].name)
        );
    }
    page +=
        "<li class=\"dim\">\u25c7 ejected</li><li class=\"dim\">\u25c6 breaker</li>"
        "<li class=\"dim\">\u25b2 panic</li><li class=\"dim\">\u25ac budget or limit used up</li>"
        "<li class=\"dim\">\u2715 health check failed</li>"
        "<li class=\"dim\">\u25cb returned</li></ul>\n";
}

void appendFaultTable(std::string& page, const Rehearsal& rehearsal)
{
    if (rehearsal.faults.empty()) {
        return;
    }
    page += "<h3>Faults and what they hit</h3>\n<div class=\"wide\"><table><thead><tr>";
    page += headCell("fault") + headCell("from", "n") + headCell("for", "n");
    page += headCell("instances", "n") + headCell("which") + "</tr></thead><tbody>\n";
    for (std::size_t at = 0; at < rehearsal.faults.size(); ++at) {
        const ResolvedFault& fault = rehearsal.faults[at];
        std::string names;
        for (const std::string& instance : fault.instances) {
            names += (names.empty() ? "" : ", ") + instance;
        }
        page += "<tr>" + rowHead(fault.text);
        if (at < rehearsal.scenario.timeline.size()) {
            const Fault& asked = rehearsal.scenario.timeline[at];
            page += cell(lengthText(asked.at), "n");
            page += cell(asked.length ? lengthText(*asked.length) : "to the end", "n");
        } else {
            page += cell("", "n") + cell("", "n");
        }
        page +=
            cell(fault.instances.empty() ? noValueText() : countText(fault.instances.size()), "n");
        page += cell(names, "soft") + "</tr>\n";
    }
    page += "</tbody></table></div>\n";
}

} // namespace

void appendWindows(std::string& page, const Rehearsal& rehearsal)
{
    if (rehearsal.variants.empty() || rehearsal.entries.empty()) {
        return;
    }
    page += "<section id=\"windows\"><h2>Before, during, after</h2>\n";
    page += paragraph(
        fmt::format(
            "Calls of the entries by the window in which they started, over all {} runs. During: "
            "while any fault is active. Always: all but the warm-up.",
            std::max(1, rehearsal.scenario.replications)
        ),
        "lead"
    );
    for (const std::string& entry : rehearsal.entries) {
        appendEntryTable(page, rehearsal, entry);
    }
    page += "</section>\n";
}

void appendTimelines(std::string& page, const Rehearsal& rehearsal)
{
    if (rehearsal.variants.empty()) {
        return;
    }
    page += "<section id=\"timeline\"><h2>Timeline</h2>\n";
    page += paragraph(
        "Lines are averages over all runs, by second of virtual time. Reactions are those of each "
        "variant's worst run. Shaded: a fault is active.",
        "lead"
    );
    page += "<svg width=\"0\" height=\"0\" style=\"position:absolute\" aria-hidden=\"true\"><defs>"
            "<pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
            "patternTransform=\"rotate(45)\"><rect width=\"2\" height=\"6\" "
            "style=\"fill:var(--hover)\"/></pattern></defs></svg>\n";
    const std::size_t drawn = std::min(kEntriesDrawnMax, rehearsal.entries.size());
    appendLegend(page, rehearsal);
    for (std::size_t at = 0; at < drawn; ++at) {
        if (rehearsal.entries.size() > 1) {
            page += fmt::format("<h3>{}</h3>\n", escapeMarkup(rehearsal.entries[at]));
        }
        page += "<div class=\"wide\">";
        page += renderTimeline(timelineOf(rehearsal, rehearsal.entries[at]));
        page += "</div>\n";
    }
    if (drawn < rehearsal.entries.size()) {
        page += paragraph(
            fmt::format("{} of {} entries are drawn.", drawn, rehearsal.entries.size()), "note"
        );
    }
    appendFaultTable(page, rehearsal);
    page += "</section>\n";
}

} // namespace mesh::simulator
