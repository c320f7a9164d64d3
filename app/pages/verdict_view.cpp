#include "app/pages/verdict_view.h"

#include "app/pages/texts.h"
#include "app/theme/figures.h"
#include "app/theme/glyphs.h"
#include "app/theme/icons.h"
#include "app/theme/theme.h"

#include <QPainter>
#include <QPainterPath>

#include <algorithm>
#include <array>
#include <cmath>

namespace mesh::pages {
namespace {

using theme::Role;
using theme::State;

constexpr double kMargin = 16;
constexpr double kLine = 25;
constexpr double kRow = 26;
constexpr auto kLeft = Qt::AlignLeft | Qt::AlignVCenter;
constexpr auto kRight = Qt::AlignRight | Qt::AlignVCenter;

void text(
    QPainter& painter,
    const QRectF& rect,
    const QString& words,
    Role role,
    const QColor& color,
    Qt::Alignment alignment = kLeft
)
{
    painter.setFont(theme::font(role));
    painter.setPen(color);
    const QString shown = painter.fontMetrics().elidedText(
        words, Qt::ElideRight, static_cast<int>(std::ceil(rect.width())) + 4
    );
    theme::drawFigures(painter, rect, shown, alignment);
}

State stateOf(bridge::VerdictKind verdict)
{
    return verdict == bridge::VerdictKind::Holds           ? State::Healthy
           : verdict == bridge::VerdictKind::NotCalibrated ? State::Degraded
                                                           : State::Failure;
}

double wrappedHeight(const QString& words, Role role, double width)
{
    const QFontMetricsF metrics(theme::font(role));
    return metrics.boundingRect(QRectF(0, 0, width, 1e4), Qt::TextWordWrap, words).height();
}

void wrapped(
    QPainter& painter, const QRectF& rect, const QString& words, Role role, const QColor& color
)
{
    painter.setFont(theme::font(role));
    painter.setPen(color);
    painter.drawText(rect, Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap, words);
}

} // namespace

// One pass from top to bottom; without a painter it only measures.
class VerdictView::Painter
{
public:
    Painter(QPainter* to, double viewWidth)
        : painter(to)
        , width(viewWidth)
    {}

    double run(const bridge::RunRow& row)
    {
        head(row);
        asserts(row);
        windows(row);
        worth(row);
        trust(row);
        foot(row);
        return y + 12;
    }

private:
    void head(const bridge::RunRow& row)
    {
        if (painter != nullptr) {
            const theme::Tokens& t = theme::tokens();
            const State state = stateOf(row.verdict);
            const QRectF disc(kMargin, 12, 34, 34);
            painter->setPen(QPen(t.of(state).line, 1.5));
            painter->setBrush(t.of(state).soft);
            painter->drawEllipse(disc);
            theme::drawStateGlyph(
                *painter, disc.adjusted(9, 9, -9, -9), state, t.of(state).text, 2
            );
            const double left = disc.right() + 12;
            const double room = width - left - kMargin;
            text(*painter, QRectF(left, 10, room, 20), row.headline, Role::Title, t.text1);
            text(*painter, QRectF(left, 30, room, 17), row.summary, Role::Small, t.text2);
        }
        y = 58;
    }

    void asserts(const bridge::RunRow& row)
    {
        const theme::Tokens& t = theme::tokens();
        for (const bridge::VerdictLine& line : row.verdicts) {
            if (painter != nullptr) {
                const State state = line.holds ? State::Healthy : State::Failure;
                theme::drawStateGlyph(
                    *painter, QRectF(kMargin + 1, y + 7, 11, 11), state, t.of(state).text
                );
                text(
                    *painter,
                    QRectF(kMargin + 22, y, 58, kLine),
                    line.window,
                    Role::CodeSmall,
                    t.text2
                );
                const double value =
                    theme::figuresWidth(theme::font(Role::SmallStrong), line.value) + 2;
                const double left = kMargin + 82;
                const double right = width - kMargin - value;
                text(
                    *painter,
                    QRectF(left, y, right - left - 8, kLine),
                    line.text,
                    Role::CodeSmall,
                    t.text1
                );
                text(
                    *painter,
                    QRectF(right, y, value, kLine),
                    line.value,
                    Role::SmallStrong,
                    line.holds ? t.text1 : t.of(State::Failure).text,
                    kRight
                );
            }
            y += kLine;
        }
        y += 8;
        rule();
    }

