#include "app/pages/compare_pane.h"

#include "app/bridge/rehearsal_session.h"
#include "app/pages/verdict_view.h"
#include "app/theme/controls.h"
#include "app/theme/figures.h"
#include "app/theme/numbers.h"
#include "app/theme/theme.h"

#include <QComboBox>
#include <QLabel>
#include <QPainter>
#include <QPainterPath>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace mesh::pages {
namespace {

constexpr double kCurveHeight = 104;

std::optional<double> difference(
    const bridge::ComparisonRow& row, std::size_t second, bool isSuccess
)
{
    if (second >= row.firstSeconds.size() || second >= row.secondSeconds.size()) {
        return std::nullopt;
    }
    const bridge::SecondRow& a = row.firstSeconds[second];
    const bridge::SecondRow& b = row.secondSeconds[second];
    if (isSuccess) {
        return a.success && b.success ? std::optional<double>((*a.success - *b.success) * 100)
                                      : std::nullopt;
    }
    return a.p99_ms && b.p99_ms ? std::optional<double>(*a.p99_ms - *b.p99_ms) : std::nullopt;
}

QString keyOf(int run, const QString& variant)
{
    return QString::number(run) + QStringLiteral("\n") + variant;
}

} // namespace

DifferenceView::DifferenceView(QWidget* parent)
    : QWidget(parent)
{
    setObjectName(QStringLiteral("difference"));
    setAccessibleName(tr("Difference"));
    connect(&theme::current(), &theme::Theme::changed, this, [this] { update(); });
}

void DifferenceView::setComparison(const std::optional<bridge::ComparisonRow>& comparison)
{
    m_comparison = comparison;
    QStringList spoken;
    if (comparison) {
        for (const bridge::WindowLine& line : comparison->windows) {
            spoken << tr("%1: before %2, during %3, after %4")
                          .arg(line.label, line.before, line.during, line.after);
        }
    }
    setAccessibleDescription(spoken.join(QStringLiteral(". ")));
    updateGeometry();
    update();
}

void DifferenceView::setPlayhead(double second)
{
    m_playhead = second;
    update();
}

QSize DifferenceView::sizeHint() const
{
    return {400, static_cast<int>(2 * (kCurveHeight + 28)) + 190};
}

void DifferenceView::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const theme::Tokens& t = theme::tokens();
    painter.fillRect(rect(), t.panel);
    if (!m_comparison) {
        painter.setFont(theme::font(theme::Role::Small));
        painter.setPen(t.text2);
        painter.drawText(
            rect().adjusted(32, 40, -32, 0),
            Qt::AlignHCenter | Qt::AlignTop | Qt::TextWordWrap,
            tr("Rehearse twice, or give the scenario two policies: here stands what one does that "
               "the other does not.")
        );
        return;
    }
    double y = paintWindowTable(
        painter, QRectF(0, 0, width(), 0), tr("first minus second"), m_comparison->windows
    );
    y += 14;
    for (const bool isSuccess : {true, false}) {
        painter.setFont(theme::font(theme::Role::SmallStrong));
        painter.setPen(t.text1);
        painter.drawText(
            QRectF(16, y, width() - 32.0, 18),
            Qt::AlignLeft | Qt::AlignVCenter,
            isSuccess ? tr("Success, percentage points") : tr("p99, ms")
        );
        paintCurve(painter, QRectF(0, y + 22, width(), kCurveHeight), isSuccess);
        y += kCurveHeight + 30;
    }
}

