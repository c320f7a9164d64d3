#include "simulator/report/html_parts.h"
#include "simulator/report/report_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <string>
#include <vector>

// The slowest root requests during the faults, hop by hop, and which hop each waited for.
namespace mesh::simulator {
namespace {

constexpr std::size_t kOpenMax = 2; // Pictures that are shown at once; the others unfold.
constexpr std::size_t kRowsMax = 40; // Of one picture.
constexpr std::size_t kServicesMax = 8; // Of the table.
constexpr int kWidth = 1080;
constexpr int kLeft = 250; // Where time begins.
constexpr int kRight = 960; // Where it ends; behind it stand the figures.
constexpr int kRowHeight = 18;
constexpr int kIndent = 10; // Of each call below another.
constexpr int kIndentMax = 8;

double inMs(Duration length) { return toSeconds(length) * 1e3; }

std::string shareOf(Duration part, Duration whole)
{
    return whole == Duration::zero() ? std::string(noValueText())
                                     : shareText(toSeconds(part) / toSeconds(whole));
}

void appendSpent(std::string& page, std::span<const TracedRequest> requests)
{
    const std::vector<WaitedFor> list = waitedFor(requests);
    Duration whole{};
    for (const WaitedFor& each : list) {
        whole += each.own;
    }
    page += "<div class=\"wide\"><table><thead><tr>" + headCell("service");
    for (const std::string_view head :
         {"share of their time", "a request", "before a worker began", "at work"}) {
        page += headCell(head, "n");
    }
    page += "</tr></thead><tbody>\n";
    const auto count = static_cast<double>(requests.size());
    for (std::size_t at = 0; at < std::min(list.size(), kServicesMax); ++at) {
        const WaitedFor& each = list[at];
        page += "<tr>" + rowHead(each.service) + cell(shareOf(each.own, whole), "n");
        page += cell(millisecondsText(inMs(each.own) / count), "n");
        page += cell(millisecondsText(inMs(each.queued) / count), "n");
        page += cell(millisecondsText(inMs(each.worked) / count), "n") + "</tr>\n";
    }
    page += "</tbody></table></div>\n";
}

// A call as a row of the picture.
struct Row
{
    std::uint32_t step = 0;
    int depth = 0;
};

class Waterfall
{
public:
    explicit Waterfall(const TracedRequest& request)
        : m_request(request)
        , m_below(request.steps.size())
    {
        for (std::uint32_t at = 1; at < request.steps.size(); ++at) {
            m_below[request.steps[at].parent].push_back(at);
        }
        addRows(0, 0);
        keepTheCritical();
    }

    [[nodiscard]] std::size_t leftOut() const { return m_leftOut; }

    void append(std::string& page) const
    {
        fmt::format_to(
            std::back_inserter(page),
            "<div class=\"wide\"><svg class=\"waterfall\" viewBox=\"0 0 {} {}\" role=\"img\" "
            "aria-label=\"{}\">\n",
            kWidth,
            static_cast<int>(m_rows.size()) * kRowHeight + 4,
            escapeMarkup(fmt::format("{} calls in time", m_rows.size()))
        );
        for (std::size_t at = 0; at < m_rows.size(); ++at) {
            appendRow(page, m_rows[at], static_cast<int>(at) * kRowHeight);
        }
        page += "</svg></div>\n";
    }

private:
    [[nodiscard]] const TracedStep& stepOf(std::uint32_t at) const { return m_request.steps[at]; }

    // Callers before what they call, in the order of time.
    void addRows(std::uint32_t first, int depth)
    {
        std::vector<Row> open{{first, depth}};
        while (!open.empty()) {
            const Row row = open.back();
            open.pop_back();
            m_rows.push_back(row);
            std::vector<Row> calls;
            for (const std::uint32_t each : m_below[row.step]) {
                if (stepOf(each).kind == TracedStep::Kind::Call) {
                    calls.push_back({each, row.depth + 1});
                }
                for (const std::uint32_t call : m_below[each]) {
                    calls.push_back({call, row.depth + 1});
                }
            }
            // Attempts of a stand-in are its own rows' business.
            std::erase_if(calls, [this](const Row& each) {
                return stepOf(each.step).kind != TracedStep::Kind::Call;
            });
            open.insert(open.end(), calls.rbegin(), calls.rend());
        }
    }

    void keepTheCritical()
    {
        const std::size_t all = m_rows.size();
        if (all > kRowsMax) {
            std::erase_if(m_rows, [this](const Row& row) { return !stepOf(row.step).isCritical; });
            m_rows.resize(std::min(m_rows.size(), kRowsMax));
        }
        m_leftOut = all - m_rows.size();
    }

    [[nodiscard]] double x(Duration at) const
    {
        const double share =
            m_request.took == Duration::zero() ? 0.0 : toSeconds(at) / toSeconds(m_request.took);
        return kLeft + share * (kRight - kLeft);
    }

    void appendBar(
        std::string& page, std::string_view classes, int y, int height, Duration from, Duration to
    ) const
    {
        fmt::format_to(
            std::back_inserter(page),
            "<rect class=\"{}\" x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\"/>",
            classes,
            x(from),
            y,
            std::max(x(to) - x(from), 0.5),
            height
        );
    }

    void appendAttempt(std::string& page, const TracedStep& step, int y) const
    {
        const bool isAnswered = step.outcome.starts_with('2');
        fmt::format_to(
            std::back_inserter(page),
            "<g><title>{}</title>",
            escapeMarkup(fmt::format(
                "{}: {} after {}; {} before a worker began, {} at work",
                step.name,
                step.outcome,
                millisecondsText(inMs(step.end - step.begin)),
                millisecondsText(inMs(step.queued)),
                millisecondsText(inMs(step.worked))
            ))
        );
        appendBar(page, isAnswered ? "try" : "try lost", y + 3, 12, step.begin, step.end);
        if (step.queued > Duration::zero()) {
            appendBar(page, "queue", y + 6, 6, step.begin, step.begin + step.queued);
        }
        if (step.worked > Duration::zero()) {
            const Duration from = step.begin + step.queued;
            appendBar(page, "work", y + 6, 6, from, from + step.worked);
        }
        page += "</g>";
    }

