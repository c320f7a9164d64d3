#include "app/charts/time_chart.h"

#include "app/charts/chart_overlay.h"
#include "app/charts/flags.h"
#include "app/charts/time_axis.h"
#include "app/theme/figures.h"
#include "app/theme/numbers.h"
#include "app/theme/theme.h"

#include <QAreaSeries>
#include <QChart>
#include <QChartView>
#include <QGraphicsLayout>
#include <QLineSeries>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>
#include <QValueAxis>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace mesh::charts {

namespace {

constexpr int kTitleHeight = 24;
constexpr int kSeriesCount = 3;
constexpr int kShownLeast_s = 60; // A chart shows at least a minute.

std::array<QColor, kSeriesCount> colorsOf(ChartKind kind, const theme::Tokens& t)
{
    switch (kind) {
    case ChartKind::Requests:
        return {t.statusCodes[1], t.statusCodes[3], t.statusCodes[4]};
    case ChartKind::Errors:
        return {t.of(theme::State::Failure).line, QColor(), QColor()};
    case ChartKind::Latency:
    case ChartKind::Lines:
        break;
    }
    return t.percentiles;
}

QColor colorOf(const ChartLine& line, const theme::Tokens& t)
{
    return t.series[static_cast<std::size_t>(line.color) % t.series.size()];
}

// The newest value of a line at a moment, at most two steps old.
std::optional<double> valueAt(const ChartLine& line, std::int64_t time_us, std::int64_t step_us)
{
    const auto after = std::upper_bound(
        line.points.begin(),
        line.points.end(),
        time_us,
        [](std::int64_t time, const auto& point) { return time < point.first; }
    );
    if (after == line.points.begin() || time_us - std::prev(after)->first > 2 * step_us) {
        return std::nullopt;
    }
    return std::prev(after)->second;
}

QString nameOf(ChartKind kind, int index)
{
    static constexpr std::array<const char16_t*, 3> kCodes = {u"2xx", u"4xx", u"5xx"};
    static constexpr std::array<const char16_t*, 3> kPercentiles = {u"p50", u"p95", u"p99"};
    if (kind == ChartKind::Errors) {
        return QStringLiteral("5xx");
    }
    const auto at = static_cast<std::size_t>(index);
    return QString::fromUtf16(kind == ChartKind::Requests ? kCodes[at] : kPercentiles[at]);
}

int countOf(ChartKind kind) { return kind == ChartKind::Errors ? 1 : kSeriesCount; }

// The value of one line; nothing when it was not measured.
std::optional<double> valueOf(ChartKind kind, int index, const bridge::SeriesPoint& point)
{
    switch (kind) {
    case ChartKind::Requests:
        return index == 0 ? point.rps2xx : (index == 1 ? point.rps4xx : point.rps5xx);
    case ChartKind::Errors: {
        const double all = point.rps2xx + point.rps4xx + point.rps5xx;
        return all > 0 ? std::optional<double>(100 * point.rps5xx / all) : std::nullopt;
    }
    case ChartKind::Latency:
    case ChartKind::Lines:
        break;
    }
    return index == 0 ? point.p50_ms : (index == 1 ? point.p95_ms : point.p99_ms);
}

QString valueText(ChartKind kind, std::optional<double> value)
{
    if (!value) {
        return theme::noValue();
    }
    if (kind == ChartKind::Errors) {
        return theme::shareText(*value / 100);
    }
    return kind == ChartKind::Latency ? QString::number(std::lround(*value))
                                      : theme::rateText(*value);
}

} // namespace

