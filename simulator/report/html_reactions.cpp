#include "simulator/report/html_parts.h"
#include "simulator/report/judge.h"
#include "simulator/report/report_text.h"
#include "simulator/report/run_timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mesh::simulator {
namespace {

constexpr std::size_t kReactionsListedMax = 40; // Of one variant; the rest is counted.
constexpr std::size_t kServicesListedMax = 200;
constexpr std::size_t kEdgesListedMax = 40;
constexpr double kRetriedMin = 1.005; // Attempts per call that are worth a row.

constexpr std::array kReportWindows = {Window::Before, Window::During, Window::After};

struct Definition
{
    std::string_view name;
    std::string_view text;
};

constexpr std::array kDefinitions = {
    Definition{
        "objective",
        "The least success that assertions on the service demand outside of faults, else during "
        "them, else 99 %."},
    Definition{
        "time to detect",
        "From the first fault's begin to the first reaction of a policy: an ejection, an open "
        "breaker, a failed health check, panic. The median of the runs."},
    Definition{
        "time to mitigate",
        "From the first fault's begin until the first entry's success is above the objective for "
        "10 s while faults last; 0 when it never left."},
    Definition{
        "time to recover",
        "From the last fault's end until the first entry's success is above the objective for 30 "
        "s."},
    Definition{
        "retry amplification",
        "Attempts over calls: of one edge, and of all edges together per root request."},
    Definition{
        "blast radius",
        "The share of root requests that failed while a fault was active, and the services whose "
        "success left the objective."},
    Definition{
        "success, latency",
        "Of calls: one logical request from its caller's start to its final answer, all attempts "
        "included, in the window in which it started."},
};

void appendDefinitions(std::string& page)
{
    page += "<h3>Definitions</h3>\n<dl>\n";
    for (const Definition& definition : kDefinitions) {
        page += fmt::format("<dt>{}</dt><dd>{}</dd>\n", definition.name, definition.text);
    }
    page += "</dl>\n";
}

void appendVariantHeads(std::string& page, const Rehearsal& rehearsal)
{
    for (const VariantResult& variant : rehearsal.variants) {
        page += headCell(variant.name, "n");
    }
    page += "</tr></thead><tbody>\n";
}

void appendTimeRow(
    std::string& page,
    const Rehearsal& rehearsal,
    std::string_view name,
    std::optional<Duration> Reaction::*time,
    std::string_view absent
)
{
    page += "<tr>" + rowHead(name);
    for (const VariantResult& variant : rehearsal.variants) {
        const std::optional<Duration>& value = variant.reaction.*time;
        page += cell(value ? lengthText(*value) : std::string(absent), value ? "n" : "n dim");
    }
    page += "</tr>\n";
}

void appendObjectiveRow(std::string& page, const Rehearsal& rehearsal)
{
    if (rehearsal.entries.empty()) {
        return;
    }
    const std::string& entry = rehearsal.entries.front();
    const double objective = objectiveOf(rehearsal.scenario, entry);
    page += "<tr>" + rowHead(fmt::format("objective of {}", entry));
    for (std::size_t at = 0; at < rehearsal.variants.size(); ++at) {
        page += cell(fmt::format("success \u2265 {}", shareText(objective)), "n");
    }
    page += "</tr>\n";
}

void appendReactionList(std::string& page, const VariantResult& variant)
{
    const std::vector<ReactionSummary> reactions = summarize(variant.record);
    page += fmt::format(
        "<details><summary>What the policies of {} did in its worst run, {}: {} rows</summary>\n"
        "<div class=\"wide\"><table><thead><tr>",
        escapeMarkup(variant.name),
        variant.worst + 1,
        countText(reactions.size())
    );
    page += headCell("first", "n") + headCell("last", "n") + headCell("times", "n");
    page += headCell("what") + headCell("of") + headCell("by the proxies of");
    page += "</tr></thead><tbody>\n";
    for (std::size_t at = 0; at < std::min(reactions.size(), kReactionsListedMax); ++at) {
        const ReactionSummary& reaction = reactions[at];
        std::string callers;
        for (const std::string& caller : reaction.callers) {
            callers += (callers.empty() ? "" : ", ") + caller;
        }
        page += "<tr>" + cell(lengthText(reaction.first), "n");
        page += cell(reaction.count > 1 ? lengthText(reaction.last) : "", "n");
        page += cell(countText(reaction.count), "n") + cell(toText(reaction.kind));
        page += cell(reaction.instance.empty() ? reaction.callee : reaction.instance);
        page += cell(callers, "soft") + "</tr>\n";
    }
    page += "</tbody></table></div>\n";
    if (reactions.size() > kReactionsListedMax) {
        page += paragraph(
            fmt::format("{} more are not listed.", reactions.size() - kReactionsListedMax), "note"
        );
    }
    if (variant.record.markersLost > 0) {
        page += paragraph(
            fmt::format("{} were not recorded.", countText(variant.record.markersLost)), "note"
        );
    }
    page += "</details>\n";
}

void appendServiceRow(
    std::string& page, const VariantResult& variant, const std::string& service, bool isHurt
)
{
    page += "<tr>";
    page += isHurt ? markCell(Tone::Bad) : std::string("<td class=\"mark\"></td>");
    page += rowHead(service);
    for (const Quantity quantity : {Quantity::Success, Quantity::P99, Quantity::Utilization}) {
        for (const Window window : kReportWindows) {
            const RehearsalFigures* figures = serviceFigures(variant, window, service);
            const auto value = figures != nullptr ? figures->value(quantity) : std::nullopt;
            page += cell(
                value ? typesetValue(quantity, *value) : noValueText(),
                window == Window::During ? "n in" : "n"
            );
        }
    }
    page += "</tr>\n";
}

// Hurt services first, then by what they lost during the faults.
std::vector<std::string> servicesByLoss(const VariantResult& variant)
{
    std::vector<std::string> names;
    const auto always = variant.services.find(Window::Always);
    if (always != variant.services.end()) {
        for (const auto& [name, figures] : always->second) {
            names.push_back(name);
        }
    }
    const auto successOf = [&variant](const std::string& name) {
        const RehearsalFigures* during = serviceFigures(variant, Window::During, name);
        return during != nullptr ? during->success : 1.0;
    };
    std::ranges::stable_sort(names, {}, successOf);
    std::stable_partition(names.begin(), names.end(), [&variant](const std::string& name) {
        return std::ranges::binary_search(variant.reaction.hurt, name);
    });
    return names;
}

void appendServiceTable(std::string& page, const Rehearsal& rehearsal, const VariantResult& variant)
{
    const std::vector<std::string> names = servicesByLoss(variant);
    page += fmt::format(
        "<details{}><summary>{}{} services</summary>\n",
        &variant == &rehearsal.variants.front() ? " open=\"open\"" : "",
        rehearsal.variants.size() > 1 ? escapeMarkup(variant.name) + ": " : "",
        countText(names.size())
    );
    page += "<div class=\"wide\"><table><thead><tr><th></th><th></th>";
    for (const std::string_view quantity : {"success", "p99", "utilisation"}) {
        for (const Window window : kReportWindows) {
            page += headCell(
                fmt::format("{} {}", quantity, toText(window)),
                window == Window::During ? "n in" : "n"
            );
        }
    }
    page += "</tr></thead><tbody>\n";
    for (std::size_t at = 0; at < std::min(names.size(), kServicesListedMax); ++at) {
        const bool isHurt = std::ranges::binary_search(variant.reaction.hurt, names[at]);
        appendServiceRow(page, variant, names[at], isHurt);
    }
    page += "</tbody></table></div>\n";
    if (names.size() > kServicesListedMax) {
        page += paragraph(
            fmt::format("{} more are not listed.", names.size() - kServicesListedMax), "note"
        );
    }
    page += "</details>\n";
}

// Attempts of all edges per root request.
std::optional<double> workPerRoot(
    const Rehearsal& rehearsal, const VariantResult& variant, Window window
)
{
    const auto edges = variant.edges.find(window);
    double roots = 0.0;
    for (const std::string& entry : rehearsal.entries) {
        const auto* figures = edgeFigures(variant, window, "gateway->" + entry);
        roots += figures != nullptr ? static_cast<double>(figures->calls) : 0.0;
    }
    if (edges == variant.edges.end() || roots == 0.0) {
        return std::nullopt;
    }
    double attempts = 0.0;
    for (const auto& [name, figures] : edges->second) {
        attempts += static_cast<double>(figures.calls) * figures.amplification;
    }
    return attempts / roots;
}

// Edges on which anything was retried in any variant, the most retried first.
std::vector<std::string> retriedEdges(const Rehearsal& rehearsal)
{
    std::map<std::string, double> most;
    for (const VariantResult& variant : rehearsal.variants) {
        for (const auto& [window, edges] : variant.edges) {
            for (const auto& [name, figures] : edges) {
                if (figures.calls > 0 && figures.amplification >= kRetriedMin) {
                    most[name] = std::max(most[name], figures.amplification);
                }
            }
        }
    }
    std::vector<std::string> names;
    for (const auto& [name, amplification] : most) {
        names.push_back(name);
    }
    std::ranges::stable_sort(names, std::ranges::greater{}, [&most](const std::string& name) {
        return most.find(name)->second;
    });
    return names;
}

void appendAmplificationHead(std::string& page, const Rehearsal& rehearsal)
{
    page += "<div class=\"wide\"><table><thead><tr>" + headCell("edge");
    for (const VariantResult& variant : rehearsal.variants) {
        for (const Window window : kReportWindows) {
            page += headCell(
                rehearsal.variants.size() > 1 ? fmt::format("{} {}", variant.name, toText(window))
                                              : std::string(toText(window)),
                window == Window::During ? "n in" : "n"
            );
        }
    }
    page += "</tr></thead><tbody>\n";
}

} // namespace

