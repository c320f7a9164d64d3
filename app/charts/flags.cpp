#include "app/charts/flags.h"

#include "app/bridge/policy_words.h"
#include "app/theme/figures.h"
#include "app/theme/icons.h"
#include "app/theme/theme.h"

#include <QPainter>
#include <QPolygonF>

#include <algorithm>
#include <cmath>

namespace mesh::charts {

namespace {

using Kind = bridge::Marker::Kind;

constexpr double kIconHalf = 5;
constexpr double kApart = 3;
constexpr double kSameIcons = 40; // As wide as a shifted icon may stand away.
constexpr double kSamePlace = 8; // Pixels; closer events of one name are one.

bool hasWords(const bridge::Marker& marker)
{
    return marker.kind == Kind::Revision || marker.kind == Kind::Push || marker.kind == Kind::Fault;
}

FlagShape iconOf(const bridge::Marker& marker)
{
    if (marker.kind == Kind::Policy) {
        return FlagShape::Icon;
    }
    return marker.kind == Kind::Ejection ? FlagShape::Diamond : FlagShape::Triangle;
}

// Gives the flag the first box that is free and says whether there was one.
bool takeFirst(Flag& flag, const std::vector<QRectF>& wishes, const std::vector<Flag>& placed)
{
    for (const QRectF& wish : wishes) {
        const QRectF room = wish.adjusted(-kApart, 0, kApart, 0);
        const bool isFree = std::none_of(placed.begin(), placed.end(), [&room](const Flag& other) {
            return !other.isHidden && other.box.intersects(room);
        });
        if (isFree) {
            flag.box = wish;
            return true;
        }
    }
    return false;
}

std::vector<QRectF> wordBoxes(const Flag& flag, const QRectF& lane, double width)
{
    std::vector<QRectF> boxes;
    if (flag.x + width <= lane.right()) {
        boxes.emplace_back(flag.x, lane.top(), width, lane.height());
    }
    if (flag.x - width >= lane.left()) {
        boxes.emplace_back(flag.x - width, lane.top(), width, lane.height());
    }
    return boxes;
}

// On the line, or a few pixels behind it when a flag stands there.
std::vector<QRectF> iconBoxes(const Flag& flag, const QRectF& lane)
{
    constexpr int kPlaces = 9;
    std::vector<QRectF> boxes;
    for (int place = 0; place < kPlaces; ++place) {
        const double left = flag.x - kIconHalf + place * (2 * kIconHalf + kApart);
        if (place == 0 || left + 2 * kIconHalf <= lane.right()) {
            boxes.emplace_back(left, lane.top(), 2 * kIconHalf, lane.height());
        }
    }
    return boxes;
}

QColor policyColor(const bridge::Marker& marker)
{
    const theme::Tokens& t = theme::tokens();
    const bridge::PolicyWord* word = bridge::policyWord(marker.policy.toStdString());
    if (word != nullptr && word->phase == bridge::PolicyPhase::Ends) {
        return t.of(theme::State::Healthy).text;
    }
    if (word == nullptr || !word->kind) {
        return t.text2;
    }
    switch (bridge::policyTone(*word->kind)) {
    case bridge::PolicyTone::Alarm:
        return t.of(theme::State::Failure).text;
    case bridge::PolicyTone::Attention:
        return t.of(theme::State::Degraded).text;
    case bridge::PolicyTone::Neutral:
        break;
    }
    return t.text2;
}

bool isToldBy(const std::vector<Flag>& placed, const Flag& flag)
{
    return std::any_of(placed.begin(), placed.end(), [&flag](const Flag& other) {
        // One icon speaks for its neighbours; words speak for the same words only.
        const bool isSame =
            hasWords(*flag.marker) ? other.marker->label == flag.marker->label : !other.isHidden;
        const bool isPolicy = flag.marker->kind == Kind::Policy;
        const double reach = hasWords(*flag.marker) ? kSamePlace : kSameIcons;
        const bool isOtherPolicy = isPolicy && other.marker->policy != flag.marker->policy;
        return isSame && !isOtherPolicy && other.marker->kind == flag.marker->kind
               && std::abs(other.x - flag.x) < reach;
    });
}

} // namespace

std::vector<Flag> placeFlags(
    const std::vector<bridge::Marker>& markers,
    const std::function<double(std::int64_t)>& xOf,
    const QRectF& lane,
    const QFont& font
)
{
    std::vector<Flag> placed;
    // Words first: icons find a place beside them, not the other way round.
    for (const bool isWordTurn : {true, false}) {
        for (const bridge::Marker& marker : markers) {
            Flag flag;
            flag.marker = &marker;
            flag.x = xOf(marker.begin_us);
            if (hasWords(marker) != isWordTurn || flag.x < lane.left() || flag.x > lane.right()) {
                continue;
            }
            const double width = theme::figuresWidth(font, marker.label) + 10;
            std::vector<QRectF> boxes;
            if (isWordTurn && !marker.label.isEmpty()) {
                boxes = wordBoxes(flag, lane, width);
            }
            if (isToldBy(placed, flag)) {
                flag.isHidden = true;
            } else if (!takeFirst(flag, boxes, placed)) {
                flag.shape = iconOf(marker);
                flag.isHidden = !takeFirst(flag, iconBoxes(flag, lane), placed);
            }
            placed.push_back(flag);
        }
    }
    return placed;
}

QStringList wordsAt(
    const std::vector<bridge::Marker>& markers,
    const std::function<double(std::int64_t)>& xOf,
    double x
)
{
    constexpr double kReach = 5;
    constexpr qsizetype kLinesMax = 6;
    QStringList lines;
    for (const bridge::Marker& marker : markers) {
        if (std::abs(xOf(marker.begin_us) - x) > kReach) {
            continue;
        }
        const QString line = marker.detail.isEmpty()
                                 ? marker.label
                                 : marker.label + QStringLiteral(" · ") + marker.detail;
        if (!lines.contains(line)) {
            lines.append(line);
        }
    }
    if (lines.size() > kLinesMax) {
        const qsizetype more = lines.size() - kLinesMax;
        lines = lines.mid(0, kLinesMax) << QStringLiteral("+%1").arg(more);
    }
    return lines;
}

QColor colorOf(const bridge::Marker& marker)
{
    const theme::Tokens& t = theme::tokens();
    switch (marker.kind) {
    case Kind::Fault:
    case Kind::Ejection:
        return t.of(theme::State::Failure).text;
    case Kind::HealthChange:
        return t.of(theme::State::Degraded).text;
    case Kind::Push:
        return t.accent;
    case Kind::Policy:
        return policyColor(marker);
    case Kind::Revision:
    case Kind::Node:
    case Kind::Alert:
        break;
    }
    return t.text2;
}

void drawFlag(QPainter& painter, const Flag& flag)
{
    if (flag.isHidden) {
        return;
    }
    const theme::Tokens& t = theme::tokens();
    const QColor color = colorOf(*flag.marker);
    const QPointF middle = flag.box.center();
    painter.setPen(Qt::NoPen);
    switch (flag.shape) {
    case FlagShape::Triangle:
        painter.setBrush(color);
        painter.drawPolygon(QPolygonF(
            {middle + QPointF(0, -4), middle + QPointF(4.5, 4), middle + QPointF(-4.5, 4)}
        ));
        return;
    case FlagShape::Diamond:
        painter.setBrush(color);
        painter.drawPolygon(QPolygonF(
            {middle + QPointF(0, -4.5),
             middle + QPointF(4.5, 0),
             middle + QPointF(0, 4.5),
             middle + QPointF(-4.5, 0)}
        ));
        return;
    case FlagShape::Icon: {
        painter.setBrush(t.canvas);
        painter.drawEllipse(middle, 7, 7);
        const QRectF box(middle - QPointF(6, 6), QSizeF(12, 12));
        theme::drawIcon(painter, box, bridge::policyEventIcon(flag.marker->policy), color);
        return;
    }
    case FlagShape::Text:
        break;
    }
    const bool isFault = flag.marker->kind == Kind::Fault;
    painter.setBrush(isFault ? t.of(theme::State::Failure).soft : t.hover);
    painter.drawRoundedRect(flag.box, 3, 3);
    painter.setPen(isFault ? color : t.text2);
    theme::drawFigures(painter, flag.box, flag.marker->label, Qt::AlignCenter);
}

} // namespace mesh::charts
