#include "app/graph/painter.h"
#include "app/graph/policy_marks.h"
#include "app/theme/figures.h"
#include "app/theme/icons.h"
#include "app/theme/numbers.h"

#include <QCoreApplication>
#include <QFontMetricsF>
#include <QPainter>

#include <algorithm>
#include <array>
#include <map>

namespace mesh::graph {

namespace {

using theme::State;
using theme::Tokens;

constexpr qsizetype kNameLengthMax = 24;
constexpr int kPipsMax = 8;

QString text(const char* source) { return QCoreApplication::translate("mesh::graph", source); }

double ringWidth(double size) { return size >= 56 ? 3.5 : (size >= 42 ? 3.0 : 2.5); }

double coreInset(double size) { return size >= 42 ? 3 : 2; }

QPainterPath scaledOutline(const SceneNode& node, double inset)
{
    return outline(node.row.kind, node.size / 2 - inset);
}

QFont scaledFont(theme::Role role, double scale)
{
    QFont font = theme::font(role);
    font.setPointSizeF(font.pointSizeF() * scale);
    return font;
}

// A part of the outline, clockwise from the top, from `begin` to `end` of its length.
QPainterPath ringPart(const QPainterPath& ring, double topShare, double begin, double end)
{
    QPainterPath part;
    constexpr int kSteps = 60;
    const int first = static_cast<int>(begin * kSteps);
    const int final = std::max(first + 1, static_cast<int>(end * kSteps));
    for (int step = first; step <= final; ++step) {
        const double share = std::clamp(static_cast<double>(step) / kSteps, begin, end) + topShare;
        const QPointF point = ring.pointAtPercent(share >= 1 ? share - 1 : share);
        step == first ? part.moveTo(point) : part.lineTo(point);
    }
    return part;
}

// Where on its length an outline passes the top, so that rings begin there.
double topOf(const QPainterPath& ring)
{
    double best = 0;
    double top = 1e9;
    for (int step = 0; step < 64; ++step) {
        const QPointF point = ring.pointAtPercent(step / 64.0);
        const double cost = point.y() + std::abs(point.x()) / 4;
        if (cost < top) {
            top = cost;
            best = step / 64.0;
        }
    }
    return best;
}

void drawRing(QPainter& painter, const SceneNode& node, const Tokens& t)
{
    const double width = ringWidth(node.size);
    const QPainterPath ring = scaledOutline(node, 0);
    painter.setBrush(Qt::NoBrush);
    const State state = stateOf(node.row.state);
    const bool isUnknown = node.row.kind == bridge::EntityKind::Unknown;
    if (state == State::NoData || isUnknown || node.isGhost) {
        QPen pen(t.of(State::NoData).line, 1.5);
        pen.setDashPattern({3, 2.4});
        painter.setPen(pen);
        painter.drawPath(ring);
        return;
    }
    if (node.isTcp) {
        QPen pen(t.edgeTcp, width);
        pen.setDashPattern({6 / width, 3 / width});
        pen.setCapStyle(Qt::FlatCap);
        painter.setPen(pen);
        painter.drawPath(ring);
        return;
    }
    if (state == State::Idle || state == State::Stale) {
        painter.setPen(QPen(theme::faded(t.of(state).line, 0.55), width));
        painter.drawPath(ring);
        return;
    }
    const double failing = std::clamp(node.row.figures.errorRatio.value_or(0), 0.0, 1.0);
    const double refused = std::clamp(node.row.figures.clientErrorRatio.value_or(0), 0.0, 1.0);
    const QColor good = theme::mixed(t.canvas, t.of(State::Healthy).line, 0.8);
    if (failing < 0.001 && refused < 0.02) {
        painter.setPen(QPen(good, width));
        painter.drawPath(ring);
        return;
    }
    // A share that is there is seen: at least 4 % of the ring.
    const double failingShare = failing <= 0 ? 0 : std::clamp(failing, 0.04, 1.0);
    const double refusedShare = refused < 0.02 ? 0 : std::clamp(refused, 0.04, 1 - failingShare);
    const double top = topOf(ring);
    constexpr double kGap = 0.014;
    double at = 0;
    const auto part = [&](double share, const QColor& color) {
        if (share > kGap) {
            painter.setPen(QPen(color, width, Qt::SolidLine, Qt::FlatCap));
            painter.drawPath(ringPart(ring, top, at + kGap / 2, at + share - kGap / 2));
        }
        at += share;
    };
    part(1 - failingShare - refusedShare, good);
    part(refusedShare, t.statusCodes[3]);
    part(failingShare, t.of(State::Failure).line);
}

void drawCore(QPainter& painter, const SceneNode& node, const Tokens& t)
{
    const State state = stateOf(node.row.state);
    const QColor& color = t.of(state).line;
    const bool isLoud = state == State::Degraded || state == State::Failure;
    const double inset = ringWidth(node.size) / 2 + coreInset(node.size) + 1.5;
    const QPainterPath core = scaledOutline(node, inset);
    if (state != State::NoData && !node.isGhost) {
        painter.setPen(QPen(theme::mixed(t.panel, color, 0.28), 1));
        painter.setBrush(theme::mixed(t.panel, color, isLoud ? 0.16 : 0.06));
        painter.drawPath(core);
    }
    if (state == State::Stale) {
        painter.save();
        painter.setClipPath(core, Qt::IntersectClip);
        theme::drawHatch(painter, core.boundingRect(), t.hover);
        painter.restore();
    }
    const double glyph = node.size >= 56 ? 19 : (node.size >= 42 ? 15 : 12);
    const QRectF box(-glyph / 2, -glyph / 2, glyph, glyph);
    theme::drawStateGlyph(painter, box, state, t.of(state).text, 1.8);
}

double pipRow(const SceneNode& node) { return std::max(38.0, node.size / 2 + 8); }

void drawPips(QPainter& painter, const SceneNode& node, double scale, const Tokens& t)
{
    std::map<QString, std::vector<theme::Pip>> zones;
    for (const bridge::InstanceRow& instance : node.row.instances) {
        zones[instance.zone].push_back(pipOf(instance.state));
    }
    const int total = static_cast<int>(node.row.instances.size());
    if (total == 0) {
        return;
    }
    painter.setFont(scaledFont(theme::Role::Axis, scale * 0.9));
    const QFontMetricsF metrics(painter.font());
    constexpr double kDot = 6;
    constexpr double kDotGap = 3;
    constexpr double kZoneGap = 9;
    const int shown = std::min(total, kPipsMax);
    const QString rest = total > shown ? QStringLiteral("+%1").arg(total - shown) : QString();
    double width =
        shown * (kDot + kDotGap) - kDotGap + (static_cast<int>(zones.size()) - 1) * kZoneGap;
    for (const auto& zone : zones) {
        width += zone.first.isEmpty() ? 0 : metrics.horizontalAdvance(zone.first.right(1)) + 3;
    }
    width += rest.isEmpty() ? 0 : metrics.horizontalAdvance(rest) + kDotGap;
    double x = -width / 2;
    const double y = pipRow(node);
    int left = shown;
    for (const auto& [zone, pips] : zones) {
        if (left == 0) {
            break;
        }
        if (!zone.isEmpty()) {
            // "eu-west-1a" is told by its end.
            const QString letter = zone.right(1);
            painter.setPen(t.text3);
            painter.drawText(QPointF(x, y + metrics.capHeight() / 2), letter);
            x += metrics.horizontalAdvance(letter) + 3;
        }
        for (const theme::Pip pip : pips) {
            if (left-- == 0) {
                left = 0;
                break;
            }
            theme::drawPip(painter, QRectF(x, y - kDot / 2, kDot, kDot), pip);
            x += kDot + kDotGap;
        }
        x += kZoneGap - kDotGap;
    }
    if (!rest.isEmpty()) {
        painter.setPen(t.text3);
        painter.drawText(QPointF(x - kZoneGap + 2 * kDotGap, y + metrics.capHeight() / 2), rest);
    }
}

// The canvas shines around the letters, so that an edge below does not cross them.
void drawOutlined(QPainter& painter, double baseline, const QString& words, const QColor& color)
{
    const double width = theme::figuresWidth(painter.font(), words);
    const QFontMetricsF metrics(painter.font());
    const QRectF box(
        -width / 2 - 3, baseline - metrics.capHeight() - 3, width + 6, metrics.capHeight() + 7
    );
    painter.setPen(Qt::NoPen);
    painter.setBrush(theme::faded(theme::tokens().canvas, 0.82));
    painter.drawRoundedRect(box, 3, 3);
    painter.setPen(color);
    const QRectF line(-width / 2, baseline - metrics.ascent(), width, metrics.height());
    theme::drawFigures(painter, line, words, Qt::AlignLeft | Qt::AlignTop);
}

QString elidedName(const QString& name)
{
    if (name.size() <= kNameLengthMax) {
        return name;
    }
    const qsizetype half = (kNameLengthMax - 1) / 2;
    return name.left(kNameLengthMax - 1 - half) + QChar(0x2026) + name.right(half);
}

// A sign on a disc that tells what became of the node between two moments.
void drawChangeSign(QPainter& painter, bridge::Change change, double x, double y, const Tokens& t)
{
    constexpr std::array<const char*, 5> kIcons = {
        "", "plus", "minus", "chevron-up", "chevron-down"}; // Indexed by Change.
    painter.setPen(Qt::NoPen);
    painter.setBrush(changeColor(change, t));
    painter.drawEllipse(QPointF(x + 7, y), 7, 7);
    theme::drawIcon(
        painter,
        QRectF(x + 2.5, y - 4.5, 9, 9),
        QLatin1String(kIcons[static_cast<std::size_t>(change)]),
        t.canvas
    );
}

// A broken ring around what came, went or changed.
void drawChangeRing(QPainter& painter, const SceneNode& node, const Tokens& t)
{
    if (node.row.change == bridge::Change::None) {
        return;
    }
    QPen pen(changeColor(node.row.change, t), 1.8);
    pen.setDashPattern({3, 2});
    painter.setPen(pen);
    painter.setBrush(Qt::NoBrush);
    const double radius = node.size / 2 + 7;
    painter.drawEllipse(QPointF(0, 0), radius, radius);
}

void drawMarks(QPainter& painter, const SceneNode& node, double x, double baseline, const Tokens& t)
{
    if (node.row.change != bridge::Change::None) {
        drawChangeSign(painter, node.row.change, x, baseline - 4.5, t);
        x += 18;
    }
    if (node.row.isInDraft) {
        theme::drawIcon(
            painter, QRectF(x, baseline - 10, 11, 11), QStringLiteral("pencil"), t.accent
        );
        x += 16;
    }
    if (node.isPinned) {
        theme::drawIcon(painter, QRectF(x, baseline - 10, 11, 11), QStringLiteral("pin"), t.text3);
        x += 16;
    }
    if (node.row.findings > 0) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(t.attention);
        painter.drawEllipse(QPointF(x + 7, baseline - 4.5), 7, 7);
        painter.setPen(t.canvas);
        painter.setFont(scaledFont(theme::Role::Capitals, 1));
        theme::drawFigures(
            painter,
            QRectF(x, baseline - 11.5, 14, 14),
            QString::number(node.row.findings),
            Qt::AlignCenter
        );
    }
}

void drawText(QPainter& painter, const SceneNode& node, const Look& look, const Tokens& t)
{
    const double scale = look.textScale();
    const Detail detail = look.detail();
    const bool isSelected = node.row.id == look.selection;
    const QString name = elidedName(node.row.name);
    double nameBaseline = std::max(57.0, node.size / 2 + 29);
    if (detail == Detail::Names) {
        painter.setFont(scaledFont(theme::Role::CaptionMedium, scale));
        nameBaseline = node.size / 2 + 6 + 11 * scale;
    } else {
        painter.setFont(scaledFont(theme::Role::BodyStrong, scale));
    }
    const QColor& quiet = node.isGhost ? t.text3 : t.text1;
    drawOutlined(painter, nameBaseline, name, isSelected ? t.selection : quiet);
    if (detail == Detail::Names) {
        return;
    }
    const double nameWidth = theme::figuresWidth(painter.font(), name);
    drawMarks(painter, node, nameWidth / 2 + 6, nameBaseline, t);
    if (detail != Detail::Full) {
        return;
    }
    painter.setFont(scaledFont(theme::Role::Caption, scale));
    drawOutlined(painter, nameBaseline + 14, kindLine(node.row), t.text3);
    painter.setFont(scaledFont(theme::Role::CaptionMedium, scale));
    drawOutlined(painter, nameBaseline + 29, figuresLine(node.row), t.text2);
}

void drawSelection(QPainter& painter, const SceneNode& node, const QPen& pen, const QBrush& brush)
{
    painter.setPen(pen);
    painter.setBrush(brush);
    painter.drawPath(scaledOutline(node, -5));
}

// Below 35 %: the outline filled with the state, 10 to 16 screen pixels.
void drawFar(QPainter& painter, const SceneNode& node, const Look& look, const Tokens& t)
{
    const double screen = std::clamp(node.size * look.zoom, 10.0, 16.0);
    const State state = stateOf(node.row.state);
    const QPainterPath shape = outline(node.row.kind, screen / look.zoom / 2);
    const bool isHollow = state == State::NoData || node.isGhost;
    painter.setPen(QPen(isHollow ? t.of(State::NoData).line : t.canvas, 1 / look.zoom));
    painter.setBrush(isHollow ? QBrush(t.canvas) : QBrush(t.of(state).line));
    painter.drawPath(shape);
    if (node.row.id == look.selection) {
        painter.setPen(QPen(t.selection, 2 / look.zoom));
        painter.setBrush(Qt::NoBrush);
        painter.drawPath(outline(node.row.kind, (screen / 2 + 4) / look.zoom));
    }
}

} // namespace

