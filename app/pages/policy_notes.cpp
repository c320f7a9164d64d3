#include "app/pages/policy_notes.h"

#include "app/bridge/policy_words.h"
#include "app/pages/texts.h"
#include "app/theme/controls.h"
#include "app/theme/icons.h"
#include "app/theme/theme.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QVBoxLayout>

#include <algorithm>

namespace mesh::pages {
namespace {

constexpr std::size_t kBriefMax = 3;
constexpr int kSign = 16;

theme::State stateOf(bridge::PolicyKind kind)
{
    switch (bridge::policyTone(kind)) {
    case bridge::PolicyTone::Alarm:
        return theme::State::Failure;
    case bridge::PolicyTone::Attention:
        return theme::State::Degraded;
    case bridge::PolicyTone::Neutral:
        break;
    }
    return theme::State::Idle;
}

// The sign at the left of a line; follows the theme.
class Sign : public QWidget
{
public:
    explicit Sign(QWidget* parent)
        : QWidget(parent)
    {
        setFixedSize(kSign, kSign);
    }
    void setKind(bridge::PolicyKind kind)
    {
        m_kind = kind;
        update();
    }

protected:
    void paintEvent(QPaintEvent* event) override
    {
        Q_UNUSED(event)
        QPainter painter(this);
        const theme::Tokens& t = theme::tokens();
        const theme::State state = stateOf(m_kind);
        const QColor& color = state == theme::State::Idle ? t.text2 : t.of(state).text;
        theme::drawIcon(painter, QRectF(rect()), bridge::policyIcon(m_kind), color);
    }

private:
    bridge::PolicyKind m_kind = bridge::PolicyKind::Split;
};

QString originOf(const bridge::PolicyRow& policy)
{
    QStringList parts;
    if (policy.since_us > 0) {
        parts << PolicyNotes::tr("since %1").arg(clockText(policy.since_us));
    }
    if (!policy.nodes.isEmpty()) {
        parts << PolicyNotes::tr("says %1").arg(policy.nodes.join(QStringLiteral(", ")));
    } else if (policy.since_us == 0) {
        parts << PolicyNotes::tr("configured");
    }
    return parts.join(QStringLiteral(" · "));
}

} // namespace

// One policy: sign and two or three lines of words.
class PolicyNotes::Line : public QWidget
{
public:
    Line(Style style, QWidget* parent)
        : QWidget(parent)
        , m_style(style)
        , m_sign(new Sign(this))
        , m_title(new QLabel(this))
        , m_reason(new QLabel(this))
        , m_brief(new theme::ElidedLabel(theme::Role::Caption, this))
    {
        auto* row = new QHBoxLayout(this);
        row->setContentsMargins(0, style == Style::Brief ? 1 : 5, 0, style == Style::Brief ? 1 : 5);
        row->setSpacing(7);
        row->addWidget(m_sign, 0, Qt::AlignTop);
        theme::setText(*m_title, theme::Role::CaptionStrong);
        theme::setText(*m_reason, theme::Role::Caption, theme::TextColor::Text2);
        m_title->setTextFormat(Qt::PlainText);
        m_reason->setTextFormat(Qt::PlainText);
        m_brief->setElideMode(Qt::ElideRight);
        m_brief->setColor(theme::TextColor::Text2);
        if (style == Style::Brief) {
            m_reason->hide();
            row->addWidget(m_title);
            row->addWidget(m_brief, 1);
            return;
        }
        m_brief->hide();
        m_reason->setWordWrap(true);
        m_title->setWordWrap(true);
        auto* words = new QVBoxLayout;
        words->setSpacing(1);
        words->addWidget(m_title);
        words->addWidget(m_reason);
        row->addLayout(words, 1);
    }

    void show(const bridge::PolicyRow& policy)
    {
        m_sign->setKind(policy.kind);
        const QString reason =
            policy.reason.isEmpty() ? bridge::policyHelp(policy.kind) : policy.reason;
        const QString origin = originOf(policy);
        m_title->setText(
            m_style == Style::Brief ? policy.text : policy.text + QStringLiteral(" · ") + origin
        );
        m_reason->setText(reason);
        m_brief->setText(reason);
        const QStringList all{policy.text, reason, origin, bridge::policyHelp(policy.kind)};
        setToolTip(all.join(u'\n'));
        setAccessibleName(policy.text + QStringLiteral(": ") + reason);
    }

private:
    Style m_style;
    Sign* m_sign;
    QLabel* m_title;
    QLabel* m_reason;
    theme::ElidedLabel* m_brief;
};

PolicyNotes::PolicyNotes(Style style, QWidget* parent)
    : QWidget(parent)
    , m_style(style)
    , m_column(new QVBoxLayout(this))
    , m_none(new QLabel(tr("No policy acts on it, and none is configured."), this))
{
    setObjectName(
        style == Style::Brief ? QStringLiteral("policyNotes") : QStringLiteral("policyList")
    );
    setAccessibleName(tr("Policies in force"));
    m_column->setContentsMargins(0, 0, 0, 0);
    m_column->setSpacing(0);
    theme::setText(*m_none, theme::Role::Caption, theme::TextColor::Text3);
    m_none->setWordWrap(true);
    m_column->addWidget(m_none);
    m_none->setVisible(style == Style::Full);
}

void PolicyNotes::setPolicies(const std::vector<bridge::PolicyRow>& policies)
{
    std::vector<bridge::PolicyRow> shown;
    for (const bridge::PolicyRow& policy : policies) {
        const bool isLoud = bridge::policyTone(policy.kind) != bridge::PolicyTone::Neutral;
        if (m_style == Style::Full || (isLoud && shown.size() < kBriefMax)) {
            shown.push_back(policy);
        }
    }
    while (m_lines.size() < shown.size()) {
        m_lines.push_back(new Line(m_style, this));
        m_column->addWidget(m_lines.back());
    }
    for (std::size_t i = 0; i < m_lines.size(); ++i) {
        m_lines[i]->setVisible(i < shown.size());
        if (i < shown.size()) {
            m_lines[i]->show(shown[i]);
        }
    }
    m_shown = static_cast<int>(shown.size());
    m_none->setVisible(m_style == Style::Full && shown.empty());
    if (m_style == Style::Brief) {
        setVisible(!shown.empty());
    }
}

} // namespace mesh::pages
