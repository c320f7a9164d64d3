#include "app/charts/run_timeline.h"

#include "app/charts/run_timeline_private.h"
#include "app/theme/theme.h"

#include <QDragEnterEvent>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMimeData>
#include <QMouseEvent>
#include <QToolTip>

#include <algorithm>
#include <cmath>

namespace mesh::charts {

namespace {

constexpr double kSnap_px = 6;
constexpr double kStep_s = 1;
constexpr double kBigStep_s = 10;

} // namespace

double RunTimeline::Private::plotLeft() const { return kLabelWidth; }

double RunTimeline::Private::plotRight() const { return view->width() - 16.0; }

double RunTimeline::Private::endOf(const bridge::ClipRow& clip) const
{
    return clip.length_s ? clip.at_s + *clip.length_s : content.duration_s;
}

// Each clip in the first row that is free where it stands.
void RunTimeline::Private::packClips()
{
    std::vector<double> ends;
    rows.assign(content.clips.size(), 0);
    std::vector<std::size_t> order(content.clips.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        order[i] = i;
    }
    std::stable_sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) {
        return content.clips[a].at_s < content.clips[b].at_s;
    });
    for (const std::size_t i : order) {
        const bridge::ClipRow& clip = content.clips[i];
        std::size_t row = 0;
        while (row < ends.size() && ends[row] > clip.at_s) {
            ++row;
        }
        if (row == ends.size()) {
            ends.push_back(0);
        }
        ends[row] = endOf(clip);
        rows[i] = static_cast<int>(row);
    }
    rowCount = std::max(2, static_cast<int>(ends.size()));
}

RunTimeline::Private::Lanes RunTimeline::Private::lanes() const
{
    constexpr double kAxis = 24;
    constexpr double kLoad = 40;
    constexpr double kReactions = 26;
    constexpr double kHint = 24;
    const double width = view->width();
    const double faults = rowCount * kClipPitch + 8;
    const double rest =
        std::max(90.0, view->height() - kAxis - kLoad - faults - kReactions - kHint);
    Lanes at;
    double y = 0;
    const auto take = [&y, width](double height) {
        const QRectF lane(0, y, width, height);
        y += height;
        return lane;
    };
    at.axis = take(kAxis);
    at.load = take(kLoad);
    at.faults = take(faults);
    at.reactions = take(kReactions);
    at.success = take(rest / 2);
    at.latency = take(rest / 2);
    at.hint = take(kHint);
    return at;
}

int RunTimeline::Private::clipAt(QPointF point) const
{
    for (std::size_t i = 0; i < content.clips.size(); ++i) {
        if (view->clipRect(static_cast<int>(i)).adjusted(-2, -2, 2, 2).contains(point)) {
            return static_cast<int>(i);
        }
    }
    return -1;
}

// Whole seconds, and what happens nearby: other clips, steps of the load, the playhead.
double RunTimeline::Private::snapped(double second, int exceptClip) const
{
    const double reach = kSnap_px * content.duration_s / std::max(1.0, plotRight() - plotLeft());
    double best = std::round(second);
    double nearest = reach;
    const auto offer = [&](double at) {
        if (std::abs(at - second) < nearest) {
            nearest = std::abs(at - second);
            best = at;
        }
    };
    offer(std::round(playhead_s));
    for (std::size_t i = 0; i < content.clips.size(); ++i) {
        if (static_cast<int>(i) != exceptClip) {
            offer(content.clips[i].at_s);
            offer(endOf(content.clips[i]));
        }
    }
    for (const bridge::LoadRow& load : content.loads) {
        for (const auto& step : load.steps) {
            offer(step.first);
        }
    }
    return std::clamp(best, 0.0, content.duration_s);
}

void RunTimeline::Private::announce()
{
    const auto at = static_cast<std::size_t>(selected);
    view->setAccessibleDescription(
        selected >= 0 && at < content.clips.size()
            ? content.clips[at].words
            : tr("%n fault(s)", nullptr, static_cast<int>(content.clips.size()))
    );
    view->update();
}

RunTimeline::RunTimeline(QWidget* parent)
    : QWidget(parent)
    , m_private(std::make_unique<Private>(this))
{
    setObjectName(QStringLiteral("runTimeline"));
    setAccessibleName(tr("Timeline of the rehearsal"));
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setAcceptDrops(true);
    setAttribute(Qt::WA_OpaquePaintEvent);
    connect(&theme::current(), &theme::Theme::changed, this, [this] { update(); });
}

RunTimeline::~RunTimeline() = default;

void RunTimeline::setContent(RunTimelineContent content)
{
    Private& d = *m_private;
    d.content = std::move(content);
    d.content.duration_s = std::max(1.0, d.content.duration_s);
    d.packClips();
    if (d.selected >= static_cast<int>(d.content.clips.size())) {
        d.selected = -1;
    }
    d.playhead_s = std::clamp(d.playhead_s, 0.0, d.content.duration_s);
    updateGeometry();
    d.announce();
}

