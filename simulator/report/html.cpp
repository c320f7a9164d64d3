#include "simulator/report/html.h"

#include "simulator/report/html_parts.h"
#include "simulator/report/html_style.h"
#include "simulator/report/report_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace mesh::simulator {
namespace {

// What stands above the table of assertions.
struct VerdictWords
{
    std::string_view title;
    std::string_view classes;
    std::string_view sign; // A path in a square of 40.
};

constexpr std::string_view kTickSign = "M12 21l5.5 5.5L28.5 14.5";
constexpr std::string_view kCrossSign = "M14 14l12 12M26 14l-12 12";
constexpr std::string_view kBangSign = "M20 11v11M20 27.5v.5";

// By Verdict.
constexpr std::array kVerdictWords = {
    VerdictWords{"Holds", "", kTickSign},
    VerdictWords{"Fails", "fails", kCrossSign},
    VerdictWords{"Stopped by a guard", "warns", kBangSign},
    VerdictWords{"Not deterministic", "fails", kCrossSign},
    VerdictWords{"Outside the calibrated range", "warns", kBangSign},
};

const RehearsalFigures* find(
    const std::map<Window, FiguresByName>& windows, Window window, const std::string& name
)
{
    const auto byName = windows.find(window);
    if (byName == windows.end()) {
        return nullptr;
    }
    const auto found = byName->second.find(name);
    return found == byName->second.end() || found->second.calls == 0 ? nullptr : &found->second;
}

std::string element(std::string_view tag, std::string_view text, std::string_view classes)
{
    if (classes.empty()) {
        return fmt::format("<{}>{}</{}>", tag, escapeMarkup(text), tag);
    }
    return fmt::format("<{} class=\"{}\">{}</{}>", tag, classes, escapeMarkup(text), tag);
}

std::size_t heldOf(const std::vector<AssertionResult>& results)
{
    return static_cast<std::size_t>(std::ranges::count(results, true, &AssertionResult::holds));
}

std::string verdictTitle(const Rehearsal& rehearsal)
{
    const std::size_t all =
        rehearsal.comparisons.size()
        + (rehearsal.variants.empty() ? 0 : rehearsal.variants.front().asserts.size());
    const std::size_t held =
        heldOf(rehearsal.comparisons)
        + (rehearsal.variants.empty() ? 0 : heldOf(rehearsal.variants.front().asserts));
    const auto& words = kVerdictWords[static_cast<std::size_t>(rehearsal.verdict)];
    if (all == 0) {
        return fmt::format("{}: nothing was asserted", words.title);
    }
    return fmt::format("{}: {} of {} assertions hold", words.title, held, all);
}

// How sure the verdict is, and what the other variants did.
std::string verdictFacts(const Rehearsal& rehearsal)
{
    const int runs = std::max(1, rehearsal.scenario.replications);
    std::string facts = fmt::format(
        "{} {} of each variant from seed {}",
        runs,
        runs == 1 ? "run" : "runs",
        rehearsal.scenario.seed.value
    );
    if (rehearsal.variants.empty()) {
        return facts;
    }
    const VariantResult& first = rehearsal.variants.front();
    if (!first.asserts.empty() && runs > 1) {
        const auto weakest = std::ranges::min_element(first.asserts, {}, &AssertionResult::hit);
        fmt::format_to(
            std::back_inserter(facts),
            " · the weakest assertion of {} holds in {} of {}",
            first.name,
            weakest->hit,
            runs
        );
    }
    if (runs > 1) {
        fmt::format_to(std::back_inserter(facts), " · worst run {}", first.worst + 1);
    }
    for (std::size_t at = 1; at < rehearsal.variants.size(); ++at) {
        const VariantResult& variant = rehearsal.variants[at];
        fmt::format_to(
            std::back_inserter(facts),
            " · {} holds {} of {}",
            variant.name,
            heldOf(variant.asserts),
            variant.asserts.size()
        );
    }
    return facts;
}

std::string measuredText(const AssertionResult& result)
{
    if (!result.value) {
        return std::string(noValueText());
    }
    const Quantity quantity = result.assertion.condition.quantity;
    return result.assertion.window.empty() ? typesetDifference(quantity, result.value->value)
                                           : typesetValue(quantity, result.value->value);
}

std::string assertionText(const Assertion& assertion)
{
    return assertion.window.empty() ? fmt::format(
               "{} vs {}: {}", assertion.candidate, assertion.reference, assertion.text
           )
                                    : assertion.text;
}

void appendAssertionRow(
    std::string& page, const Rehearsal& rehearsal, const AssertionResult& result, std::size_t at
)
{
    const int runs = std::max(1, rehearsal.scenario.replications);
    const Quantity quantity = result.assertion.condition.quantity;
    const bool isComparison = result.assertion.window.empty();
    page += "<tr>";
    page += markCell(result.holds ? Tone::Good : Tone::Bad);
    page += cell(isComparison ? "compare" : result.assertion.window, "soft");
    page += fmt::format("<td><code>{}</code></td>", escapeMarkup(assertionText(result.assertion)));
    page += cell(measuredText(result), result.holds ? "n ok" : "n bad");
    const auto text = [quantity, isComparison](double value) {
        return isComparison ? typesetDifference(quantity, value) : typesetValue(quantity, value);
    };
    page += cell(result.value ? intervalText(*result.value, text) : "", "n soft");
    page += cell(fmt::format("{} of {}", result.hit, runs), "n soft");
    for (std::size_t other = 1; other < rehearsal.variants.size(); ++other) {
        const std::vector<AssertionResult>& asserts = rehearsal.variants[other].asserts;
        if (isComparison || at >= asserts.size()) {
            page += cell("", "n");
            continue;
        }
        page += cell(measuredText(asserts[at]), asserts[at].holds ? "n ok" : "n bad");
    }
    page += "</tr>\n";
}

void appendAssertions(std::string& page, const Rehearsal& rehearsal)
{
    const VariantResult* first = rehearsal.variants.empty() ? nullptr : &rehearsal.variants.front();
    const bool hasSome =
        !rehearsal.comparisons.empty() || (first != nullptr && !first->asserts.empty());
    if (!hasSome) {
        return;
    }
    page += "<div class=\"wide\"><table><thead><tr><th></th>";
    page += headCell("window") + headCell("assertion");
    page += headCell(first != nullptr ? first->name : "measured", "n");
    page += headCell("95 % interval", "n") + headCell("held in runs", "n");
    for (std::size_t at = 1; at < rehearsal.variants.size(); ++at) {
        page += headCell(rehearsal.variants[at].name, "n");
    }
    page += "</tr></thead><tbody>\n";
    for (std::size_t at = 0; first != nullptr && at < first->asserts.size(); ++at) {
        appendAssertionRow(page, rehearsal, first->asserts[at], at);
    }
    for (const AssertionResult& result : rehearsal.comparisons) {
        appendAssertionRow(page, rehearsal, result, rehearsal.comparisons.size());
    }
    page += "</tbody></table></div>\n";
}

void appendHead(std::string& page, const Rehearsal& rehearsal)
{
    page += "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
            "<meta name=\"color-scheme\" content=\"light dark\"/>\n";
    page += fmt::format(
        "<title>{} · rehearsal</title>\n<style>{}</style>\n</head>\n<body>\n"
        "<div class=\"edge\"></div>\n<main>\n",
        escapeMarkup(rehearsal.scenario.name),
        reportStyleSheet()
    );
    const Scenario& scenario = rehearsal.scenario;
    page += fmt::format(
        "<header><span class=\"tag\">SIMULATION</span><h1>{}</h1><span class=\"facts\">{}{} of "
        "virtual time after {} of warm-up; nothing here touched a live node</span></header>\n",
        escapeMarkup(scenario.name),
        scenario.mesh.empty() ? std::string() : escapeMarkup(scenario.mesh) + " · ",
        escapeMarkup(lengthText(scenario.duration)),
        escapeMarkup(lengthText(scenario.warmup))
    );
}

void appendFact(std::string& page, std::string_view name, const std::string& value)
{
    if (!value.empty()) {
        page += fmt::format("<dt>{}</dt><dd><code>{}</code></dd>\n", name, escapeMarkup(value));
    }
}

} // namespace

