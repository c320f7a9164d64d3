#pragma once

#include "app/theme/theme.h"

#include <QLabel>
#include <QRectF>
#include <QString>

class QPainter;

namespace mesh::theme {

// Draws text with every digit as wide as the widest one, so that numbers line up and do not jump.
// Uses the painter's font and pen. Source: the visual design, section 2 (Qt 6.4 has no tnum).
void drawFigures(
    QPainter& painter, const QRectF& rect, const QString& text, Qt::Alignment alignment
);

// The width drawFigures() takes, logical pixels.
[[nodiscard]] double figuresWidth(const QFont& font, const QString& text);

// A label whose digits line up. Its text may end in a unit, drawn smaller and quieter.
class FigureLabel : public QWidget
{
    Q_OBJECT

public:
    explicit FigureLabel(Role role = Role::Figure, QWidget* parent = nullptr);

    void setText(const QString& text, const QString& unit = {});
    [[nodiscard]] const QString& text() const { return m_text; }
    // The colour of the figure; invalid (the default) means text1.
    void setColor(const QColor& color);
    void setAlignment(Qt::Alignment alignment);

    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    Role m_role;
    QString m_text;
    QString m_unit;
    QColor m_color;
    Qt::Alignment m_alignment = Qt::AlignLeft | Qt::AlignVCenter;
};

} // namespace mesh::theme
