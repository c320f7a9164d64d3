#include "simulator/report/terminal.h"

#include "proxyengine/base/duration_text.h"
#include "simulator/report/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mesh::simulator {
namespace {

constexpr std::size_t kInstancesShown = 12; // Of a fault.

// Rows of cells with columns as wide as they need.
class TextTable
{
public:
    using Row = std::vector<std::string>;

    void add(Row row) { m_rows.push_back(std::move(row)); }

    [[nodiscard]] std::string text() const
    {
        std::vector<std::size_t> widths;
        for (const Row& row : m_rows) {
            widths.resize(std::max(widths.size(), row.size()));
            for (std::size_t at = 0; at < row.size(); ++at) {
                widths[at] = std::max(widths[at], row[at].size());
            }
        }
        std::string text;
        for (const Row& row : m_rows) {
            std::string line = " ";
            for (std::size_t at = 0; at < row.size(); ++at) {
                line += at == 0 ? fmt::format(" {:<{}}", row[at], widths[at])
                                : fmt::format("  {:>{}}", row[at], widths[at]);
            }
            text += line + '\n';
        }
        return text;
    }

private:
    std::vector<Row> m_rows;
};

std::string countText(std::size_t count, std::string_view one)
{
    return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

std::string verdictLine(const Rehearsal& rehearsal)
{
    const auto& asserts = rehearsal.variants.front().asserts;
    const std::size_t all = asserts.size() + rehearsal.comparisons.size();
    const auto held = static_cast<std::size_t>(
        std::ranges::count_if(asserts, &AssertionResult::holds)
        + std::ranges::count_if(rehearsal.comparisons, &AssertionResult::holds)
    );
    std::string line = fmt::format(
        "{}: {}; assertions that hold: {} of {}, {}",
        rehearsal.scenario.name,
        toText(rehearsal.verdict),
        held,
        all,
        countText(static_cast<std::size_t>(rehearsal.scenario.replications), "replication")
    );
    if (rehearsal.stoppedBy) {
        line += fmt::format("; stopped by {}", *rehearsal.stoppedBy);
    }
    return line + '\n';
}

std::string spanText(const Fault& fault)
{
    return fault.length ? fmt::format(
               "{} to {}", toDurationText(fault.at), toDurationText(fault.at + *fault.length)
           )
                        : fmt::format("{} to the end", toDurationText(fault.at));
}

std::string faultLines(const Rehearsal& rehearsal)
{
    std::string text;
    for (std::size_t at = 0; at < rehearsal.faults.size(); ++at) {
        const ResolvedFault& fault = rehearsal.faults[at];
        std::vector<std::string> names = fault.instances;
        const std::size_t all = names.size();
        names.resize(std::min(all, kInstancesShown));
        text += fmt::format("  {}: {}", spanText(rehearsal.scenario.timeline[at]), fault.text);
        if (all > 0) {
            text +=
                fmt::format(" ({}{})", fmt::join(names, ", "), all > names.size() ? ", ..." : "");
        }
        text += '\n';
    }
    return text.empty() ? text : "\nFaults\n" + text;
}

void addEntryRows(TextTable& table, const VariantResult& variant, const std::string& entry)
{
    constexpr std::array kShown = {Window::Before, Window::During, Window::After};
    for (const Window window : kShown) {
        const FiguresByName& rows = variant.services.at(window);
        const auto row = rows.find(entry);
        if (row == rows.end()) {
            continue;
        }
        const RehearsalFigures& figures = row->second;
        table.add(
            {fmt::format("{} {}", entry, toText(window)),
             fmt::format("{:.1f}", figures.rps),
             valueText(Quantity::Success, figures.success),
             valueText(Quantity::P50, figures.p50_ms),
             valueText(Quantity::P99, figures.p99_ms),
             valueText(Quantity::P999, figures.p999_ms),
             fmt::format("{:.1f}", figures.goodput)}
        );
    }
}

std::string timeText(const std::optional<Duration>& time, std::string_view never)
{
    return time ? fmt::format("{:.2f} s", toSeconds(*time)) : std::string(never);
}

std::string reactionLine(const Reaction& reaction)
{
    std::string line = fmt::format(
        "  detected {}; mitigated {}; recovered {}; {} of the requests failed during the faults",
        timeText(reaction.detected, "by nothing"),
        timeText(reaction.mitigated, "not while they lasted"),
        timeText(reaction.recovered, "not within the run"),
        valueText(Quantity::Success, reaction.failedShare)
    );
    if (!reaction.hurt.empty()) {
        line += fmt::format("; hurt: {}", fmt::join(reaction.hurt, ", "));
    }
    return line + '\n';
}

std::string variantText(const Rehearsal& rehearsal, const VariantResult& variant)
{
    TextTable table;
    table.add({"", "rps", "success", "p50", "p99", "p99.9", "goodput"});
    for (const std::string& entry : rehearsal.entries) {
        addEntryRows(table, variant, entry);
    }
    std::string text = fmt::format("\n{}\n{}", variant.name, table.text());
    if (!rehearsal.scenario.timeline.empty()) {
        text += reactionLine(variant.reaction);
    }
    if (rehearsal.scenario.replications > 1) {
        text += fmt::format(
            "  worst of {} runs: {}\n", rehearsal.scenario.replications, variant.worst + 1
        );
    }
    for (const AssertionResult& result : variant.asserts) {
        text += fmt::format(
            "  {} {}: {}; {} of {} runs\n",
            result.holds ? "holds" : "FAILS",
            demandText(result.assertion),
            resultText(result),
            result.hit,
            rehearsal.scenario.replications
        );
    }
    return text;
}

std::string comparisonText(const Rehearsal& rehearsal)
{
    std::string text;
    for (const AssertionResult& result : rehearsal.comparisons) {
        text += fmt::format(
            "  {} {}: {}; {} of {} runs\n",
            result.holds ? "holds" : "FAILS",
            demandText(result.assertion),
            resultText(result),
            result.hit,
            rehearsal.scenario.replications
        );
    }
    return text.empty() ? text : "\nComparisons\n" + text;
}

std::string estimateText(Quantity quantity, const Estimate& estimate)
{
    std::string text = differenceText(quantity, estimate.value);
    if (estimate.interval) {
        text += fmt::format(
            " [{}, {}]",
            differenceText(quantity, estimate.interval->first),
            differenceText(quantity, estimate.interval->second)
        );
    }
    return text;
}

std::string ablationText(const Rehearsal& rehearsal)
{
    TextTable table;
    table.add({"", "success", "p99", "most attempts without it"});
    for (const AblationRow& row : rehearsal.ablation) {
        const auto most = std::ranges::max_element(row.amplification, {}, [](const auto& each) {
            return each.second;
        });
        table.add(
            {row.policy,
             estimateText(Quantity::Success, row.success),
             estimateText(Quantity::P99, row.p99_ms),
             most == row.amplification.end()
                 ? "-"
                 : fmt::format("{:.2f} at {}", most->second, most->first)}
        );
    }
    return rehearsal.ablation.empty()
               ? std::string()
               : "\nWhat each policy is worth during the faults (with it minus without it)\n"
                     + table.text();
}

std::string trustText(const Rehearsal& rehearsal)
{
    const Trust& trust = rehearsal.trust;
    std::string text = fmt::format(
        "\nTrust\n  {}\n",
        trust.isCalibrated ? "models fitted from measurements" : "models as written, not fitted"
    );
    if (!trust.notModelled.empty()) {
        text += fmt::format("  not modelled: {}\n", fmt::join(trust.notModelled, "; "));
    }
    if (!trust.beyond.empty()) {
        text += fmt::format("  outside of what was measured: {}\n", fmt::join(trust.beyond, ", "));
    }
    if (trust.successError) {
        text += fmt::format(
            "  virtual minus live: success {:+.3f} pp, p50 {:+.1f} %, p99 {:+.1f} %\n",
            *trust.successError * 100.0,
            trust.p50Error.value_or(0.0) * 100.0,
            trust.p99Error.value_or(0.0) * 100.0
        );
    }
    for (const std::string& note : trust.liveNotes) {
        text += fmt::format("  live: {}\n", note);
    }
    return text;
}

} // namespace

std::string toTerminalText(const Rehearsal& rehearsal)
{
    std::string text = verdictLine(rehearsal) + faultLines(rehearsal);
    for (const VariantResult& variant : rehearsal.variants) {
        text += variantText(rehearsal, variant);
    }
    if (rehearsal.live) {
        text += variantText(rehearsal, *rehearsal.live);
    }
    text += comparisonText(rehearsal) + ablationText(rehearsal) + trustText(rehearsal);
    text += fmt::format(
        "\nSeed {}, event hash {:016x}, {} events in {:.2f} s\n",
        rehearsal.scenario.seed.value,
        rehearsal.eventHash,
        rehearsal.events,
        rehearsal.wall_s
    );
    return text;
}

} // namespace mesh::simulator