// Owns the Qt Charts objects. Lines are cut at gaps into one QLineSeries each.
class TimeChart::Private
{
public:
    Private(TimeChart* owner, ChartKind wanted, QString words)
        : chart(owner)
        , kind(wanted)
        , title(std::move(words))
        , view(new QChartView(owner))
        , overlay(new ChartOverlay)
        , x(new QValueAxis(owner))
        , y(new QValueAxis(owner))
    {
        QChart* const inner = view->chart();
        inner->legend()->hide();
        inner->setBackgroundVisible(false);
        inner->setPlotAreaBackgroundVisible(false);
        inner->setMargins(QMargins());
        inner->layout()->setContentsMargins(0, 0, 0, 0);
        inner->setAnimationOptions(QChart::NoAnimation);
        inner->addAxis(x, Qt::AlignBottom);
        inner->addAxis(y, Qt::AlignLeft);
        x->setVisible(false);
        y->setVisible(false);
        view->setFrameShape(QFrame::NoFrame);
        view->setBackgroundBrush(Qt::NoBrush);
        view->viewport()->setAutoFillBackground(false);
        view->setRenderHint(QPainter::Antialiasing);
        view->setFocusPolicy(Qt::NoFocus);
        view->setMouseTracking(true);
        view->viewport()->setMouseTracking(true);
        view->viewport()->installEventFilter(owner);
        view->scene()->addItem(overlay);
    }

    void refill();
    void refreshOverlay();
    void addLine(const QList<QPointF>& line, const QList<QPointF>& below, int index);
    void refillLines();
    void addCut(const QList<QPointF>& points, const ChartLine& line);
    [[nodiscard]] std::int64_t timeAt(double xPixel) const;
    [[nodiscard]] double secondsOf(std::int64_t time_us) const
    {
        return static_cast<double>(time_us - span.begin_us) / 1e6;
    }

    TimeChart* chart;
    ChartKind kind;
    QString title;
    QChartView* view;
    ChartOverlay* overlay;
    QValueAxis* x;
    QValueAxis* y;
    bridge::Series series; // Of the kind Lines: only its moments.
    std::vector<ChartLine> lines;
    TimeSpan span;
    std::vector<bridge::Marker> markers;
    std::optional<TimeSpan> window;
    std::optional<double> threshold;
    QString thresholdName;
    std::optional<std::int64_t> cursor_us;
    std::optional<std::int64_t> dragFrom_us;
    double top = 1;
};

void TimeChart::Private::addLine(const QList<QPointF>& line, const QList<QPointF>& below, int index)
{
    if (line.size() < 2) {
        return;
    }
    const QColor color = colorsOf(kind, theme::tokens())[static_cast<std::size_t>(index)];
    QChart* const inner = view->chart();
    auto* const upper = new QLineSeries;
    upper->replace(line);
    upper->setPen(QPen(color, kind == ChartKind::Latency && index == 1 ? 1.7 : 1.5));
    if (kind != ChartKind::Latency) {
        auto* const lower = new QLineSeries;
        lower->replace(below);
        auto* const area = new QAreaSeries(upper, lower);
        upper->setParent(area);
        lower->setParent(area);
        const bool isStack = kind == ChartKind::Requests;
        const double opacity = isStack ? (index == 0 ? 0.55 : 1.0) : 0.2;
        area->setBrush(theme::faded(color, opacity));
        area->setPen(QPen(color, index == 0 ? 1.3 : 0.8));
        inner->addSeries(area);
        area->attachAxis(x);
        area->attachAxis(y);
        return;
    }
    inner->addSeries(upper);
    upper->attachAxis(x);
    upper->attachAxis(y);
}

void TimeChart::Private::addCut(const QList<QPointF>& points, const ChartLine& line)
{
    if (points.size() < 2) {
        return;
    }
    QChart* const inner = view->chart();
    const QColor color = colorOf(line, theme::tokens());
    auto* const upper = new QLineSeries;
    upper->replace(points);
    upper->setPen(QPen(color, 1.5));
    if (line.fill == ChartLine::Fill::Below) {
        auto* const lower = new QLineSeries;
        lower->append(points.front().x(), 0);
        lower->append(points.back().x(), 0);
        auto* const area = new QAreaSeries(upper, lower);
        upper->setParent(area);
        lower->setParent(area);
        area->setBrush(theme::faded(color, 0.2));
        area->setPen(Qt::NoPen); // Its sides are no measurement.
        inner->addSeries(area);
        area->attachAxis(x);
        area->attachAxis(y);
        auto* const edge = new QLineSeries;
        edge->replace(points);
        edge->setPen(upper->pen());
        inner->addSeries(edge);
        edge->attachAxis(x);
        edge->attachAxis(y);
        return;
    }
    inner->addSeries(upper);
    upper->attachAxis(x);
    upper->attachAxis(y);
}

