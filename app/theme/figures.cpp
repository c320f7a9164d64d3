#include "app/theme/figures.h"

#include <QFontMetricsF>
#include <QPainter>

#include <algorithm>

namespace mesh::theme {

namespace {

double digitWidth(const QFontMetricsF& metrics)
{
    double widest = 0;
    for (char16_t digit = u'0'; digit <= u'9'; ++digit) {
        widest = std::max(widest, metrics.horizontalAdvance(QChar(digit)));
    }
    return widest;
}

bool isDigit(QChar character) { return character >= u'0' && character <= u'9'; }

// Runs of other characters are measured and drawn whole, so that kerning stays.
template <typename OnPart>
double forEachPart(const QFontMetricsF& metrics, const QString& text, const OnPart& onPart)
{
    const double digit = digitWidth(metrics);
    double x = 0;
    qsizetype at = 0;
    while (at < text.size()) {
        if (isDigit(text[at])) {
            const QString part = text.mid(at, 1);
            onPart(x + (digit - metrics.horizontalAdvance(part)) / 2, part);
            x += digit;
            ++at;
            continue;
        }
        qsizetype end = at;
        while (end < text.size() && !isDigit(text[end])) {
            ++end;
        }
        const QString part = text.mid(at, end - at);
        onPart(x, part);
        x += metrics.horizontalAdvance(part);
        at = end;
    }
    return x;
}

} // namespace

double figuresWidth(const QFont& font, const QString& text)
{
    return forEachPart(QFontMetricsF(font), text, [](double, const QString&) {});
}

void drawFigures(
    QPainter& painter, const QRectF& rect, const QString& text, Qt::Alignment alignment
)
{
    const QFontMetricsF metrics(painter.font());
    const double width = figuresWidth(painter.font(), text);
    double left = rect.left();
    if (alignment.testFlag(Qt::AlignRight)) {
        left = rect.right() - width;
    } else if (alignment.testFlag(Qt::AlignHCenter)) {
        left = rect.center().x() - width / 2;
    }
    double baseline = rect.center().y() + (metrics.ascent() - metrics.descent()) / 2;
    if (alignment.testFlag(Qt::AlignTop)) {
        baseline = rect.top() + metrics.ascent();
    } else if (alignment.testFlag(Qt::AlignBottom)) {
        baseline = rect.bottom() - metrics.descent();
    }
    forEachPart(metrics, text, [&](double x, const QString& part) {
        painter.drawText(QPointF(left + x, baseline), part);
    });
}

FigureLabel::FigureLabel(Role role, QWidget* parent)
    : QWidget(parent)
    , m_role(role)
{
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
}

void FigureLabel::setText(const QString& text, const QString& unit)
{
    if (text == m_text && unit == m_unit) {
        return;
    }
    m_text = text;
    m_unit = unit;
    setAccessibleName(unit.isEmpty() ? text : text + u' ' + unit);
    updateGeometry();
    update();
}

void FigureLabel::setColor(const QColor& color)
{
    m_color = color;
    update();
}

void FigureLabel::setAlignment(Qt::Alignment alignment)
{
    m_alignment = alignment;
    update();
}

QSize FigureLabel::sizeHint() const
{
    double width = figuresWidth(theme::font(m_role), m_text);
    if (!m_unit.isEmpty()) {
        width += 3 + figuresWidth(theme::font(Role::Caption), m_unit);
    }
    const QFontMetricsF metrics(theme::font(m_role));
    return QSize(static_cast<int>(width + 1), static_cast<int>(metrics.height() + 1));
}

QSize FigureLabel::minimumSizeHint() const { return sizeHint(); }

void FigureLabel::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    const Tokens& t = tokens();
    const QFont figureFont = theme::font(m_role);
    const QFont unitFont = theme::font(Role::Caption);
    const double gap = m_unit.isEmpty() ? 0 : 3;
    const double figureWidth = figuresWidth(figureFont, m_text);
    const double total = figureWidth + gap + figuresWidth(unitFont, m_unit);
    double left = 0;
    if (m_alignment.testFlag(Qt::AlignRight)) {
        left = width() - total;
    } else if (m_alignment.testFlag(Qt::AlignHCenter)) {
        left = (width() - total) / 2;
    }
    const QFontMetricsF metrics(figureFont);
    const double baseline = height() / 2.0 + (metrics.ascent() - metrics.descent()) / 2;
    painter.setFont(figureFont);
    const QColor normal = isEnabled() ? t.text1 : t.textDisabled;
    painter.setPen(m_color.isValid() ? m_color : normal);
    const QRectF line(left, baseline - metrics.ascent(), figureWidth, metrics.height());
    drawFigures(painter, line, m_text, Qt::AlignLeft | Qt::AlignTop);
    if (!m_unit.isEmpty()) {
        const QFontMetricsF unitMetrics(unitFont);
        painter.setFont(unitFont);
        painter.setPen(t.text3);
        const QRectF unit(
            left + figureWidth + gap, baseline - unitMetrics.ascent(), total, unitMetrics.height()
        );
        drawFigures(painter, unit, m_unit, Qt::AlignLeft | Qt::AlignTop);
    }
}

} // namespace mesh::theme