    void appendRow(std::string& page, const Row& row, int y) const
    {
        const TracedStep& call = stepOf(row.step);
        const int indent = std::min(row.depth, kIndentMax) * kIndent;
        fmt::format_to(
            std::back_inserter(page),
            "<g class=\"{}\"><text class=\"lane\" x=\"{}\" y=\"{}\">{}</text>"
            "<path class=\"span\" d=\"M{:.1f} {}H{:.1f}\"/>",
            call.isCritical ? "critical" : "beside",
            indent,
            y + 13,
            escapeMarkup(call.name),
            x(call.begin),
            y + 9,
            x(call.end)
        );
        std::size_t attempts = 0;
        for (const std::uint32_t each : m_below[row.step]) {
            if (stepOf(each).kind == TracedStep::Kind::Attempt) {
                appendAttempt(page, stepOf(each), y);
                ++attempts;
            }
        }
        std::string figures = millisecondsText(inMs(call.end - call.begin));
        if (attempts > 1) {
            figures += fmt::format(" · {} tries", attempts);
        }
        fmt::format_to(
            std::back_inserter(page),
            "<text x=\"{}\" y=\"{}\">{}</text></g>\n",
            kRight + 8,
            y + 13,
            escapeMarkup(figures)
        );
    }

    const TracedRequest& m_request;
    std::vector<std::vector<std::uint32_t>> m_below; // By step.
    std::vector<Row> m_rows;
    std::size_t m_leftOut = 0;
};

// "at 63 s: 1.2 s, failed; payment 840 ms, cart 310 ms".
std::string titleOf(const TracedRequest& request)
{
    std::string title = fmt::format(
        "at {}: {}, {}",
        lengthText(request.at),
        millisecondsText(inMs(request.took)),
        request.hasSucceeded ? "succeeded" : "failed"
    );
    constexpr std::size_t kNamed = 3;
    std::string_view mark = "; waited for ";
    const std::vector<WaitedFor> list = waitedFor({&request, 1});
    for (std::size_t at = 0; at < std::min(list.size(), kNamed); ++at) {
        if (list[at].own > Duration::zero()) {
            const std::string length = millisecondsText(inMs(list[at].own));
            title += fmt::format("{}{} {}", mark, list[at].service, length);
            mark = ", ";
        }
    }
    return title;
}

void appendRequest(std::string& page, const TracedRequest& request)
{
    page += paragraph(titleOf(request), "note");
    if (request.steps.empty()) {
        return;
    }
    const Waterfall waterfall(request);
    waterfall.append(page);
    if (waterfall.leftOut() > 0) {
        page += paragraph(
            fmt::format("{} more calls of it are not drawn.", waterfall.leftOut()), "note"
        );
    }
}

void appendVariantWaterfalls(
    std::string& page, const Rehearsal& rehearsal, const VariantResult& variant
)
{
    page += fmt::format("<h3>{}</h3>\n", escapeMarkup(variant.name));
    if (rehearsal.scenario.replications > 1) {
        page += paragraph(
            fmt::format(
                "Run {} of {}, the worst.", variant.worst + 1, rehearsal.scenario.replications
            ),
            "note"
        );
    }
    appendSpent(page, variant.slowest);
    const std::size_t open = std::min(variant.slowest.size(), kOpenMax);
    for (std::size_t at = 0; at < open; ++at) {
        appendRequest(page, variant.slowest[at]);
    }
    if (variant.slowest.size() > open) {
        page += fmt::format("<details><summary>{} more</summary>\n", variant.slowest.size() - open);
        for (std::size_t at = open; at < variant.slowest.size(); ++at) {
            appendRequest(page, variant.slowest[at]);
        }
        page += "</details>\n";
    }
}

} // namespace

void appendWaterfalls(std::string& page, const Rehearsal& rehearsal)
{
    const bool hasSome = std::ranges::any_of(rehearsal.variants, [](const VariantResult& variant) {
        return !variant.slowest.empty();
    });
    if (!hasSome) {
        return;
    }
    page += "<section id=\"waterfalls\"><h2>Where the slowest requests spent their time</h2>\n";
    page += paragraph(
        rehearsal.scenario.timeline.empty()
            ? "The slowest root requests after the warm-up, hop by hop."
            : "The slowest root requests that began during the faults, hop by hop.",
        "lead"
    );
    page += "<ul class=\"legend\">"
            "<li>each box is an attempt</li>"
            "<li><svg viewBox=\"0 0 24 8\"><rect width=\"24\" height=\"8\" "
            "fill=\"var(--degraded)\"/></svg>before a worker began: on the way, in the queue</li>"
            "<li><svg viewBox=\"0 0 24 8\"><rect width=\"24\" height=\"8\" "
            "fill=\"var(--series1)\"/></svg>at work</li>"
            "<li><svg viewBox=\"0 0 24 8\"><rect width=\"24\" height=\"8\" "
            "fill=\"var(--failureSoft)\" stroke=\"var(--failure)\"/></svg>failed or given up</li>"
            "<li>bold: without this call the request would have ended earlier</li></ul>\n";
    for (const VariantResult& variant : rehearsal.variants) {
        if (!variant.slowest.empty()) {
            appendVariantWaterfalls(page, rehearsal, variant);
        }
    }
    page += "</section>\n";
}

} // namespace mesh::simulator