QString figuresLine(const bridge::EntityRow& row)
{
    if (!(row.figures.rps > 0)) {
        return theme::noValue();
    }
    const QString dot = QStringLiteral(" · ");
    QString line = text("%1 rps").arg(theme::rateText(row.figures.rps));
    if (row.figures.errorRatio.value_or(0) >= 0.0005) {
        line += dot + text("%1 err").arg(theme::shareText(row.figures.errorRatio));
    }
    if (row.figures.p95_ms) {
        line += dot + text("p95 %1").arg(theme::millisecondsText(row.figures.p95_ms));
    }
    return line;
}

QString kindLine(const bridge::EntityRow& row)
{
    QString line = row.version;
    if (line.isEmpty()) {
        switch (row.kind) {
        case bridge::EntityKind::Gateway:
            line = text("gateway");
            break;
        case bridge::EntityKind::External:
            line = text("external");
            break;
        case bridge::EntityKind::Unknown:
            line = text("unknown");
            break;
        case bridge::EntityKind::Service:
            line = text("service");
            break;
        }
    }
    const auto total = row.instances.size();
    const auto silent = static_cast<std::size_t>(std::count_if(
        row.instances.begin(),
        row.instances.end(),
        [](const bridge::InstanceRow& instance) {
            return instance.state == bridge::InstanceState::Stale
                   || instance.state == bridge::InstanceState::Down;
        }
    ));
    if (total > 0 && silent > 0) {
        line += QStringLiteral(" · ") + text("%1 of %2 reporting").arg(total - silent).arg(total);
    }
    return line;
}

