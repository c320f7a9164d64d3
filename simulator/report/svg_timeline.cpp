#include "simulator/report/svg_timeline.h"

#include "simulator/report/report_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <utility>

namespace mesh::simulator {
namespace {

constexpr double kPictureWidth = 1080.0;
constexpr double kPlotLeft = 196.0;
constexpr double kPlotRight = 1068.0;
constexpr double kPlotWidth = kPlotRight - kPlotLeft;
constexpr double kAxisHeight = 24.0;
constexpr double kClipHeight = 22.0;
constexpr double kClipPitch = 27.0;
constexpr double kReactionHeight = 42.0;
constexpr double kLaneHeight = 78.0;
constexpr double kLaneTop = 10.0; // Room above the highest value.
constexpr double kLaneBottom = 8.0;
constexpr double kLetterWidth = 6.3; // Of 11 px text, on average; decides only what has room.
constexpr int kTimeTicksMax = 11;
constexpr int kValueSteps = 3;

constexpr std::array<int, 17> kTimeSteps_s = {
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14'400, 21'600, 43'200};

double letters(std::string_view text)
{
    const auto count =
        std::ranges::count_if(text, [](char byte) { return (byte & '\xC0') != '\x80'; });
    return static_cast<double>(count) * kLetterWidth;
}

std::string timeTickText(int at_s)
{
    const int minutes = at_s / 60;
    const int seconds = at_s % 60;
    if (at_s == 0) {
        return "0";
    }
    if (minutes >= 60) {
        return minutes % 60 == 0 ? fmt::format("{}h", minutes / 60)
                                 : fmt::format("{}h {}m", minutes / 60, minutes % 60);
    }
    if (minutes == 0) {
        return fmt::format("{}s", seconds);
    }
    return seconds == 0 ? fmt::format("{}m", minutes) : fmt::format("{}m {}s", minutes, seconds);
}

struct ValueScale
{
    double low = 0.0;
    double high = 1.0;
    double step = 1.0;

    [[nodiscard]] double share(double value) const
    {
        return std::clamp((value - low) / (high - low), 0.0, 1.0);
    }
};

ValueScale nearFullScale(double least)
{
    constexpr std::array kFloors = {99.9, 99.5, 99.0, 98.0, 95.0, 90.0, 80.0, 50.0};
    double low = 0.0;
    for (const double floor : kFloors) {
        if (least >= floor) {
            low = floor;
            break;
        }
    }
    return ValueScale{low, 100.0, (100.0 - low) / 2.0};
}

ValueScale scaleOf(const TimelineLane& lane)
{
    double least = lane.threshold.value_or(100.0);
    double most = lane.threshold.value_or(0.0);
    for (const TimelineLine& line : lane.lines) {
        for (const std::optional<double>& value : line.values) {
            if (value) {
                least = std::min(least, *value);
                most = std::max(most, *value);
            }
        }
    }
    if (lane.scale == TimelineLane::Scale::NearFull) {
        return nearFullScale(least);
    }
    const double step = roundStep(most > 0.0 ? most : 1.0, kValueSteps);
    return ValueScale{0.0, std::max(step, std::ceil(most / step - 1e-9) * step), step};
}

// Writes the picture from top to bottom.
class TimelinePainter
{
public:
    explicit TimelinePainter(const Timeline& timeline)
        : m_timeline(timeline)
    {}

    std::string paint();

private:
    [[nodiscard]] double xOf(Duration at) const
    {
        const double share = toSeconds(at) / toSeconds(m_timeline.length);
        return kPlotLeft + std::clamp(share, 0.0, 1.0) * kPlotWidth;
    }

    template <typename... Values>
    void write(fmt::format_string<Values...> form, Values&&... values)
    {
        fmt::format_to(std::back_inserter(m_out), form, std::forward<Values>(values)...);
    }

    void writeTitle(double y, std::string_view title, std::string_view subtitle);
    void paintAxis();
    void paintShades(double top, double bottom);
    void paintClips();
    void paintReactions(const TimelineReactions& reactions);
    void paintGlyph(const TimelineGlyph& glyph, double y);
    void paintLane(const TimelineLane& lane);
    void paintGaps(const TimelineLine& line, double top);
    void paintLine(const TimelineLine& line, const ValueScale& scale);
    void separate();

    const Timeline& m_timeline;
    std::string m_out;
    double m_y = 0.0; // Where the next part begins.
    std::vector<double> m_ticks;
};

void TimelinePainter::writeTitle(double y, std::string_view title, std::string_view subtitle)
{
    write("<text class=\"lane\" x=\"0\" y=\"{:.1f}\">{}</text>\n", y, escapeMarkup(title));
    if (!subtitle.empty()) {
        write(
            "<text class=\"sub\" x=\"0\" y=\"{:.1f}\">{}</text>\n", y + 15.0, escapeMarkup(subtitle)
        );
    }
}

void TimelinePainter::separate()
{
    write(
        "<line class=\"rule\" x1=\"0\" x2=\"{:.0f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>\n",
        kPictureWidth,
        m_y + 0.5,
        m_y + 0.5
    );
}

void TimelinePainter::paintAxis()
{
    const double length_s = toSeconds(m_timeline.length);
    int step_s = kTimeSteps_s.back();
    for (const int candidate : kTimeSteps_s) {
        if (length_s / candidate <= kTimeTicksMax) {
            step_s = candidate;
            break;
        }
    }
    for (int at_s = 0; at_s <= length_s; at_s += step_s) {
        const double x = xOf(std::chrono::seconds(at_s));
        m_ticks.push_back(x);
        write(
            "<text class=\"tick\" text-anchor=\"middle\" x=\"{:.1f}\" y=\"14\">{}</text>\n",
            x,
            timeTickText(at_s)
        );
    }
    m_y = kAxisHeight;
}

void TimelinePainter::paintShades(double top, double bottom)
{
    const double height = bottom - top;
    if (m_timeline.warmup > Duration::zero()) {
        write(
            "<rect class=\"warmup\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
            "height=\"{:.1f}\"><title>warm-up, not measured</title></rect>\n",
            kPlotLeft,
            top,
            xOf(m_timeline.warmup) - kPlotLeft,
            height
        );
    }
    for (const double x : m_ticks) {
        write(
            "<line class=\"grid\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>\n",
            x,
            x,
            top,
            bottom
        );
    }
    for (const TimelineClip& clip : m_timeline.clips) {
        const double from = xOf(clip.from);
        write(
            "<rect class=\"shade\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
            "height=\"{:.1f}\"/>\n",
            from,
            top,
            std::max(1.0, xOf(clip.to) - from),
            height
        );
    }
}

// Clips lie in as few rows as hold them and their words without touching.
void TimelinePainter::paintClips()
{
    separate();
    std::vector<double> rowEnds;
    std::string drawn;
    std::swap(drawn, m_out);
    for (const TimelineClip& clip : m_timeline.clips) {
        const double from = xOf(clip.from);
        const double width = std::max(4.0, xOf(clip.to) - from);
        const double words = letters(clip.text) + 14.0;
        const bool isInside = words <= width;
        const bool isLeft = !isInside && from + width + words > kPlotRight;
        const double begin = isLeft ? from - words : from;
        const double end = isInside || isLeft ? from + width : from + width + words;
        std::size_t row = 0;
        while (row < rowEnds.size() && rowEnds[row] + 4.0 > begin) {
            ++row;
        }
        rowEnds.resize(std::max(rowEnds.size(), row + 1));
        rowEnds[row] = end;
        const double y = m_y + 6.0 + static_cast<double>(row) * kClipPitch;
        write(
            "<g><title>{}</title><rect class=\"clip\" rx=\"4\" x=\"{:.1f}\" y=\"{:.1f}\" "
            "width=\"{:.1f}\" height=\"{:.0f}\"/>",
            escapeMarkup(clip.details),
            from + 0.5,
            y + 0.5,
            width - 1.0,
            kClipHeight
        );
        write(
            "<text class=\"{}\" text-anchor=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text></g>\n",
            isInside ? "clipword" : "clipnote",
            isLeft ? "end" : "start",
            isInside ? from + 8.0
            : isLeft ? from - 6.0
                     : from + width + 6.0,
            y + 15.5,
            escapeMarkup(clip.text)
        );
    }
    std::swap(drawn, m_out);
    const double rows = static_cast<double>(std::max<std::size_t>(1, rowEnds.size()));
    const double bottom = m_y + 8.0 + rows * kClipPitch;
    const std::size_t count = m_timeline.clips.size();
    paintShades(m_y, bottom);
    writeTitle(m_y + 20.0, "Faults", count == 0 ? "none" : "");
    m_out += drawn;
    m_y = bottom;
}

void TimelinePainter::paintGlyph(const TimelineGlyph& glyph, double y)
{
    constexpr double kRadius = 5.0;
    const double x = xOf(glyph.at);
    write("<g class=\"glyph {}\"><title>{}</title>", glyph.tone, escapeMarkup(glyph.details));
    switch (glyph.shape) {
    case TimelineGlyph::Shape::Diamond:
    case TimelineGlyph::Shape::FilledDiamond:
        write(
            "<path class=\"{}\" d=\"M{:.1f} {:.1f}l{} {}l-{} {}l-{} -{}z\"/>",
            glyph.shape == TimelineGlyph::Shape::Diamond ? "hollow" : "filled",
            x,
            y - kRadius,
            kRadius,
            kRadius,
            kRadius,
            kRadius,
            kRadius,
            kRadius
        );
        break;
    case TimelineGlyph::Shape::Disc:
        write("<circle class=\"hollow\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\"/>", x, y);
        break;
    case TimelineGlyph::Shape::Triangle:
        write("<path class=\"filled\" d=\"M{:.1f} {:.1f}l5.5 10h-11z\"/>", x, y - 5.5);
        break;
    case TimelineGlyph::Shape::Bar:
        write(
            "<rect class=\"filled\" rx=\"1\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
            "height=\"4\"/>",
            x,
            y - 2.0,
            std::max(4.0, xOf(glyph.to) - x)
        );
        break;
    case TimelineGlyph::Shape::Cross:
        write("<path class=\"hollow\" d=\"M{:.1f} {:.1f}l8 8m0 -8l-8 8\"/>", x - 4.0, y - 4.0);
        break;
    }
    m_out += "</g>\n";
}

void TimelinePainter::paintReactions(const TimelineReactions& reactions)
{
    separate();
    const double bottom = m_y + kReactionHeight;
    paintShades(m_y, bottom);
    writeTitle(m_y + 18.0, reactions.title, reactions.subtitle);
    for (const TimelineGlyph& glyph : reactions.glyphs) {
        paintGlyph(glyph, m_y + 13.0);
    }
    double written = kPlotLeft; // Up to here there is no room.
    for (const TimelineFlag& flag : reactions.flags) {
        const double x = xOf(flag.at);
        const double width = letters(flag.text);
        const double from =
            std::clamp(x - width / 2.0, written, std::max(written, kPlotRight - width));
        const bool hasRoom = from + width <= kPlotRight + 0.5 && from <= x && x <= from + width;
        write(
            "<line class=\"flag {}\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>\n",
            flag.tone,
            x,
            x,
            m_y + 20.0,
            m_y + 26.0
        );
        if (hasRoom) {
            write(
                "<text class=\"flagword\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
                from,
                m_y + 36.0,
                escapeMarkup(flag.text)
            );
            written = from + width + 10.0;
        }
    }
    m_y = bottom;
}

void TimelinePainter::paintGaps(const TimelineLine& line, double top)
{
    const auto finish = static_cast<std::size_t>(
        std::max(0.0, std::ceil(toSeconds(m_timeline.length) / toSeconds(m_timeline.bin) - 1e-9))
    );
    const auto isMissing = [&line](std::size_t at) {
        return at >= line.values.size() || !line.values[at];
    };
    for (std::size_t at = 0; at < finish;) {
        if (!isMissing(at)) {
            ++at;
            continue;
        }
        const std::size_t from = at;
        while (at < finish && isMissing(at)) {
            ++at;
        }
        const double x = xOf(m_timeline.bin * static_cast<std::int64_t>(from));
        write(
            "<rect class=\"gap\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\">"
            "<title>nothing was measured here</title></rect>\n",
            x,
            top,
            xOf(m_timeline.bin * static_cast<std::int64_t>(at)) - x,
            kLaneHeight - kLaneTop - kLaneBottom
        );
    }
}

void TimelinePainter::paintLine(const TimelineLine& line, const ValueScale& scale)
{
    const double height = kLaneHeight - kLaneTop - kLaneBottom;
    const double bottom = m_y + kLaneHeight - kLaneBottom;
    std::string path;
    bool isOpen = false;
    for (std::size_t at = 0; at < line.values.size(); ++at) {
        if (!line.values[at]) {
            isOpen = false;
            continue;
        }
        const Duration from = m_timeline.bin * static_cast<std::int64_t>(at);
        const double x = xOf(from + m_timeline.bin / 2);
        const double y = bottom - scale.share(*line.values[at]) * height;
        fmt::format_to(std::back_inserter(path), "{}{:.1f} {:.1f}", isOpen ? "L" : "M", x, y);
        const bool isAlone =
            !isOpen && (at + 1 >= line.values.size() || !line.values[at + 1].has_value());
        if (isAlone) {
            path += "h1"; // A single second would not be seen.
        }
        isOpen = true;
    }
    if (!path.empty()) {
        write("<path class=\"line s{}\" d=\"{}\"/>\n", line.style % kTimelineStyles, path);
    }
}

void TimelinePainter::paintLane(const TimelineLane& lane)
{
    separate();
    const ValueScale scale = scaleOf(lane);
    const double height = kLaneHeight - kLaneTop - kLaneBottom;
    const double bottom = m_y + kLaneHeight - kLaneBottom;
    paintShades(m_y, m_y + kLaneHeight);
    writeTitle(m_y + 24.0, lane.title, lane.unit);
    const int decimals = scale.step < 0.1 ? 2 : scale.step < 1.0 ? 1 : 0;
    const bool isHalf = std::abs(scale.step - std::round(scale.step)) > 1e-9;
    for (int at = 0; scale.low + at * scale.step <= scale.high + 1e-9; ++at) {
        const double value = scale.low + at * scale.step;
        const double y = std::round(bottom - scale.share(value) * height) + 0.5;
        write(
            "<line class=\"{}\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>"
            "<text class=\"tick\" text-anchor=\"end\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
            at == 0 ? "zero" : "grid",
            kPlotLeft,
            kPlotRight,
            y,
            y,
            kPlotLeft - 8.0,
            y + 3.5,
            numberText(value, std::max(decimals, isHalf ? 1 : 0))
        );
    }
    if (lane.threshold) {
        const double y = bottom - scale.share(*lane.threshold) * height;
        write(
            "<line class=\"threshold\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\">"
            "</line><text class=\"goal\" text-anchor=\"end\" x=\"{:.1f}\" y=\"{:.1f}\">objective "
            "{}</text>\n",
            kPlotLeft,
            kPlotRight,
            y,
            y,
            kPlotRight - 4.0,
            y + 13.0,
            numberText(*lane.threshold, 2)
        );
    }
    if (!lane.lines.empty()) {
        paintGaps(lane.lines.back(), m_y + kLaneTop);
    }
    for (const TimelineLine& line : lane.lines) {
        paintLine(line, scale);
    }
    m_y += kLaneHeight;
}

std::string TimelinePainter::paint()
{
    paintAxis();
    paintClips();
    for (const TimelineReactions& reactions : m_timeline.reactions) {
        paintReactions(reactions);
    }
    for (const TimelineLane& lane : m_timeline.lanes) {
        paintLane(lane);
    }
    separate();
    return fmt::format(
        "<svg class=\"timeline\" role=\"img\" viewBox=\"0 0 {:.0f} {:.0f}\" aria-label=\"{}\">\n"
        "{}</svg>\n",
        kPictureWidth,
        m_y + 2.0,
        escapeMarkup(m_timeline.description),
        m_out
    );
}

} // namespace

double roundStep(double span, int stepsMax)
{
    double power = 1e-6;
    while (power * 10.0 * stepsMax < span) {
        power *= 10.0;
    }
    for (const double factor : {1.0, 2.0, 5.0}) {
        if (power * factor * stepsMax >= span) {
            return power * factor;
        }
    }
    return power * 10.0;
}

std::string renderTimeline(const Timeline& timeline) { return TimelinePainter(timeline).paint(); }

} // namespace mesh::simulator
