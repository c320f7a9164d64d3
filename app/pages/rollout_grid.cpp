#include "app/pages/rollout_grid.h"

#include "app/charts/time_axis.h"
#include "app/pages/texts.h"
#include "app/theme/figures.h"
#include "app/theme/glyphs.h"
#include "app/theme/tables.h"
#include "app/theme/theme.h"

#include <QHeaderView>
#include <QPainter>
#include <QPainterPath>

#include <algorithm>
#include <array>
#include <cmath>

namespace mesh::pages {
namespace {

using bridge::StepKind;

constexpr int kRowHeight = 34;
constexpr int kGroupHeight = 26;
constexpr int kStepPitch = 27;
constexpr int kSteps = 6;

enum Column : int {
    Node,
    Zone,
    NodeRole,
    Progress,
    State,
    Runs,
    Apply,
    Rps,
    Errors,
    P95,
    ColumnCount
};
enum Role : int { kStep = Qt::UserRole + 40, kKind, kGroup, kAway, kBad, kHash, kProven, kFirst };

QColor colorOf(StepKind kind)
{
    const theme::Tokens& t = theme::tokens();
    switch (kind) {
    case StepKind::Waiting:
        return t.text3;
    case StepKind::Moving:
        return t.accent;
    case StepKind::Done:
        return t.of(theme::State::Healthy).text;
    case StepKind::Failed:
        return t.of(theme::State::Failure).text;
    case StepKind::TakenBack:
        return t.of(theme::State::Degraded).text;
    }
    return t.text3;
}

StepKind kindAt(const QModelIndex& index)
{
    return static_cast<StepKind>(index.data(kKind).toInt());
}

class GridDelegate : public theme::RowDelegate
{
public:
    using RowDelegate::RowDelegate;

    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index)
        const override
    {
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        if (index.data(kGroup).toBool()) {
            paintGroup(*painter, QRectF(option.rect), index.data().toString());
        } else {
            paintGround(*painter, option, index);
            const QRectF cell = QRectF(option.rect).adjusted(leftPad(index), 0, -8, 0);
            switch (index.column()) {
            case Progress:
                paintSteps(*painter, cell, index);
                break;
            case Runs:
                paintRuns(*painter, cell, index);
                break;
            default:
                paintWords(*painter, cell, index);
                break;
            }
        }
        painter->restore();
    }

private:
    static double leftPad(const QModelIndex& index) { return index.column() == Node ? 20 : 8; }

    static void paintGroup(QPainter& painter, const QRectF& rect, const QString& text)
    {
        const theme::Tokens& t = theme::tokens();
        painter.fillRect(rect, t.raised);
        painter.fillRect(QRectF(rect.left(), rect.bottom() - 1, rect.width(), 1), t.border);
        const QString head = text.section(u'\n', 0, 0);
        painter.setFont(theme::font(theme::Role::SmallStrong));
        painter.setPen(t.text1);
        const QRectF cell = rect.adjusted(20, 0, -8, 0);
        painter.drawText(cell, Qt::AlignLeft | Qt::AlignVCenter, head);
        const double width = painter.fontMetrics().horizontalAdvance(head);
        painter.setFont(theme::font(theme::Role::Caption));
        painter.setPen(t.text3);
        painter.drawText(
            cell.adjusted(width + 10, 0, 0, 0),
            Qt::AlignLeft | Qt::AlignVCenter,
            text.section(u'\n', 1)
        );
    }

