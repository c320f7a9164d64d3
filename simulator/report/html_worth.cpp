#include "simulator/report/html_parts.h"
#include "simulator/report/margins.h"
#include "simulator/report/report_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace mesh::simulator {
namespace {

constexpr std::size_t kMarginsListedMax = 100;
constexpr double kBarWidth = 260.0;
constexpr double kBarMiddle = kBarWidth / 2.0;

std::string successPoints(double share) { return typesetDifference(Quantity::Success, share); }

// The largest number that a bar has to reach.
double reachOf(const std::vector<AblationRow>& rows)
{
    double reach = 0.0;
    for (const AblationRow& row : rows) {
        reach = std::max(reach, std::abs(row.success.value));
        if (row.success.interval) {
            reach = std::max(reach, std::abs(row.success.interval->first));
            reach = std::max(reach, std::abs(row.success.interval->second));
        }
    }
    return reach > 0.0 ? reach : 1.0;
}

std::string barOf(const Estimate& estimate, double reach)
{
    const auto xOf = [reach](double value) {
        return kBarMiddle + value / reach * (kBarMiddle - 4.0);
    };
    const double x = xOf(estimate.value);
    std::string bar = fmt::format(
        "<svg class=\"bar\" viewBox=\"0 0 260 16\" aria-hidden=\"true\"><rect class=\"{}\" "
        "rx=\"2\" "
        "x=\"{:.1f}\" y=\"3\" width=\"{:.1f}\" height=\"10\"/>",
        estimate.value < 0.0 ? "loss" : "gain",
        std::min(x, kBarMiddle),
        std::abs(x - kBarMiddle)
    );
    if (estimate.interval) {
        bar += fmt::format(
            "<path class=\"whisker\" d=\"M{:.1f} 8H{:.1f}M{:.1f} 5v6M{:.1f} 5v6\"/>",
            xOf(estimate.interval->first),
            xOf(estimate.interval->second),
            xOf(estimate.interval->first),
            xOf(estimate.interval->second)
        );
    }
    return bar
           + fmt::format(
               "<line class=\"axis\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"0\" y2=\"16\"/></svg>",
               kBarMiddle
           );
}

// "payment 2.70 ×", the most retried service without the policy.
std::string mostAmplified(const AblationRow& row)
{
    const auto most = std::ranges::max_element(row.amplification, {}, [](const auto& service) {
        return service.second;
    });
    return most == row.amplification.end()
               ? std::string(noValueText())
               : fmt::format("{} {}", most->first, timesText(most->second));
}

// What the singles do not explain: policies help or hinder each other.
void appendInteraction(std::string& page, const std::vector<AblationRow>& rows)
{
    const auto all = std::ranges::find(rows, "all", &AblationRow::policy);
    if (all == rows.end() || rows.size() < 3) {
        return;
    }
    double singles = 0.0;
    for (const AblationRow& row : rows) {
        singles += &row == &*all ? 0.0 : row.success.value;
    }
    page += paragraph(
        fmt::format(
            "The {} policies are worth {} one by one and {} together; the difference of {} is how "
            "they act on each other.",
            rows.size() - 1,
            successPoints(singles),
            successPoints(all->success.value),
            successPoints(all->success.value - singles)
        ),
        "note"
    );
}

std::string_view marginTone(double factor)
{
    return factor < 1.0 ? "n bad" : factor < 1.3 ? "n warn" : "n";
}

std::string_view loadTone(const std::optional<double>& utilization)
{
    return utilization && *utilization >= 1.0   ? "n bad"
           : utilization && *utilization >= 0.8 ? "n warn"
                                                : "n";
}

void appendMarginRow(std::string& page, const ServiceMargin& margin)
{
    page += "<tr>" + rowHead(margin.service);
    page += cell(shareText(margin.utilization), loadTone(margin.utilization));
    page += cell(rateText(margin.load), "n") + cell(rateText(margin.capacity), "n");
    page += cell(numberText(margin.attempts, 2), "n") + cell(rateText(margin.hidden), "n");
    page += cell(timesText(margin.hidden / margin.load), marginTone(margin.hidden / margin.load));
    page += cell(numberText(margin.peakAttempts, 2), "n");
    page += cell(timesText(margin.collapseFactor), marginTone(margin.collapseFactor));
    page += cell(
        shareText(margin.utilizationWithoutInstance), loadTone(margin.utilizationWithoutInstance)
    );
    page += cell(
        margin.zone.empty()
            ? std::string(noValueText())
            : fmt::format("{} ({})", shareText(margin.utilizationWithoutZone), margin.zone),
        loadTone(margin.utilizationWithoutZone)
    );
    page += "</tr>\n";
}

// What the numbers say about a collapse that feeds itself.
std::string collapseSentence(
    const VariantResult& variant, const std::vector<ServiceMargin>& margins
)
{
    const ServiceMargin& least = margins.front();
    if (least.peakAttempts <= 1.0) {
        return fmt::format(
            "Nothing was retried in this rehearsal, so the distance to a collapse that retries "
            "keep "
            "alive is not known; by utilisation alone {} is the first to fill, at {} of its load.",
            least.service,
            timesText(least.collapseFactor)
        );
    }
    if (least.collapseFactor < 1.0) {
        return fmt::format(
            "{} gets {} attempts per call when things go worst, and then fits only {} of its load: "
            "an overload there keeps itself alive after its cause has gone{}.",
            least.service,
            numberText(least.peakAttempts, 2),
            timesText(least.collapseFactor),
            variant.reaction.recovered ? ", although this run recovered" : ""
        );
    }
    return fmt::format(
        "{} is nearest to a collapse that retries keep alive: at {} of its load, with the {} "
        "attempts per call of the worst ten seconds seen here. More attempts than seen bring it "
        "nearer.",
        least.service,
        timesText(least.collapseFactor),
        numberText(least.peakAttempts, 2)
    );
}

std::string errorText(const std::optional<double>& error)
{
    return error ? typesetDifference(Quantity::Success, *error) : std::string(noValueText());
}

std::string relativeText(const std::optional<double>& error)
{
    if (!error) {
        return std::string(noValueText());
    }
    return (*error > 0.0 ? "+" : "") + numberText(*error * 100.0, 1) + "\u202f%";
}

void appendModelForm(std::string& page, const Trust& trust)
{
    page += "<div><h3>Form of the models</h3>";
    if (!trust.successError && !trust.p50Error && !trust.p99Error) {
        page += paragraph("Not measured. Run it with --mode both to see it next to real servers.");
    } else {
        page += paragraph(fmt::format(
            "Virtual minus live, the same file: success {}, p50 {}, p99 {}.",
            errorText(trust.successError),
            relativeText(trust.p50Error),
            relativeText(trust.p99Error)
        ));
    }
    page += "</div>\n";
}

} // namespace

