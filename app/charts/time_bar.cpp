#include "app/charts/time_bar.h"

#include "app/bridge/view_context.h"
#include "app/charts/flags.h"
#include "app/charts/time_axis.h"
#include "app/theme/controls.h"
#include "app/theme/figures.h"
#include "app/theme/glyphs.h"
#include "app/theme/icons.h"

#include <QComboBox>
#include <QDateTime>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QPainterPath>
#include <QToolButton>
#include <QToolTip>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace mesh::charts {

namespace {

constexpr int kLeft = 180; // Transport and state.
constexpr int kRight = 178; // Window and refresh.
constexpr double kFlagsTop = 3;
constexpr double kRateTop = 22;
constexpr double kRateBottom = 46;
constexpr double kLabels = 53;

QString secondsText(int seconds)
{
    return seconds < 120 ? TimeBar::tr("%1 s").arg(seconds)
                         : TimeBar::tr("%1 min").arg(seconds / 60);
}

} // namespace

class TimeBar::Private
{
public:
    Private(TimeBar* owner, const bridge::ViewContext* shared)
        : bar(owner)
        , context(shared)
        , back(makeButton(QStringLiteral("step-back"), tr("Previous event (Alt+Left)")))
        , pause(makeButton(QStringLiteral("pause"), tr("Pause (Space)")))
        , forward(makeButton(QStringLiteral("step-forward"), tr("Next event (Alt+Right)")))
        , live(makeButton(QString(), tr("Go live (Home)")))
        , window(new QComboBox(owner))
        , refresh(new QComboBox(owner))
        , speed(new QComboBox(owner))
    {
        window->setObjectName(QStringLiteral("windowLength"));
        window->setAccessibleName(tr("Window"));
        for (const int seconds : {10, 30, 60, 300, 600, 1'800, 3'600}) {
            window->addItem(secondsText(seconds), seconds);
        }
        refresh->setObjectName(QStringLiteral("refreshInterval"));
        refresh->setAccessibleName(tr("Refresh"));
        for (const int seconds : {1, 5, 10, 30, 60}) {
            refresh->addItem(tr("every %1").arg(secondsText(seconds)), seconds * 1'000);
        }
        speed->setObjectName(QStringLiteral("replaySpeed"));
        speed->setAccessibleName(tr("Replay speed"));
        speed->setToolTip(tr("Seconds of the past in one second"));
        for (const double times : {0.25, 0.5, 1.0, 2.0, 4.0, 10.0, 30.0, 60.0}) {
            speed->addItem(tr("%1×").arg(times), times);
        }
        live->setObjectName(QStringLiteral("goLive"));
        live->setText(tr("now"));
        live->setFont(theme::font(theme::Role::Caption));
    }

    [[nodiscard]] bool isLive() const
    {
        return context == nullptr || context->timeMode() == bridge::TimeMode::Live;
    }
    [[nodiscard]] bool isReplay() const
    {
        return context != nullptr && context->timeMode() == bridge::TimeMode::Replay;
    }
    [[nodiscard]] std::optional<std::int64_t> second() const
    {
        return isLive() ? std::nullopt : context->second_us();
    }
    // Of everything that says which time is shown.
    [[nodiscard]] QColor accent() const
    {
        return isLive() ? theme::tokens().accent : theme::tokens().replay;
    }
    [[nodiscard]] std::int64_t windowEnd() const
    {
        return isLive() ? now_us : context->cursor_us();
    }
    [[nodiscard]] int window_s() const { return context == nullptr ? 60 : context->window_s(); }
    // From the first figure on, so that a young mesh has a curve and not a corner of one.
    [[nodiscard]] TimeSpan span() const
    {
        return grownSpan(series, {now_us - shown_s * 1'000'000LL, now_us}, 120);
    }
    [[nodiscard]] int spanLength_s() const
    {
        const TimeSpan all = span();
        return static_cast<int>((all.end_us - all.begin_us) / 1'000'000);
    }
    [[nodiscard]] QRectF strip() const
    {
        return QRectF(kLeft, kRateTop, bar->width() - kLeft - kRight - 38, kRateBottom - kRateTop);
    }
    [[nodiscard]] double xOf(std::int64_t time_us) const
    {
        const TimeSpan all = span();
        const QRectF box = strip();
        return box.left()
               + box.width() * static_cast<double>(time_us - all.begin_us)
                     / static_cast<double>(all.end_us - all.begin_us);
    }
    [[nodiscard]] std::int64_t timeAt(double x) const
    {
        const TimeSpan all = span();
        const QRectF box = strip();
        const double share = std::clamp((x - box.left()) / std::max(1.0, box.width()), 0.0, 1.0);
        return all.begin_us
               + static_cast<std::int64_t>(share * static_cast<double>(all.end_us - all.begin_us));
    }

    QToolButton* makeButton(const QString& icon, const QString& name) const;
    void takeContext() const;
    void drawState(QPainter& painter) const;
    void drawRate(QPainter& painter) const;
    void drawAxis(QPainter& painter) const;
    void drawFlags(QPainter& painter) const;
    void drawComparison(QPainter& painter) const;
    void togglePlay() const;

    TimeBar* bar;
    const bridge::ViewContext* context;
    QToolButton* back;
    QToolButton* pause;
    QToolButton* forward;
    QToolButton* live;
    QComboBox* window;
    QComboBox* refresh;
    QComboBox* speed;
    bridge::Series series;
    std::vector<bridge::Marker> markers;
    std::int64_t now_us = 0;
    int shown_s = 1'200;
    std::optional<std::int64_t> cursor_us;
    bool isScrubbing = false;
};

QToolButton* TimeBar::Private::makeButton(const QString& icon, const QString& name) const
{
    auto* const button = new QToolButton(bar);
    theme::setButtonRole(*button, theme::ButtonRole::Ghost);
    if (!icon.isEmpty()) {
        button->setIcon(theme::icon(icon));
    }
    button->setIconSize(QSize(14, 14));
    button->setToolTip(name);
    button->setAccessibleName(name);
    button->setObjectName(icon);
    return button;
}

void TimeBar::Private::takeContext() const
{
    const bool isMoving = isLive() || isReplay();
    pause->setIcon(theme::icon(isMoving ? QStringLiteral("pause") : QStringLiteral("play")));
    pause->setToolTip(isMoving ? tr("Pause (Space)") : tr("Replay from here (Space)"));
    pause->setAccessibleName(pause->toolTip());
    live->setEnabled(!isLive());
    refresh->setVisible(isLive());
    speed->setVisible(!isLive());
    speed->setCurrentIndex(speed->findData(context == nullptr ? 1.0 : context->speed()));
    const int index = window->findData(window_s());
    if (index >= 0) {
        window->setCurrentIndex(index);
    }
    bar->update();
}

void TimeBar::Private::drawState(QPainter& painter) const
{
    const theme::Tokens& t = theme::tokens();
    const theme::StateColors& healthy = t.of(theme::State::Healthy);
    const QColor text = isLive() ? healthy.text : t.replay;
    const QString word = isLive() ? tr("LIVE") : isReplay() ? tr("REPLAY") : tr("PAUSED");
    painter.setFont(theme::font(theme::Role::Capitals));
    const double width = theme::figuresWidth(painter.font(), word) + 28;
    const QRectF pill(96, 9, width, 22);
    painter.setPen(Qt::NoPen);
    painter.setBrush(isLive() ? healthy.soft : theme::faded(t.replay, 0.2));
    painter.drawRoundedRect(pill, 11, 11);
    painter.setBrush(text);
    painter.drawEllipse(QPointF(pill.left() + 12, pill.center().y()), 3, 3);
    painter.setPen(text);
    painter.drawText(pill.adjusted(19, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter, word);
    if (now_us == 0) {
        return;
    }
    const std::int64_t end = windowEnd();
    const std::int64_t begin = end - window_s() * 1'000'000LL;
    const QDateTime day = QDateTime::fromMSecsSinceEpoch(end / 1'000);
    const QString times = clockText(begin, 1'000'000) + QStringLiteral(" – ")
                          + clockText(end, 1'000'000) + QStringLiteral(" · ")
                          + day.toString(QStringLiteral("d MMM"));
    painter.setFont(theme::font(theme::Role::Caption));
    painter.setPen(t.text2);
    theme::drawFigures(
        painter, QRectF(14, 36, kLeft - 14, 16), times, Qt::AlignLeft | Qt::AlignVCenter
    );
}

void TimeBar::Private::drawRate(QPainter& painter) const
{
    const theme::Tokens& t = theme::tokens();
    const QRectF box = strip();
    const TimeSpan all = span();
    double top = 1;
    for (const bridge::SeriesPoint& point : series.points) {
        top = std::max(top, point.rps2xx + point.rps4xx + point.rps5xx);
    }
    painter.save();
    painter.setClipRect(box.adjusted(0, -22, 0, 2));
    for (const TimeSpan& gap : gaps(series, all)) {
        const double left = xOf(gap.begin_us);
        theme::drawHatch(
            painter, QRectF(left, box.top(), xOf(gap.end_us) - left, box.height()), t.hover
        );
    }
    QPainterPath line;
    QPainterPath area;
    QPointF last;
    std::int64_t before_us = std::numeric_limits<std::int64_t>::min() / 2;
    const auto close = [&] {
        if (!line.isEmpty()) {
            area.lineTo(last.x(), box.bottom());
            area.closeSubpath();
        }
    };
    painter.setPen(Qt::NoPen);
    painter.setBrush(theme::faded(t.of(theme::State::Failure).line, 0.8));
    for (const bridge::SeriesPoint& point : series.points) {
        const double x = xOf(point.time_us);
        const double all_rps = point.rps2xx + point.rps4xx + point.rps5xx;
        const QPointF at(x, box.bottom() - 0.8 * box.height() * all_rps / top);
        if (point.time_us - before_us > 2 * series.step_us) {
            close();
            line.moveTo(at);
            area.moveTo(x, box.bottom());
            area.lineTo(at);
        } else {
            line.lineTo(at);
            area.lineTo(at);
        }
        if (point.rps5xx > 0.001 * all_rps && point.rps5xx > 0) {
            const double height = std::max(3.0, 0.8 * box.height() * point.rps5xx / top);
            painter.drawRect(QRectF(x - 0.75, box.bottom() - height, 1.5, height));
        }
        last = at;
        before_us = point.time_us;
    }
    close();
    painter.setBrush(theme::faded(t.series[0], 0.2));
    painter.drawPath(area);
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(t.series[0], 1.3));
    painter.drawPath(line);
    painter.setPen(QPen(t.borderInput, 1));
    painter.drawLine(
        QPointF(box.left(), box.bottom() + 0.5), QPointF(box.right(), box.bottom() + 0.5)
    );
    painter.restore();
}

void TimeBar::Private::drawAxis(QPainter& painter) const
{
    const theme::Tokens& t = theme::tokens();
    const QRectF box = strip();
    const TimeSpan all = span();
    painter.setFont(theme::font(theme::Role::Axis));
    painter.setPen(t.text3);
    const int countMax = std::max(2, static_cast<int>(box.width() / 64));
    for (const std::int64_t tick : timeTicks(all, countMax)) {
        const QRectF label(xOf(tick) - 30, kLabels - 7, 60, 14);
        if (label.left() < box.left()) {
            continue; // The window's times stand there.
        }
        theme::drawFigures(
            painter, label, clockText(tick, tickStep(all, countMax)), Qt::AlignCenter
        );
    }
    const double right = xOf(windowEnd());
    const double left = std::max(box.left(), xOf(windowEnd() - window_s() * 1'000'000LL));
    painter.setPen(QPen(accent(), 1));
    painter.setBrush(theme::faded(accent(), 0.16));
    painter.drawRoundedRect(
        QRectF(QPointF(left, box.top() - 1.5), QPointF(right, box.bottom() + 1.5)), 3, 3
    );
    if (cursor_us) {
        painter.setPen(QPen(t.text2, 1));
        const double x = xOf(*cursor_us);
        painter.drawLine(QPointF(x, kFlagsTop), QPointF(x, box.bottom()));
    }
}

void TimeBar::Private::drawFlags(QPainter& painter) const
{
    const QRectF box = strip();
    painter.setFont(theme::font(theme::Role::CaptionMedium));
    const QRectF lane(box.left(), kFlagsTop, box.width(), 15);
    const std::vector<Flag> flags = placeFlags(
        markers, [this](std::int64_t time_us) { return xOf(time_us); }, lane, painter.font()
    );
    for (const Flag& flag : flags) {
        if (flag.isHidden && flag.marker->kind == bridge::Marker::Kind::Policy) {
            continue;
        }
        const bridge::Marker& marker = *flag.marker;
        if (marker.kind == bridge::Marker::Kind::Push && marker.end_us != marker.begin_us) {
            const double end = marker.end_us == 0 ? box.right() : xOf(marker.end_us);
            const QRectF band(QPointF(flag.x, box.top()), QPointF(end, box.bottom()));
            painter.fillRect(band & box, theme::faded(colorOf(marker), 0.14));
        }
        QPen pen(colorOf(marker), 1);
        pen.setDashPattern({2, 3});
        painter.setPen(pen);
        painter.drawLine(QPointF(flag.x, kFlagsTop), QPointF(flag.x, box.bottom()));
    }
    for (const Flag& flag : flags) {
        drawFlag(painter, flag);
    }
}

// Both cursors of a comparison, A before B, and the time between them.
void TimeBar::Private::drawComparison(QPainter& painter) const
{
    if (!second()) {
        return;
    }
    const theme::Tokens& t = theme::tokens();
    const QRectF box = strip();
    const double first = xOf(std::min(windowEnd(), *second()));
    const double last = xOf(std::max(windowEnd(), *second()));
    painter.setPen(Qt::NoPen);
    painter.setBrush(theme::faded(t.replay, 0.12));
    painter.drawRect(QRectF(first, box.top(), last - first, box.height()));
    painter.setFont(theme::font(theme::Role::Capitals));
    for (const auto& [x, letter] : {std::pair(first, tr("A")), std::pair(last, tr("B"))}) {
        painter.setPen(QPen(t.replay, 1.5));
        painter.drawLine(QPointF(x, kFlagsTop), QPointF(x, box.bottom() + 2));
        const QRectF disc(x - 7, box.center().y() - 7, 14, 14);
        painter.setPen(Qt::NoPen);
        painter.setBrush(t.replay);
        painter.drawEllipse(disc);
        painter.setPen(t.panel);
        painter.drawText(disc, Qt::AlignCenter, letter);
    }
}

void TimeBar::Private::togglePlay() const
{
    if (isLive()) {
        Q_EMIT bar->pauseAt(now_us);
    } else if (isReplay()) {
        Q_EMIT bar->pauseAt(context->cursor_us());
    } else {
        Q_EMIT bar->replayFrom(context->cursor_us());
    }
}

TimeBar::TimeBar(const bridge::ViewContext* context, QWidget* parent)
    : QWidget(parent)
    , m_private(std::make_unique<Private>(this, context))
{
    setObjectName(QStringLiteral("timeBar"));
    setAccessibleName(tr("Time"));
    setFixedHeight(60);
    setMouseTracking(true);
    setFocusPolicy(Qt::TabFocus);
    Private& d = *m_private;
    connect(d.back, &QToolButton::clicked, this, [this] { stepToMarker(-1); });
    connect(d.forward, &QToolButton::clicked, this, [this] { stepToMarker(1); });
    connect(d.pause, &QToolButton::clicked, this, [this] { m_private->togglePlay(); });
    connect(d.live, &QToolButton::clicked, this, &TimeBar::goLive);
    connect(d.speed, &QComboBox::activated, this, [this](int index) {
        Q_EMIT speedChosen(m_private->speed->itemData(index).toDouble());
    });
    connect(d.window, &QComboBox::activated, this, [this](int index) {
        Q_EMIT windowChosen(m_private->window->itemData(index).toInt());
    });
    connect(d.refresh, &QComboBox::activated, this, [this](int index) {
        Q_EMIT refreshChosen(m_private->refresh->itemData(index).toInt());
    });
    if (context != nullptr) {
        connect(context, &bridge::ViewContext::changed, this, [this] { m_private->takeContext(); });
    }
    d.takeContext();
}

TimeBar::~TimeBar() = default;

void TimeBar::setSeries(const bridge::Series& series, std::int64_t now_us)
{
    m_private->series = series;
    m_private->now_us = now_us;
    update();
}

void TimeBar::setMarkers(const std::vector<bridge::Marker>& markers)
{
    m_private->markers = markers;
    std::stable_sort(
        m_private->markers.begin(),
        m_private->markers.end(),
        [](const bridge::Marker& one, const bridge::Marker& other) {
            return one.begin_us < other.begin_us;
        }
    );
    update();
}

void TimeBar::setShown(int seconds)
{
    m_private->shown_s = std::max(10, seconds);
    update();
}

void TimeBar::setRefresh(int interval_ms)
{
    m_private->refresh->setCurrentIndex(m_private->refresh->findData(interval_ms));
}

void TimeBar::setCursorTime(std::optional<std::int64_t> time_us)
{
    m_private->cursor_us = time_us;
    update();
}

void TimeBar::stepToMarker(int direction)
{
    const std::int64_t from = m_private->windowEnd();
    std::optional<std::int64_t> best;
    for (const bridge::Marker& marker : m_private->markers) {
        const bool isAhead = direction > 0 ? marker.begin_us > from : marker.begin_us < from;
        // Sorted: backwards the last one counts, forwards the first.
        if (isAhead && (direction < 0 || !best)) {
            best = marker.begin_us;
        }
    }
    if (best) {
        Q_EMIT pauseAt(*best);
    } else if (direction > 0) {
        Q_EMIT goLive();
    }
}

QSize TimeBar::sizeHint() const { return QSize(1032, 60); }

void TimeBar::resizeEvent(QResizeEvent* /*event*/)
{
    Private& d = *m_private;
    int x = 10;
    for (QToolButton* const button : {d.back, d.pause, d.forward}) {
        button->setGeometry(x, 8, 24, 24);
        x += 26;
    }
    d.window->setGeometry(width() - kRight + 4, 8, 78, 24);
    d.refresh->setGeometry(width() - kRight + 86, 8, 88, 24);
    d.speed->setGeometry(width() - kRight + 86, 8, 88, 24);
    const QRectF strip = d.strip();
    d.live->setGeometry(static_cast<int>(strip.right()) + 2, static_cast<int>(strip.top()), 36, 24);
}

void TimeBar::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const theme::Tokens& t = theme::tokens();
    painter.fillRect(rect(), t.panel);
    painter.fillRect(QRectF(0, 0, width(), 1), t.border);
    if (!m_private->isLive()) {
        painter.fillRect(rect(), theme::faded(t.replay, 0.07));
        painter.fillRect(QRectF(0, 0, width(), 2), t.replay);
    }
    m_private->drawState(painter);
    if (m_private->now_us > 0 && m_private->strip().width() > 40) {
        m_private->drawRate(painter);
        m_private->drawFlags(painter);
        m_private->drawAxis(painter);
        m_private->drawComparison(painter);
    }
    painter.setFont(theme::font(theme::Role::Caption));
    painter.setPen(t.text3);
    const QString hint =
        m_private->isLive()
            ? tr("%1 shown · Alt ← → markers").arg(secondsText(m_private->spanLength_s()))
            : tr("Shift+click compares · Home: live");
    const QRectF box(width() - kRight, 38, kRight - 6, 14);
    theme::drawFigures(painter, box, hint, Qt::AlignRight | Qt::AlignVCenter);
}

void TimeBar::mousePressEvent(QMouseEvent* event)
{
    const QRectF strip = m_private->strip().adjusted(0, -20, 0, 14);
    if (event->button() != Qt::LeftButton || !strip.contains(event->position())) {
        return;
    }
    if (event->modifiers().testFlag(Qt::ShiftModifier)) {
        if (m_private->isLive()) {
            Q_EMIT pauseAt(m_private->now_us);
        }
        Q_EMIT compareWith(m_private->timeAt(event->position().x()));
    } else {
        m_private->isScrubbing = true;
        Q_EMIT pauseAt(m_private->timeAt(event->position().x()));
    }
}

void TimeBar::mouseMoveEvent(QMouseEvent* event)
{
    const std::int64_t time = m_private->timeAt(event->position().x());
    if (m_private->isScrubbing) {
        Q_EMIT pauseAt(time);
    } else if (m_private->strip().adjusted(0, -20, 0, 14).contains(event->position())) {
        setCursorTime(time);
        Q_EMIT cursorMoved(time);
        const QStringList words = wordsAt(
            m_private->markers,
            [this](std::int64_t time_us) { return m_private->xOf(time_us); },
            event->position().x()
        );
        const QPoint at = event->globalPosition().toPoint() + QPoint(14, 10);
        words.isEmpty() ? QToolTip::hideText() : QToolTip::showText(at, words.join(u'\n'), this);
    }
}

void TimeBar::mouseReleaseEvent(QMouseEvent* /*event*/) { m_private->isScrubbing = false; }

void TimeBar::leaveEvent(QEvent* /*event*/)
{
    setCursorTime(std::nullopt);
    Q_EMIT cursorMoved(std::nullopt);
}

void TimeBar::keyPressEvent(QKeyEvent* event)
{
    const Private& d = *m_private;
    const bool isMarkerStep = event->modifiers().testFlag(Qt::AltModifier);
    const std::int64_t step = std::max<std::int64_t>(d.series.step_us, 1);
    if (event->key() == Qt::Key_Left || event->key() == Qt::Key_Right) {
        const int direction = event->key() == Qt::Key_Left ? -1 : 1;
        if (isMarkerStep) {
            stepToMarker(direction);
        } else {
            Q_EMIT pauseAt(std::min(d.now_us, d.windowEnd() + direction * step));
        }
    } else if (event->key() == Qt::Key_Home) {
        Q_EMIT goLive();
    } else if (event->key() == Qt::Key_Space) {
        d.togglePlay();
    } else if (event->key() == Qt::Key_Escape && d.second()) {
        Q_EMIT compareWith(std::nullopt);
    } else {
        QWidget::keyPressEvent(event);
    }
}

} // namespace mesh::charts
