#include "app/graph/policy_marks.h"

#include "app/bridge/policy_words.h"
#include "app/graph/painter.h"
#include "app/theme/figures.h"
#include "app/theme/icons.h"

#include <QCoreApplication>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace mesh::graph {

namespace {

using bridge::PolicyKind;
using theme::State;
using theme::Tokens;

constexpr double kTagIcon = 11;
constexpr double kTagPadding = 6;

QString text(const char* source) { return QCoreApplication::translate("mesh::graph", source); }

QFont tagFont(double scale)
{
    QFont font = theme::font(theme::Role::CaptionMedium);
    font.setPointSizeF(font.pointSizeF() * scale);
    return font;
}

enum class Fill : std::uint8_t { None, Half, Full };

void drawBadge(
    QPainter& painter, QPointF center, const QString& icon, const QColor& color, Fill fill
)
{
    const Tokens& t = theme::tokens();
    constexpr double kRadius = 9;
    const QRectF disc(center - QPointF(kRadius, kRadius), QSizeF(2 * kRadius, 2 * kRadius));
    painter.setPen(Qt::NoPen);
    painter.setBrush(fill == Fill::Full ? color : t.panel);
    painter.drawEllipse(disc);
    if (fill == Fill::Half) {
        painter.setBrush(theme::mixed(t.panel, color, 0.4));
        constexpr int kHalfTurn = 180 * 16;
        painter.drawPie(disc, -kHalfTurn, kHalfTurn); // The lower half.
    }
    painter.setPen(QPen(fill == Fill::None && color == t.text1 ? t.borderStrong : color, 1));
    painter.setBrush(Qt::NoBrush);
    painter.drawEllipse(disc);
    const QRectF box(center - QPointF(5.5, 5.5), QSizeF(11, 11));
    theme::drawIcon(painter, box, icon, fill == Fill::Full ? t.canvas : color);
}

void drawLock(QPainter& painter, QPointF center, bridge::EdgeLock lock, Badges badges)
{
    const Tokens& t = theme::tokens();
    switch (lock) {
    case bridge::EdgeLock::Unknown:
        return;
    case bridge::EdgeLock::Closed:
        if (badges == Badges::All) {
            drawBadge(painter, center, QStringLiteral("lock"), t.text1, Fill::None);
        }
        return;
    case bridge::EdgeLock::Half:
    case bridge::EdgeLock::Open: {
        const Fill fill = lock == bridge::EdgeLock::Half ? Fill::Half : Fill::None;
        const QColor& color = t.of(State::Degraded).line;
        drawBadge(painter, center, QStringLiteral("lock-open"), color, fill);
        return;
    }
    }
}

bool isBreaker(PolicyKind kind)
{
    return kind == PolicyKind::BreakerOpen || kind == PolicyKind::BreakerHalfOpen;
}

// Corners of their own: these are never in the fourth one.
bool hasCorner(PolicyKind kind)
{
    return isBreaker(kind) || kind == PolicyKind::Ejection || kind == PolicyKind::Injection
           || kind == PolicyKind::Mirror || kind == PolicyKind::Split;
}

template <typename Matches>
const bridge::PolicyRow* firstOf(const std::vector<bridge::PolicyRow>& rows, Matches matches)
{
    const auto found = std::find_if(rows.begin(), rows.end(), [&](const bridge::PolicyRow& row) {
        return matches(row.kind);
    });
    return found == rows.end() ? nullptr : &*found;
}

QColor colorOf(PolicyKind kind, const Tokens& t)
{
    const State state = stateOf(kind);
    return state == State::Idle ? t.text1 : t.of(state).text;
}

} // namespace

theme::State stateOf(bridge::PolicyKind kind)
{
    switch (bridge::policyTone(kind)) {
    case bridge::PolicyTone::Alarm:
        return State::Failure;
    case bridge::PolicyTone::Attention:
        return State::Degraded;
    case bridge::PolicyTone::Neutral:
        break;
    }
    return State::Idle;
}