    // Six dots: queued, sent, acknowledged, applied, baking, done.
    static void paintSteps(QPainter& painter, const QRectF& cell, const QModelIndex& index)
    {
        const theme::Tokens& t = theme::tokens();
        const StepKind kind = kindAt(index);
        const int step = index.data(kStep).toInt();
        const QColor color = index.data(kAway).toBool() ? t.text2 : colorOf(kind);
        const double y = cell.center().y();
        const auto x = [&](int at) { return cell.left() + 7 + at * kStepPitch; };
        const bool isBroken = kind == StepKind::Failed;
        for (int i = 0; i + 1 < kSteps; ++i) {
            const bool isGone = i < step && !isBroken;
            const QColor line = isGone ? color : t.borderInput;
            QPen pen(line, isGone ? 1.6 : 1.2);
            if (!isGone) {
                pen.setStyle(Qt::DotLine);
            }
            painter.setPen(pen);
            painter.drawLine(QPointF(x(i) + 7, y), QPointF(x(i + 1) - 7, y));
        }
        for (int i = 0; i < kSteps; ++i) {
            const QPointF at(x(i), y);
            const bool isCurrent = i == step;
            if (isBroken && isCurrent) {
                painter.setPen(QPen(color, 1.8, Qt::SolidLine, Qt::RoundCap));
                painter.drawLine(at + QPointF(-3.5, -3.5), at + QPointF(3.5, 3.5));
                painter.drawLine(at + QPointF(-3.5, 3.5), at + QPointF(3.5, -3.5));
            } else if (i < step || isCurrent) {
                const bool isLarge =
                    isCurrent && (kind == StepKind::Moving || kind == StepKind::Done);
                const bool isFaint = kind == StepKind::Moving && !isCurrent;
                painter.setPen(Qt::NoPen);
                painter.setBrush(isFaint ? theme::mixed(t.panel, color, 0.6) : color);
                painter.drawEllipse(at, isLarge ? 5.0 : 4.0, isLarge ? 5.0 : 4.0);
                if (isLarge && kind == StepKind::Moving) {
                    painter.setBrush(Qt::NoBrush);
                    painter.setPen(QPen(theme::faded(color, 0.5), 1.4));
                    painter.drawEllipse(at, 7.2, 7.2);
                }
            } else {
                painter.setBrush(Qt::NoBrush);
                painter.setPen(QPen(t.borderInput, 1.3));
                painter.drawEllipse(at, 3.4, 3.4);
            }
        }
    }

    static void paintRuns(QPainter& painter, const QRectF& cell, const QModelIndex& index)
    {
        const theme::Tokens& t = theme::tokens();
        const bool isProven = index.data(kProven).toBool();
        painter.setFont(theme::font(isProven ? theme::Role::SmallStrong : theme::Role::Small));
        painter.setPen(isProven ? t.text1 : t.text2);
        const QString revision = index.data().toString();
        painter.drawText(cell, Qt::AlignLeft | Qt::AlignVCenter, revision);
        const double at = std::max(26, painter.fontMetrics().horizontalAdvance(revision) + 8);
        painter.setFont(theme::font(theme::Role::CodeSmall));
        painter.setPen(t.text3);
        painter.drawText(
            cell.adjusted(at, 0, 0, 0),
            Qt::AlignLeft | Qt::AlignVCenter,
            index.data(kHash).toString()
        );
    }

    static void paintWords(QPainter& painter, const QRectF& cell, const QModelIndex& index)
    {
        const theme::Tokens& t = theme::tokens();
        const bool isAway = index.data(kAway).toBool();
        painter.setFont(
            theme::font(index.column() == Node ? theme::Role::SmallStrong : theme::Role::Small)
        );
        painter.setPen(
            index.column() == Node             ? t.text1
            : index.column() == State          ? (isAway ? t.text2 : colorOf(kindAt(index)))
            : index.column() < Apply || isAway ? t.text2
                                               : t.text1
        );
        const QString text = index.data().toString();
        if (index.column() > Apply && !isAway) {
            if (text == QStringLiteral("–")) {
                painter.setPen(t.text3);
            }
            theme::drawFigures(painter, cell, text, Qt::AlignRight | Qt::AlignVCenter);
            return;
        }
        const int align = index.column() == Apply && !isAway ? Qt::AlignRight : Qt::AlignLeft;
        painter.drawText(
            cell,
            align | Qt::AlignVCenter,
            painter.fontMetrics().elidedText(text, Qt::ElideRight, static_cast<int>(cell.width()))
        );
    }
};

} // namespace

RolloutGrid::RolloutGrid(QWidget* parent)
    : QTableWidget(parent)
{
    setObjectName(QStringLiteral("rolloutGrid"));
    setAccessibleName(tr("Nodes of the push"));
    setColumnCount(ColumnCount);
    setHorizontalHeaderLabels(
        {tr("Node"),
         tr("Zone"),
         tr("Role"),
         tr("Progress"),
         tr("State"),
         tr("Runs, read back"),
         tr("Apply time"),
         tr("rps"),
         tr("err %"),
         tr("p95 against before")}
    );
    theme::applyTableDefaults(*this);
    setItemDelegate(new GridDelegate(this));
    setEditTriggers(QAbstractItemView::NoEditTriggers);
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    const std::array<int, ColumnCount> widths = {108, 52, 82, 176, 112, 132, 92, 74, 72, 0};
    QHeaderView& header = *horizontalHeader();
    header.setMinimumSectionSize(30);
    for (int i = 0; i < ColumnCount; ++i) {
        header.setSectionResizeMode(i, QHeaderView::Fixed);
        setColumnWidth(i, widths[static_cast<std::size_t>(i)]);
    }
    header.setSectionResizeMode(Node, QHeaderView::Stretch);
    setColumnWidth(P95, 140);
    for (int i = Apply; i < ColumnCount; ++i) {
        horizontalHeaderItem(i)->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
    }
    verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    verticalHeader()->setMinimumSectionSize(kGroupHeight);
}