    void windows(const bridge::RunRow& row)
    {
        const QString title =
            row.shown.isEmpty() ? row.entry : row.entry + QStringLiteral(", ") + row.shown;
        if (painter != nullptr) {
            static_cast<void>(paintWindowTable(*painter, QRectF(0, y, width, 0), title, row.windows)
            );
        }
        y += 32 + kRow * static_cast<double>(row.windows.size()) + 14;
    }

    void worth(const bridge::RunRow& row)
    {
        if (row.worth.empty()) {
            return;
        }
        const theme::Tokens& t = theme::tokens();
        if (painter != nullptr) {
            text(
                *painter,
                QRectF(kMargin, y, width / 2, 18),
                VerdictView::tr("What each policy is worth"),
                Role::SmallStrong,
                t.text1
            );
            text(
                *painter,
                QRectF(width / 2, y, width / 2 - kMargin, 18),
                VerdictView::tr("success during, 95 % interval"),
                Role::Caption,
                t.text3,
                kRight
            );
        }
        y += 24;
        double most = 0.1;
        for (const bridge::WorthLine& line : row.worth) {
            most = std::max(most, std::abs(line.value));
            if (line.interval) {
                most = std::max({most, std::abs(line.interval->first), line.interval->second});
            }
        }
        for (const bridge::WorthLine& line : row.worth) {
            if (painter != nullptr) {
                worthLine(line, most);
            }
            y += kLine;
        }
        y += 10;
    }

    void worthLine(const bridge::WorthLine& line, double most)
    {
        const theme::Tokens& t = theme::tokens();
        text(*painter, QRectF(kMargin, y, 116, kLine), line.policy, Role::Small, t.text1);
        // Zero stands a fifth in, so that what hurts has room at the left.
        const double left = kMargin + 120;
        const double right = width - kMargin - 128;
        const double zero = left + (right - left) * 0.14;
        const double scale = (right - zero) / most;
        const auto xOf = [&](double value) {
            return std::clamp(zero + value * scale, left, right);
        };
        const double from = std::min(zero, xOf(line.value));
        const double to = std::max(zero, xOf(line.value));
        painter->setPen(Qt::NoPen);
        painter->setBrush(line.value >= 0 ? t.simulationLine : t.of(State::Degraded).line);
        const QRectF bar(from, y + 7, std::max(2.0, to - from), 11);
        painter->drawRoundedRect(bar, 2, 2);
        painter->setPen(QPen(t.borderStrong, 1));
        const double axis = std::round(zero) + 0.5;
        painter->drawLine(QPointF(axis, y + 3), QPointF(axis, y + 22));
        if (line.interval) {
            painter->setPen(QPen(t.text1, 1.4));
            const double middle = y + 12.5;
            painter->drawLine(
                QPointF(xOf(line.interval->first), middle),
                QPointF(xOf(line.interval->second), middle)
            );
        }
        // What prints as zero has no sign.
        const bool isZero = std::abs(line.value) < 0.05;
        const QString sign = isZero           ? QString()
                             : line.value > 0 ? QStringLiteral("+")
                                              : QStringLiteral("−");
        const QString value = VerdictView::tr("%1%2\u202Fpp")
                                  .arg(sign, QString::number(std::abs(line.value), 'f', 1));
        text(*painter, QRectF(right + 4, y, 62, kLine), value, Role::SmallStrong, t.text1, kRight);
        if (line.interval) {
            const auto number = [](double one) {
                return (one < -0.049 ? QStringLiteral("−") : QString())
                       + QString::number(std::abs(one), 'f', 1);
            };
            text(
                *painter,
                QRectF(width - kMargin - 60, y, 60, kLine),
                number(line.interval->first) + QStringLiteral(", ") + number(line.interval->second),
                Role::Caption,
                t.text3,
                kRight
            );
        }
    }