void DifferenceView::paintCurve(QPainter& painter, const QRectF& area, bool isSuccess) const
{
    const theme::Tokens& t = theme::tokens();
    const std::size_t count =
        std::max(m_comparison->firstSeconds.size(), m_comparison->secondSeconds.size());
    double most = isSuccess ? 1 : 10;
    for (std::size_t i = 0; i < count; ++i) {
        most = std::max(most, std::abs(difference(*m_comparison, i, isSuccess).value_or(0)));
    }
    const QRectF plot = area.adjusted(58, 4, -16, -4);
    const auto xOf = [&](double second) {
        return plot.left()
               + plot.width() * second / std::max<double>(1, static_cast<double>(count));
    };
    const auto yOf = [&](double value) {
        return plot.center().y() - plot.height() / 2 * value / most;
    };
    painter.setFont(theme::font(theme::Role::Axis));
    for (const double tick : {most, 0.0, -most}) {
        const double y = std::round(yOf(tick)) + 0.5;
        painter.setPen(QPen(tick == 0 ? t.borderInput : t.grid, 1));
        painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y));
        painter.setPen(t.text3);
        const QString sign = tick > 0   ? QStringLiteral("+")
                             : tick < 0 ? QStringLiteral("−")
                                        : QString();
        theme::drawFigures(
            painter,
            QRectF(area.left(), y - 7, 50, 14),
            sign + (tick == 0 ? QStringLiteral("0") : theme::rateText(std::abs(tick))),
            Qt::AlignRight | Qt::AlignVCenter
        );
    }
    QPainterPath line;
    bool isDrawing = false;
    for (std::size_t i = 0; i < count; ++i) {
        const auto value = difference(*m_comparison, i, isSuccess);
        if (!value) {
            isDrawing = false;
            continue;
        }
        const QPointF point(xOf(static_cast<double>(i) + 0.5), yOf(*value));
        isDrawing ? line.lineTo(point) : line.moveTo(point);
        isDrawing = true;
    }
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(t.simulationLine, 1.6));
    painter.drawPath(line);
    painter.setPen(QPen(t.text2, 1));
    painter.drawLine(QPointF(xOf(m_playhead), plot.top()), QPointF(xOf(m_playhead), plot.bottom()));
}

ComparePane::ComparePane(bridge::RehearsalSession& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_first(new QComboBox(this))
    , m_second(new QComboBox(this))
    , m_luck(new QLabel(this))
    , m_view(new DifferenceView(this))
{
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 12, 0, 0);
    column->setSpacing(8);
    auto* row = new QHBoxLayout;
    row->setContentsMargins(16, 0, 16, 0);
    m_first->setObjectName(QStringLiteral("compareFirst"));
    m_first->setAccessibleName(tr("First"));
    m_second->setObjectName(QStringLiteral("compareSecond"));
    m_second->setAccessibleName(tr("Second"));
    auto* minus = new QLabel(QStringLiteral("−"), this);
    row->addWidget(m_first, 1);
    row->addWidget(minus);
    row->addWidget(m_second, 1);
    column->addLayout(row);
    theme::setText(*m_luck, theme::Role::Caption, theme::TextColor::Text3);
    m_luck->setContentsMargins(16, 0, 16, 0);
    m_luck->setWordWrap(true);
    column->addWidget(m_luck);
    column->addWidget(m_view, 1);
    connect(m_first, &QComboBox::activated, this, &ComparePane::show);
    connect(m_second, &QComboBox::activated, this, &ComparePane::show);
    refresh();
}

void ComparePane::refresh()
{
    QStringList keys;
    QStringList names;
    for (const bridge::RunRow& run : m_session.runs()) {
        for (const bridge::VariantRow& variant : run.variants) {
            keys << keyOf(run.id, variant.name);
            names
                << (run.variants.size() > 1 ? tr("%1, %2").arg(run.name, variant.name) : run.name);
        }
    }
    // The newest run's variants against each other; else the newest run against the one before.
    const auto fill = [&](QComboBox& box, qsizetype fallback) {
        const QString chosen = box.currentData().toString();
        box.clear();
        for (qsizetype i = 0; i < keys.size(); ++i) {
            box.addItem(names[i], keys[i]);
        }
        const qsizetype kept = keys.indexOf(chosen);
        box.setCurrentIndex(static_cast<int>(kept >= 0 ? kept : fallback));
    };
    fill(*m_first, keys.size() - 1);
    fill(*m_second, std::max<qsizetype>(0, keys.size() - 2));
    show();
}

void ComparePane::show()
{
    const QString a = m_first->currentData().toString();
    const QString b = m_second->currentData().toString();
    const auto compared = a.isEmpty() || b.isEmpty() || a == b ? std::nullopt
                                                               : m_session.compare(
                                                                   a.section(u'\n', 0, 0).toInt(),
                                                                   a.section(u'\n', 1),
                                                                   b.section(u'\n', 0, 0).toInt(),
                                                                   b.section(u'\n', 1)
                                                               );
    m_luck->setText(
        !compared              ? QString()
        : compared->isSameLuck ? tr("Both met the same luck: seed and runs are equal.")
                               : tr("They met different luck: seed or number of runs differ.")
    );
    m_luck->setVisible(compared.has_value());
    m_view->setComparison(compared);
}

void ComparePane::setPlayhead(double second) { m_view->setPlayhead(second); }

} // namespace mesh::pages