void RolloutGrid::setRollout(const bridge::RolloutRows& rollout)
{
    if (rollout.revisionBefore > 0) {
        horizontalHeaderItem(P95)->setText(tr("p95 against %1").arg(rollout.revisionBefore));
    }
    std::vector<Line> lines;
    int wave = -1;
    for (std::size_t i = 0; i < rollout.nodes.size(); ++i) {
        if (rollout.nodes[i].wave != wave) {
            wave = rollout.nodes[i].wave;
            lines.push_back({wave, -1, false});
        }
        lines.push_back({-1, static_cast<int>(i), rollout.nodes[i].isAway});
    }
    if (lines != m_lines) {
        m_lines = lines;
        clearSpans();
        setRowCount(static_cast<int>(lines.size()));
        for (int row = 0; row < rowCount(); ++row) {
            const Line& line = m_lines[static_cast<std::size_t>(row)];
            setRowHeight(row, line.node < 0 ? kGroupHeight : kRowHeight);
            for (int column = 0; column < ColumnCount; ++column) {
                setItem(row, column, new QTableWidgetItem);
            }
            if (line.node < 0) {
                setSpan(row, 0, 1, ColumnCount);
                item(row, 0)->setFlags(Qt::NoItemFlags);
            } else if (line.isAway) {
                setSpan(row, Apply, 1, ColumnCount - Apply);
            }
        }
    }
    for (int row = 0; row < rowCount(); ++row) {
        const Line& line = m_lines[static_cast<std::size_t>(row)];
        if (line.node >= 0) {
            fillNode(row, rollout.nodes[static_cast<std::size_t>(line.node)]);
        } else if (static_cast<std::size_t>(line.wave) < rollout.waves.size()) {
            const auto& group = rollout.waves[static_cast<std::size_t>(line.wave)];
            item(row, 0)->setData(kGroup, true);
            item(row, 0)->setText(group.title + u'\n' + group.applied);
        }
    }
    viewport()->update();
}

void RolloutGrid::fillNode(int row, const bridge::RolloutNodeRow& node)
{
    const std::array<QString, ColumnCount> texts = {
        node.name,
        node.zone,
        node.role,
        node.state,
        node.state,
        node.revision,
        node.isAway || (node.isBad && node.applyTime.isEmpty()) ? node.text : node.applyTime,
        node.rps,
        node.errors,
        node.p95Change};
    for (int column = 0; column < ColumnCount; ++column) {
        QTableWidgetItem& cell = *item(row, column);
        cell.setText(texts[static_cast<std::size_t>(column)]);
        cell.setToolTip(node.text.isEmpty() ? cell.text() : node.text);
        cell.setData(kStep, node.step);
        cell.setData(kKind, static_cast<int>(node.kind));
        cell.setData(kAway, node.isAway);
        cell.setData(kBad, node.isBad);
        cell.setData(kHash, node.hash);
        cell.setData(kProven, node.hasRevision);
        const theme::State state = node.isAway ? theme::State::Stale : theme::State::Failure;
        cell.setData(
            theme::kRowStateRole,
            node.isAway || node.isBad ? QVariant(static_cast<int>(state)) : QVariant()
        );
    }
    item(row, Runs)->setData(
        Qt::AccessibleTextRole,
        node.hasRevision ? tr("%1, read back").arg(node.revision) : node.revision
    );
}

RolloutWaves::RolloutWaves(QWidget* parent)
    : QWidget(parent)
{
    setObjectName(QStringLiteral("rolloutWaves"));
    setAccessibleName(tr("Waves"));
    setFixedHeight(92);
    connect(&theme::current(), &theme::Theme::changed, this, qOverload<>(&QWidget::update));
}