std::string cell(std::string_view text, std::string_view classes)
{
    return element("td", text, classes);
}

std::string headCell(std::string_view text, std::string_view classes)
{
    return element("th", text, classes);
}

std::string rowHead(std::string_view text, std::string_view classes)
{
    const std::string attribute =
        classes.empty() ? std::string() : fmt::format(" class=\"{}\"", classes);
    return fmt::format("<th scope=\"row\"{}>{}</th>", attribute, escapeMarkup(text));
}

std::string paragraph(std::string_view text, std::string_view classes)
{
    return element("p", text, classes) + "\n";
}

std::string markCell(Tone tone)
{
    switch (tone) {
    case Tone::Good:
        return "<td class=\"mark ok\" title=\"holds\">\u2713</td>";
    case Tone::Warn:
        return "<td class=\"mark warn\" title=\"attention\">!</td>";
    case Tone::Bad:
        break;
    }
    return "<td class=\"mark bad\" title=\"fails\">\u2715</td>";
}

const RehearsalFigures* serviceFigures(
    const VariantResult& variant, Window window, const std::string& name
)
{
    return find(variant.services, window, name);
}

const RehearsalFigures* edgeFigures(
    const VariantResult& variant, Window window, const std::string& name
)
{
    return find(variant.edges, window, name);
}