const RunTimelineContent& RunTimeline::content() const { return m_private->content; }

void RunTimeline::setPlayhead(double second)
{
    m_private->playhead_s = std::clamp(second, 0.0, m_private->content.duration_s);
    update();
}

double RunTimeline::playhead() const { return m_private->playhead_s; }

void RunTimeline::selectClip(int index)
{
    m_private->selected = index < static_cast<int>(m_private->content.clips.size()) ? index : -1;
    m_private->announce();
}

int RunTimeline::selectedClip() const { return m_private->selected; }

QRectF RunTimeline::clipRect(int index) const
{
    const Private& d = *m_private;
    const auto at = static_cast<std::size_t>(index);
    if (index < 0 || at >= d.content.clips.size()) {
        return {};
    }
    const bool isDragged = d.dragged && d.dragged->index == index;
    const bridge::ClipRow& clip = isDragged ? *d.dragged : d.content.clips[at];
    const double left = xOf(clip.at_s);
    const double right = std::max(left + 10, xOf(d.endOf(clip)));
    const double top = d.lanes().faults.top() + 5 + d.rows[at] * kClipPitch;
    return {left, top, right - left, kClipHeight};
}

double RunTimeline::xOf(double second) const
{
    const Private& d = *m_private;
    return d.plotLeft() + (d.plotRight() - d.plotLeft()) * second / d.content.duration_s;
}

double RunTimeline::secondAt(double x) const
{
    const Private& d = *m_private;
    const double share = (x - d.plotLeft()) / std::max(1.0, d.plotRight() - d.plotLeft());
    return std::clamp(share, 0.0, 1.0) * d.content.duration_s;
}

QSize RunTimeline::sizeHint() const { return {772, 330}; }

QSize RunTimeline::minimumSizeHint() const
{
    return {420, 204 + static_cast<int>(m_private->rowCount * kClipPitch)};
}

bool RunTimeline::event(QEvent* event)
{
    if (event->type() != QEvent::ToolTip) {
        return QWidget::event(event);
    }
    const auto* help = static_cast<QHelpEvent*>(event);
    const Private& d = *m_private;
    const int clip = d.clipAt(help->pos());
    QString words;
    if (clip >= 0) {
        words = d.content.clips[static_cast<std::size_t>(clip)].words;
    } else if (d.lanes().reactions.contains(help->pos())) {
        QStringList lines;
        for (const bridge::ReactionMark& mark : d.content.reactions) {
            if (std::abs(xOf(mark.at_s) - help->pos().x()) < 8) {
                lines << mark.words;
            }
        }
        words = lines.join(u'\n');
    }
    if (words.isEmpty()) {
        QToolTip::hideText();
    } else {
        QToolTip::showText(help->globalPos(), words, this);
    }
    return true;
}

void RunTimeline::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    m_private->paint(painter);
}

void RunTimeline::mousePressEvent(QMouseEvent* event)
{
    Private& d = *m_private;
    if (event->button() != Qt::LeftButton) {
        return;
    }
    const QPointF point = event->position();
    const int clip = d.clipAt(point);
    d.pressSecond = secondAt(point.x());
    if (clip < 0) {
        if (d.selected >= 0) {
            selectClip(-1);
            Q_EMIT clipSelected(-1);
        }
        d.press = Private::Press::Playhead;
        setPlayhead(d.pressSecond);
        Q_EMIT playheadMoved(d.playhead_s);
        return;
    }
    const QRectF rect = clipRect(clip);
    d.press = point.x() < rect.left() + kHandle    ? Private::Press::Begin
              : point.x() > rect.right() - kHandle ? Private::Press::End
                                                   : Private::Press::Move;
    d.dragged = d.content.clips[static_cast<std::size_t>(clip)];
    d.dragged->index = clip;
    selectClip(clip);
    Q_EMIT clipSelected(clip);
}

void RunTimeline::mouseMoveEvent(QMouseEvent* event)
{
    Private& d = *m_private;
    const double second = secondAt(event->position().x());
    if (d.press == Private::Press::Playhead) {
        setPlayhead(second);
        Q_EMIT playheadMoved(d.playhead_s);
        return;
    }
    if (d.press == Private::Press::None || !d.dragged) {
        const int clip = d.clipAt(event->position());
        const QRectF rect = clipRect(clip);
        const double x = event->position().x();
        const bool isEnd = clip >= 0 && (x < rect.left() + kHandle || x > rect.right() - kHandle);
        setCursor(isEnd ? Qt::SizeHorCursor : clip >= 0 ? Qt::OpenHandCursor : Qt::ArrowCursor);
        return;
    }
    const bridge::ClipRow& clip = d.content.clips[static_cast<std::size_t>(d.dragged->index)];
    const double moved = second - d.pressSecond;
    const double end = d.endOf(clip);
    if (d.press == Private::Press::Move) {
        const double length = end - clip.at_s;
        const double begin = d.snapped(clip.at_s + moved, d.dragged->index);
        const double last = d.snapped(end + moved, d.dragged->index);
        // The end that found something nearer decides.
        const bool byEnd = std::abs(last - end - moved) < std::abs(begin - clip.at_s - moved);
        const double wanted = byEnd ? last - length : begin;
        d.dragged->at_s = std::clamp(wanted, 0.0, std::max(0.0, d.content.duration_s - length));
    } else if (d.press == Private::Press::Begin) {
        d.dragged->at_s = std::min(d.snapped(clip.at_s + moved, d.dragged->index), end - 1);
        if (clip.length_s) {
            d.dragged->length_s = end - d.dragged->at_s;
        }
    } else {
        const double last = std::max(d.snapped(end + moved, d.dragged->index), clip.at_s + 1);
        d.dragged->length_s = last - clip.at_s;
    }
    update();
}