void RolloutWaves::setWaves(const std::vector<bridge::RolloutWaveRow>& waves)
{
    m_waves = waves;
    QStringList words;
    for (const bridge::RolloutWaveRow& wave : waves) {
        words << QStringLiteral("%1, %2: %3").arg(wave.label, wave.nodes, wave.words);
    }
    setAccessibleDescription(words.join(QStringLiteral("; ")));
    setToolTip(words.join(u'\n'));
    update();
}

QSize RolloutWaves::sizeHint() const { return {600, 92}; }

void RolloutWaves::paintWave(
    QPainter& painter, const QRectF& rect, const bridge::RolloutWaveRow& wave, int number
)
{
    const theme::Tokens& t = theme::tokens();
    const QColor color = colorOf(wave.kind);
    painter.setPen(QPen(wave.isCurrent ? color : t.border, 1));
    painter.setBrush(wave.isCurrent ? t.accentSoft : t.panel);
    painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 8, 8);
    const QPointF disc(rect.left() + 23, rect.top() + 20);
    const bool isWaiting = wave.kind == StepKind::Waiting;
    painter.setPen(isWaiting ? QPen(t.text3, 1.2) : QPen(Qt::NoPen));
    painter.setBrush(isWaiting ? QBrush(Qt::NoBrush) : QBrush(color));
    painter.drawEllipse(disc, 8.5, 8.5);
    const QRectF inside(disc.x() - 6, disc.y() - 6, 12, 12);
    const QColor onDisc = isWaiting ? t.text2 : t.panel;
    if (wave.kind == StepKind::Done) {
        theme::drawStateGlyph(
            painter, inside.adjusted(1, 1, -1, -1), theme::State::Healthy, onDisc, 1.8
        );
    } else if (wave.kind == StepKind::Failed) {
        theme::drawStateGlyph(
            painter, inside.adjusted(1, 1, -1, -1), theme::State::Failure, onDisc, 1.8
        );
    } else {
        painter.setPen(onDisc);
        painter.setFont(theme::font(theme::Role::CaptionStrong));
        painter.drawText(inside, Qt::AlignCenter, QString::number(number));
    }
    QRectF words = rect.adjusted(40, 8, -14, -24);
    painter.setFont(theme::font(theme::Role::BodyStrong));
    painter.setPen(t.text1);
    painter.drawText(words, Qt::AlignLeft | Qt::AlignVCenter, wave.label);
    const double width = painter.fontMetrics().horizontalAdvance(wave.label);
    painter.setFont(theme::font(theme::Role::Small));
    painter.setPen(t.text2);
    painter.drawText(
        words.adjusted(width + 9, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter, wave.nodes
    );
    const double taken = width + 9 + painter.fontMetrics().horizontalAdvance(wave.nodes) + 10;
    painter.setFont(theme::font(isWaiting ? theme::Role::Small : theme::Role::SmallMedium));
    painter.setPen(isWaiting ? t.text3 : color);
    words.adjust(taken, 0, 0, 0);
    painter.drawText(
        words,
        Qt::AlignRight | Qt::AlignVCenter,
        painter.fontMetrics().elidedText(
            wave.words, Qt::ElideRight, static_cast<int>(words.width())
        )
    );
    const QRectF bar(rect.left() + 15, rect.bottom() - 17, rect.width() - 30, 5);
    painter.setPen(Qt::NoPen);
    painter.setBrush(t.pressed);
    painter.drawRoundedRect(bar, 2.5, 2.5);
    if (wave.share > 0) {
        painter.setBrush(color);
        painter.drawRoundedRect(
            QRectF(bar.left(), bar.top(), std::max(5.0, bar.width() * wave.share), bar.height()),
            2.5,
            2.5
        );
    }
}

void RolloutWaves::paintEvent(QPaintEvent* event)
{
    Q_UNUSED(event)
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.fillRect(rect(), theme::tokens().panel);
    if (m_waves.empty()) {
        return;
    }
    constexpr double kGap = 26;
    const auto count = static_cast<double>(m_waves.size());
    const double width = (this->width() - 40 - kGap * (count - 1)) / count;
    for (std::size_t i = 0; i < m_waves.size(); ++i) {
        const double x = 20 + static_cast<double>(i) * (width + kGap);
        paintWave(painter, QRectF(x, 18, width, 57), m_waves[i], static_cast<int>(i) + 1);
        if (i + 1 < m_waves.size()) {
            painter.setPen(theme::tokens().text3);
            painter.setFont(theme::font(theme::Role::Body));
            painter.drawText(QRectF(x + width, 18, kGap, 55), Qt::AlignCenter, QStringLiteral("›"));
        }
    }
}

