#include "app/pages/run_legend.h"

#include "app/theme/theme.h"

#include <QPainter>

namespace mesh::pages {
namespace {

constexpr int kStroke = 16;
constexpr int kGap = 8;
constexpr int kBetween = 18;

} // namespace

RunLegend::RunLegend(QWidget* parent)
    : QLabel(parent)
{
    setObjectName(QStringLiteral("runLegend"));
    setFont(theme::font(theme::Role::Caption));
    setSizePolicy(QSizePolicy::Maximum, QSizePolicy::Preferred);
}

void RunLegend::setNames(const QString& shown, const QString& reference)
{
    m_shown = shown;
    m_reference = reference;
    setAccessibleName(reference.isEmpty() ? shown : tr("%1, dashed: %2").arg(shown, reference));
    updateGeometry();
    update();
}

QSize RunLegend::sizeHint() const
{
    const QFontMetrics metrics(theme::font(theme::Role::Caption));
    int width = 0;
    for (const QString* name : {&m_shown, &m_reference}) {
        width += name->isEmpty() ? 0 : kStroke + kGap + metrics.horizontalAdvance(*name) + kBetween;
    }
    return {width, 24};
}

QSize RunLegend::minimumSizeHint() const { return {0, 24}; }

void RunLegend::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setFont(theme::font(theme::Role::Caption));
    const theme::Tokens& t = theme::tokens();
    double x = 0;
    const double middle = height() / 2.0;
    for (const QString* name : {&m_shown, &m_reference}) {
        if (name->isEmpty()) {
            continue;
        }
        QPen pen(name == &m_shown ? t.simulationLine : t.text3, name == &m_shown ? 2 : 1.5);
        if (name == &m_reference) {
            pen.setDashPattern({3, 2});
        }
        painter.setPen(pen);
        painter.drawLine(QPointF(x, middle), QPointF(x + kStroke, middle));
        x += kStroke + kGap;
        painter.setPen(t.text2);
        const double width = painter.fontMetrics().horizontalAdvance(*name);
        painter.drawText(
            QRectF(x, 0, width + 2, height()), Qt::AlignLeft | Qt::AlignVCenter, *name
        );
        x += width + kBetween;
    }
}

} // namespace mesh::pages