    void trust(const bridge::RunRow& row)
    {
        const theme::Tokens& t = theme::tokens();
        const double room = width - 2 * kMargin - 24;
        const double first = wrappedHeight(row.trust.text, Role::Caption, room);
        const double second =
            row.trust.missing.isEmpty() ? 0 : wrappedHeight(row.trust.missing, Role::Caption, room);
        const double height = 34 + first + second + 10;
        if (painter != nullptr) {
            const QRectF card(kMargin + 0.5, y + 0.5, width - 2 * kMargin - 1, height - 1);
            painter->setPen(QPen(t.border, 1));
            painter->setBrush(t.raised);
            painter->drawRoundedRect(card, 6, 6);
            const double left = kMargin + 12;
            text(
                *painter,
                QRectF(left, y + 8, room / 2, 20),
                VerdictView::tr("How far to trust this"),
                Role::SmallStrong,
                t.text1
            );
            const State state = row.trust.isCalibrated ? State::Healthy : State::Degraded;
            const double badge =
                theme::figuresWidth(theme::font(Role::CaptionMedium), row.trust.badge) + 16;
            const QRectF chip(card.right() - 12 - badge, y + 8, badge, 19);
            painter->setPen(Qt::NoPen);
            painter->setBrush(t.of(state).soft);
            painter->drawRoundedRect(chip, 4, 4);
            text(
                *painter,
                chip,
                row.trust.badge,
                Role::CaptionMedium,
                t.of(state).text,
                Qt::AlignCenter
            );
            wrapped(
                *painter,
                QRectF(left, y + 32, room, first + 2),
                row.trust.text,
                Role::Caption,
                t.text2
            );
            wrapped(
                *painter,
                QRectF(left, y + 32 + first, room, second + 2),
                row.trust.missing,
                Role::Caption,
                t.text2
            );
        }
        y += height + 10;
    }

    void foot(const bridge::RunRow& row)
    {
        if (painter != nullptr) {
            const theme::Tokens& t = theme::tokens();
            text(
                *painter,
                QRectF(kMargin, y, width / 2, 16),
                VerdictView::tr("event hash %1").arg(row.hash),
                Role::CodeSmall,
                t.text3
            );
            text(
                *painter,
                QRectF(width / 2, y, width / 2 - kMargin, 16),
                row.effort,
                Role::Caption,
                t.text3,
                kRight
            );
        }
        y += 18;
    }

    void rule()
    {
        if (painter != nullptr) {
            painter->setPen(QPen(theme::tokens().border, 1));
            painter->drawLine(QPointF(0, y + 0.5), QPointF(width, y + 0.5));
        }
        y += 1;
    }