RolloutChart::RolloutChart(Quantity quantity, const QString& title, QWidget* parent)
    : QWidget(parent)
    , m_quantity(quantity)
    , m_title(title)
{
    setAccessibleName(title);
    setMinimumHeight(116);
    connect(&theme::current(), &theme::Theme::changed, this, qOverload<>(&QWidget::update));
}

QSize RolloutChart::sizeHint() const { return {300, 122}; }

std::optional<double> RolloutChart::valueOf(const bridge::RolloutPoint& point, bool isNow) const
{
    if (m_quantity == Quantity::Errors) {
        return isNow ? point.errorsNow : point.errorsBefore;
    }
    return isNow ? point.p95Now_ms : point.p95Before_ms;
}

void RolloutChart::setRollout(const bridge::RolloutRows& rollout)
{
    m_points = rollout.points;
    m_marks = rollout.marks;
    m_limit = m_quantity == Quantity::Errors ? rollout.errorLimit : rollout.p95Limit;
    m_limitText = m_quantity == Quantity::Errors ? rollout.errorLimitText : rollout.p95LimitText;
    m_before = tr("rev %1").arg(rollout.revisionBefore);
    m_now = tr("rev %1").arg(rollout.revision);
    QString last = tr("no data");
    for (auto at = m_points.rbegin(); at != m_points.rend(); ++at) {
        if (const auto value = valueOf(*at, true)) {
            last = QString::number(*value, 'f', 1);
            break;
        }
    }
    setAccessibleDescription(tr("%1 now %2").arg(m_title, last));
    update();
}

double RolloutChart::Area::x(std::int64_t time_s) const
{
    const auto span = static_cast<double>(std::max<std::int64_t>(1, end_s - begin_s));
    return plot.left() + plot.width() * static_cast<double>(time_s - begin_s) / span;
}

double RolloutChart::Area::y(double value) const
{
    return plot.bottom() - plot.height() * std::clamp(value / top, 0.0, 1.0);
}

RolloutChart::Area RolloutChart::area() const
{
    Area made;
    made.plot = QRectF(rect()).adjusted(34, 24, -6, -18);
    double top = m_quantity == Quantity::Errors ? 0.2 : 10;
    for (const bridge::RolloutPoint& point : m_points) {
        top = std::max({top, valueOf(point, true).value_or(0), valueOf(point, false).value_or(0)});
    }
    top = std::max(top, m_limit.value_or(0) * 1.15);
    made.top = charts::roundTop(top, top);
    if (!m_points.empty()) {
        made.begin_s = m_points.front().time_s;
        made.end_s = m_points.back().time_s + 1;
    }
    return made;
}

void RolloutChart::paintAxes(QPainter& painter, const Area& area) const
{
    const theme::Tokens& t = theme::tokens();
    painter.setFont(theme::font(theme::Role::SmallStrong));
    painter.setPen(t.text1);
    painter.drawText(QRectF(0, 0, width(), 18), Qt::AlignLeft | Qt::AlignVCenter, m_title);
    painter.setFont(theme::font(theme::Role::Caption));
    double x = width();
    for (const bool isNow : {true, false}) {
        const QString& words = isNow ? m_now : m_before;
        const double length = painter.fontMetrics().horizontalAdvance(words);
        x -= length;
        painter.setPen(t.text2);
        painter.drawText(QRectF(x, 0, length + 2, 18), Qt::AlignLeft | Qt::AlignVCenter, words);
        QPen pen(isNow ? t.accent : t.text3, isNow ? 1.8 : 1.4);
        if (!isNow) {
            pen.setDashPattern({3, 2});
        }
        painter.setPen(pen);
        painter.drawLine(QPointF(x - 22, 9), QPointF(x - 7, 9));
        x -= 34;
    }
    painter.setFont(theme::font(theme::Role::Axis));
    const int lines = charts::gridLines(area.top);
    for (int i = 0; i <= lines; ++i) {
        const double value = area.top * i / lines;
        const double y = std::round(area.y(value)) + 0.5;
        painter.setPen(i == 0 ? t.borderInput : t.grid);
        painter.drawLine(QPointF(area.plot.left(), y), QPointF(area.plot.right(), y));
        painter.setPen(t.text3);
        painter.drawText(
            QRectF(0, y - 8, area.plot.left() - 6, 16),
            Qt::AlignRight | Qt::AlignVCenter,
            area.top < 10 ? QString::number(value, 'g', 2)
                          : countText(static_cast<std::uint64_t>(std::llround(value)))
        );
    }
    const charts::TimeSpan span{area.begin_s * 1'000'000, area.end_s * 1'000'000};
    const std::int64_t step = charts::tickStep(span, 4);
    for (const std::int64_t tick : charts::timeTicks(span, 4)) {
        const double at = area.x(tick / 1'000'000);
        if (at > area.plot.left() + 12 && at < area.plot.right() - 12) {
            painter.drawText(
                QRectF(at - 30, area.plot.bottom() + 3, 60, 14),
                Qt::AlignCenter,
                charts::clockText(tick, step)
            );
        }
    }
}