void RunTimeline::mouseReleaseEvent(QMouseEvent* /*event*/)
{
    Private& d = *m_private;
    const auto dropped = std::exchange(d.dragged, std::nullopt);
    d.press = Private::Press::None;
    if (dropped) {
        const bridge::ClipRow& old = d.content.clips[static_cast<std::size_t>(dropped->index)];
        if (old.at_s != dropped->at_s || old.length_s != dropped->length_s) {
            Q_EMIT clipMoved(dropped->index, dropped->at_s, dropped->length_s);
        }
    }
    update();
}

void RunTimeline::mouseDoubleClickEvent(QMouseEvent* event)
{
    const int clip = m_private->clipAt(event->position());
    if (clip >= 0) {
        Q_EMIT clipActivated(clip);
    }
}

void RunTimeline::keyPressEvent(QKeyEvent* event)
{
    Private& d = *m_private;
    const double step = event->modifiers().testFlag(Qt::ShiftModifier) ? kBigStep_s : kStep_s;
    const double way = event->key() == Qt::Key_Left    ? -step
                       : event->key() == Qt::Key_Right ? step
                                                       : 0;
    const bool hasClip = d.selected >= 0 && d.selected < static_cast<int>(d.content.clips.size());
    if (event->modifiers().testFlag(Qt::AltModifier)) {
        QWidget::keyPressEvent(event);
        return;
    }
    if (way != 0 && hasClip) {
        const bridge::ClipRow clip = d.content.clips[static_cast<std::size_t>(d.selected)];
        const double length = d.endOf(clip) - clip.at_s;
        if (event->modifiers().testFlag(Qt::ControlModifier)) {
            Q_EMIT clipMoved(d.selected, clip.at_s, std::max(1.0, length + way));
        } else {
            const double last = std::max(0.0, d.content.duration_s - length);
            Q_EMIT clipMoved(d.selected, std::clamp(clip.at_s + way, 0.0, last), clip.length_s);
        }
        return;
    }
    const bool isHome = event->key() == Qt::Key_Home;
    if (way != 0 || isHome || event->key() == Qt::Key_End) {
        const double from = std::round(d.playhead_s) + way;
        setPlayhead(way != 0 ? from : isHome ? 0 : d.content.duration_s);
        Q_EMIT playheadMoved(d.playhead_s);
    } else if (hasClip && event->key() == Qt::Key_Delete) {
        Q_EMIT clipRemoved(d.selected);
    } else if (hasClip && (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter)) {
        Q_EMIT clipActivated(d.selected);
    } else if (hasClip && event->key() == Qt::Key_Escape) {
        selectClip(-1);
        Q_EMIT clipSelected(-1);
    } else {
        QWidget::keyPressEvent(event);
    }
}

// Tab walks through the clips; after the last one it leaves the widget.
bool RunTimeline::focusNextPrevChild(bool next)
{
    Private& d = *m_private;
    const int target = d.selected + (next ? 1 : -1);
    const bool isIn = target >= 0 && target < static_cast<int>(d.content.clips.size());
    if (!hasFocus() || !isIn) {
        return QWidget::focusNextPrevChild(next);
    }
    selectClip(target);
    Q_EMIT clipSelected(target);
    return true;
}

void RunTimeline::focusInEvent(QFocusEvent* event)
{
    QWidget::focusInEvent(event);
    update();
}

void RunTimeline::focusOutEvent(QFocusEvent* event)
{
    QWidget::focusOutEvent(event);
    update();
}

void RunTimeline::dragEnterEvent(QDragEnterEvent* event)
{
    if (event->mimeData()->hasFormat(QString::fromLatin1(kFaultMime))) {
        event->acceptProposedAction();
    }
}

void RunTimeline::dropEvent(QDropEvent* event)
{
    const QByteArray key = event->mimeData()->data(QString::fromLatin1(kFaultMime));
    if (!key.isEmpty()) {
        event->acceptProposedAction();
        Q_EMIT offerDropped(
            QString::fromUtf8(key), m_private->snapped(secondAt(event->position().x()), -1)
        );
    }
}

} // namespace mesh::charts