    QPainter* painter;
    double width;
    double y = 0;
};

double paintWindowTable(
    QPainter& painter,
    const QRectF& area,
    const QString& title,
    const std::vector<bridge::WindowLine>& lines
)
{
    const theme::Tokens& t = theme::tokens();
    constexpr double kColumn = 74;
    const double width = area.width();
    double y = area.top();
    const std::array<double, 3> rights = {
        width - kMargin - 2 * kColumn, width - kMargin - kColumn, width - kMargin};
    const QRectF during(rights[0] + 8, y, kColumn, 32 + kRow * static_cast<double>(lines.size()));
    painter.fillRect(during, theme::faded(t.of(State::Failure).line, 0.07));
    const std::array<QString, 3> heads = {
        VerdictView::tr("before"), VerdictView::tr("during"), VerdictView::tr("after")};
    text(
        painter,
        QRectF(kMargin, y, rights[0] - kMargin - kColumn + 20, 32),
        title,
        Role::Caption,
        t.text3
    );
    for (std::size_t i = 0; i < heads.size(); ++i) {
        text(
            painter,
            QRectF(rights[i] - kColumn, y, kColumn, 32),
            heads[i],
            Role::Caption,
            i == 1 ? t.of(State::Failure).text : t.text3,
            kRight
        );
    }
    y += 32;
    for (const bridge::WindowLine& line : lines) {
        painter.setPen(QPen(t.border, 1));
        painter.drawLine(QPointF(0, y + 0.5), QPointF(width, y + 0.5));
        const double indent = line.isReference ? 10 : 0;
        text(
            painter,
            QRectF(kMargin + indent, y, rights[0] - kMargin - 60, kRow),
            line.label,
            Role::Small,
            line.isReference ? t.text3 : t.text1
        );
        const std::array<const QString*, 3> cells = {&line.before, &line.during, &line.after};
        for (std::size_t i = 0; i < cells.size(); ++i) {
            const bool isBad = i == 1 && line.isDuringWorse;
            const QColor plain = line.isReference ? t.text3 : t.text1;
            text(
                painter,
                QRectF(rights[i] - kColumn, y, kColumn, kRow),
                *cells[i],
                i == 1 ? Role::SmallStrong : Role::Small,
                isBad ? t.of(State::Failure).text : plain,
                kRight
            );
        }
        y += kRow;
    }
    painter.setPen(QPen(t.border, 1));
    painter.drawLine(QPointF(0, y + 0.5), QPointF(width, y + 0.5));
    return y;
}

VerdictView::VerdictView(QWidget* parent)
    : QWidget(parent)
{
    setObjectName(QStringLiteral("verdict"));
    setAccessibleName(tr("Verdict"));
    QSizePolicy policy(QSizePolicy::Preferred, QSizePolicy::Minimum);
    setSizePolicy(policy);
    connect(&theme::current(), &theme::Theme::changed, this, [this] { update(); });
}

void VerdictView::setRun(const std::optional<bridge::RunRow>& run)
{
    m_run = run;
    QStringList spoken;
    if (run) {
        spoken << run->headline << run->summary;
        for (const bridge::VerdictLine& line : run->verdicts) {
            spoken << tr("%1: %2, measured %3, %4")
                          .arg(
                              line.window,
                              line.text,
                              line.value,
                              line.holds ? tr("holds") : tr("fails")
                          );
        }
        spoken << run->trust.badge << run->trust.text;
    }
    setAccessibleDescription(spoken.join(QStringLiteral(". ")));
    updateGeometry();
    update();
}

void VerdictView::setNote(const QString& title, const QString& text)
{
    m_title = title;
    m_text = text;
    if (!m_run) {
        setAccessibleDescription(title + QStringLiteral(". ") + text);
    }
    update();
}

double VerdictView::heightFor(double width) const
{
    return m_run ? Painter(nullptr, width).run(*m_run) : 200;
}

QSize VerdictView::sizeHint() const
{
    const int wide = width() > 0 ? width() : 416;
    return {416, static_cast<int>(std::ceil(heightFor(wide)))};
}

QSize VerdictView::minimumSizeHint() const { return {320, sizeHint().height()}; }

void VerdictView::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const theme::Tokens& t = theme::tokens();
    painter.fillRect(rect(), t.panel);
    if (m_run) {
        Painter(&painter, width()).run(*m_run);
        return;
    }
    theme::drawIcon(
        painter,
        QRectF(width() / 2.0 - 16, 72, 32, 32),
        QStringLiteral("rehearse"),
        t.simulationLine
    );
    text(
        painter,
        QRectF(kMargin, 116, width() - 2 * kMargin, 22),
        m_title,
        Role::Title,
        t.text1,
        Qt::AlignCenter
    );
    painter.setFont(theme::font(Role::Small));
    painter.setPen(t.text2);
    painter.drawText(
        QRectF(kMargin + 24, 144, width() - 2 * kMargin - 48, 120),
        Qt::AlignHCenter | Qt::AlignTop | Qt::TextWordWrap,
        m_text
    );
}

} // namespace mesh::pages