void RolloutChart::paintMarks(QPainter& painter, const Area& area) const
{
    const theme::Tokens& t = theme::tokens();
    for (std::size_t i = 0; i < m_marks.size(); ++i) {
        const bridge::RolloutMark& mark = m_marks[i];
        if (mark.time_s < area.begin_s) {
            continue;
        }
        const double x = std::round(area.x(mark.time_s)) + 0.5;
        if (i + 1 == m_marks.size()) {
            painter.fillRect(
                QRectF(x, area.plot.top(), area.plot.right() - x, area.plot.height()),
                theme::faded(t.accent, 0.1)
            );
        }
        QPen pen(t.accent, 1);
        pen.setDashPattern({2, 2});
        painter.setPen(pen);
        painter.drawLine(QPointF(x, area.plot.top()), QPointF(x, area.plot.bottom()));
        painter.setFont(theme::font(theme::Role::Axis));
        const double length = painter.fontMetrics().horizontalAdvance(mark.label) + 10;
        // Left of its line when the next one is near or the edge is.
        const bool isLeft = x + length > area.plot.right() || i + 1 < m_marks.size();
        const QRectF flag(isLeft ? x - length : x, area.plot.top() - 2, length, 14);
        painter.setPen(Qt::NoPen);
        painter.setBrush(t.accentSoft);
        painter.drawRoundedRect(flag, 3, 3);
        painter.setPen(t.accent);
        painter.drawText(flag, Qt::AlignCenter, mark.label);
    }
}

void RolloutChart::paintLine(QPainter& painter, const Area& area, bool isNow) const
{
    const theme::Tokens& t = theme::tokens();
    QPainterPath path;
    std::int64_t last = -10;
    constexpr std::int64_t kHole_s = 3;
    for (const bridge::RolloutPoint& point : m_points) {
        const auto value = valueOf(point, isNow);
        if (!value) {
            continue;
        }
        const QPointF at(area.x(point.time_s), area.y(*value));
        if (point.time_s - last > kHole_s) {
            path.moveTo(at);
        } else {
            path.lineTo(at);
        }
        last = point.time_s;
    }
    QPen pen(isNow ? t.accent : t.text3, isNow ? 1.8 : 1.4);
    if (!isNow) {
        pen.setDashPattern({3, 2});
    }
    painter.setPen(pen);
    painter.setBrush(Qt::NoBrush);
    painter.drawPath(path);
}

void RolloutChart::paintLimit(QPainter& painter, const Area& area) const
{
    if (!m_limit) {
        return;
    }
    const QColor color = theme::tokens().of(theme::State::Failure).text;
    QPen pen(color, 1.2);
    pen.setDashPattern({4, 3});
    painter.setPen(pen);
    const double y = area.y(*m_limit);
    painter.drawLine(QPointF(area.plot.left(), y), QPointF(area.plot.right(), y));
    painter.setFont(theme::font(theme::Role::Axis));
    painter.drawText(
        QRectF(area.plot.left() + 4, y - 15, 160, 14), Qt::AlignLeft | Qt::AlignVCenter, m_limitText
    );
}

void RolloutChart::paintEvent(QPaintEvent* event)
{
    Q_UNUSED(event)
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const Area where = area();
    paintAxes(painter, where);
    if (m_points.empty()) {
        theme::drawHatch(painter, where.plot, theme::tokens().borderInput);
        return;
    }
    paintMarks(painter, where);
    paintLimit(painter, where);
    paintLine(painter, where, false);
    paintLine(painter, where, true);
}

} // namespace mesh::pages