void TimeChart::Private::refillLines()
{
    double highest = 0;
    for (const ChartLine& line : lines) {
        QList<QPointF> cut;
        std::int64_t before_us = 0;
        for (const auto& [time_us, value] : line.points) {
            if (time_us < span.begin_us || time_us > span.end_us) {
                continue;
            }
            if (!cut.isEmpty() && time_us - before_us > 2 * series.step_us) {
                addCut(cut, line);
                cut.clear();
            }
            cut.append(QPointF(secondsOf(time_us), value));
            before_us = time_us;
            highest = std::max(highest, value);
        }
        addCut(cut, line);
    }
    top = roundTop(highest * 1.05, std::max(1.0, threshold.value_or(0)));
    x->setRange(0, std::max(1.0, secondsOf(span.end_us)));
    y->setRange(0, top);
    refreshOverlay();
}

void TimeChart::Private::refill()
{
    QChart* const inner = view->chart();
    inner->removeAllSeries();
    if (kind == ChartKind::Lines) {
        refillLines();
        return;
    }
    double highest = 0;
    for (int index = 0; index < countOf(kind); ++index) {
        QList<QPointF> line;
        QList<QPointF> below;
        std::int64_t before_us = 0;
        for (const bridge::SeriesPoint& point : series.points) {
            if (point.time_us < span.begin_us || point.time_us > span.end_us) {
                continue;
            }
            const std::optional<double> value = valueOf(kind, index, point);
            const bool isGap = !line.isEmpty() && point.time_us - before_us > 2 * series.step_us;
            if (!value || isGap) {
                addLine(line, below, index);
                line.clear();
                below.clear();
            }
            if (!value) {
                continue;
            }
            double base = 0;
            for (int lower = 0; kind == ChartKind::Requests && lower < index; ++lower) {
                base += valueOf(kind, lower, point).value_or(0);
            }
            line.append(QPointF(secondsOf(point.time_us), base + *value));
            below.append(QPointF(secondsOf(point.time_us), base));
            before_us = point.time_us;
            highest = std::max(highest, base + *value);
        }
        addLine(line, below, index);
    }
    const double floor = kind == ChartKind::Errors ? 10 : (kind == ChartKind::Latency ? 10 : 1);
    const double room = kind == ChartKind::Errors ? std::min(100.0, highest * 1.05)
                                                  : highest * 1.05; // No share is above 100 %.
    top = roundTop(room, std::max(floor, threshold.value_or(0)));
    x->setRange(0, std::max(1.0, secondsOf(span.end_us)));
    y->setRange(0, top);
    refreshOverlay();
}

void TimeChart::Private::refreshOverlay()
{
    ChartOverlay::Content content;
    content.plot = view->chart()->plotArea();
    content.span = span;
    content.top = top;
    content.gaps = gaps(series, span);
    content.markers = markers;
    content.window = window;
    content.threshold = threshold;
    content.thresholdName = thresholdName;
    content.cursor_us = cursor_us;
    if (dragFrom_us && cursor_us) {
        content.drag =
            TimeSpan{std::min(*dragFrom_us, *cursor_us), std::max(*dragFrom_us, *cursor_us)};
    }
    overlay->setContent(std::move(content));
}

std::int64_t TimeChart::Private::timeAt(double xPixel) const
{
    const QRectF plot = view->chart()->plotArea();
    const double share = std::clamp((xPixel - plot.left()) / std::max(1.0, plot.width()), 0.0, 1.0);
    return span.begin_us
           + static_cast<std::int64_t>(share * static_cast<double>(span.end_us - span.begin_us));
}