void appendVerdict(std::string& page, const Rehearsal& rehearsal)
{
    const auto& words = kVerdictWords[static_cast<std::size_t>(rehearsal.verdict)];
    page += fmt::format(
        "<section id=\"verdict\"><div class=\"verdict {}\"><svg viewBox=\"0 0 40 40\" "
        "aria-hidden=\"true\"><circle cx=\"20\" cy=\"20\" r=\"18\"/><path d=\"{}\"/></svg><div>"
        "<h2>{}</h2>\n",
        words.classes,
        words.sign,
        escapeMarkup(verdictTitle(rehearsal))
    );
    page += paragraph(verdictFacts(rehearsal), "lead");
    page += "</div></div>\n";
    if (rehearsal.stoppedBy) {
        page += paragraph(
            fmt::format("The run was stopped by its guard: {}.", *rehearsal.stoppedBy), "banner"
        );
    }
    if (!rehearsal.trust.beyond.empty()) {
        std::string names;
        for (const std::string& service : rehearsal.trust.beyond) {
            names += (names.empty() ? "" : ", ") + service;
        }
        page += paragraph(
            fmt::format(
                "{} of the services left the range of load that their models were fitted in: {}. "
                "Their figures are extrapolated.",
                rehearsal.trust.beyond.size(),
                names
            ),
            "banner"
        );
    }
    appendAssertions(page, rehearsal);
    page += "</section>\n";
}

void appendRepeat(std::string& page, const Rehearsal& rehearsal, const HtmlOptions& options)
{
    page += "<section id=\"repeat\"><h2>Repeat this</h2>\n";
    page += paragraph(
        "The same file, mesh and seed give the same event hash with every build and number of "
        "threads.",
        "lead"
    );
    if (!options.command.empty()) {
        page += fmt::format("<pre>{}</pre>\n", escapeMarkup(options.command));
    }
    page += "<dl>\n";
    appendFact(page, "worst run alone", options.replayCommand);
    appendFact(page, "seed", fmt::format("{}", rehearsal.scenario.seed.value));
    appendFact(page, "event hash", fmt::format("{:016x}", rehearsal.eventHash));
    for (const VariantResult& variant : rehearsal.variants) {
        if (rehearsal.variants.size() > 1) {
            appendFact(
                page,
                escapeMarkup("event hash of " + variant.name),
                fmt::format("{:016x}", variant.eventHash)
            );
        }
    }
    appendFact(page, "scenario file, SHA-256", options.scenarioHash);
    appendFact(page, "mesh file, SHA-256", options.meshHash);
    appendFact(page, "version", options.version);
    page += "</dl>\n";
    std::string effort = fmt::format(
        "{} hops and {} events", countText(rehearsal.hops), countText(rehearsal.events)
    );
    if (rehearsal.wall_s > 0.0) {
        effort += fmt::format(" in {}", lengthText(fromSeconds(rehearsal.wall_s)));
    }
    page += paragraph(effort + ".", "note");
    page += "</section>\n";
}

std::string renderHtml(const Rehearsal& rehearsal, const HtmlOptions& options)
{
    std::string page;
    appendHead(page, rehearsal);
    appendVerdict(page, rehearsal);
    appendWindows(page, rehearsal);
    appendTimelines(page, rehearsal);
    appendReactions(page, rehearsal);
    appendServices(page, rehearsal);
    appendWaterfalls(page, rehearsal);
    appendAmplification(page, rehearsal);
    appendAblation(page, rehearsal);
    appendMargins(page, rehearsal, options);
    appendTrust(page, rehearsal, options);
    appendRepeat(page, rehearsal, options);
    page += "</main>\n</body>\n</html>\n";
    return page;
}

} // namespace mesh::simulator