std::vector<NodeTag> nodeTags(const bridge::EntityRow& row)
{
    std::vector<NodeTag> tags;
    if (!row.faults.isEmpty()) {
        tags.push_back({QStringLiteral("bolt"), faultText(row), State::Failure});
    }
    std::vector<PolicyKind> told;
    for (const bridge::PolicyRow& policy : row.policies) {
        const bool isTold = std::find(told.begin(), told.end(), policy.kind) != told.end();
        if (isTold || bridge::policyTone(policy.kind) == bridge::PolicyTone::Neutral) {
            continue;
        }
        told.push_back(policy.kind);
        tags.push_back({bridge::policyIcon(policy.kind), policy.text, stateOf(policy.kind)});
    }
    if (tags.size() > kNodeTagsMax) {
        const auto more = static_cast<int>(tags.size()) - kNodeTagsMax;
        tags.resize(kNodeTagsMax);
        tags.back().text += QStringLiteral(" · +%1").arg(more);
    }
    return tags;
}

double nodeTagWidth(const NodeTag& tag, double textScale)
{
    const double words = theme::figuresWidth(tagFont(textScale), tag.text);
    return kTagPadding + kTagIcon + 4 + words + kTagPadding;
}

QRectF nodeTagBox(double nodeSize, const std::vector<NodeTag>& tags, double textScale)
{
    if (tags.empty()) {
        return {};
    }
    double width = 0;
    for (const NodeTag& tag : tags) {
        width = std::max(width, nodeTagWidth(tag, textScale));
    }
    const double offset = 0.39 * nodeSize + 3;
    const auto rows = static_cast<double>(tags.size());
    return QRectF(offset + 17, -offset - 14, width, (rows - 1) * kNodeTagPitch + kNodeTagHeight);
}

void drawNodeBadges(QPainter& painter, const SceneNode& node, Badges badges)
{
    const Tokens& t = theme::tokens();
    const double offset = 0.39 * node.size + 3;
    const auto& policies = node.row.policies;
    const bool isOut = std::any_of(
        node.row.instances.begin(),
        node.row.instances.end(),
        [](const bridge::InstanceRow& instance) {
            return instance.state == bridge::InstanceState::Ejected;
        }
    );
    if (const auto* breaker = firstOf(policies, isBreaker)) {
        const Fill fill = breaker->kind == PolicyKind::BreakerOpen ? Fill::Full : Fill::Half;
        const QString icon = bridge::policyIcon(breaker->kind);
        drawBadge(painter, {-offset, -offset}, icon, colorOf(breaker->kind, t), fill);
    } else if (isOut) {
        const QString icon = bridge::policyIcon(PolicyKind::Ejection);
        const QColor color = colorOf(PolicyKind::Ejection, t);
        drawBadge(painter, {-offset, -offset}, icon, color, Fill::None);
    }
    const auto isInjection = [](PolicyKind kind) { return kind == PolicyKind::Injection; };
    if (!node.row.faults.isEmpty() || firstOf(policies, isInjection) != nullptr) {
        const QColor& failure = t.of(State::Failure).line;
        const Fill fill = node.row.faults.isEmpty() ? Fill::None : Fill::Full;
        drawBadge(painter, {offset, -offset}, QStringLiteral("bolt"), failure, fill);
    }
    const auto isRouting = [](PolicyKind kind) {
        return kind == PolicyKind::Split || kind == PolicyKind::Mirror;
    };
    const auto* routing = firstOf(policies, isRouting);
    const bool isMixed = node.row.kind == bridge::EntityKind::Service
                         && node.row.version.contains(QStringLiteral(" · v"));
    if (routing != nullptr || isMixed) {
        const PolicyKind kind = routing != nullptr ? routing->kind : PolicyKind::Split;
        drawBadge(painter, {-offset, offset}, bridge::policyIcon(kind), t.text1, Fill::None);
    }
    const auto isOther = [](PolicyKind kind) { return !hasCorner(kind); };
    if (const auto* other = firstOf(policies, isOther)) {
        const Fill fill = stateOf(other->kind) == State::Failure ? Fill::Full : Fill::None;
        const QString icon = bridge::policyIcon(other->kind);
        drawBadge(painter, {offset, offset}, icon, colorOf(other->kind, t), fill);
    } else {
        drawLock(painter, {offset, offset}, node.row.lock, badges);
    }
}

