#include "app/pages/brand.h"

#include "app/theme/glyphs.h"
#include "app/theme/icons.h"
#include "app/theme/theme.h"

#include <QCoreApplication>
#include <QPainter>
#include <QPainterPath>
#include <QPolygonF>

#include <array>

namespace mesh::pages {
namespace {

constexpr double kWidth = 334; // Of the pictures' own coordinates.
constexpr double kHeight = 146;

// A node as on the graph: ring, core, glyph.
void drawNode(QPainter& painter, QPointF center, double size, theme::State state)
{
    const theme::Tokens& tokens = theme::tokens();
    const QColor& color = tokens.of(state).text;
    const QColor ring =
        state == theme::State::NoData ? tokens.borderStrong : tokens.of(theme::State::Healthy).text;
    const QRectF outer(center.x() - size / 2, center.y() - size / 2, size, size);
    painter.setPen(QPen(ring, 2.2));
    painter.setBrush(tokens.panel);
    painter.drawRoundedRect(outer.adjusted(1, 1, -1, -1), size * 0.26, size * 0.26);
    painter.setPen(QPen(theme::faded(color, 0.3), 1));
    painter.setBrush(theme::mixed(tokens.panel, color, state == theme::State::Healthy ? 0.06 : 0.16)
    );
    painter.drawRoundedRect(outer.adjusted(4, 4, -4, -4), size * 0.18, size * 0.18);
    const double glyph = size * 0.4;
    theme::drawStateGlyph(
        painter,
        QRectF(center.x() - glyph / 2, center.y() - glyph / 2, glyph, glyph),
        state,
        color,
        1.6
    );
}

void drawHexagon(QPainter& painter, QPointF center, double radius)
{
    const theme::Tokens& tokens = theme::tokens();
    const QColor& ok = tokens.of(theme::State::Healthy).text;
    const auto outline = [center](double r) {
        QPolygonF shape;
        shape << center + QPointF(-1.04 * r, 0) << center + QPointF(-0.52 * r, -0.9 * r)
              << center + QPointF(0.52 * r, -0.9 * r) << center + QPointF(1.04 * r, 0)
              << center + QPointF(0.52 * r, 0.9 * r) << center + QPointF(-0.52 * r, 0.9 * r);
        return shape;
    };
    painter.setPen(QPen(ok, 2.2, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    painter.setBrush(tokens.panel);
    painter.drawPolygon(outline(radius));
    painter.setPen(QPen(theme::faded(ok, 0.3), 1));
    painter.setBrush(theme::mixed(tokens.panel, ok, 0.06));
    painter.drawPolygon(outline(radius - 4));
    theme::drawStateGlyph(
        painter, QRectF(center.x() - 5, center.y() - 5, 10, 10), theme::State::Healthy, ok, 1.6
    );
}

void drawArrow(QPainter& painter, QPointF from, QPointF to, const QColor& color)
{
    const double half = (to.x() - from.x()) / 2;
    const QPointF tip = to;
    const QPointF end = to - QPointF(7, 0);
    QPainterPath path(from);
    path.cubicTo(from + QPointF(half, 0), end - QPointF(half, 0), end);
    painter.setPen(QPen(color, 1.8));
    painter.setBrush(Qt::NoBrush);
    painter.drawPath(path);
    painter.setPen(Qt::NoPen);
    painter.setBrush(color);
    painter.drawPolygon(QPolygonF({tip, tip + QPointF(-8, -4), tip + QPointF(-8, 4)}));
    painter.setBrush(theme::tokens().edgePath);
    painter.drawEllipse(path.pointAtPercent(0.38), 1.8, 1.8);
    painter.drawEllipse(path.pointAtPercent(0.75), 1.8, 1.8);
}

// Enters the pictures' coordinates; leaves them when it dies.
class Stage
{
public:
    Stage(QPainter& painter, const QRectF& rect)
        : m_painter(painter)
    {
        painter.save();
        painter.setRenderHint(QPainter::Antialiasing);
        painter.translate(rect.center() - QPointF(kWidth / 2, kHeight / 2));
    }
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;
    ~Stage() { m_painter.restore(); }

private:
    QPainter& m_painter;
};

void drawPlate(QPainter& painter, const QRectF& rect)
{
    painter.setPen(QPen(theme::tokens().borderInput, 1.2));
    painter.setBrush(theme::tokens().panel);
    painter.drawRoundedRect(rect, 6, 6);
}

} // namespace

void drawMark(QPainter& painter, const QRectF& rect)
{
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    const double unit = rect.width() / 24;
    const auto at = [&rect, unit](double x, double y) {
        return rect.topLeft() + QPointF(x * unit, y * unit);
    };
    const std::array<QPointF, 5> dots = {
        at(3, 19), at(8, 5), at(12.3, 14.3), at(16.6, 5), at(21.3, 19)};
    const theme::Tokens& tokens = theme::tokens();
    painter.setPen(QPen(tokens.accent, 2.2 * unit, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    painter.drawPolyline(dots.data(), static_cast<int>(dots.size()));
    painter.setPen(Qt::NoPen);
    for (std::size_t i = 0; i < dots.size(); ++i) {
        const bool isTop = i == 1 || i == 3;
        painter.setBrush(isTop ? tokens.text1 : tokens.accent);
        const double radius = (i == 2 ? 2.2 : 2.7) * unit;
        painter.drawEllipse(dots[i], radius, radius);
    }
    painter.restore();
}

void drawDemoPicture(QPainter& painter, const QRectF& rect)
{
    const Stage stage(painter, rect);
    const theme::Tokens& tokens = theme::tokens();
    const QColor& edge = tokens.edge;
    const QColor& amber = tokens.of(theme::State::Degraded).line;
    drawArrow(painter, {66, 73}, {108, 73}, edge);
    drawArrow(painter, {140, 73}, {190, 36}, edge);
    drawArrow(painter, {140, 73}, {190, 110}, amber);
    drawArrow(painter, {220, 36}, {267, 36}, edge);
    drawArrow(painter, {220, 110}, {267, 110}, edge);
    drawHexagon(painter, {52, 73}, 12);
    drawNode(painter, {124, 73}, 28, theme::State::Healthy);
    drawNode(painter, {205, 36}, 24, theme::State::Healthy);
    drawNode(painter, {205, 110}, 26, theme::State::Degraded);
    drawNode(painter, {281, 36}, 24, theme::State::Healthy);
    drawNode(painter, {281, 110}, 24, theme::State::Healthy);
}

void drawConnectPicture(QPainter& painter, const QRectF& rect)
{
    const Stage stage(painter, rect);
    const theme::Tokens& tokens = theme::tokens();
    painter.setPen(QPen(tokens.accent, 2));
    painter.drawLine(QPointF(145, 74), QPointF(188, 74));
    theme::drawIcon(painter, QRectF(160, 53, 13, 13), QStringLiteral("lock"), tokens.accent);
    drawPlate(painter, QRectF(53, 48, 92, 52));
    drawPlate(painter, QRectF(189, 48, 92, 52));
    painter.setFont(theme::font(theme::Role::SmallStrong));
    painter.setPen(tokens.text1);
    const auto words = [](const char* text) { return QCoreApplication::translate("Brand", text); };
    painter.drawText(QPointF(65, 71), words("this console"));
    painter.drawText(QPointF(201, 71), QStringLiteral("edge-1"));
    painter.setFont(theme::font(theme::Role::Caption));
    painter.setPen(tokens.text3);
    painter.drawText(QPointF(65, 88), words("admin API"));
    painter.setFont(theme::font(theme::Role::CodeSmall));
    painter.drawText(QPointF(201, 88), QStringLiteral(":8001"));
    painter.setPen(Qt::NoPen);
    painter.setBrush(tokens.of(theme::State::Healthy).text);
    painter.drawEllipse(QPointF(267, 66), 3.5, 3.5);
}

void drawImportPicture(QPainter& painter, const QRectF& rect)
{
    const Stage stage(painter, rect);
    const theme::Tokens& tokens = theme::tokens();
    drawPlate(painter, QRectF(41, 22, 144, 104));
    painter.setFont(theme::font(theme::Role::CodeSmall));
    struct Line
    {
        double x;
        const char* text;
        bool isKey;
    };
    const std::array<Line, 5> lines = {
        {{55, "services:", true},
         {55, "- name: cart", false},
         {65, "host: cart", false},
         {65, "routes:", true},
         {65, "- paths: [/cart]", false}}};
    double y = 44;
    for (const Line& line : lines) {
        painter.setPen(line.isKey ? tokens.statusCodes[2] : tokens.text2);
        painter.drawText(QPointF(line.x, y), QString::fromLatin1(line.text));
        y += 18;
    }
    painter.setPen(QPen(tokens.accent, 2, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    painter.drawLine(QPointF(194, 74), QPointF(219, 74));
    painter.drawPolyline(QPolygonF({{213, 68}, {219, 74}, {213, 80}}));
    drawNode(painter, {256, 74}, 38, theme::State::NoData);
    painter.setFont(theme::font(theme::Role::BodyStrong));
    painter.setPen(tokens.text1);
    painter.drawText(QRectF(216, 97, 80, 20), Qt::AlignCenter, QStringLiteral("cart"));
}

} // namespace mesh::pages