// The title row above the plot; a child so that the chart view needs no repaint for it.
class TitleRow : public QWidget
{
public:
    TitleRow(QString title, ChartKind kind, QWidget* parent)
        : QWidget(parent)
        , m_title(std::move(title))
        , m_kind(kind)
    {
        setObjectName(QStringLiteral("chartTitle"));
    }

    std::vector<std::pair<QString, QString>> values;
    std::vector<int> lineColors; // Of the kind Lines, one for each value.

protected:
    void paintEvent(QPaintEvent* /*event*/) override
    {
        QPainter painter(this);
        const theme::Tokens& t = theme::tokens();
        painter.setFont(theme::font(theme::Role::SmallStrong));
        painter.setPen(t.text1);
        painter.drawText(rect(), Qt::AlignLeft | Qt::AlignVCenter, m_title);
        const auto colors = colorsOf(m_kind, t);
        double right = width();
        for (std::size_t i = values.size(); i-- > 0;) {
            painter.setFont(theme::font(theme::Role::SmallMedium));
            painter.setPen(t.text1);
            const QRectF box(0, 0, right, height());
            const auto flags = Qt::AlignRight | Qt::AlignVCenter;
            theme::drawFigures(painter, box, values[i].second, flags);
            right -= theme::figuresWidth(painter.font(), values[i].second) + 5;
            painter.setFont(theme::font(theme::Role::Caption));
            painter.setPen(t.text2);
            theme::drawFigures(painter, QRectF(0, 0, right, height()), values[i].first, flags);
            right -= theme::figuresWidth(painter.font(), values[i].first) + 13;
            painter.setPen(Qt::NoPen);
            painter.setBrush(
                i < lineColors.size()
                    ? t.series[static_cast<std::size_t>(lineColors[i]) % t.series.size()]
                    : colors[std::min(i, colors.size() - 1)]
            );
            painter.drawRoundedRect(QRectF(right, height() / 2.0 - 4, 8, 8), 2, 2);
            right -= 10;
        }
    }

private:
    QString m_title;
    ChartKind m_kind;
};

TimeChart::TimeChart(ChartKind kind, QString title, QWidget* parent)
    : QWidget(parent)
    , m_private(std::make_unique<Private>(this, kind, title))
    , m_title(new TitleRow(title, kind, this))
{
    setAccessibleName(title);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    connect(&theme::current(), &theme::Theme::changed, this, [this] { m_private->refill(); });
}

TimeChart::~TimeChart() = default;

void TimeChart::setSeries(const bridge::Series& series, const TimeSpan& span)
{
    m_private->series = series;
    m_private->span = grownSpan(series, span, kShownLeast_s);
    m_private->refill();
    m_title->values = valuesAt(series.points.empty() ? 0 : series.points.back().time_us);
    m_title->update();
}

void TimeChart::setLines(std::vector<ChartLine> lines, std::int64_t step_us, const TimeSpan& span)
{
    bridge::Series moments;
    moments.step_us = step_us;
    for (const ChartLine& line : lines) {
        for (const auto& point : line.points) {
            bridge::SeriesPoint moment;
            moment.time_us = point.first;
            moments.points.push_back(moment);
        }
    }
    std::sort(moments.points.begin(), moments.points.end(), [](const auto& a, const auto& b) {
        return a.time_us < b.time_us;
    });
    m_private->lines = std::move(lines);
    m_private->span = grownSpan(moments, span, kShownLeast_s);
    m_private->series = std::move(moments);
    m_private->refill();
    m_title->lineColors.clear();
    for (const ChartLine& line : m_private->lines) {
        m_title->lineColors.push_back(line.color);
    }
    const auto& points = m_private->series.points;
    m_title->values = valuesAt(points.empty() ? 0 : points.back().time_us);
    m_title->update();
}

void TimeChart::setMarkers(const std::vector<bridge::Marker>& markers)
{
    m_private->markers = markers;
    m_private->refreshOverlay();
}

void TimeChart::setWindow(const std::optional<TimeSpan>& window)
{
    m_private->window = window;
    m_private->refreshOverlay();
}

void TimeChart::setThreshold(double value, const QString& name)
{
    m_private->threshold = value;
    m_private->thresholdName = name;
    m_private->refill();
}