void drawNodeTags(QPainter& painter, const SceneNode& node, double textScale)
{
    const std::vector<NodeTag> tags = nodeTags(node.row);
    const Tokens& t = theme::tokens();
    const QRectF all = nodeTagBox(node.size, tags, textScale);
    painter.setFont(tagFont(textScale));
    double y = all.top();
    for (const NodeTag& tag : tags) {
        const theme::StateColors& colors = t.of(tag.state);
        const QRectF box(all.left(), y, nodeTagWidth(tag, textScale), kNodeTagHeight);
        painter.setPen(QPen(theme::mixed(t.canvas, colors.line, 0.45), 1));
        painter.setBrush(colors.soft);
        painter.drawRoundedRect(box, 4, 4);
        const QRectF icon(
            box.left() + kTagPadding, box.center().y() - kTagIcon / 2, kTagIcon, kTagIcon
        );
        theme::drawIcon(painter, icon, tag.icon, colors.text);
        painter.setPen(colors.text);
        theme::drawFigures(
            painter,
            box.adjusted(kTagPadding + kTagIcon + 4, 0, 0, 0),
            tag.text,
            Qt::AlignLeft | Qt::AlignVCenter
        );
        y += kNodeTagPitch;
    }
}

void drawWorstDot(QPainter& painter, const SceneNode& node)
{
    const Tokens& t = theme::tokens();
    bool isAlarm = !node.row.faults.isEmpty();
    bool isAttention = node.row.findings > 0;
    for (const bridge::PolicyRow& policy : node.row.policies) {
        const bridge::PolicyTone tone = bridge::policyTone(policy.kind);
        isAlarm = isAlarm || tone == bridge::PolicyTone::Alarm;
        isAttention = isAttention || tone == bridge::PolicyTone::Attention;
    }
    if (!isAlarm && !isAttention) {
        return;
    }
    painter.setPen(Qt::NoPen);
    painter.setBrush(isAlarm ? t.of(State::Failure).line : t.attention);
    const double offset = 0.39 * node.size;
    painter.drawEllipse(QPointF(offset, -offset), 6, 6);
}

void drawEdgePolicies(QPainter& painter, const SceneEdge& edge, const QColor& color)
{
    if (edge.row.policies.empty() || edge.samples.size() < 8) {
        return;
    }
    const Tokens& t = theme::tokens();
    if (const auto* breaker = firstOf(edge.row.policies, isBreaker)) {
        // Near the target, where no plate stands; along the edge's direction there.
        const std::size_t at = edge.samples.size() * 9 / 10;
        const QPointF direction = edge.samples[at + 1] - edge.samples[at - 1];
        const bool isOpen = breaker->kind == PolicyKind::BreakerOpen;
        painter.save();
        painter.translate(edge.samples[at]);
        painter.rotate(std::atan2(direction.y(), direction.x()) * 180 / 3.14159265358979);
        painter.setPen(Qt::NoPen);
        painter.setBrush(t.canvas);
        painter.drawRect(QRectF(-5, -6, 10, 12));
        painter.setPen(QPen(isOpen ? t.of(State::Failure).line : t.of(State::Degraded).line, 2));
        painter.drawLine(QPointF(-5, -5.5), QPointF(-5, 5.5));
        painter.drawLine(QPointF(5, -5.5), QPointF(5, 5.5));
        if (!isOpen) {
            QPen dashed(color, 1.5);
            dashed.setDashPattern({1.4, 1.4});
            painter.setPen(dashed);
            painter.drawLine(QPointF(-4, 0), QPointF(4, 0));
        }
        painter.restore();
    }
    // One badge near the source, whose node decides this.
    const auto isOther = [](PolicyKind kind) {
        return !isBreaker(kind) && bridge::policyTone(kind) != bridge::PolicyTone::Neutral;
    };
    if (const auto* other = firstOf(edge.row.policies, isOther)) {
        const QPointF at = edge.samples[edge.samples.size() / 5];
        drawBadge(
            painter, at, bridge::policyIcon(other->kind), colorOf(other->kind, t), Fill::None
        );
    }
}

void drawEdgeLock(QPainter& painter, const SceneEdge& edge, Badges badges)
{
    if (edge.samples.size() >= 8) {
        // Behind the place of a policy's badge.
        drawLock(painter, edge.samples[edge.samples.size() / 3], edge.row.lock, badges);
    }
}

QString policyLines(const std::vector<bridge::PolicyRow>& policies)
{
    QStringList lines;
    for (const bridge::PolicyRow& policy : policies) {
        const QString about =
            policy.reason.isEmpty() ? bridge::policyHelp(policy.kind) : policy.reason;
        lines << text("%1: %2").arg(policy.text, about);
    }
    return lines.join(u'\n');
}

} // namespace mesh::graph