void appendReactions(std::string& page, const Rehearsal& rehearsal)
{
    if (rehearsal.variants.empty()) {
        return;
    }
    page += "<section id=\"reactions\"><h2>How fast the mesh answered</h2>\n";
    if (!rehearsal.scenario.timeline.empty()) {
        page += "<div class=\"wide\"><table><thead><tr>" + headCell("");
        appendVariantHeads(page, rehearsal);
        appendObjectiveRow(page, rehearsal);
        appendTimeRow(page, rehearsal, "time to detect", &Reaction::detected, "nothing reacted");
        appendTimeRow(
            page, rehearsal, "time to mitigate", &Reaction::mitigated, "not while it lasted"
        );
        appendTimeRow(
            page, rehearsal, "time to recover", &Reaction::recovered, "not within the run"
        );
        page += "</tbody></table></div>\n";
        for (const VariantResult& variant : rehearsal.variants) {
            appendReactionList(page, variant);
        }
    }
    appendDefinitions(page);
    page += "</section>\n";
}

void appendServices(std::string& page, const Rehearsal& rehearsal)
{
    if (rehearsal.variants.empty()) {
        return;
    }
    page += "<section id=\"blast-radius\"><h2>Blast radius</h2>\n<div class=\"wide\"><table>"
            "<thead><tr>"
            + headCell("");
    appendVariantHeads(page, rehearsal);
    page += "<tr>" + rowHead("root requests failed during faults");
    for (const VariantResult& variant : rehearsal.variants) {
        page += cell(shareText(variant.reaction.failedShare), "n");
    }
    page += "</tr>\n<tr>" + rowHead("services that left the objective");
    for (const VariantResult& variant : rehearsal.variants) {
        std::string names;
        for (const std::string& service : variant.reaction.hurt) {
            names += (names.empty() ? "" : ", ") + service;
        }
        const std::size_t count = variant.reaction.hurt.size();
        page += cell(count == 0 ? "none" : fmt::format("{}: {}", count, names), "n wrap");
    }
    page += "</tr>\n</tbody></table></div>\n";
    for (const VariantResult& variant : rehearsal.variants) {
        appendServiceTable(page, rehearsal, variant);
    }
    page += "</section>\n";
}