void appendAblation(std::string& page, const Rehearsal& rehearsal)
{
    if (rehearsal.ablation.empty() || rehearsal.variants.empty()) {
        return;
    }
    page += "<section id=\"ablation\"><h2>What each policy is worth</h2>\n";
    page += paragraph(
        fmt::format(
            "{} with the policy minus without it, on the same luck, during faults. Bars: success; "
            "whiskers: 95 % interval over {} runs.",
            rehearsal.variants.front().name,
            std::max(1, rehearsal.scenario.replications)
        ),
        "lead"
    );
    page += "<div class=\"wide\"><table><thead><tr>" + headCell("policy") + headCell("");
    page += headCell("success", "n") + headCell("95 % interval", "n") + headCell("p99", "n");
    page += headCell("95 % interval", "n") + headCell("most attempts per call without it");
    page += "</tr></thead><tbody>\n";
    const double reach = reachOf(rehearsal.ablation);
    const auto timeText = [](double value) { return typesetDifference(Quantity::P99, value); };
    for (const AblationRow& row : rehearsal.ablation) {
        page += row.policy == "all" ? "<tr class=\"first\">" : "<tr>";
        page += rowHead(row.policy) + "<td>" + barOf(row.success, reach) + "</td>";
        page += cell(successPoints(row.success.value), row.success.value < 0.0 ? "n warn" : "n");
        page += cell(intervalText(row.success, successPoints), "n soft");
        page += cell(timeText(row.p99_ms.value), "n");
        page += cell(intervalText(row.p99_ms, timeText), "n soft");
        page += cell(mostAmplified(row), "soft") + "</tr>\n";
    }
    page += "</tbody></table></div>\n";
    appendInteraction(page, rehearsal.ablation);
    page += "</section>\n";
}