void drawFocus(QPainter& painter, const SceneNode& node, const Look& look)
{
    const Tokens& t = theme::tokens();
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.translate(node.center);
    QPen pen(t.selection, 2);
    pen.setDashPattern({3, 2});
    drawSelection(painter, node, pen, Qt::NoBrush);
    const Detail detail = look.detail();
    if (detail == Detail::Full || detail == Detail::Medium) {
        drawNodeBadges(painter, node, look.badges); // The line runs through their corners.
    }
    painter.restore();
}

void drawNodes(QPainter& painter, const Scene& scene, const Look& look, const QRectF& area)
{
    const Tokens& t = theme::tokens();
    const Detail detail = look.detail();
    for (const SceneNode& node : scene.nodes) {
        if (!node.extent().adjusted(-40, -10, 40, 10).intersects(area)) {
            continue;
        }
        painter.save();
        painter.translate(node.center);
        const bool isGone = node.isGhost || node.row.change == bridge::Change::Vanished;
        const double ghost = isGone ? 0.5 : 1;
        painter.setOpacity(look.opacityOf(node.row.id) * ghost);
        if (detail == Detail::Outlines) {
            drawFar(painter, node, look, t);
            painter.restore();
            continue;
        }
        // Nothing shines through a glyph.
        painter.setPen(Qt::NoPen);
        painter.setBrush(t.canvas);
        painter.drawPath(scaledOutline(node, -1));
        if (node.row.id == look.selection) {
            drawSelection(painter, node, QPen(t.selection, 2), theme::faded(t.selection, 0.13));
        }
        drawChangeRing(painter, node, t);
        drawRing(painter, node, t);
        drawCore(painter, node, t);
        if (detail == Detail::Names) {
            drawWorstDot(painter, node);
        } else {
            drawNodeBadges(painter, node, look.badges);
            drawPips(painter, node, look.textScale(), t);
        }
        drawText(painter, node, look, t);
        if (detail == Detail::Full) {
            drawNodeTags(painter, node, look.textScale());
        }
        painter.restore();
    }
}

} // namespace mesh::graph