void appendAmplification(std::string& page, const Rehearsal& rehearsal)
{
    if (rehearsal.variants.empty()) {
        return;
    }
    page += "<section id=\"amplification\"><h2>Retry amplification</h2>\n";
    const std::vector<std::string> edges = retriedEdges(rehearsal);
    if (edges.empty()) {
        page += paragraph("No edge made more than 1.00 attempts per call.", "lead");
    } else {
        page += paragraph("Attempts per call, of every edge on which calls were retried.", "lead");
    }
    appendAmplificationHead(page, rehearsal);
    page += "<tr>" + rowHead("all edges, attempts per root request");
    for (const VariantResult& variant : rehearsal.variants) {
        for (const Window window : kReportWindows) {
            const auto work = workPerRoot(rehearsal, variant, window);
            page += cell(
                work ? numberText(*work, 2) : noValueText(), window == Window::During ? "n in" : "n"
            );
        }
    }
    page += "</tr>\n";
    for (std::size_t at = 0; at < std::min(edges.size(), kEdgesListedMax); ++at) {
        page += "<tr>" + rowHead(edges[at]);
        for (const VariantResult& variant : rehearsal.variants) {
            for (const Window window : kReportWindows) {
                const RehearsalFigures* figures = edgeFigures(variant, window, edges[at]);
                page += cell(
                    figures != nullptr ? timesText(figures->amplification) : noValueText(),
                    window == Window::During ? "n in" : "n"
                );
            }
        }
        page += "</tr>\n";
    }
    page += "</tbody></table></div>\n";
    if (edges.size() > kEdgesListedMax) {
        page += paragraph(
            fmt::format("{} more are not listed.", edges.size() - kEdgesListedMax), "note"
        );
    }
    page += "</section>\n";
}

} // namespace mesh::simulator