void appendMargins(std::string& page, const Rehearsal& rehearsal, const HtmlOptions& options)
{
    if (rehearsal.variants.empty()) {
        return;
    }
    const VariantResult& variant = rehearsal.variants.front();
    const std::vector<ServiceMargin> margins = marginsOf(variant, options.document.get());
    if (margins.empty()) {
        return;
    }
    page += "<section id=\"margins\"><h2>Margins</h2>\n";
    for (const VariantResult& each : rehearsal.variants) {
        const auto own = marginsOf(each, options.document.get());
        if (!own.empty()) {
            const bool isAlone = rehearsal.variants.size() == 1;
            page += paragraph(
                (isAlone ? std::string() : each.name + ": ") + collapseSentence(each, own)
            );
        }
    }
    page += "<div class=\"wide\"><table><thead><tr>";
    for (const std::string_view title :
         {"",
          "utilisation",
          "calls/s",
          "capacity, attempts/s",
          "attempts per call, most",
          "hidden capacity, calls/s",
          "of its load",
          "attempts per call, worst 10 s",
          "collapse at",
          "one instance less",
          "largest zone less"}) {
        page += headCell(title, title.empty() ? "" : "n");
    }
    page += "</tr></thead><tbody>\n";
    for (std::size_t at = 0; at < std::min(margins.size(), kMarginsListedMax); ++at) {
        appendMarginRow(page, margins[at]);
    }
    page += "</tbody></table></div>\n";
    page += paragraph(
        fmt::format(
            "{}, before the faults. Capacity: attempts over utilisation (U = X S). Hidden "
            "capacity: "
            "capacity over the most attempts per call of any window. The last columns: "
            "utilisation under the same work.",
            variant.name
        ),
        "note"
    );
    page += "</section>\n";
}

void appendTrust(std::string& page, const Rehearsal& rehearsal)
{
    const Trust& trust = rehearsal.trust;
    const int runs = std::max(1, rehearsal.scenario.replications);
    page += "<section id=\"trust\"><h2>How far to trust this</h2>\n<div class=\"three\">\n"
            "<div><h3>Sampling</h3>";
    page += paragraph(
        runs > 1 ? fmt::format(
            "{} runs of different luck; the 95 % intervals above are of these alone.", runs
        )
                 : "1 run: no interval can be given. 20 replications give one."
    );
    page += "</div>\n<div><h3>Parameters</h3>";
    page += paragraph(
        trust.isCalibrated
            ? "The service models were fitted from measurements of this mesh."
            : "The service models were written by hand, not fitted: their error is not known."
    );
    page += "</div>\n";
    appendModelForm(page, trust);
    page += "</div>\n";
    if (!trust.notModelled.empty()) {
        page += "<h3>Not modelled</h3>\n<ul class=\"chips\">";
        for (const std::string& item : trust.notModelled) {
            page += fmt::format("<li>{}</li>", escapeMarkup(item));
        }
        page += "</ul>\n";
    }
    page += "</section>\n";
}

} // namespace mesh::simulator
