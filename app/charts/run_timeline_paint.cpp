// How a RunTimeline looks.
#include "app/charts/run_timeline_private.h"
#include "app/charts/time_axis.h"
#include "app/theme/figures.h"
#include "app/theme/icons.h"
#include "app/theme/numbers.h"
#include "app/theme/theme.h"

#include <QPainterPath>

#include <algorithm>
#include <array>
#include <cmath>

namespace mesh::charts {

namespace {

using theme::State;

// "3m", "3m 42s", "42s": short enough for an axis.
QString axisText(double second)
{
    const auto whole = static_cast<int>(std::lround(second));
    const QString seconds = QStringLiteral("%1s").arg(whole % 60);
    const QString minutes = QStringLiteral("%1m").arg(whole / 60);
    return whole % 60 == 0 ? minutes : whole < 60 ? seconds : minutes + u' ' + seconds;
}

double axisStep(double duration, double width)
{
    constexpr std::array<double, 12> kSteps = {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600};
    for (const double step : kSteps) {
        if (width * step / duration >= 56) {
            return step;
        }
    }
    return kSteps.back();
}

// Faults that take something away are red; those that only bend it are mauve.
bool isHard(const bridge::ClipRow& clip)
{
    static const QStringList soft = {
        QStringLiteral("latency"),
        QStringLiteral("bandwidth"),
        QStringLiteral("slow"),
        QStringLiteral("surge"),
        QStringLiteral("config_delay"),
        QStringLiteral("stale_endpoints"),
        QStringLiteral("cache_wipe"),
        QStringLiteral("retry_storm")};
    return !soft.contains(clip.kind);
}

std::optional<double> valueOf(const bridge::SecondRow& row, bool isSuccess)
{
    if (isSuccess) {
        return row.success ? std::optional<double>(*row.success * 100) : std::nullopt;
    }
    return row.p99_ms;
}

struct Scale
{
    double bottom = 0;
    double top = 1;
    std::vector<double> ticks;
};

// Shares near one are read from the top: the range ends at 100 and begins at a round number.
Scale successScale(const RunTimelineContent& content)
{
    double least = 99;
    for (const auto* rows : {&content.shown, &content.reference}) {
        for (const bridge::SecondRow& row : *rows) {
            least = std::min(least, valueOf(row, true).value_or(100));
        }
    }
    if (content.objective) {
        least = std::min(least, content.objective->first * 100);
    }
    constexpr std::array<double, 6> kBottoms = {98, 95, 90, 80, 50, 0};
    Scale scale{0, 100, {}};
    for (const double bottom : kBottoms) {
        if (least >= bottom) {
            scale.bottom = bottom;
            break;
        }
    }
    scale.ticks = {100, (100 + scale.bottom) / 2, scale.bottom};
    return scale;
}

Scale latencyScale(const RunTimelineContent& content)
{
    double most = 0;
    for (const auto* rows : {&content.shown, &content.reference}) {
        for (const bridge::SecondRow& row : *rows) {
            most = std::max(most, row.p99_ms.value_or(0));
        }
    }
    const double top = roundTop(most * 1.05, 10);
    return {0, top, {0, top / 2, top}};
}

QColor markColor(bridge::ReactionMark::Kind kind, const theme::Tokens& t)
{
    using Kind = bridge::ReactionMark::Kind;
    switch (kind) {
    case Kind::Broken:
    case Kind::Panic:
    case Kind::Stopped:
        return t.of(State::Failure).line;
    case Kind::Returned:
    case Kind::Recovered:
        return t.of(State::Healthy).line;
    case Kind::Detected:
    case Kind::Ejected:
        break;
    }
    return t.of(State::Degraded).line;
}

bool isFilled(bridge::ReactionMark::Kind kind)
{
    using Kind = bridge::ReactionMark::Kind;
    return kind == Kind::Broken || kind == Kind::Panic || kind == Kind::Stopped;
}

void drawText(
    QPainter& painter,
    const QRectF& rect,
    const QString& text,
    theme::Role role,
    const QColor& color,
    Qt::Alignment alignment
)
{
    painter.setFont(theme::font(role));
    painter.setPen(color);
    theme::drawFigures(painter, rect, text, alignment);
}

double textWidth(const QString& text, theme::Role role)
{
    return theme::figuresWidth(theme::font(role), text);
}

} // namespace

void RunTimeline::Private::paint(QPainter& painter) const
{
    const theme::Tokens& t = theme::tokens();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.fillRect(view->rect(), t.panel);
    const Lanes at = lanes();
    paintBands(painter, at);
    paintAxis(painter, at);
    paintLoad(painter, at.load);
    paintChart(painter, at.success, true);
    paintChart(painter, at.latency, false);
    paintReactions(painter, at.reactions);
    paintClips(painter, at.faults);
    drawText(
        painter,
        at.hint.adjusted(16, 0, -16, 0),
        tr("Drop a fault on a node, edge or zone and it becomes a clip here; drag its ends to "
           "change when and how long."),
        theme::Role::Caption,
        t.text3,
        Qt::AlignLeft | Qt::AlignVCenter
    );
    paintPlayhead(painter, at);
    if (view->hasFocus() && selected < 0) {
        painter.setPen(QPen(theme::faded(t.accent, 0.7), 1));
        painter.setBrush(Qt::NoBrush);
        painter.drawRect(QRectF(view->rect()).adjusted(0.5, 0.5, -0.5, -0.5));
    }
}

void RunTimeline::Private::paintLabel(
    QPainter& painter, const QRectF& lane, const QString& title, const QString& below
) const
{
    const theme::Tokens& t = theme::tokens();
    const auto flags = Qt::AlignLeft | Qt::AlignVCenter;
    const double y = lane.top() + (below.isEmpty() ? (lane.height() - 16) / 2 : 5);
    drawText(
        painter,
        QRectF(16, y, kLabelWidth - 50, 16),
        title,
        theme::Role::SmallMedium,
        t.text1,
        flags
    );
    if (!below.isEmpty()) {
        drawText(
            painter,
            QRectF(16, y + 15, kLabelWidth - 30, 14),
            below,
            theme::Role::Caption,
            t.text3,
            flags
        );
    }
}

void RunTimeline::Private::paintBands(QPainter& painter, const Lanes& at) const
{
    const theme::Tokens& t = theme::tokens();
    const double top = at.load.top();
    const double bottom = at.latency.bottom();
    if (content.warmup_s > 0) {
        const QRectF band(plotLeft(), top, view->xOf(content.warmup_s) - plotLeft(), bottom - top);
        painter.fillRect(band, theme::faded(t.text3, 0.08));
    }
    for (std::size_t i = 0; i < content.clips.size(); ++i) {
        const bool isDragged = dragged && dragged->index == static_cast<int>(i);
        const bridge::ClipRow& clip = isDragged ? *dragged : content.clips[i];
        const double left = view->xOf(clip.at_s);
        const QRectF band(left, top, view->xOf(endOf(clip)) - left, bottom - top);
        painter.fillRect(band, theme::faded(t.of(State::Failure).line, 0.06));
    }
    painter.setPen(QPen(t.border, 1));
    for (const QRectF* lane : {&at.load, &at.faults, &at.reactions, &at.success, &at.latency}) {
        const double y = std::round(lane->top()) + 0.5;
        painter.drawLine(QPointF(0, y), QPointF(view->width(), y));
    }
}

void RunTimeline::Private::paintAxis(QPainter& painter, const Lanes& at) const
{
    const theme::Tokens& t = theme::tokens();
    const double step = axisStep(content.duration_s, plotRight() - plotLeft());
    const double head = view->xOf(playhead_s);
    for (double second = 0; second <= content.duration_s + 0.5; second += step) {
        const double x = std::round(view->xOf(second)) + 0.5;
        painter.setPen(QPen(t.grid, 1));
        painter.drawLine(QPointF(x, at.load.top() + 1), QPointF(x, at.latency.bottom()));
        const double half = textWidth(axisText(second), theme::Role::Axis) / 2;
        if (std::abs(x - head) < half + 30) {
            continue; // The playhead says its own time.
        }
        drawText(
            painter,
            QRectF(x - 30, at.axis.top(), 60, at.axis.height()),
            axisText(second),
            theme::Role::Axis,
            t.text3,
            Qt::AlignCenter
        );
    }
}

void RunTimeline::Private::paintLoad(QPainter& painter, const QRectF& lane) const
{
    const theme::Tokens& t = theme::tokens();
    paintLabel(painter, lane, tr("Load"), tr("%1, req/s").arg(content.entry));
    double most = 1;
    for (const bridge::LoadRow& load : content.loads) {
        for (const auto& step : load.steps) {
            most = std::max(most, step.second);
        }
    }
    const auto yOf = [&lane, most](double rate) {
        return lane.bottom() - 4 - (lane.height() - 12) * rate / most;
    };
    for (std::size_t which = 0; which < content.loads.size(); ++which) {
        const auto& steps = content.loads[which].steps;
        const QColor color = t.series[which % t.series.size()];
        QPainterPath line;
        for (std::size_t i = 0; i < steps.size(); ++i) {
            const double left = view->xOf(std::min(steps[i].first, content.duration_s));
            const double end = i + 1 < steps.size() ? steps[i + 1].first : content.duration_s;
            const double right = view->xOf(std::min(end, content.duration_s));
            const double y = std::round(yOf(steps[i].second)) + 0.5;
            i == 0 ? line.moveTo(left, y) : line.lineTo(left, y);
            line.lineTo(right, y);
            const QString text = theme::rateText(steps[i].second);
            if (which == 0 && right - left > textWidth(text, theme::Role::Caption) + 16) {
                const bool isLow = yOf(steps[i].second) > lane.top() + 22;
                const double top = isLow ? y - 16 : y + 2;
                drawText(
                    painter,
                    QRectF(left + 8, top, right - left, 14),
                    text,
                    theme::Role::Caption,
                    t.text2,
                    Qt::AlignLeft | Qt::AlignVCenter
                );
            }
        }
        if (steps.empty()) {
            continue;
        }
        QPainterPath area = line;
        area.lineTo(view->xOf(content.duration_s), lane.bottom());
        area.lineTo(view->xOf(steps.front().first), lane.bottom());
        area.closeSubpath();
        painter.fillPath(area, theme::faded(color, 0.18));
        painter.setPen(QPen(color, 1.5));
        painter.setBrush(Qt::NoBrush);
        painter.drawPath(line);
    }
}

void RunTimeline::Private::paintClip(QPainter& painter, const bridge::ClipRow& clip) const
{
    const theme::Tokens& t = theme::tokens();
    const QRectF rect = view->clipRect(clip.index).adjusted(0.5, 0.5, -0.5, -0.5);
    const QColor color = isHard(clip) ? t.of(State::Failure).line : t.statusCodes[4];
    const bool isSelected = clip.index == selected;
    painter.setPen(QPen(isSelected ? t.selection : color, isSelected ? 2 : 1.2));
    painter.setBrush(theme::mixed(t.panel, color, 0.22));
    painter.drawRoundedRect(rect, 4, 4);
    painter.setPen(QPen(color, 2));
    for (const double x : {rect.left() + 4, rect.right() - 4}) {
        painter.drawLine(QPointF(x, rect.top() + 5), QPointF(x, rect.bottom() - 5));
    }
    const double title = textWidth(clip.title, theme::Role::SmallMedium);
    const bool hasIcon = rect.width() >= title + 38;
    const bool hasTitle = rect.width() >= title + 18;
    double x = rect.left() + 9;
    if (hasIcon) {
        theme::drawIcon(painter, QRectF(x + 1, rect.center().y() - 6, 12, 12), clip.icon, color);
        x += 18;
    }
    QString beside = clip.detail;
    if (hasTitle) {
        drawText(
            painter,
            QRectF(x, rect.top(), rect.right() - x, rect.height()),
            clip.title,
            theme::Role::SmallMedium,
            t.text1,
            Qt::AlignLeft | Qt::AlignVCenter
        );
    } else {
        beside =
            clip.detail.isEmpty() ? clip.title : clip.title + QStringLiteral(" · ") + clip.detail;
    }
    if (beside.isEmpty()) {
        return;
    }
    // Beside the clip while nothing else of its row stands there.
    double room = plotRight();
    for (std::size_t i = 0; i < content.clips.size(); ++i) {
        const QRectF other = view->clipRect(static_cast<int>(i));
        if (other.top() == view->clipRect(clip.index).top() && other.left() > rect.right()) {
            room = std::min(room, other.left());
        }
    }
    const double width = textWidth(beside, theme::Role::Caption);
    if (rect.right() + 8 + width < room) {
        drawText(
            painter,
            QRectF(rect.right() + 8, rect.top(), width + 4, rect.height()),
            beside,
            theme::Role::Caption,
            t.text2,
            Qt::AlignLeft | Qt::AlignVCenter
        );
    } else if (rect.left() - 8 - width > plotLeft()) {
        drawText(
            painter,
            QRectF(rect.left() - 12 - width, rect.top(), width + 4, rect.height()),
            beside,
            theme::Role::Caption,
            t.text2,
            Qt::AlignRight | Qt::AlignVCenter
        );
    }
}

void RunTimeline::Private::paintClips(QPainter& painter, const QRectF& lane) const
{
    paintLabel(
        painter,
        lane,
        tr("Faults"),
        tr("%n clip(s)", nullptr, static_cast<int>(content.clips.size()))
    );
    for (std::size_t i = 0; i < content.clips.size(); ++i) {
        bridge::ClipRow clip = content.clips[i];
        clip.index = static_cast<int>(i);
        paintClip(painter, clip);
    }
}

void RunTimeline::Private::paintReactions(QPainter& painter, const QRectF& lane) const
{
    const theme::Tokens& t = theme::tokens();
    paintLabel(painter, lane, tr("Reactions"), {});
    const auto& marks = content.reactions;
    const auto flags = Qt::AlignLeft | Qt::AlignVCenter;
    double used = plotLeft(); // Right end of what was written.
    for (std::size_t i = 0; i < marks.size(); ++i) {
        const double x = view->xOf(marks[i].at_s);
        const QColor color = markColor(marks[i].kind, t);
        painter.save();
        painter.translate(x, lane.center().y());
        painter.rotate(45);
        painter.setPen(QPen(color, 1.4));
        painter.setBrush(isFilled(marks[i].kind) ? QBrush(color) : QBrush(t.panel));
        painter.drawRect(QRectF(-3.6, -3.6, 7.2, 7.2));
        painter.restore();
        const double next = i + 1 < marks.size() ? view->xOf(marks[i + 1].at_s) - 8 : plotRight();
        const double before = i > 0 ? view->xOf(marks[i - 1].at_s) + 8 : plotLeft();
        const double width = textWidth(marks[i].words, theme::Role::Caption) + 2;
        double left = x + 10;
        if (left + width > next) {
            left = x - 10 - width;
            if (left < std::max(used, before)) {
                continue; // The tool tip says it.
            }
        }
        drawText(
            painter,
            QRectF(left, lane.top(), width + 4, lane.height()),
            marks[i].words,
            theme::Role::Caption,
            t.text2,
            flags
        );
        used = std::max(used, left + width + 4);
    }
}

void RunTimeline::Private::paintChart(QPainter& painter, const QRectF& lane, bool isSuccess) const
{
    const theme::Tokens& t = theme::tokens();
    paintLabel(painter, lane, isSuccess ? tr("Success, %") : tr("p99, ms"), content.entry);
    const Scale scale = isSuccess ? successScale(content) : latencyScale(content);
    const QRectF plot = lane.adjusted(0, 10, 0, -8);
    const auto yOf = [&plot, &scale](double value) {
        const double share = (value - scale.bottom) / (scale.top - scale.bottom);
        return plot.bottom() - plot.height() * std::clamp(share, 0.0, 1.0);
    };
    for (const double tick : scale.ticks) {
        const double y = std::round(yOf(tick)) + 0.5;
        painter.setPen(QPen(t.grid, 1));
        painter.drawLine(QPointF(plotLeft(), y), QPointF(plotRight(), y));
        drawText(
            painter,
            QRectF(plotLeft() - 48, y - 7, 40, 14),
            QString::number(tick, 'g', 4),
            theme::Role::Axis,
            t.text3,
            Qt::AlignRight | Qt::AlignVCenter
        );
    }
    if (content.shown.empty()) {
        drawText(
            painter,
            QRectF(plotLeft(), plot.top(), plotRight() - plotLeft(), plot.height()),
            tr("Rehearse to see this"),
            theme::Role::Caption,
            t.text3,
            Qt::AlignCenter
        );
        return;
    }
    if (isSuccess && content.objective) {
        const double y = std::round(yOf(content.objective->first * 100)) + 0.5;
        QPen pen(theme::faded(t.of(State::Failure).line, 0.7), 1);
        pen.setDashPattern({4, 3});
        painter.setPen(pen);
        painter.drawLine(QPointF(plotLeft(), y), QPointF(plotRight(), y));
        const double width = textWidth(content.objective->second, theme::Role::Caption);
        drawText(
            painter,
            QRectF(plotRight() - width - 4, y + 2, width + 4, 13),
            content.objective->second,
            theme::Role::Caption,
            t.text3,
            Qt::AlignLeft | Qt::AlignVCenter
        );
    }
    const auto draw = [&](const bridge::SecondRows& seconds, const QPen& pen) {
        QPainterPath line;
        bool isDrawing = false;
        for (std::size_t i = 0; i < seconds.size(); ++i) {
            const double second = static_cast<double>(i) + 0.5;
            const auto value = valueOf(seconds[i], isSuccess);
            if (!value || second > content.duration_s) {
                isDrawing = false;
                continue;
            }
            const QPointF point(view->xOf(second), yOf(*value));
            isDrawing ? line.lineTo(point) : line.moveTo(point);
            isDrawing = true;
        }
        painter.setPen(pen);
        painter.setBrush(Qt::NoBrush);
        painter.drawPath(line);
    };
    QPen dashed(t.text3, 1.2);
    dashed.setDashPattern({3, 2});
    draw(content.reference, dashed);
    draw(content.shown, QPen(theme::faded(t.simulationLine, content.isQuiet ? 0.5 : 1), 1.7));
}

void RunTimeline::Private::paintPlayhead(QPainter& painter, const Lanes& at) const
{
    const theme::Tokens& t = theme::tokens();
    const double x = std::round(view->xOf(playhead_s)) + 0.5;
    painter.setPen(QPen(t.text1, 1.2));
    painter.drawLine(QPointF(x, at.axis.bottom() - 4), QPointF(x, at.latency.bottom()));
    const QString text = axisText(playhead_s);
    const double width = textWidth(text, theme::Role::CaptionStrong) + 14;
    const double left = std::clamp(x - width / 2, plotLeft() - 10, view->width() - width - 2.0);
    const QRectF pill(left, at.axis.top() + 3, width, 17);
    painter.setPen(Qt::NoPen);
    painter.setBrush(t.text1);
    painter.drawRoundedRect(pill, 4, 4);
    drawText(painter, pill, text, theme::Role::CaptionStrong, t.panel, Qt::AlignCenter);
}

} // namespace mesh::charts