void TimeChart::setCursorTime(std::optional<std::int64_t> time_us)
{
    if (time_us != m_private->cursor_us) {
        m_private->cursor_us = time_us;
        m_private->refreshOverlay();
    }
}

std::vector<std::pair<QString, QString>> TimeChart::valuesAt(std::int64_t time_us) const
{
    std::vector<std::pair<QString, QString>> values;
    if (m_private->kind == ChartKind::Lines) {
        for (const ChartLine& line : m_private->lines) {
            const auto value = valueAt(line, time_us, m_private->series.step_us);
            const bool isWhole = value && std::floor(*value) == *value;
            values.emplace_back(
                line.name,
                !value    ? theme::noValue()
                : isWhole ? QString::number(std::lround(*value))
                          : theme::rateText(*value)
            );
        }
        return values;
    }
    const bridge::SeriesPoint* const point = pointAt(m_private->series, time_us);
    if (point == nullptr) {
        return values;
    }
    const ChartKind kind = m_private->kind;
    for (int index = 0; index < countOf(kind); ++index) {
        values.emplace_back(nameOf(kind, index), valueText(kind, valueOf(kind, index, *point)));
    }
    return values;
}

QSize TimeChart::sizeHint() const { return QSize(312, 112 + kTitleHeight); }

QSize TimeChart::minimumSizeHint() const { return QSize(200, 94 + kTitleHeight); }

void TimeChart::resizeEvent(QResizeEvent* /*event*/)
{
    m_title->setGeometry(0, 0, width(), kTitleHeight);
    QChartView* const view = m_private->view;
    view->setGeometry(0, kTitleHeight, width(), height() - kTitleHeight);
    const QSizeF size(view->size());
    view->chart()->resize(size);
    view->setSceneRect(QRectF(QPointF(0, 0), size));
    view->chart()->setPlotArea(QRectF(44, 6, size.width() - 48, size.height() - 26));
    m_private->refreshOverlay();
}

bool TimeChart::eventFilter(QObject* watched, QEvent* event)
{
    Private& d = *m_private;
    if (event->type() == QEvent::Leave) {
        setCursorTime(std::nullopt);
        Q_EMIT cursorMoved(std::nullopt);
    } else if (event->type() == QEvent::MouseMove) {
        const auto* const mouse = static_cast<QMouseEvent*>(event);
        const std::int64_t time = d.timeAt(mouse->position().x());
        setCursorTime(time);
        Q_EMIT cursorMoved(time);
        QStringList lines{clockText(time, 1'000'000)};
        for (const auto& [name, value] : valuesAt(time)) {
            lines.append(name + u' ' + value);
        }
        if (lines.size() == 1) {
            lines.append(tr("no data"));
        }
        const QRectF plot = d.view->chart()->plotArea();
        const auto xOf = [&d, &plot](std::int64_t time_us) {
            const double length = d.secondsOf(d.span.end_us);
            return plot.left() + plot.width() * d.secondsOf(time_us) / std::max(1.0, length);
        };
        lines << wordsAt(d.markers, xOf, mouse->position().x());
        const QString words = lines.join(u'\n');
        QToolTip::showText(mouse->globalPosition().toPoint() + QPoint(14, 10), words, this);
    } else if (event->type() == QEvent::MouseButtonPress) {
        d.dragFrom_us = d.timeAt(static_cast<QMouseEvent*>(event)->position().x());
    } else if (event->type() == QEvent::MouseButtonRelease && d.dragFrom_us) {
        const std::int64_t time = d.timeAt(static_cast<QMouseEvent*>(event)->position().x());
        const TimeSpan chosen{std::min(*d.dragFrom_us, time), std::max(*d.dragFrom_us, time)};
        d.dragFrom_us.reset();
        d.refreshOverlay();
        if (chosen.end_us - chosen.begin_us >= 2 * d.series.step_us) {
            Q_EMIT windowChosen(chosen);
        }
    }
    return QWidget::eventFilter(watched, event);
}

} // namespace mesh::charts
